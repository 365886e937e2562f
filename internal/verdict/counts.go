// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"fmt"
	"strings"
)

// Reason says why a finding has no comment of its own.
type Reason int

// The reasons, in the order in which they are told.
const (
	// NoPlace: nothing in the finding says where, in a way that is understood.
	NoPlace Reason = iota
	// OtherFile: it is about a file that the patchset does not touch.
	OtherFile
	// Ambiguous: more than one file of the patchset may be meant.
	Ambiguous
	// OtherLine: the patchset does not change the line.
	OtherLine
	// UnknownLines: nobody could tell, or was asked, which lines are changed.
	UnknownLines
	// NoText: it says nothing.
	NoText
	// Repeated: another finding says the same there.
	Repeated
	// OverLimit: there are enough comments.
	OverLimit
	// Unkept: its file has more findings than are kept.
	Unkept
	// Off: no comments are made at all.
	Off
	reasons
	// Placed: it has a comment.
	Placed
)

// words tell of findings without comments, after their number.
var words = [reasons]string{
	NoPlace: "without a place", OtherFile: "in files that the patchset does not touch", Ambiguous: "of which the file is ambiguous",
	OtherLine: "on lines that it does not change", UnknownLines: "in files of which the changed lines are not known", NoText: "without a text",
	Repeated: "said before", OverLimit: "over the limit of comments", Unkept: "more than are kept of one file", Off: "since comments are off",
}

// Counts say what became of the findings of a patchset's runs.
type Counts struct {
	// Read are all findings.
	Read int
	// Left are those without a comment.
	Left [reasons]int
	// Unread are the test reports that could not be read or not to their end, and
	// what was not looked at: name and reason, outside text.
	Unread []string
}

func (n *Counts) leave(why Reason, count int) {
	if why >= 0 && why < reasons {
		n.Left[why] += count
	}
}

// Drop counts findings that were read but not kept.
func (n *Counts) Drop(count int) {
	n.Read += count
	n.leave(Unkept, count)
}

// maxUnread bounds the reports that a summary names.
const maxUnread = 20

// markdown writes the counts for a step summary; nothing where there was
// nothing to count.
func (n Counts) markdown(c cleaner, cell func(string) string) string {
	var b strings.Builder
	if n.Read > 0 {
		var parts []string
		left := 0
		for why, count := range n.Left {
			if left += count; count > 0 {
				parts = append(parts, fmt.Sprintf("%d %s", count, words[why]))
			}
		}
		fmt.Fprintf(&b, "\nFindings: %d read, %d shown on changed lines", n.Read, max(0, n.Read-left))
		if left > 0 {
			fmt.Fprintf(&b, "; %d not: %s", left, strings.Join(parts, ", "))
		}
		b.WriteString(".\n")
	}
	if len(n.Unread) > 0 {
		b.WriteString("\nNot read, or not to the end:\n\n")
	}
	for i, text := range n.Unread {
		if i == maxUnread {
			fmt.Fprintf(&b, "- %d more\n", len(n.Unread)-i)
			break
		}
		fmt.Fprintf(&b, "- %s\n", cell(c.line(text, 2*maxLine)))
	}
	return b.String()
}
