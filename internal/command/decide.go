// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

const (
	// maxAnswered bounds the comments that one reply answers; the rest is
	// answered by the next pass.
	maxAnswered = 10
	// maxReplies bounds our answers on one patchset: two programs that answer
	// each other must come to an end.
	maxReplies = 20
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
	// Message is the id of the comment, and Author is who wrote it.
	Message string
	Author  change.Account
	// Keys are next attempts (Rerun, Excuse; without those that a later action
	// stops) or the latest ones (Stop). Where Command.Failed is set, and for Excuse,
	// only the jobs that failed in the attempt before need to run again.
	Keys []change.Key
	// Issues are open (Excuse).
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
	if d.memory.replies >= maxReplies {
		return Decision{}
	}
	var r Residue
	for _, m := range s.ordered() {
		if !fromPerson(m, p.Self) || !validID(m.ID) || d.memory.answered[m.ID] || now.Sub(m.At) > p.Horizon {
			continue
		}
		if actions := d.message(m); len(actions) > 0 {
			d.out.Actions = append(d.out.Actions, actions...)
			r.Replies = append(r.Replies, m.ID)
		}
		if len(r.Replies) == maxAnswered {
			break
		}
	}
	settle(d.out.Actions)
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
	memory memory
	latest map[string]Run // by workflow; none before the first attempt
	failed bool           // some attempt had a failed test
	out    Decision
}

func newDecider(s Snapshot, p Policy) *decider {
	d := &decider{s: s, p: p, memory: remember(s, p.Self), latest: s.latest()}
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

// message turns one comment into actions; none where it holds no command, or
// where an issue must be looked up first.
func (d *decider) message(m change.Message) []Action {
	parsed := Parse(m.Text, d.names())
	if parsed.Suggestion != "" && d.current(m) {
		return []Action{hint(m, parsed.Suggestion)}
	}
	if d.held(m, parsed.Commands) {
		return nil
	}
	var actions []Action
	for _, c := range parsed.Commands {
		if a := d.command(m, c); a.Kind != "" {
			a.Command, a.Message, a.Author, a.Text = c, m.ID, m.Author, strings.TrimSpace(a.Text)
			actions = append(actions, a)
		}
	}
	if len(actions) > 0 {
		actions[len(actions)-1].Text += leftOut(parsed)
	}
	return actions
}

// command decides on one command. The zero action is for one that is passed over.
func (d *decider) command(m change.Message, c Command) Action {
	switch {
	case c.Verb == Help:
		return Action{Kind: Explain, Text: d.helpText()}
	case c.Verb == Cancel && !d.current(m):
		return Action{} // what it meant was replaced, and is stopped for that
	case !d.mayUse(m.Author):
		return Action{Kind: Refuse, Text: d.mayText()}
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

// held notes the issues that a comment names and that were not looked up, as
// far as its answer depends on them, and reports whether there are any.
func (d *decider) held(m change.Message, commands []Command) bool {
	if !d.mayUse(m.Author) || !d.current(m) || !d.failed {
		return false
	}
	held := false
	for _, c := range commands {
		for _, n := range c.Issues {
			if _, known := d.s.Issues[n]; known {
				continue
			}
			held = true
			if !slices.Contains(d.out.Issues, n) {
				d.out.Issues = append(d.out.Issues, n)
			}
		}
	}
	return held
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

// mayUse reports whether an account may use commands that change something.
func (d *decider) mayUse(who change.Account) bool {
	a, c := d.p.Allow, d.s.Change
	if !a.Owner && len(a.Groups) == 0 {
		return true
	}
	if a.Owner && (who.ID == c.Owner.ID || who.ID == c.Current.Uploader.ID) {
		return true
	}
	return slices.ContainsFunc(a.Groups, func(g string) bool { return d.s.Members[g][who.ID] })
}
