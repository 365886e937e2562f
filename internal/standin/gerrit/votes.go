// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// judge returns the votes that can be applied. As on a real server a vote out of
// the account's range refuses the whole review, while an unknown label or value
// is dropped without a word, or refused if the server is strict. Anybody may take
// back a vote, with 0. The result has the request's spelling of the labels.
func (c *Change) judge(who *Account, votes map[string]int) (map[string]int, *refusal) {
	applied := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(votes)) {
		value := votes[name]
		l, known := c.srv.label(name)
		low, high := c.srv.rights(who, l)
		switch {
		case !known && c.srv.o.StrictLabels:
			return nil, refuse(http.StatusBadRequest, "label %q is not a configured label", name)
		case known && (value < l.Min || value > l.Max) && c.srv.o.StrictLabels:
			return nil, refuse(http.StatusBadRequest, "label %q: %d is not a valid value", name, value)
		case !known || value < l.Min || value > l.Max:
		case value != 0 && (value < low || value > high):
			return nil, refuse(http.StatusForbidden, "Applying label %q: %d is restricted", l.Name, value)
		default:
			applied[name] = value
		}
	}
	return applied, nil
}

// judgeState refuses other votes on an abandoned change, and lower ones on a merged
// change.
func (c *Change) judgeState(who *Account, applied map[string]int) *refusal {
	applied = c.spelled(applied)
	for _, name := range slices.Sorted(maps.Keys(applied)) {
		switch {
		case c.status == change.Abandoned && applied[name] != c.current().value(who, name):
			return refuse(http.StatusConflict, "change is closed")
		case c.status == change.Merged && applied[name] < c.current().value(who, name):
			return refuse(http.StatusConflict, "Cannot reduce vote on labels for closed change: %s", name)
		}
	}
	return nil
}

// rights returns the lowest and highest vote that an account may give now.
func (s *Server) rights(who *Account, l Label) (low, high int) {
	if s.forbidden[l.Name] {
		return 0, 0
	}
	return who.votes(l)
}

// permitted lists the values that an account may vote now, label by label.
// Labels on which it may not vote are left out.
func (c *Change) permitted(who *Account) map[string][]string {
	all := map[string][]string{}
	for _, l := range c.srv.labels {
		low, high := c.srv.rights(who, l)
		if c.status == change.Merged {
			low = max(low, c.current().value(who, l.Name))
		}
		if c.status == change.Abandoned || low == 0 && high == 0 {
			continue // only 0 is nothing: LabelsJson#permittedLabels
		}
		for v := low; v <= high; v++ {
			all[l.Name] = append(all[l.Name], signed(v))
		}
	}
	return all
}

// signed writes a value as Gerrit does: with a sign, or a space before 0.
func signed(v int) string {
	if v == 0 {
		return " 0"
	}
	return fmt.Sprintf("%+d", v)
}

// voteText writes a vote as Gerrit's messages do.
func voteText(label string, value int) string {
	if value == 0 {
		return "-" + label
	}
	return fmt.Sprintf("%s%+d", label, value)
}

// vote returns an account's vote on a label. One that was taken back is there,
// with the value 0.
func (p *patchset) vote(who *Account, label string) (vote, bool) {
	i := slices.IndexFunc(p.votes, func(v vote) bool { return v.who == who && v.label == label })
	if i < 0 {
		return vote{}, false
	}
	return p.votes[i], true
}

// value is an account's vote on a label; 0 is none.
func (p *patchset) value(who *Account, label string) int {
	v, _ := p.vote(who, label)
	return v.value
}

// changes returns those of the votes that differ from what is there, or make a
// copied vote one of its own.
func (p *patchset) changes(who *Account, votes map[string]int) []vote {
	var changed []vote
	for _, name := range slices.Sorted(maps.Keys(votes)) {
		v, there := p.vote(who, name)
		if v.value != votes[name] || there && v.copied && v.value != 0 {
			changed = append(changed, vote{label: name, value: votes[name], who: who})
		}
	}
	return changed
}

// vote sets a vote on a patchset and, as Gerrit does, on those after it that
// carry it forward: where such a copy stood before, a late vote replaces it.
// The result is what the message says about that.
func (c *Change) vote(index int, v vote) (copied string) {
	c.patchsets[index].set(v)
	l, _ := c.srv.label(v.label)
	v.copied, v.tag = true, ""
	for i := index + 1; i < len(c.patchsets); i++ {
		p := &c.patchsets[i]
		old, there := p.vote(v.who, v.label)
		if there && !old.copied || !l.copies(p.kind) {
			return copied
		}
		was := ""
		if there {
			was = fmt.Sprintf(" (was %s)", voteText(v.label, old.value))
		}
		switch {
		case v.value != 0:
			copied += fmt.Sprintf("\n* %s has been copied to patch set %d%s (copy condition: %q).", voteText(v.label, v.value), i+1, was, l.condition(""))
		case old.value != 0:
			copied += fmt.Sprintf("\n* Copied %s vote has been removed from patch set %d%s since the new %s=0 vote is not copyable (copy condition: %q).",
				v.label, i+1, was, v.label, l.condition(""))
		default:
			continue
		}
		p.set(v)
	}
	return copied
}

// set replaces an account's vote on a label.
func (p *patchset) set(v vote) {
	p.votes = slices.DeleteFunc(p.votes, func(old vote) bool { return old.label == v.label && old.who == v.who })
	p.votes = append(p.votes, v)
}

// condition writes the label's copy condition; the kind that holds is set off.
func (l Label) condition(kind string) string {
	if len(l.Copy) == 0 {
		return "NEVER"
	}
	var terms []string
	for _, k := range l.Copy {
		term := "changekind:" + k
		if kind != "" && matches(k, kind) {
			term = "**" + term + "**"
		}
		terms = append(terms, term)
	}
	return strings.Join(terms, " OR ")
}

// carry gives a new patchset the votes of the one before it that its kind keeps,
// and returns what the message says about all of them.
func (c *Change) carry(before []vote, next *patchset) (text string) {
	next.votes = nil
	var kept, lost string
	for _, v := range before {
		if v.value == 0 {
			continue
		}
		l, _ := c.srv.label(v.label)
		line := fmt.Sprintf("* %s (copy condition: %q)\n", voteText(v.label, v.value), l.condition(next.kind))
		if !l.copies(next.kind) {
			lost += line
			continue
		}
		kept += line
		v.copied = true
		if !c.srv.o.OwnVoteDates {
			v.when = next.created
		}
		next.votes = append(next.votes, v)
	}
	if kept != "" {
		text = "\n\nCopied Votes:\n" + kept
	}
	if lost != "" {
		text = cmp.Or(text, "\n") + "\nOutdated Votes:\n" + lost
	}
	return text
}
