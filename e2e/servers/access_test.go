// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package servers

import (
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// TestBranchNamespaces has patchsets and the ledger be branches, as for servers
// that refuse other names.
func TestBranchNamespaces(t *testing.T) {
	each(t, func(b *bed) {
		b.mirrorSettings = ", namespace: refs/heads/changes/, ledger: refs/heads/_dispatcher/"
		changes := b.push(5)
		b.pass(0)
		b.ran(1, changes...)
		b.pass(0)
		b.ran(1, changes...)
		changes[0].Abandon()
		b.clock.advance(15 * 24 * time.Hour)
		b.pass(0)
		refs := b.refs()
		for i, c := range changes {
			ref := change.BranchRefs.Ref(c.ID())
			if got, want := refs[ref], string(c.Revision()); i > 0 && got != want || i == 0 && got != "" {
				b.Errorf("the mirror's %s is %q", ref, got)
			}
		}
		b.must(b.mirror.Check(b.Context()))
	})
}

// TestAccounts has the servers that know accounts be asked with and without the
// account's name, and with a wrong token: that is a setting to correct, and the
// token is not shown.
func TestAccounts(t *testing.T) {
	t.Parallel()
	for i, account := range map[int]string{1: "forge", 2: "admin"} {
		t.Run(hosts[i].name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t, hosts[i])
			changes := b.push(1)
			b.mirrorSettings = ", username: " + account
			b.pass(0)
			b.landed(changes...)
			b.mirrorSettings = ""
			changes = b.push(1)
			b.pass(0)
			b.landed(changes...)
			b.env["MIRROR_TOKEN"] = "no-token-of-theirs"
			b.push(1)
			b.says(b.pass(2), "MIRROR", "hint: ")
		})
	}
}
