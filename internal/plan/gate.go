// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// gateReason says what keeps a patchset from the mirror and from being tested, or "":
// what it still lacks to be trusted, or a private change below it. What is tested is
// the patchset with all that it builds on, so it is as trusted as the least trusted
// of the open changes below it.
func (b *builder) gateReason(c *change.Change, t config.Trust) string {
	if c.Status == change.Merged {
		return ""
	}
	if t.Required() {
		if reason := b.distrust(c, t); reason != "" {
			return reason
		}
		if _, reason := b.gateChain(c, t); reason != "" {
			return reason
		}
	}
	return b.privateReason(c)
}

// distrust says what a change's current patchset lacks, all below it left aside, or
// "". Somebody's no outweighs everything, given for an earlier patchset too.
func (b *builder) distrust(c *change.Change, t config.Trust) string {
	if veto := vetoReason(c, t); veto != "" {
		return veto
	}
	switch member, known := b.byMember(c, c.Current, t); {
	case member:
		return ""
	case !known:
		b.touch(c)
		return fmt.Sprintf("who wrote what patchset %s took over %s", c.ID(), notKnownYet)
	}
	if t.Label == "" {
		return fmt.Sprintf("%s in the trusted groups %q", b.outsiders(c, t), t.Groups)
	}
	switch b.approval(c, t) {
	case given:
		return ""
	case unread:
		b.touch(c)
		return fmt.Sprintf("which patchset the votes on %d are for %s", c.Number, notKnownYet)
	case copied:
		return fmt.Sprintf("waits for %s %+d: the vote that is there was given for another patchset, so somebody must vote again", t.Label, t.Value)
	}
	if len(t.Groups) == 0 {
		return fmt.Sprintf("waits for %s %+d from somebody else than its author", t.Label, t.Value)
	}
	return fmt.Sprintf("%s in a trusted group: waits for %s %+d from somebody else", b.outsiders(c, t), t.Label, t.Value)
}

// vetoReason names who said no, or is "".
func vetoReason(c *change.Change, t config.Trust) string {
	for _, v := range c.Votes {
		if isOn(v, t.Label) && v.Value < 0 {
			return fmt.Sprintf("held by %s %+d of %s", t.Label, v.Value, nameOf(v.Account))
		}
	}
	return ""
}

// isOn reports whether a vote is one on a label. Gerrit finds labels whatever their case.
func isOn(v change.Vote, label string) bool { return label != "" && strings.EqualFold(v.Label, label) }

// byMember reports whether members of trusted groups answer for a patchset: who wrote
// its code, and all who have rebased it or edited its message since. That code must be
// of the owner's own change, or be written anew by the uploader: who presses Rebase is
// the uploader as well, and has not looked at what a stranger wrote. known is false
// while the patchsets before it must be read.
func (b *builder) byMember(c *change.Change, p change.Patchset, t config.Trust) (ok, known bool) {
	if p.Kind != change.Rework && !b.member(c.Owner, t) {
		return false, true
	}
	for {
		if !b.member(p.Uploader, t) || p.Kind == change.Rework {
			return b.member(p.Uploader, t), true
		}
		before, listed := patchsetBefore(c, p.Number)
		if !listed {
			return false, b.isFresh(c)
		}
		p = before
	}
}

// outsiders says who would have to be a member and is not.
func (b *builder) outsiders(c *change.Change, t config.Trust) string {
	if b.member(c.Owner, t) && b.member(c.Current.Uploader, t) {
		return "who uploaded the patchset that it took over is not"
	}
	return "its owner and its uploader are not both"
}

func (b *builder) member(who change.Account, t config.Trust) bool {
	for _, group := range t.Groups {
		if b.s.Members[group][who.ID] {
			return true
		}
	}
	return false
}

// approval is what the votes on a patchset say.
type approval int

const (
	missing approval = iota
	copied           // there is one that Gerrit took over from another patchset
	unread           // there is one, and the change's messages must be read first
	given
)

// approval looks for somebody who voted for the current patchset.
func (b *builder) approval(c *change.Change, t config.Trust) approval {
	best := missing
	for _, v := range c.Votes {
		// An author must not open the gate for himself.
		if !isOn(v, t.Label) || v.Value < t.Value || v.Account.ID == c.Current.Uploader.ID || v.Account.ID == c.Owner.ID {
			continue
		}
		switch {
		case v.At.IsZero() || v.At.Before(c.Current.Created):
			best = max(best, copied)
		case c.Messages == nil && !b.isFresh(c):
			best = max(best, unread)
		case saidOn(c, v):
			return given
		default:
			best = max(best, copied)
		}
	}
	return best
}

// saidOn reports whether a vote was given on the current patchset. Gerrit copies
// votes to later patchsets where the label says so; since 3.6 the copy has the time
// of the later patchset, or that of a late vote on an earlier one. Only the message
// that comes with each vote, in the same second, tells which patchset somebody saw.
// What else he says in that second is no vote.
func saidOn(c *change.Change, v change.Vote) bool {
	for _, m := range c.Messages {
		if m.Author.ID == v.Account.ID && m.Patchset == c.Current.Number && m.At.Unix() == v.At.Unix() && isSaid(m.Text, v) {
			return true
		}
	}
	return false
}

// isSaid reports whether the first line of a message, which is Gerrit's own, names a
// vote: "Patch Set 2: Verified-1 Allow-CI+1".
func isSaid(text string, v change.Vote) bool {
	line, _, _ := strings.Cut(text, "\n")
	vote := fmt.Sprintf("%s%+d", v.Label, v.Value)
	return slices.ContainsFunc(strings.Fields(line), func(word string) bool { return strings.EqualFold(word, vote) })
}
