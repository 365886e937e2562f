// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"syscall"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// fullDisk is a mirror that wants lengths, seen from a host that has no room
// for larger packs.
type fullDisk struct {
	Mirror
	room  int64
	tried *int
}

func (m fullDisk) Push(ctx context.Context, q gitwire.PushRequest) (*gitwire.Report, error) {
	var pack bytes.Buffer
	if n, err := io.Copy(&pack, io.LimitReader(q.Pack, m.room+1)); err != nil {
		return nil, err
	} else if n > m.room {
		*m.tried++
		return nil, fault.New(fault.Ours, "%w: %w", gitwire.ErrNoRoom, syscall.ENOSPC)
	}
	q.Pack = &pack
	return m.Mirror.Push(ctx, q)
}

// TestNoRoom: a pack for which this host has no room holds no other, is nobody's
// fault, and is not tried again; a branch goes in slices.
func TestNoRoom(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	tried := 0
	b.Mirror = fullDisk{b.Mirror, 100_000, &tried}
	noRoom := outcome{States: "refused, refused", Kind: fault.Ours, Text: "no room for the pack"}
	items := append(b.single(4), b.heavy(5, 300_000))
	_, results := b.Move(t.Context(), nil, items)
	check(t, results, allDone, allDone, allDone, allDone, noRoom)
	before := tried
	_, results = b.Move(t.Context(), nil, []Item{b.heavy(6, 300_000), b.heavy(7, 2000)})
	check(t, results, noRoom, allDone)
	if tried != before {
		t.Errorf("%d more packs without room, after that was known", tried-before)
	}
	var chain []commit
	for _, name := range []string{"a", "b", "c", "d"} {
		chain = append(chain, commit{name: name, files: 1, size: 100_000})
	}
	ids := b.commits("refs/heads/long", b.base, chain...)
	branches, _ := b.Move(t.Context(), []Item{branch("long", "", ids[len(ids)-1])}, nil)
	check(t, branches, outcome{States: "done"})
}

// TestManyRefsOverTheLimit: a request may be too large for its list of updates,
// which says nothing about packs.
func TestManyRefsOverTheLimit(t *testing.T) {
	t.Parallel()
	f := &fake{answer: func(q gitwire.PushRequest) (*gitwire.Report, error) {
		if _, err := io.Copy(io.Discard, q.Pack); err != nil {
			return nil, err
		}
		if len(q.Commands) > 10 {
			return nil, fault.Wrap(fault.Permanent, &gitwire.StatusError{Status: http.StatusRequestEntityTooLarge})
		}
		return says(q, "ok", "", ""), nil
	}}
	_, results := f.relay().Move(t.Context(), nil, f.items(64))
	for i, res := range results {
		if res.Err != nil {
			t.Errorf("patchset %d: got %v", i+1, res.Err)
		}
	}
}
