// SPDX-License-Identifier: BSD-3-Clause

//go:build bench && linux

package bench

import (
	"encoding/json"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// pass is what whole passes of the built program cost.
type pass struct {
	wall sample
	peak int64 // the most memory of any of them, in bytes
	// Requests of the last one. fetched and pushed count bytes of git's bodies
	// with HTTP's headers.
	gerrit, hub, mirror, fetches, pushes int
	fetched, pushed                      int64
}

// measurePass runs passes that find the changes of a query new, each with a
// mirror and a GitHub of its own. With empty the mirror holds nothing at all.
func (w *world) measurePass(t *testing.T, times int, query string, want int, empty bool) pass {
	t.Helper()
	var p pass
	for range times {
		mirror := w.newMirror(t)
		if empty {
			w.dropMirror(t, mirror)
			must(t, w.mirror.Create(t.Context(), mirror))
		}
		w.onePass(t, &p, mirror, query, want)
		w.dropMirror(t, mirror)
	}
	return p
}

// measureIdle runs passes that have nothing to do over all open changes.
func (w *world) measureIdle(t *testing.T, times int) pass {
	t.Helper()
	var first, idle pass
	mirror := w.newMirror(t)
	hub := w.onePass(t, &first, mirror, "", openChanges)
	for range times {
		w.passWith(t, &idle, hub, mirror, "", 0)
	}
	return idle
}

func (w *world) onePass(t *testing.T, p *pass, mirror, query string, want int) hub {
	t.Helper()
	h := rig.NewHub(t)
	w.passWith(t, p, h, mirror, query, want)
	return h
}

func (w *world) passWith(t *testing.T, p *pass, h hub, mirror, query string, want int) {
	t.Helper()
	ctx := t.Context()
	file, env, err := rig.Config{
		GerritURL: w.gerrit.URL, Project: gerritProject, Query: query,
		Mirror: mirror, MirrorURL: w.mirror.GitURL(mirror), APIURL: h.URL(),
		Grace: 10 * time.Minute, User: rig.AdminUser, Password: rig.AdminPassword,
	}.Write(t.TempDir())
	must(t, err)
	w.traffic(t, h)
	r, err := rig.Run(ctx, w.bin, env, nil, "sync", "--config", file, "--json")
	must(t, err)
	var report struct {
		Totals struct{ Relayed, Dispatched int }
	}
	if err := json.Unmarshal([]byte(r.Stdout), &report); err != nil || r.Code != 0 {
		t.Fatalf("a pass failed (%v): %s", err, r)
	}
	if report.Totals.Relayed != want || report.Totals.Dispatched != want {
		t.Fatalf("got %+v from a pass, want %d relayed and dispatched", report.Totals, want)
	}
	p.wall = append(p.wall, r.Wall)
	p.peak = max(p.peak, r.Peak)
	p.count(w.traffic(t, h))
}

// traffic is what the servers were asked.
type traffic struct {
	gerrit, mirror []rig.Request
	hub            int
}

// traffic returns what was asked since its last call.
func (w *world) traffic(t *testing.T, h hub) traffic {
	t.Helper()
	got := traffic{hub: len(h.Requests())}
	var err error
	got.gerrit, err = w.gerrit.Requests(t.Context())
	must(t, err)
	got.mirror, err = w.mirror.Requests(t.Context())
	must(t, err)
	return got
}

func (p *pass) count(got traffic) {
	p.gerrit, p.mirror, p.hub = len(got.gerrit), len(got.mirror), got.hub
	p.fetches, p.fetched, p.pushes, p.pushed = 0, 0, 0, 0
	for _, r := range got.gerrit {
		if strings.HasSuffix(r.URI, "/git-upload-pack") {
			p.fetches++
			p.fetched += r.Out
		}
	}
	for _, r := range got.mirror {
		if strings.HasSuffix(r.URI, "/git-receive-pack") {
			p.pushes++
			p.pushed += r.In
		}
	}
}
