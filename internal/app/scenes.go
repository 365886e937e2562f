// SPDX-License-Identifier: BSD-3-Clause

package app

import "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"

// scene is one step of the demo: something happens, then a pass is made.
type scene struct {
	title string
	play  func(*stage)
}

// scenes are the demo's story.
func scenes() []scene {
	wip := func(d *gerrit.Draft) { d.WIP = true }
	return []scene{
		{"Ann uploads a stack of three, Bob a fix; one change is not ready, one asks for comments. Three runs may start in a pass.", func(st *stage) {
			st.upload("one", "ann", "nvme: split the probe loop", "")
			st.upload("two", "ann", "nvme: probe in parallel", "one")
			st.upload("three", "ann", "test/nvme: cover parallel probes", "two")
			st.upload("fix", "bob", "bdev: fix a leak on reset", "")
			st.upload("draft", "bob", "vhost: half of an idea", "", wip)
			st.upload("rfc", "ann", "[RFC] scheduler: think about it", "")
		}},
		{"Ann amends the middle of her stack and Bob's idea is ready. GitHub starts a run, but its answer is lost on the way.", func(st *stage) {
			st.changes["two"].Amend(map[string]string{"lib/nvme.c": "int nvme, parallel;\n"})
			st.changes["draft"].SetWIP(false)
			st.loseNextAnswer()
		}},
		{"Nothing new in Gerrit. The run whose answer was lost is found by its key, not started again.", func(*stage) {}},
		{"And a pass with nothing to do.", func(*stage) {}},
	}
}
