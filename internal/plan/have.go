// SPDX-License-Identifier: BSD-3-Clause

package plan

import "github.com/spdk-community-ci/dispatcher/internal/change"

// touch asks for a change to be read again before something is done to it. A
// merged one stays as it is.
func (b *builder) touch(c *change.Change) {
	if c.Status == change.Merged {
		return
	}
	if !b.s.Fresh[c.Number] {
		b.fresh[c.Number] = true
		return
	}
	if b.plan.Haves[c.Number] == nil {
		b.plan.Haves[c.Number] = b.haves(c)
	}
}

// haves are the objects that the mirror surely has and that are near a change:
// its earlier patchsets and its relation chain.
func (b *builder) haves(c *change.Change) []change.Revision {
	var haves []change.Revision
	for _, r := range b.s.Mirror.Changes[c.Number] {
		if r.Entry.Kind == "" {
			haves = append(haves, r.Revision)
		}
	}
	for _, parent := range c.Current.Parents {
		if b.onMirror(parent) {
			haves = append(haves, parent)
		}
	}
	return haves
}

// onMirror reports whether a commit is the patchset of an open change that the
// mirror has.
func (b *builder) onMirror(rev change.Revision) bool {
	c, ok := b.tips[rev]
	return ok && b.s.Mirror.patchset(c.ID()) == rev
}
