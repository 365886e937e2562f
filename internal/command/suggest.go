// SPDX-License-Identifier: BSD-3-Clause

package command

import "regexp"

// looseFalsePositive is what people write when they half remember the form.
var looseFalsePositive = regexp.MustCompile(`^false[ -]?positives?:? *#?[0-9]{1,9}[.!]?$`)

// suggest names the verb that a line narrowly misses, or "". It is asked only
// about the single line of a comment and about words that are hardly anything
// else; "help" is too close to ordinary words, and a hint is a message that
// somebody has to read.
func suggest(line string) Verb {
	line = lower(line)
	switch {
	case len(line) > 40:
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
