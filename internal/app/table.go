// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/plan"
	"github.com/spdk-community-ci/dispatcher/internal/reconcile"
)

// table prints results for people: one line for each action, then totals.
type table struct {
	out    io.Writer
	colour bool
}

// The colours of the first column, as ANSI escape codes.
const (
	green  = "32"
	yellow = "33"
	red    = "31"
	grey   = "90"
	bold   = "1"
)

func (t table) paint(code, s string) string {
	if !t.colour {
		return s
	}
	return "\x1b[" + code + "m" + s + "\x1b[0m"
}

// print writes one project's result.
func (t table) print(r reconcile.Result) {
	title := r.Project
	if r.DryRun {
		title += " (dry run: nothing is changed)"
	}
	fmt.Fprintln(t.out, t.paint(bold, change.OneLine(title)))
	rows := make([]row, 0, len(r.Lines))
	width := row{}
	for _, l := range r.Lines {
		one := rowOf(l)
		width.word = longer(width.word, one.word)
		width.what = longer(width.what, one.what)
		width.workflow = longer(width.workflow, one.workflow)
		rows = append(rows, one)
	}
	var lines, hints []string
	if len(r.Problems) > 0 {
		width.word = longer(width.word, "problem")
	}
	for i, one := range rows {
		if one.code == red && i > 0 && one.text == rows[i-1].text {
			one.text = "the same"
		}
		line := fmt.Sprintf("  %s  %s  %s  %s", t.paint(one.code, pad(one.word, width.word)),
			pad(one.what, width.what), pad(one.workflow, width.workflow), one.text)
		lines, hints = append(lines, strings.TrimRight(line, " ")), append(hints, one.hint)
	}
	for _, err := range r.Problems {
		lines = append(lines, fmt.Sprintf("  %s  %s", t.paint(red, pad("problem", width.word)), change.OneLine(err.Error())))
		hints = append(hints, hintOf(err))
	}
	for i, line := range lines {
		fmt.Fprintln(t.out, line)
		// A hint that is the same for several lines stands below the last of them.
		if hint := hints[i]; hint != "" && (i+1 == len(hints) || hints[i+1] != hint) {
			for _, text := range hintLines(hint) {
				fmt.Fprintf(t.out, "      %s\n", t.paint(grey, text))
			}
		}
	}
	if r.Unreadable > 0 {
		fmt.Fprintf(t.out, "  %s  %d refs of the mirror are in namespaces of ours, but not written by us; they are left alone\n",
			t.paint(grey, pad("note", width.word)), r.Unreadable)
	}
	fmt.Fprintf(t.out, "  %s\n", totalsOf(r).text())
}

// hintOf says what to do about a failure; one that may pass needs nobody.
func hintOf(err error) string {
	hint := fault.HintOf(err)
	if fault.KindOf(err) != fault.Transient {
		return hint
	}
	after := fault.RetryAfter(err).Round(time.Second).String()
	if after != "0s" && !strings.Contains(err.Error(), after) {
		hint = strings.TrimPrefix(hint+"; the server asks to wait "+after, "; ")
	}
	return cmp.Or(hint, "nothing is lost: the next pass tries again")
}

// row is one line of the table, ready to print but for its widths.
type row struct {
	word, what, workflow, text, hint, code string
}

// rowOf makes outside text printable; nothing after it needs to.
func rowOf(l reconcile.Line) row {
	one := row{word: word(l), workflow: l.Key.Workflow, text: change.OneLine(l.Text()), code: green}
	switch {
	case l.Change != nil:
		one.what = l.Change.ID().String()
		if l.State != reconcile.Failed && l.State != reconcile.InDoubt && (l.Verb == plan.Relay || l.Verb == plan.Skip) {
			one.text += ": " + change.Clip(change.OneLine(l.Change.Subject), 72)
		}
	case l.Branch != "":
		one.what = change.OneLine(l.Branch)
	case l.Key.Change > 0:
		one.what = l.Key.ID.String()
	case l.Number != 0:
		one.what = fmt.Sprint(l.Number)
	}
	if l.Run.URL != "" && l.State == reconcile.Done {
		one.text += ": " + change.OneLine(l.Run.URL)
	}
	switch l.State {
	case reconcile.Failed:
		one.code, one.hint = red, hintOf(l.Err)
	case reconcile.InDoubt:
		one.code = yellow
	case reconcile.Waiting, reconcile.Replaced, reconcile.NoVerdict:
		one.code = yellow
	case reconcile.Skipped:
		one.code = grey
	}
	return one
}

// word is the first column: what was done, or why not.
func word(l reconcile.Line) string {
	if l.State == reconcile.Planned {
		return "to " + string(l.Verb)
	}
	if l.State != reconcile.Done {
		return string(l.State)
	}
	return map[plan.Verb]string{
		plan.DropBranch: "deleted", plan.MirrorTags: "tagged",
		plan.MirrorBranch: "mirrored", plan.Relay: "relayed", plan.Carry: "carried",
		plan.Record: "found", plan.Dispatch: "dispatched", plan.Prune: "pruned",
		plan.Answer: "answered", plan.Ask: "asked for", plan.CallOff: "called off",
		plan.Cancel: "cancelled", plan.Report: "reported", plan.Judge: "judged", plan.Vote: "voted on", plan.End: "ended",
	}[l.Verb]
}

// pad fills up to the width of widest, counted in characters.
func pad(s, widest string) string {
	return s + strings.Repeat(" ", max(0, len([]rune(widest))-len([]rune(s))))
}

func longer(a, b string) string {
	if len([]rune(b)) > len([]rune(a)) {
		return b
	}
	return a
}
