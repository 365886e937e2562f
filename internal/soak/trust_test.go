// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"fmt"
	"maps"
	"regexp"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// gateLabel is the vote that opens a gate, trusted are the members of the group that
// does.
const gateLabel = "Allow-CI"

var trusted = []string{"ann", "cora"}

// ballot is somebody's vote on the gate's label.
type ballot struct {
	value  int
	copied bool // by Gerrit, from an earlier patchset
}

// gates are the lines of YAML that each gate is, gateCopies the patchset kinds that
// keep its votes.
var (
	gates = map[string]string{
		"none": "", "label": "trust: {label: Allow-CI}, ", "groups": "trust: {groups: [trusted]}, ", "both": "trust: {label: Allow-CI, groups: [trusted]}, ",
	}
	gateCopies = map[string][]string{"none": nil, "same": {"TRIVIAL_REBASE", "NO_CODE_CHANGE"}, "all": {"REWORK"}}
)

// allow votes on the gate's label: allow NAME WHO VALUE; 0 takes a vote back.
func (w *world) allow(c *subject, who string, value int) {
	if c.status != change.New || w.config.Gate == "none" {
		return
	}
	c.Vote(who, gateLabel, value)
	c.sets[c.current()-1].ballots[who] = ballot{value: value}
	c.happened(w.clock.Now())
}

// keep is what a new patchset keeps of the votes on the one before it.
func (w *world) keep(before map[string]ballot, kind string) map[string]ballot {
	kept := map[string]ballot{}
	copies := gateCopies[w.config.GateCopy]
	for who, b := range before {
		if b.value != 0 && (slices.Contains(copies, kind) || slices.Contains(copies, "REWORK")) {
			kept[who] = ballot{value: b.value, copied: true}
		}
	}
	return kept
}

// barred says which patchset keeps one from being tested, and why, or is "". What a
// patchset builds on is tested with it, so the gate holds for all below the tip. It
// counts votes that were given for the patchset itself, not those that Gerrit copied; a
// negative vote is a veto; a group must have the owner and the uploader, or who wrote
// the patchset anew.
func (w *world) barred(c *subject, ps int) string {
	if w.config.Gate == "none" {
		return ""
	}
	for rev := c.set(ps).revision; ; {
		below, n := c.site.patchsetOf(rev)
		if below == nil {
			return "" // it is on a branch
		}
		if why := w.distrust(below, n); why != "" {
			return fmt.Sprintf("%s/%d is not trusted: %s", below.name, n, why)
		}
		rev = below.set(n).parent
	}
}

// distrust says what one patchset lacks.
func (w *world) distrust(c *subject, ps int) string {
	p := c.set(ps)
	label, groups := w.config.Gate != "groups", w.config.Gate != "label"
	yes := false
	for who, b := range p.ballots {
		if label && b.value < 0 {
			return who + " said no"
		}
		yes = yes || label && b.value > 0 && !b.copied && who != c.owner && who != p.uploader
	}
	if groups && (slices.Contains(trusted, c.owner) || p.kind == "REWORK") && w.vouched(c, ps) {
		return ""
	}
	if !yes {
		return "nobody allowed it"
	}
	return ""
}

// vouched reports whether members uploaded a patchset and those that its code came
// through.
func (w *world) vouched(c *subject, ps int) bool {
	for ; slices.Contains(trusted, c.set(ps).uploader); ps-- {
		if c.set(ps).kind == "REWORK" {
			return true
		}
	}
	return false
}

// arrivals is R16 on the mirror: the patchsets that came to it in a pass, by any ref,
// are trusted.
func (w *world) arrivals() {
	if w.config.Gate == "none" {
		return
	}
	for _, s := range w.sites {
		refs := s.refs()
		for _, ref := range slices.Sorted(maps.Keys(refs)) {
			for rev := refs[ref]; ; {
				c, ps := s.patchsetOf(rev)
				if c == nil || c.sets[ps-1].arrived {
					break
				}
				c.sets[ps-1].arrived = true
				if why := w.distrust(c, ps); why != "" {
					w.violates("R16", "%d/%d came to the mirror with %s: %s", c.Number(), ps, ref, why)
				}
				rev = c.set(ps).parent
			}
		}
	}
}

var gated = regexp.MustCompile(`trusted|` + gateLabel)

// open is the other half of R16: who is trusted is not held by the gate.
func (w *world) open(c *subject, last *pass) {
	rev := c.set(c.current()).revision
	for w.config.Gate != "none" {
		below, n := c.site.patchsetOf(rev)
		switch {
		case below == nil && string(c.site.project.Tip(c.branch)) != rev && w.config.Branches != "all":
			return // perhaps on a branch that is not mirrored
		case below == nil:
			if i := slices.IndexFunc(last.about(c), func(l line) bool { return gated.MatchString(l.Reason) }); i >= 0 {
				w.violates("R16", "%d/%d and all below it are trusted, and the pass says: %s", c.Number(), c.current(), last.about(c)[i].Reason)
			}
			return
		case n != below.current() || below.status != change.New || !w.visible(below) || w.distrust(below, n) != "":
			return
		}
		rev = below.set(n).parent
	}
}
