// SPDX-License-Identifier: BSD-3-Clause

package app

import "strings"

// A hint may end in an example: further lines, indented as they are to be
// written.

// flatHint puts a hint on one line, for annotations and table cells.
func flatHint(hint string) string {
	text, example, found := strings.Cut(hint, "\n")
	if !found {
		return hint
	}
	for line := range strings.SplitSeq(example, "\n") {
		text += " `" + strings.TrimSpace(line) + "`"
	}
	return text
}

// hintLines are a hint's lines as a terminal shows them.
func hintLines(hint string) []string {
	lines := strings.Split("hint: "+hint, "\n")
	for i := range lines {
		lines[i] = printable(lines[i])
	}
	return lines
}
