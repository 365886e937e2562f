// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// gateReason says what a patchset still lacks to be trusted, or "". What is tested
// is the patchset with all that it builds on, so it is as trusted as the least
// trusted of the open changes below it.
func (b *builder) gateReason(c *change.Change, t config.Trust) string {
	if !t.Required() || c.Status == change.Merged {
		return ""
	}
	if reason := b.distrust(c, t); reason != "" {
		return reason
	}
	_, reason := b.gateChain(c, t)
	return reason
}

// distrust says what a change's current patchset lacks, all below it left aside, or
// "". Somebody's no outweighs everything, given for an earlier patchset too.
func (b *builder) distrust(c *change.Change, t config.Trust) string {
	if veto := vetoReason(c, t); veto != "" {
		return veto
	}
	if b.byMember(c, c.Current, t) {
		return ""
	}
	if t.Label == "" {
		return fmt.Sprintf("its owner and its uploader are not both in the trusted groups %q", t.Groups)
	}
	switch b.approval(c, t) {
	case given:
		return ""
	case unread:
		b.touch(c)
		return fmt.Sprintf("which patchset the votes on %d are for is not known yet", c.Number)
	case copied:
		return fmt.Sprintf("waits for %s %+d: the vote that is there was given for another patchset, so somebody must vote again", t.Label, t.Value)
	}
	if len(t.Groups) == 0 {
		return fmt.Sprintf("waits for %s %+d from somebody else than its author", t.Label, t.Value)
	}
	return fmt.Sprintf("its owner and its uploader are not both in a trusted group: waits for %s %+d from somebody else", t.Label, t.Value)
}

// vetoReason names who said no, or is "".
func vetoReason(c *change.Change, t config.Trust) string {
	for _, v := range c.Votes {
		if t.Label != "" && v.Label == t.Label && v.Value < 0 {
			return fmt.Sprintf("held by %s %+d of %s", t.Label, v.Value, nameOf(v.Account))
		}
	}
	return ""
}

// byMember reports whether a member of a trusted group answers for a patchset: for
// what is his own change, or for what he wrote anew of somebody else's. Who presses
// Rebase or edits a message is the uploader as well, and has not looked at the code.
func (b *builder) byMember(c *change.Change, p change.Patchset, t config.Trust) bool {
	return b.member(p.Uploader, t) && (b.member(c.Owner, t) || p.Kind == change.Rework)
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
		if v.Label != t.Label || v.Value < t.Value || v.Account.ID == c.Current.Uploader.ID || v.Account.ID == c.Owner.ID {
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
func saidOn(c *change.Change, v change.Vote) bool {
	for _, m := range c.Messages {
		if m.Author.ID == v.Account.ID && m.Patchset == c.Current.Number && m.At.Unix() == v.At.Unix() {
			return true
		}
	}
	return false
}
