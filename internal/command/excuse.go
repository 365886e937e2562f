// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// held reports whether the answer to a comment depends on issues that were not
// looked up, which are noted, or that a later pass may still be able to read.
func (d *decider) held(m change.Message, commands []Command) bool {
	if !d.mayUse(m.Author) || !d.mayExcuse(m.Author) || !d.current(m) || !d.failed {
		return false
	}
	held := false
	for _, c := range commands {
		for _, n := range c.Issues {
			if !d.lookedUp(n) {
				continue
			}
			switch state, known := d.s.Issues[n]; {
			case !known && !slices.Contains(d.out.Issues, n):
				d.out.Issues = append(d.out.Issues, n)
				held = true
			case !known:
				held = true
			case state == Unreadable && d.s.IssuesLater && d.now.Sub(m.At) < Patience:
				d.out.Later, held = true, true
			}
		}
	}
	return held
}

// lookedUp reports whether an issue is looked up where a comment names it: no more
// than the failure may be noted on, and as many to spare, and none once it is noted on
// all that it may be.
func (d *decider) lookedUp(issue int) bool {
	noted := d.memory.noted
	switch {
	case slices.Contains(noted, issue), len(noted) >= maxIssues:
		return false
	case slices.Contains(d.named, issue):
	case len(d.named) == 2*maxIssues:
		return false
	default:
		d.named = append(d.named, issue)
	}
	return true
}

// Patience is how long a comment waits for issues that cannot be read or commented
// on now.
const Patience = time.Hour

// excuse takes a failure as known. What failed before may run again already, or
// have passed since: the failure is noted all the same. Where a limit keeps it from
// running again, it is not noted either.
func (d *decider) excuse(m change.Message, c Command) Action {
	refuse := func(text string) Action { return Action{Kind: Refuse, Text: text} }
	switch {
	case !d.current(m):
		return refuse(d.replacedText(m) + "What failed there does not count any more, and nothing is noted or started.")
	case !d.failed:
		return refuse("No test failed on this patchset, so nothing is noted or started. `recheck` starts all workflows, also after other mishaps.")
	}
	fresh := slices.DeleteFunc(slices.Clone(c.Issues), func(n int) bool { return slices.Contains(d.memory.noted, n) })
	unseen := slices.ContainsFunc(fresh, func(n int) bool { _, known := d.s.Issues[n]; return !known })
	if unseen || len(d.memory.noted)+len(fresh) > maxIssues {
		return refuse(fullText(d.memory.noted))
	}
	if text := issuesText(fresh, d.s); text != "" {
		return refuse(text)
	}
	if until, early := d.tooSoon(m); early {
		return refuse(coolText(until))
	}
	var targets []Workflow
	busy := false
	for _, w := range d.s.Workflows {
		if r := d.latest[w.Name]; r.State == Failed || r.State.busy() {
			targets, busy = append(targets, w), busy || r.State.busy()
		}
	}
	keys, notes := d.start(m, targets)
	if len(targets) > 0 && len(keys) == 0 && !busy {
		return refuse(notes + "Nothing is noted.")
	}
	d.memory.noted, d.noting = append(d.memory.noted, fresh...), append(d.noting, fresh...)
	text := notedText(c.Issues, fresh)
	if len(keys) > 0 {
		text += startText(keys, true)
	}
	return Action{Kind: Excuse, Keys: keys, Issues: fresh, TakesBack: busy || len(keys) > 0, Text: text + notes}
}

// issuesText says what is wrong with the issues that a comment names, or "".
func issuesText(numbers []int, s Snapshot) string {
	text := ""
	for _, n := range numbers {
		switch s.Issues[n] {
		case Missing:
			text += fmt.Sprintf("There is no issue #%d. ", n)
		case Closed:
			text += fmt.Sprintf("Issue #%d is closed. ", n)
		case Unreadable:
			return fmt.Sprintf("Issue #%d could not be read: %s. Nothing is noted or started. `recheck failed` runs again what failed.",
				n, strings.TrimRight(change.Clip(change.OneLine(s.IssueTrouble), 300), ". "))
		}
	}
	if text != "" {
		text += "Nothing is noted or started: name open issues, or reopen it."
	}
	return text
}

// excuseText says who may use FalsePositive where everybody may use commands.
const excuseText = "`false positive` is for the change's owner and uploader, and for groups that are configured."

// fullText says that the failure is noted often enough.
func fullText(noted []int) string {
	text := fmt.Sprintf("Nothing is noted or started: the failures of one patchset are noted on at most %d issues", maxIssues)
	if len(noted) > 0 {
		text += ", and are on " + issueList(noted) + " already"
	}
	return text + ". `recheck failed` runs again what failed."
}

// notedText says on which issues the failure is noted, and on which it was.
func notedText(all, fresh []int) string {
	if len(fresh) == 0 {
		return "The failure was noted on " + issueList(all) + " before. "
	}
	return "The failure is noted on " + issueList(fresh) + ". "
}

// notedSentence is what notedText says of issues on which the failure is noted.
var notedSentence = regexp.MustCompile(`The failure is noted on (#\d+(?:, #\d+)*)\.`)

// WithoutNote returns a reply that does not say of an issue that the failure was
// noted there.
func WithoutNote(reply string, issue int) string {
	name := issueList([]int{issue})
	reply = strings.Replace(reply+"\n", "\n"+notedName+name+"\n", "\n", 1)
	return notedSentence.ReplaceAllStringFunc(reply, func(sentence string) string {
		list := strings.Split(notedSentence.FindStringSubmatch(sentence)[1], ", ")
		list = slices.DeleteFunc(list, func(n string) bool { return n == name })
		if len(list) == 0 {
			return "The failure is not noted."
		}
		return "The failure is noted on " + strings.Join(list, ", ") + "."
	})
}
