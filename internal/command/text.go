// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

const (
	// maxReplyText bounds the words of a reply in bytes; with its residue it stays
	// below the 16 KiB that Gerrit takes.
	maxReplyText = 8 << 10
	// maxNames bounds a list of workflows.
	maxNames = 12
)

// reply joins the texts of all actions, each under the command that it answers.
// The same answer to the same command is given once.
func reply(actions []Action, r Residue) string {
	if len(actions) == 0 {
		return ""
	}
	var b strings.Builder
	said, left := map[string]bool{}, 0
	room := share(actions)
	for _, a := range actions {
		section := a.Text + "\n\n"
		if a.Command.Verb != "" {
			section = "> " + a.Command.String() + "\n\n" + section
		}
		switch {
		case said[section]:
		case len(section) > room[a.Author.ID]:
			left++
		default:
			said[section] = true
			room[a.Author.ID] -= len(section)
			b.WriteString(section)
		}
	}
	r.Asked, r.Cancelled = lastWords(actions)
	if left > 0 {
		fmt.Fprintf(&b, "(%d more answers are left out here.)\n\n", left)
	}
	return b.String() + r.String()
}

// share gives everybody who is answered as many bytes: no long answer crowds out
// somebody else's.
func share(actions []Action) map[int]int {
	room := map[int]int{}
	for _, a := range actions {
		room[a.Author.ID] = 0
	}
	for id := range room {
		room[id] = maxReplyText / len(room)
	}
	return room
}

// lastWords returns, for each workflow, the last run that was asked for or
// cancelled.
func lastWords(actions []Action) (asked []Ask, cancelled []change.Key) {
	done := map[string]bool{}
	for _, a := range slices.Backward(actions) {
		for _, k := range a.Keys {
			switch {
			case done[k.Workflow]:
			case a.Kind == Stop:
				cancelled = append(cancelled, k)
			default:
				asked = append(asked, Ask{k, a.Kind == Excuse || a.Command.Failed})
			}
			done[k.Workflow] = true
		}
	}
	return asked, cancelled
}

// leftOut says what of a comment was not carried out.
func leftOut(p Parsed) string {
	text := ""
	if p.Left > 0 {
		text += fmt.Sprintf(" Of one comment %d commands are carried out; %d more are left out.", MaxCommands, p.Left)
	}
	if p.Cut {
		text += fmt.Sprintf(" Only the first %d KiB of the comment were read.", MaxComment>>10)
	}
	return text
}

// names joins at most so many names.
func names(list []string) string {
	if more := len(list) - maxNames; more > 0 {
		return fmt.Sprintf("%s and %d more", strings.Join(list[:maxNames], ", "), more)
	}
	return strings.Join(list, ", ")
}

// attempts writes keys as "attempt 2 of a.yml, attempt 1 of b.yml".
func attempts(keys []change.Key) string {
	list := make([]string, len(keys))
	for i, k := range keys {
		list[i] = fmt.Sprintf("attempt %d of %s", k.Attempt, k.Workflow)
	}
	return names(list)
}

func startText(keys []change.Key, onlyFailed bool) string {
	text := "Starting " + attempts(keys)
	for _, k := range keys {
		if onlyFailed && k.Attempt > 1 {
			return text + ": only the jobs that did not pass. "
		}
	}
	return text + ". "
}

// named writes a run with its page, where there is one that fits in brackets.
func (r Run) named() string {
	text := fmt.Sprintf("Attempt %d of %s", r.Key.Attempt, r.Key.Workflow)
	if strings.HasPrefix(r.URL, "http") && len(r.URL) < 300 && !strings.ContainsAny(r.URL, " ()<>`\"'\t\r\n") {
		text += " (" + change.OneLine(r.URL) + ")"
	}
	return text
}

func busyText(r Run) string {
	if r.State == Pending {
		return r.named() + " was asked for already. "
	}
	return r.named() + " is not done yet. "
}

func servedText(r Run) string { return r.named() + " was started after this comment. " }

// gateText says why workflows are not started, each reason once.
func gateText(shut []Workflow) string {
	text := ""
	for i, w := range shut {
		if slices.ContainsFunc(shut[:i], func(v Workflow) bool { return v.Gate == w.Gate }) {
			continue
		}
		var same []string
		for _, v := range shut[i:] {
			if v.Gate == w.Gate {
				same = append(same, v.Name)
			}
		}
		verb := "is"
		if len(same) > 1 {
			verb = "are"
		}
		text += fmt.Sprintf("%s %s not started: %s. ", names(same), verb, change.Clip(change.OneLine(w.Gate), 300))
	}
	return text
}

func capText(k change.Key) string {
	return fmt.Sprintf("%s had %d attempts, the most that comments can ask for: a new patchset begins anew. ", k.Workflow, k.Attempt)
}

func coolText(until time.Time) string {
	return fmt.Sprintf("Nothing is started so soon after the last time. Comment again after %s. ", until.UTC().Format("15:04:05 UTC"))
}

func unwantedText(list []Workflow) string {
	var b strings.Builder
	b.WriteString("Nothing is started: no workflow is meant for this patchset. ")
	for _, w := range list[:min(len(list), maxNames)] {
		fmt.Fprintf(&b, "%s: %s. ", w.Name, change.Clip(change.OneLine(w.Unwanted), 100))
	}
	fmt.Fprintf(&b, "Name one to start it all the same: `recheck %s`.", list[0].Name)
	return b.String()
}

func cancelText(running, waiting []change.Key) string {
	text := ""
	if len(running) > 0 {
		text = "Cancelling " + attempts(running) + ". "
	}
	if len(waiting) > 0 {
		list := make([]string, len(waiting))
		for i, k := range waiting {
			list[i] = k.Workflow
		}
		text += "Not started unless a comment asks for it: " + names(list) + "."
	}
	return text
}

func unknownText(name string, known []string) string {
	return fmt.Sprintf("No workflow is called %s. There is: %s.", name, names(known))
}

// replacedText says that a comment is on an older patchset, or nothing.
func (d *decider) replacedText(m change.Message) string {
	if d.current(m) {
		return ""
	}
	return fmt.Sprintf("The comment is on patchset %d; the current one is %d. ", m.Patchset, d.s.Change.Current.Number)
}
