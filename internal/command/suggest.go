// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"regexp"
	"strings"
)

// looseFalsePositive is what people write when they half remember the form.
var looseFalsePositive = regexp.MustCompile(`^false[ -]?positives?[ :]*(?:[#0-9]|https?://\S+/issues/|\S+#[0-9]).*$`)

// suggest names the verb that a comment's first line narrowly misses, or "": what
// begins as a recheck and is none and, where the line is alone, one slip of hardly
// anything else. "help" is too close to ordinary words, and a hint is a message that
// somebody has to read.
func suggest(line string, alone bool) Verb {
	line = lower(line)
	word, rest, _ := strings.Cut(line, " ")
	switch {
	case len(line) > maxSlip:
		return ""
	case rest != "" && strings.TrimRight(word, ".,:;!") == string(Recheck), strings.HasPrefix(line, "recheck-"):
		return Recheck
	case !alone:
		return ""
	case oneSlip(line, string(Recheck)):
		return Recheck
	case oneSlip(line, string(Cancel)):
		return Cancel
	case looseFalsePositive.MatchString(line):
		return FalsePositive
	default:
		return ""
	}
}

// maxSlip is the length of a line, in bytes, beyond which it is prose.
const maxSlip = 80

// oneSlip reports whether one letter added, left out, replaced or swapped with
// its neighbour makes b out of a.
func oneSlip(a, b string) bool {
	if len(a) > len(b) {
		a, b = b, a
	}
	if len(b)-len(a) > 1 || a == b {
		return false
	}
	i := 0
	for i < len(a) && a[i] == b[i] {
		i++
	}
	if len(a) < len(b) {
		return a[i:] == b[i+1:]
	}
	if a[i+1:] == b[i+1:] {
		return true
	}
	return i+1 < len(a) && a[i] == b[i+1] && a[i+1] == b[i] && a[i+2:] == b[i+2:]
}
