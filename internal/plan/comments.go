// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/command"
)

const (
	// horizon is the age at which a comment is let be: the first pass on an old
	// server must not carry out years of them.
	horizon = 72 * time.Hour
	// recent changes are read in each pass: Gerrit's index may be late by so much,
	// and its clock may be off by so much.
	recent = 10 * time.Minute
	// maxRead is how many changes one pass reads the comments of: two requests each.
	maxRead = 200
)

// comments plans the answers to comments that are commands, and what our answers
// have promised. Only changes that were updated since the last look are read: the
// mark in the ledger says when that was, in Gerrit's own time.
func (b *builder) comments() {
	if !b.p.Report.Obeys() {
		return
	}
	last := b.s.Mirror.last(change.Scanned)
	mark, whole := last, !slices.Contains(slices.Collect(maps.Values(b.s.Comments)), false)
	for _, c := range b.updated(last) {
		read, asked := b.s.Comments[c.Number]
		if !asked {
			b.plan.Needs.Comments = append(b.plan.Needs.Comments, c.Number)
		}
		whole = read && b.obey(c) && whole
		if whole && c.Updated.After(mark) {
			mark = c.Updated
		}
	}
	if mark.Unix() > last.Unix() {
		b.mark(change.Scanned, mark)
	}
	if len(b.plan.Needs.Comments) > 0 {
		b.needGroups()
	}
}

// updated are the changes whose comments may be new, the one first that was
// updated first.
func (b *builder) updated(last time.Time) []*change.Change {
	var list []*change.Change
	for i := range b.s.Changes {
		c := &b.s.Changes[i]
		age := b.now.Sub(c.Updated)
		if age < horizon && (age < recent || c.Updated.After(last)) && b.filter.scope(c) == "" {
			list = append(list, c)
		}
	}
	slices.SortFunc(list, func(x, y *change.Change) int {
		return cmp.Or(x.Updated.Compare(y.Updated), cmp.Compare(x.Number, y.Number))
	})
	return list[:min(len(list), maxRead)]
}

// needGroups asks for the groups whose members are obeyed.
func (b *builder) needGroups() {
	for _, group := range b.p.Report.Commands.Groups {
		if b.s.Members[group] == nil {
			b.plan.Needs.Groups = append(b.plan.Needs.Groups, group)
		}
	}
}

// obey plans what the comments on one change lead to. It reports whether that is
// all: false if something must be known first, or said.
func (b *builder) obey(c *change.Change) bool {
	s, known := b.commandSnapshot(c)
	if !known {
		return false
	}
	p := command.Policy{
		Self:     b.s.Self,
		Allow:    command.Allow{Owner: b.p.Report.Commands.Owner, Groups: b.p.Report.Commands.Groups},
		CoolDown: b.p.Report.Commands.CoolDown, MaxAttempts: b.p.Report.Commands.Attempts, Horizon: horizon,
	}
	start, stop := command.Outstanding(s, p, b.now)
	for _, ask := range start {
		b.ask(c, ask)
	}
	for _, key := range stop {
		b.callOff(c, key)
	}
	d := command.Decide(s, p, b.now)
	if !b.s.NoIssues {
		b.plan.Needs.Issues = append(b.plan.Needs.Issues, d.Issues...)
	}
	if d.Reply != "" {
		b.add(Action{Verb: Answer, Change: c, Reason: answerText(d.Actions), Reply: d.Reply, Excused: b.excuses(c, d.Actions),
			TakesBack: slices.ContainsFunc(d.Actions, func(a command.Action) bool { return a.TakesBack })})
	}
	return d.Reply == "" && len(d.Issues) == 0
}

// ask notes that a run was promised, unless that is noted.
func (b *builder) ask(c *change.Change, ask command.Ask) {
	word := change.AllJobs
	if ask.FailedOnly {
		word = change.FailedJobs
	}
	if b.attempt(ask.Key.ID, ask.Key.Workflow).asked >= ask.Key.Attempt {
		return
	}
	b.note(c, Action{Verb: Ask, Entry: change.Entry{Kind: change.Asked, Key: ask.Key, ID: ask.Key.ID, Word: word}, Reason: "a comment asks for " + word + " jobs"})
}

// callOff notes that a run was called off, unless that is noted.
func (b *builder) callOff(c *change.Change, key change.Key) {
	if b.attempt(key.ID, key.Workflow).stopped >= key.Attempt {
		return
	}
	b.note(c, Action{Verb: CallOff, Entry: change.Entry{Kind: change.Stopped, Key: key, ID: key.ID}, Reason: "a comment calls it off"})
}

// note adds an action that writes a ledger entry about the current patchset, and
// has the plan go on as if the ledger held it.
func (b *builder) note(c *change.Change, a Action) {
	b.said[c.Number] = append(b.said[c.Number], Ref{ID: a.Entry.ID, Revision: c.Current.Revision, Entry: a.Entry})
	b.touch(c)
	a.Change, a.Key, a.Revision = c, a.Entry.Key, c.Current.Revision
	b.add(a)
}

// answerText tells people what is answered, in one line.
func answerText(actions []command.Action) string {
	var parts []string
	for _, a := range actions {
		text := change.Clip(change.OneLine(a.Text), 160)
		if a.Command.Verb != "" {
			text = fmt.Sprintf("%q by %s: %s", a.Command, nameOf(a.Author), text)
		}
		parts = append(parts, text)
	}
	return change.Clip(strings.Join(parts, " | "), 600)
}

// nameOf is an account as people know it.
func nameOf(a change.Account) string {
	return change.Clip(change.OneLine(cmp.Or(a.Username, a.Name, fmt.Sprintf("account %d", a.ID))), 60)
}
