// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// key names an attempt: as we told it, if we did.
func (b *builder) key(c *change.Change, w *config.Workflow, attempt int) change.Key {
	key := change.Key{Server: b.p.Server(c.Imported), ID: c.ID(), Workflow: w.Name, Attempt: attempt}
	if said, ok := b.named(c, key); ok {
		return said
	}
	return key
}

// counts reports whether an entry is about the change of its number. A key of another
// prefix is that of another server, or from before the prefix was changed or Gerrit told
// that the change is imported: our own words on the change tell. Where nothing is
// reported, it says that a run was started, and no more is asked.
func (b *builder) counts(e change.Entry) bool {
	c, open := b.open[e.ID.Change]
	switch {
	case e.Key.Attempt == 0, !b.p.Report.On():
		return true
	case open && e.Key.Server != b.p.Server(c.Imported):
		said, _ := b.named(c, e.Key)
		return said == e.Key
	}
	return b.p.Owns(e.Key.Server)
}

// named finds an attempt's key in our messages, where it may have another prefix.
func (b *builder) named(c *change.Change, key change.Key) (found change.Key, ok bool) {
	for _, residue := range b.own(c) {
		for _, run := range residue.Runs {
			k := run.Key
			if k == key {
				return k, true
			}
			if k.ID == key.ID && k.Workflow == key.Workflow && k.Attempt == key.Attempt {
				found, ok = k, true
			}
		}
	}
	return found, ok
}

// startedElse reports whether a claim is there that does not count.
func (b *builder) startedElse(id change.ID, workflow string) bool {
	return slices.ContainsFunc(b.s.Mirror.Changes[id.Change], func(r Ref) bool {
		return r.Entry.Kind == change.Claim && r.ID == id && r.Entry.Key.Workflow == workflow && !b.counts(r.Entry)
	})
}

// workflowByName finds a configured workflow by the name in run keys.
func workflowByName(p *config.Project, name string) *config.Workflow {
	for i := range p.Workflows {
		if p.Workflows[i].Name == name {
			return &p.Workflows[i]
		}
	}
	return nil
}
