// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"regexp"
	"slices"
)

// rule knows a line of a tool.
type rule struct {
	// by names the tool, and its source or how the words were seen.
	by string
	// first are the bytes that such a line may begin with, after blanks; "" is any.
	first string
	// with is in each of them: looking for that is much faster than the pattern.
	with []byte
	re   *regexp.Regexp
	// do takes what the groups of the pattern matched.
	do func(r *Reader, m []string)
}

func newRule(by, first, with, pattern string, do func(r *Reader, m []string)) *rule {
	return &rule{by: by, first: first, with: []byte(with), re: regexp.MustCompile(pattern), do: do}
}

// rulesBy are the rules by the first byte of a line, anywhere those for any line. A
// line fits one rule at most; they are tried in order.
var (
	rulesBy  [256][]*rule
	anywhere []*rule
)

func init() {
	for _, rule := range slices.Concat(buildRules, linkRules, nativeRules, ctestRules, litRules, automakeRules, stageRules, runnerRules, goRules, pythonRules, tapRules, rustRules, javaRules, javascriptRules, crashRules) {
		if rule.first == "" {
			anywhere = append(anywhere, rule)
		}
		for _, c := range []byte(rule.first) {
			rulesBy[c] = append(rulesBy[c], rule)
		}
	}
}
