// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"errors"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// oversize is a pack that the mirror, a proxy before it, or the disk here found
// too large.
type oversize struct {
	bytes int64 // of the pack, as far as it was sent
	cause cause
}

// learnSize remembers what the mirror refuses as too large: nothing of that size
// is sent again. What is a little smaller may still be over the limit; it is
// refused in turn, and is remembered then.
func (r *Relay) learnSize(bytes int64, c cause) {
	if bytes > 0 && (r.over == nil || bytes < r.over.bytes) {
		r.over = &oversize{bytes, c}
	}
}

// learnLength has packs sent with their length from now on, if the failure of a
// push may come of its chunks. It reports false if that was so before, or if it
// must be found out first what the push has done.
func (m *mover) learnLength(err error) bool {
	if m.r.spool || !errors.Is(err, gitwire.ErrLengthRequired) {
		return false
	}
	m.r.spool = true
	m.r.logf("the mirror may want the length of a push in advance: packs go through a temporary file from now on")
	return !retryable(err)
}

// tooLarge has the batch divided, or a branch sliced. err is the mirror's 413,
// errLarge, or gitwire.ErrNoRoom.
func (m *mover) tooLarge(list []int, cmds []command, l *load, err error) (verdict, bool) {
	const hint = "if its branch is not on the mirror yet, relay that first; else make the change smaller"
	switch {
	case errors.Is(err, gitwire.ErrNoRoom):
		m.cause = cause{class: size, err: fault.New(fault.Ours, "failed to push: %w", err).
			WithHint("the mirror wants the length of a push in advance: make room, or name another folder in TMPDIR")}
		m.r.learnSize(l.bytes, m.cause)
	case !errors.Is(err, errLarge): // no server of git answers 413: it is not the patchset's fault
		m.cause = cause{class: size, err: fault.New(fault.Configuration, "failed to push: the pack is over the size limit of the mirror or of a proxy before it: %w", err)}
		if l.bytes > lengthOf(cmds) {
			m.r.learnSize(l.bytes, m.cause)
		}
	case m.r.over != nil && l.limit == m.r.over.bytes-1: // as maxPack set it
		m.cause = m.r.over.cause
	default:
		m.cause = cause{class: size, word: change.TooLarge, err: fault.New(fault.Permanent, "failed to push: the pack is over the limit for one push: more than %d bytes", l.limit).WithHint(hint)}
	}
	return m.overSize(list)
}

// lengthOf is about how many bytes a list of updates takes in a request, which
// may be more than the pack has.
func lengthOf(cmds []command) (n int64) {
	const values = 2*40 + len("0000") + len("  ")
	for _, c := range cmds {
		n += int64(values + len(c.Ref))
	}
	return n
}

// overSize has the batch divided, or a branch sliced, for the latest cause.
func (m *mover) overSize(list []int) (verdict, bool) {
	if w := m.works[list[0]]; len(list) == 1 && w.branch && !w.slice {
		return m.seed(list[0])
	}
	return divided, false
}
