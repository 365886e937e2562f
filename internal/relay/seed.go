// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"encoding/hex"
	"errors"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// maxCommits bounds the history that is held as ids (40 bytes a commit) to find
// the slices of a branch.
const maxCommits = 20_000_000

// seed moves a branch whose pack is too large for one push in slices of its
// first-parent chain. Each slice moves the ref forward, so a pass that is
// killed in between leaves a branch that the next one moves on.
func (m *mover) seed(i int) (verdict, bool) {
	w := m.works[i]
	own := w.own()
	if own == nil {
		w.refuse(m.cause)
		return settled, true
	}
	tooLarge := m.cause
	chain, err := m.firstParents(i)
	if err != nil {
		return m.seedStopped(w, 0, 0, fault.New(kindOr(err, fault.Transient), "failed to read its history from Gerrit: %w", err))
	}
	m.r.logf("%s is too large for one push: %d commits of its first-parent chain go in slices", name(w.Item), len(chain))
	from, size := own.Old, len(chain)/2
	for at := 0; at < len(chain); {
		if size == 0 {
			w.refuse(tooLarge.forOne(chain[at]))
			return settled, true
		}
		end := min(at+size, len(chain))
		done, err := m.slice(w, Update{Ref: own.Ref, Old: from, New: chain[end-1]})
		switch {
		case done:
			from, at, size = chain[end-1], end, m.nextSize(end-at)
		case m.end != nil:
			return m.seedStopped(w, at, len(chain), m.end)
		case err != nil:
			return m.seedStopped(w, at, len(chain), err)
		default:
			size = (end - at) / 2
		}
	}
	own.settle(Done, nil)
	return settled, true
}

// own returns the progress of the branch's own ref, or nil.
func (w *work) own() *progress {
	for j := range w.updates {
		if p := &w.updates[j]; !p.settled && p.New == w.Want {
			return p
		}
	}
	return nil
}

// slice moves the branch to one commit of its chain. It reports false without
// an error if that is still too much at once.
func (m *mover) slice(w *work, u Update) (bool, error) {
	part := newWork(Item{Want: u.New, Haves: w.Haves, Updates: []Update{u}}, true)
	part.slice = true
	m.works = append(m.works, part)
	defer func() { m.works = m.works[:len(m.works)-1] }()
	v, _ := m.try([]int{len(m.works) - 1})
	switch {
	case part.done():
		return true, nil
	case v == divided:
		return false, nil
	case v == refused:
		w.refuse(m.cause)
		return false, m.cause.err
	}
	return false, part.result("").Err
}

// nextSize scales a slice that went through to three quarters of the limit, and
// to at most four times its length: history is not evenly heavy.
func (m *mover) nextSize(commits int) int {
	goal := m.r.maxPack() / 4 * 3
	return max(1, int(min(int64(commits)*goal/max(m.bytes, 1), int64(commits)*4)))
}

// seedStopped settles a branch that got only a part of its way.
func (m *mover) seedStopped(w *work, at, of int, err error) (verdict, bool) {
	w.fail(fault.New(kindOr(err, fault.Transient), "failed to seed %s: %d of %d commits of its first-parent chain are there, and the next pass goes on from them: %w", name(w.Item), at, of, err))
	return settled, true
}

// forOne blames a single commit for a slice that is too large.
func (c cause) forOne(id change.Revision) cause {
	c.err = fault.New(fault.Permanent, "failed to seed the branch: commit %s alone brings more than one push may carry: %w", id, c.err).
		WithHint("push this commit to the mirror by other means once; the relay goes on from there")
	return c
}

// errEnough ends a scan that found too much.
var errEnough = fault.New(fault.Permanent, "the history has more than %d commits", maxCommits)

type objectKey [20]byte

// firstParents returns the branch's commits that the mirror lacks, oldest
// first, following first parents only. The pack is opened as for a push and
// closed when its commits, which come first, have been read.
func (m *mover) firstParents(i int) ([]change.Revision, error) {
	for n := 0; ; n++ {
		parent, err := m.scan(i)
		if err == nil {
			return chainOf(parent, m.works[i].Want)
		}
		if err = m.r.retry(m.ctx, n, err); err != nil {
			return nil, err
		}
	}
}

func (m *mover) scan(i int) (map[objectKey]objectKey, error) {
	l, err := m.fetch([]int{i})
	if err != nil {
		return nil, err
	}
	defer l.Close()
	parent := map[objectKey]objectKey{}
	err = gitwire.ScanCommits(l.pack, func(c gitwire.Commit) error {
		var first string
		if len(c.Parents) > 0 {
			first = c.Parents[0]
		}
		parent[keyOf(c.OID)] = keyOf(first)
		if len(parent) > maxCommits {
			return errEnough
		}
		return nil
	})
	return parent, err
}

// chainOf follows first parents from the tip to the first commit that was not
// in the pack, and returns the way back.
func chainOf(parent map[objectKey]objectKey, tip change.Revision) ([]change.Revision, error) {
	var chain []change.Revision
	for key := keyOf(string(tip)); len(chain) <= len(parent); {
		next, ok := parent[key]
		if !ok {
			break
		}
		chain = append(chain, change.Revision(hex.EncodeToString(key[:])))
		key = next
	}
	if len(chain) == 0 || len(chain) > len(parent) {
		return nil, errors.New("the pack does not begin with the commits of the branch")
	}
	slices.Reverse(chain)
	return chain, nil
}

// keyOf packs an id; what is no id becomes the null id, which nothing has.
func keyOf(id string) (key objectKey) {
	if len(id) == 2*len(key) {
		hex.Decode(key[:], []byte(id))
	}
	return key
}
