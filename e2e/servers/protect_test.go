// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package servers

import (
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// TestProtectedBranch has each server protect master in its own way. The branch
// stays behind and somebody is told what to do; patchsets land and run all the
// same, those on the branch's new commits, too.
func TestProtectedBranch(t *testing.T) {
	protect := map[string]func(b *bed){
		"git": func(b *bed) { b.must(b.mirror.Configure(b.Context(), "receive.denyNonFastForwards", "true")) },
		"gitea": func(b *bed) {
			g, err := gitea()
			b.must(err)
			name := b.mirror.Dir[strings.LastIndexByte(b.mirror.Dir, '/')+1 : len(b.mirror.Dir)-len(".git")]
			b.must(g.Call(b.Context(), http.MethodPost, "/repos/"+rig.GiteaUser+"/"+name+"/branch_protections",
				map[string]any{"rule_name": "master", "enable_push": false}, nil))
		},
		"soft-serve": func(b *bed) { b.must(b.mirror.Configure(b.Context(), "receive.denyNonFastForwards", "true")) },
		"spokes":     func(b *bed) { b.must(b.mirror.Configure(b.Context(), "receive.hideRefs", "refs/heads/master")) },
	}
	each(t, func(b *bed) {
		changes := b.push(2)
		b.pass(0)
		protect[b.host](b)
		b.project.Rewrite("master", map[string]string{"README.md": "The project under another review.\n"})
		before := b.refs()["refs/heads/master"]
		changes = append(changes, b.push(2)...)
		b.says(b.pass(2), "master")
		if got := b.refs()["refs/heads/master"]; got != before {
			b.Errorf("master moved to %s", got)
		}
		b.landed(changes...)
		b.ran(1, changes...)
		b.clock.advance(5 * time.Minute)
		b.pass(0) // it was said once
		b.ran(1, changes...)
		b.blamed()
	})
}
