// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Kind is what an action does.
type Kind string

// The kinds of actions.
const (
	// Rerun starts Keys.
	Rerun Kind = "rerun"
	// Stop cancels those of Keys that run, and keeps the others from starting.
	Stop Kind = "stop"
	// Explain only answers with the list of commands, or with a hint.
	Explain Kind = "explain"
	// Excuse notes the failure on Issues and starts Keys.
	Excuse Kind = "excuse"
	// Refuse only says why nothing is done.
	Refuse Kind = "refuse"
)

// Action is what one command leads to.
type Action struct {
	Kind    Kind
	Command Command
	// Message is the id of the comment, and Author is who wrote it, and when.
	Message string
	Author  change.Account
	At      time.Time
	// Keys are next attempts (Rerun, Excuse; without those that a later action
	// stops) or the latest ones (Stop). Where Command.Failed is set, and for Excuse,
	// only the jobs that failed in the attempt before need to run again.
	Keys []change.Key
	// Issues are open, and the failure is not noted on them yet (Excuse).
	Issues []int
	// TakesBack: our vote is taken back until Keys, or what runs already, have
	// ended (Excuse).
	TakesBack bool
	// Text tells the author what happens. Text in it that is not ours is fit for
	// one line.
	Text string
}

// Decision is what is to be done about a change's comments.
type Decision struct {
	// Actions stand in the order of the comments.
	Actions []Action
	// Issues must be looked up before some comments can be answered: ask again
	// with Snapshot.Issues filled. One that stays unknown only holds its comment.
	Issues []int
	// Later: a comment waits for an issue that could not be read now.
	Later bool
	// PassedOver are comments that stay without an answer because of a limit.
	PassedOver []PassedOver
	// Reply is the one message to post, tagged with Tag, that acknowledges all
	// actions. It is empty without actions. Once it is among the messages, its
	// comments lead to nothing more.
	Reply string
}

// Decide reads what people said since our last answer. It gives the same for
// the same snapshot; now is only compared with the age of comments.
func Decide(s Snapshot, p Policy, now time.Time) Decision {
	if s.Change.Status != change.New {
		return Decision{}
	}
	d := newDecider(s, p)
	d.now = now
	var r Residue
	for _, m := range d.remarks() {
		if actions := d.message(m); len(actions) > 0 {
			d.out.Actions = append(d.out.Actions, actions...)
			r.Replies = append(r.Replies, m.ID)
		}
	}
	if s.Elsewhere {
		r.Replies, r.LeftOut = nil, r.Replies
	}
	settle(d.out.Actions)
	r.Noted = d.noting
	r.TookBack = slices.ContainsFunc(d.out.Actions, func(a Action) bool { return a.TakesBack })
	d.out.Reply = reply(d.out.Actions, r)
	return d.out
}

// settle takes out of each action the runs that a later one stops: nothing is
// started only to be cancelled, and no vote is taken back for it.
func settle(actions []Action) {
	for i, a := range actions {
		for _, later := range actions[i+1:] {
			if later.Kind == Stop {
				a.Keys = slices.DeleteFunc(a.Keys, func(k change.Key) bool { return slices.Contains(later.Keys, k) })
				a.TakesBack = a.TakesBack && len(a.Keys) > 0
			}
		}
		actions[i] = a
	}
}

// decider walks through the comments. The standings follow what it decides, so
// that a second "recheck" finds the runs of the first one.
type decider struct {
	s      Snapshot
	p      Policy
	now    time.Time
	memory memory
	latest map[string]Run // by workflow; none before the first attempt
	failed bool           // some attempt had a failed test
	// answers counts the comments that were answered, helped says who got the list
	// of commands, named are the issues that are looked up, and noting those on which
	// this reply notes the failure.
	answers map[author]int
	helped  map[author]bool
	named   []int
	noting  []int
	out     Decision
}

func newDecider(s Snapshot, p Policy) *decider {
	d := &decider{s: s, p: p, memory: remember(s, p.Self), latest: s.latest(), answers: map[author]int{}, helped: map[author]bool{}}
	for _, said := range d.memory.promises {
		// What is seen of a run stands above what was said about it.
		if said.key.Attempt > d.latest[said.key.Workflow].Key.Attempt {
			state := Unclear
			if said.wanted {
				state = Pending
			}
			d.latest[said.key.Workflow] = Run{Key: said.key, State: state}
		}
	}
	d.failed = slices.ContainsFunc(s.Runs, func(r Run) bool { return r.State == Failed && !s.foreign(r.Key) })
	return d
}

// message turns one comment into actions.
func (d *decider) message(m remark) []Action {
	if m.parsed.Suggestion != "" {
		return []Action{d.hint(m.Message, m.parsed.Suggestion)}
	}
	var actions []Action
	for _, c := range m.parsed.Commands {
		a := d.command(m.Message, c)
		a.Command, a.Message, a.Author, a.At, a.Text = c, m.ID, m.Author, m.At, strings.TrimSpace(a.Text)
		actions = append(actions, a)
	}
	if len(actions) > 0 {
		actions[len(actions)-1].Text += leftOut(m.parsed)
	}
	return actions
}

// command decides on one command.
func (d *decider) command(m change.Message, c Command) Action {
	switch {
	case c.Verb == Help:
		return Action{Kind: Explain, Text: d.helpText()}
	case !d.mayUse(m.Author):
		return Action{Kind: Refuse, Text: d.mayText()}
	case c.Verb == FalsePositive && !d.mayExcuse(m.Author):
		return Action{Kind: Refuse, Text: excuseText}
	case c.Unknown:
		return Action{Kind: Refuse, Text: unknownText(c.Workflow, d.names())}
	case c.Verb == Cancel:
		return d.cancel()
	case c.Verb == FalsePositive:
		return d.excuse(m, c)
	default:
		return d.recheck(m, c)
	}
}

// current reports whether a comment is about the current patchset.
func (d *decider) current(m change.Message) bool {
	return m.Patchset == 0 || m.Patchset >= d.s.Change.Current.Number
}

func (d *decider) names() []string {
	names := make([]string, len(d.s.Workflows))
	for i, w := range d.s.Workflows {
		names[i] = w.Name
	}
	return names
}
