// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"bytes"
	"errors"
	"io"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// maxHaves bounds the haves of one fetch. JGit answers with thousands nearly as
// fast as with one, and more than the newest tips shrink a pack no further.
const maxHaves = 2000

// errLarge ends a pack that grows over the limit; the push is aborted with it.
var errLarge = errors.New("the pack is over the limit for one push")

// load is a pack on its way. It counts, keeps to the limit and remembers how
// its source failed.
type load struct {
	pack  io.ReadCloser
	limit int64
	bytes int64
	err   error
}

// Read implements io.Reader.
func (l *load) Read(p []byte) (int, error) {
	n, err := l.pack.Read(p)
	if l.bytes += int64(n); l.bytes > l.limit {
		n, err = 0, errLarge
	}
	if err != nil && err != io.EOF && l.err == nil {
		l.err = err
	}
	return n, err
}

// Close implements io.Closer: a push that fails frees the source with it.
func (l *load) Close() error { return l.pack.Close() }

// broke says whether err of a push is this source's failure. What the source
// says after it was closed is not: err is then what had it closed.
func (l *load) broke(err error) bool { return l.err != nil && errors.Is(err, l.err) }

// fetch opens the pack for the members, or the empty one if they need none.
func (m *mover) fetch(list []int) (*load, error) {
	l := &load{limit: m.r.maxPack()}
	wants := m.wants(list)
	if len(wants) == 0 {
		l.pack = io.NopCloser(bytes.NewReader(gitwire.EmptyPack()))
		return l, nil
	}
	m.fetches++
	var err error
	l.pack, err = m.r.Source.Fetch(m.ctx, gitwire.FetchRequest{Wants: wants, Haves: m.haves(list), NoThin: m.stage > thin})
	return l, err
}

// wants are the objects that the mirror does not have yet, each once. What the
// source must know of is asked for too: it is among the haves, so it adds
// nothing to the pack, and a source without it says so.
func (m *mover) wants(list []int) []string {
	var wants idSet
	for _, i := range list {
		if m.needs(i) {
			wants.add(string(m.works[i].Want))
			if known := m.works[i].Known; known != "" {
				wants.add(string(known))
			}
		}
	}
	return wants.ids
}

// needs says whether a member's objects have to be fetched.
func (m *mover) needs(i int) bool {
	w := m.works[i]
	return !w.OnMirror && !w.done() && !m.landed.has(string(w.Want))
}

// stage says how much the mirror is trusted to have what we believe it has.
type stage int

const (
	// thin: deltas against objects that only the mirror has.
	thin stage = iota
	// whole: no such deltas, and only haves that the mirror has just named.
	whole
	// broad: no such deltas, and all that the mirror names as haves.
	broad
)

// haves are the objects to build on: what has just landed, then what the
// members know of.
func (m *mover) haves(list []int) []string {
	var haves idSet
	haves.add(m.landed.ids...)
	if m.stage == broad {
		haves.add(m.tips.heads...)
		haves.add(m.tips.others...)
		return haves.first(maxHaves)
	}
	for _, i := range list {
		for _, h := range m.works[i].Haves {
			if _, err := change.ParseRevision(string(h)); err == nil && (m.stage == thin || m.tips.offered[string(h)]) {
				haves.add(string(h))
			}
		}
	}
	return haves.first(maxHaves)
}

// distrust goes to the next stage. It reports false when there is none.
func (m *mover) distrust() (bool, error) {
	switch m.stage {
	case thin:
		var offered []string
		for _, w := range m.works {
			for _, h := range w.Haves {
				offered = append(offered, string(h))
			}
		}
		t, err := m.r.tips(m.ctx, offered)
		if err != nil {
			return false, err
		}
		m.tips, m.stage = t, whole
		m.r.logf("the mirror lacks objects: trying again with a whole pack")
		return true, nil
	case whole:
		m.stage = broad
		m.r.logf("the mirror lacks objects: trying again with all its refs as haves")
		return true, nil
	default:
		return false, nil
	}
}

// idSet keeps object ids, each once, in the order in which they came.
type idSet struct {
	ids  []string
	seen map[string]bool
}

func (s *idSet) add(ids ...string) {
	for _, id := range ids {
		if !s.seen[id] {
			if s.seen == nil {
				s.seen = map[string]bool{}
			}
			s.seen[id] = true
			s.ids = append(s.ids, id)
		}
	}
}

func (s *idSet) has(id string) bool { return s.seen[id] }

func (s *idSet) first(n int) []string { return s.ids[:min(n, len(s.ids))] }
