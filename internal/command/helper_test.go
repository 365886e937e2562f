// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"fmt"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// noon is when Decide is asked in these tests.
var noon = time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)

// The people: ann owns the change, bob reviews it, us is our own account.
var (
	ann = change.Account{ID: 1, Username: "ann"}
	bob = change.Account{ID: 2, Username: "bob"}
	us  = change.Account{ID: 9, Username: "ci"}
)

var policy = DefaultPolicy(us.ID)

// said are messages, oldest first.
type said = []change.Message

// world is change 7 at patchset 3 with two workflows, no runs, and messages a
// minute apart that end an hour before noon.
func world(messages ...change.Message) Snapshot {
	s := Snapshot{
		Change: change.Change{Number: 7, Status: change.New, Owner: ann,
			Current: change.Patchset{Number: 3, Revision: change.Revision(strings.Repeat("a", 40)), Uploader: ann}},
		Workflows: []Workflow{{Name: "autorun.yml"}, {Name: "docs.yml"}},
	}
	for i, m := range messages {
		m.At = noon.Add(time.Duration(i-len(messages)-60) * time.Minute)
		if m.ID == "" {
			m.ID = fmt.Sprintf("m%d", i+1)
		}
		s.Change.Messages = append(s.Change.Messages, m)
	}
	return s
}

// say is a message as Gerrit shows it.
func say(who change.Account, patchset int, text string) change.Message {
	return change.Message{Author: who, Patchset: patchset, Text: fmt.Sprintf("Patch Set %d:\n\n%s", patchset, text)}
}

// answer is our reply at noon, as a later pass reads it.
func answer(reply string) change.Message {
	m := say(us, 3, reply)
	m.ID, m.Tag, m.At = "reply", Tag, noon
	return m
}

// run is an attempt of the current patchset, made two hours before noon.
func run(workflow string, attempt int, state State) Run {
	return Run{Key: change.Key{ID: change.ID{Change: 7, Patchset: 3}, Workflow: workflow, Attempt: attempt}, State: state,
		Created: noon.Add(-2 * time.Hour), URL: fmt.Sprintf("https://github.example/%s/%d", workflow, attempt)}
}

// tell writes a decision, one action a line, with its keys in short.
func tell(d Decision) string {
	var b strings.Builder
	for _, a := range d.Actions {
		fmt.Fprintf(&b, "%s %s", a.Message, a.Kind)
		for _, k := range a.Keys {
			fmt.Fprintf(&b, " %s/%d", k.Workflow, k.Attempt)
		}
		if len(a.Issues) > 0 {
			fmt.Fprintf(&b, " %s", issueList(a.Issues))
		}
		fmt.Fprintf(&b, ": %s\n", a.Text)
	}
	if len(d.Issues) > 0 {
		fmt.Fprintf(&b, "must know %s\n", issueList(d.Issues))
	}
	return b.String()
}
