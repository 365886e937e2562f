// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"fmt"
	"regexp"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Verb is what a command asks for.
type Verb string

// The verbs, as they are written. Case does not matter.
const (
	// Recheck starts workflows again: all, what did not pass, or a named one.
	Recheck Verb = "recheck"
	// Cancel stops what runs or waits for the current patchset.
	Cancel Verb = "cancel"
	// Help asks for the list of commands.
	Help Verb = "help"
	// FalsePositive says that a failure is known as an issue: it is noted there,
	// and what failed runs again.
	FalsePositive Verb = "false positive"
)

// maxIssues bounds the issues that one command may name.
const maxIssues = 5

// Command is one line of a comment, understood.
type Command struct {
	Verb Verb
	// Failed narrows Recheck to what did not pass.
	Failed bool
	// Workflow narrows Recheck to one workflow: its configured name or, with
	// Unknown, the name as written, which is fit for a run key but not configured.
	Workflow string
	Unknown  bool
	// Issues are the numbers that FalsePositive names, without doubles.
	Issues []int
}

// String returns the command as a person would write it; it parses as c again.
func (c Command) String() string {
	switch {
	case c.Failed:
		return string(c.Verb) + " failed"
	case c.Workflow != "":
		return string(c.Verb) + " " + c.Workflow
	case c.Verb == FalsePositive:
		return string(c.Verb) + ": " + issueList(c.Issues)
	default:
		return string(c.Verb)
	}
}

// issueList writes numbers as "#1, #2".
func issueList(issues []int) string {
	words := make([]string, len(issues))
	for i, n := range issues {
		words[i] = fmt.Sprintf("#%d", n)
	}
	return strings.Join(words, ", ")
}

// parseLine reads one plain line. called is set where it calls us by name without a
// command that we know.
func parseLine(line string, names Names) (c Command, ok, called bool) {
	rest, how := cutName(line, names.Bot)
	c, ok = parseCommand(strings.TrimPrefix(rest, "/"), names.Workflows)
	return c, ok, !ok && how == calledFor
}

// parseCommand reads a line without a name.
func parseCommand(line string, workflows []string) (Command, bool) {
	words := strings.Fields(line)
	if len(words) == 0 {
		return Command{}, false
	}
	verb := Verb(lower(words[0]))
	switch {
	case strings.HasPrefix(string(verb), "false"):
		return parseFalsePositive(line)
	case verb == Recheck && len(words) == 2 && lower(words[1]) == "failed":
		return Command{Verb: Recheck, Failed: true}, true
	case verb == Recheck && len(words) == 2:
		if name, known := resolve(words[1], workflows); name != "" {
			return Command{Verb: Recheck, Workflow: name, Unknown: !known}, true
		}
	case len(words) == 1 && (verb == Recheck || verb == Cancel || verb == Help):
		return Command{Verb: verb}, true
	}
	return Command{}, false
}

// falsePositive is the form of the command, as people vary it. SPDK's own form
// allows the number without its sign and without the space.
var falsePositive = regexp.MustCompile(`(?i)^false[ -]+positives? ?(?:: ?#?| #)([0-9].*)$`)

// parseFalsePositive reads "false positive: #12, #13".
func parseFalsePositive(line string) (Command, bool) {
	m := falsePositive.FindStringSubmatch(line)
	if m == nil {
		return Command{}, false
	}
	c := Command{Verb: FalsePositive}
	words := strings.FieldsFunc(m[1], func(r rune) bool { return r == ' ' || r == ',' })
	for i, word := range words {
		if i > 0 && i == len(words)-2 && lower(word) == "and" {
			continue
		}
		n, ok := issueNumber(strings.TrimPrefix(word, "#"))
		if !ok {
			return Command{}, false
		}
		if !slices.Contains(c.Issues, n) {
			c.Issues = append(c.Issues, n)
		}
		if len(c.Issues) > maxIssues {
			return Command{}, false
		}
	}
	return c, true
}

// issueNumber reads 1 to 9 digits without a leading zero.
func issueNumber(s string) (n int, ok bool) {
	if s == "" || len(s) > 9 || s[0] == '0' {
		return 0, false
	}
	for i := range len(s) {
		if s[i] < '0' || s[i] > '9' {
			return 0, false
		}
		n = n*10 + int(s[i]-'0')
	}
	return n, true
}

// resolve finds the workflow that a word names: exactly, without its ending, or
// in other letter case. A word that names none is still meant as a name when it
// ends like a workflow file, or is one slip away from a configured name. Any
// other word is prose ("recheck please"), and the result is empty.
func resolve(word string, workflows []string) (name string, known bool) {
	if change.CheckWorkflow(word) != nil {
		return "", false
	}
	for _, ending := range []string{"", ".yml", ".yaml"} {
		if slices.Contains(workflows, word+ending) {
			return word + ending, true
		}
	}
	folded := lower(word)
	meant := folded != stem(folded)
	for _, w := range workflows {
		full := lower(w)
		if folded == full || folded == stem(full) {
			return w, true
		}
		meant = meant || len(folded) >= 4 && (oneSlip(folded, full) || oneSlip(folded, stem(full)))
	}
	if !meant {
		return "", false
	}
	return word, false
}

// stem cuts the ending of a workflow file.
func stem(name string) string {
	return strings.TrimSuffix(strings.TrimSuffix(name, ".yml"), ".yaml")
}

// lower folds ASCII letters only: no other letter is part of a keyword.
func lower(s string) string {
	return strings.Map(func(r rune) rune {
		if 'A' <= r && r <= 'Z' {
			return r + 'a' - 'A'
		}
		return r
	}, s)
}
