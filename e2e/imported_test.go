// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"strings"
	"testing"
)

// TestImportedNumber has two projects of the real Gerrit with a change of the same
// number each, one of them imported from another server. Each is relayed, run and
// voted on by itself, as soon as Gerrit knows who the people of the other are.
func TestImportedNumber(t *testing.T) {
	ctx, g := t.Context(), world.gerrit
	own := newScene(t, "own", 21, settings{})
	own.reporting()
	d := own.upload("a change of this server")
	number := own.author.number(d)
	stranger := newScene(t, "stranger", 22, settings{})
	must(t, g.Import(ctx, number, own.project, stranger.project))
	if r := stranger.run(nil); r.Code != 0 || !strings.Contains(r.Stdout, "its owner has no account id") {
		t.Errorf("the owner is nobody here: %s", r)
	}
	var admin struct {
		ID int `json:"_account_id"`
	}
	must(t, g.Get(ctx, "accounts/self", &admin))
	must(t, g.MapAccount(ctx, admin.ID))
	imported := newScene(t, "imported", 23, settings{})
	imported.reporting()
	must(t, g.Import(ctx, number, own.project, imported.project))
	imported.pass()
	imported.ends("failure", "not ok 1 - nvme reset")
	own.ends("success", "")
	imported.pass()
	own.pass()
	own.expect(d, 1, 1, "1 job passed")
	imported.expect(d, -1, 1, "1 job failed")
}
