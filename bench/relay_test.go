// SPDX-License-Identifier: BSD-3-Clause

//go:build bench && linux

package bench

import (
	"context"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
	"github.com/spdk-community-ci/dispatcher/internal/relay"
)

// measureRelay moves patchsets with the relay alone, within this process: one
// fetch, one push, nothing else.
func (w *world) measureRelay(t *testing.T, times int, changes []rig.Change, have string) sample {
	t.Helper()
	var s sample
	for range times {
		mirror := w.newMirror(t)
		r := w.newRelay(t, mirror)
		items := make([]relay.Item, len(changes))
		for i, c := range changes {
			rev := change.Revision(c.Revision)
			items[i] = relay.Item{
				ID: change.ID{Change: c.Number, Patchset: c.Patchset()}, Want: rev,
				Updates: []relay.Update{{Ref: c.Ref(), New: rev}},
				Haves:   []change.Revision{change.Revision(have)},
			}
		}
		begin := time.Now()
		_, results := r.Move(t.Context(), nil, items)
		s = append(s, time.Since(begin))
		for _, result := range results {
			must(t, result.Err)
		}
		w.dropMirror(t, mirror)
	}
	return s
}

func (w *world) newRelay(t *testing.T, mirror string) *relay.Relay {
	t.Helper()
	open := func(url, user, password string) *gitwire.Remote {
		r, err := gitwire.Open(url, gitwire.Options{
			Credential: func(context.Context) (string, string, error) { return user, password, nil },
		})
		must(t, err)
		return r
	}
	return &relay.Relay{
		Source:  open(w.gerrit.GitURL(gerritProject), rig.AdminUser, rig.AdminPassword),
		Mirror:  open(w.mirror.GitURL(mirror), rig.MirrorUser, rig.MirrorToken),
		Allowed: func(string) bool { return true },
		Now:     time.Now,
		Sleep: func(ctx context.Context, d time.Duration) error {
			t.Errorf("the relay waits for %s", d)
			return nil
		},
	}
}
