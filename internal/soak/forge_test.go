// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// lying are the records that a writer of the mirror makes up: forge NAME KIND FILE
// [ATTEMPT]; without an attempt it is the next one.
var lying = map[string]func(key change.Key, at time.Time) change.Entry{
	"claim": func(k change.Key, _ time.Time) change.Entry { return change.Entry{Kind: change.Claim, Key: k} },
	"carried": func(k change.Key, _ time.Time) change.Entry {
		return change.Entry{Kind: change.Carried, Key: k, From: k.Patchset - 1}
	},
	"passed": func(k change.Key, at time.Time) change.Entry {
		return change.Entry{Kind: change.Ended, Key: k, Word: "passed", At: at}
	},
	"failed": func(k change.Key, at time.Time) change.Entry {
		return change.Entry{Kind: change.Ended, Key: k, Word: "failed", At: at}
	},
	"lost": func(k change.Key, at time.Time) change.Entry { return change.Entry{Kind: change.Lost, Key: k, At: at} },
	"asked": func(k change.Key, _ time.Time) change.Entry {
		return change.Entry{Kind: change.Asked, Key: k, Word: change.AllJobs}
	},
	"stopped": func(k change.Key, _ time.Time) change.Entry { return change.Entry{Kind: change.Stopped, Key: k} },
	"left":    func(k change.Key, _ time.Time) change.Entry { return change.Entry{Kind: change.Left, Key: k} },
	"scanned": func(_ change.Key, at time.Time) change.Entry {
		return change.Entry{Kind: change.Scanned, At: at.Add(24 * time.Hour)}
	},
	"pruned": func(_ change.Key, at time.Time) change.Entry {
		return change.Entry{Kind: change.Pruned, At: at.Add(24 * time.Hour)}
	},
	"full": func(k change.Key, at time.Time) change.Entry {
		return change.Entry{Kind: change.Full, ID: k.ID, Count: 3, At: at}
	},
	"unmoved": func(_ change.Key, at time.Time) change.Entry {
		return change.Entry{Kind: change.Unmoved, Revision: change.Revision(strings.Repeat("1", 40)), Word: "protected", Count: 9, At: at, Branch: "master"}
	},
	"poisoned": nil, // it names an object
	"refused":  nil, // it does so, too
	"run":      nil, // it names a run that is there
	"patchset": nil, // it is none of the ledger's
}

// forges writes records on the mirror that are not true.
func (w *world) forges(c *subject, e event) error {
	kind := e.arg(2)
	make, known := lying[kind]
	if !known {
		return fmt.Errorf("there is no record %q", kind)
	}
	runs := w.of(c, c.current(), e.arg(3))
	attempt := e.number(4)
	if attempt == 0 {
		attempt = len(runs) + 1
	}
	key := change.Key{ID: c.ID(), Workflow: e.arg(3), Attempt: attempt}
	if c.imported {
		key.Server = change.Scope("", c.site.name)
	}
	there := c.site.refs()["refs/heads/master"] // a ref wants an object that is on the mirror
	if there == "" || kind == "carried" && key.Patchset < 2 {
		return nil
	}
	refs := []string{}
	switch kind {
	case "patchset":
		refs = append(refs, change.CustomRefs.Ref(c.ID()))
	case "poisoned":
		refs = append(refs, change.CustomLedger.Ref(change.Entry{Kind: change.Poisoned, ID: c.ID(), Revision: c.Revision()}))
	case "refused":
		refs = append(refs, change.CustomLedger.Ref(change.Entry{Kind: change.Unrelayed, ID: c.ID(), Revision: c.Revision(), Word: "large-file", Count: 9, At: w.clock.Now()}))
	case "run":
		other := w.ordered(func(r *run) bool { return r.on != c && r.last().means == passed })
		if len(other) == 0 {
			return nil
		}
		refs = append(refs, change.CustomLedger.Ref(change.Entry{Kind: change.Claim, Key: key}))
		refs = append(refs, change.CustomLedger.Ref(change.Entry{Kind: change.RunOf, Key: key, RunID: other[len(other)-1].id}))
	default:
		refs = append(refs, change.CustomLedger.Ref(make(key, w.clock.Now())))
	}
	c.forged = true
	c.ends = append(c.ends, key)
	c.happened(w.clock.Now())
	for _, ref := range refs {
		if err := c.site.forge(ref, there); err != nil {
			return err
		}
	}
	return nil
}

// erases deletes refs of the mirror: erase NAME KIND, where the kind is one of the
// ledger's, "changes" for patchsets, or "all".
func (w *world) erases(c *subject, kind string) error {
	for _, ref := range slices.Sorted(maps.Keys(c.site.refs())) {
		about := strings.Contains(ref, fmt.Sprintf("/%d/", c.Number()))
		mark := strings.HasPrefix(ref, "refs/dispatcher/") && strings.Count(ref, "/") == 3
		if !about && !mark || kind != "all" && !strings.HasPrefix(ref, "refs/"+kind+"/") && !strings.HasPrefix(ref, "refs/dispatcher/"+kind+"/") {
			continue
		}
		c.forged, c.erased = true, true
		c.happened(w.clock.Now())
		if err := c.site.forge(ref, ""); err != nil {
			return err
		}
	}
	for _, r := range w.ordered(func(r *run) bool { return r.on == c }) {
		r.unnamed = r.unnamed || !r.named()
	}
	return nil
}

// named reports whether a record on the mirror leads to a run: a claim by its key, or
// a note of its number.
func (r *run) named() bool {
	refs := r.on.site.refs()
	if refs[change.CustomLedger.Ref(change.Entry{Kind: change.Claim, Key: r.key})] != "" {
		return true
	}
	for ref := range refs {
		if strings.HasPrefix(ref, "refs/dispatcher/runs/") && strings.HasSuffix(ref, fmt.Sprintf("/%d", r.id)) {
			return true
		}
	}
	return false
}

// repair deletes the patchsets of the mirrors that are others than Gerrit's, as a pass
// asks a person to do.
func (w *world) repair() {
	for _, s := range w.sites {
		for ref, oid := range s.refs() {
			for _, c := range w.changes {
				prefix := fmt.Sprintf("refs/changes/%02d/%d/", c.Number()%100, c.Number())
				number, ok := strings.CutPrefix(ref, prefix)
				ps, _ := strconv.Atoi(number)
				if c.site == s && ok && (ps < 1 || ps > c.current() || c.set(ps).revision != oid) {
					s.forge(ref, "")
				}
			}
		}
	}
}

// shown is R9 for the patchset that a run tests: the mirror's ref is that.
func (w *world) shown(c *subject, ps int, key string) {
	ref := change.CustomRefs.Ref(change.ID{Change: c.Number(), Patchset: ps})
	if got := c.site.refs()[ref]; got != c.set(ps).revision {
		w.violates("R9", "%s was started, and %s is %q, want %q", key, ref, got, c.set(ps).revision)
	}
}
