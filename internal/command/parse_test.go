// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"fmt"
	"strings"
	"testing"
	"time"
)

// workflows are the configured names in these tests; deploy is an event type.
var workflows = []string{"autorun.yml", "docs.yaml", "deploy", "Build_Images.yml"}

// lexicon has them, and the names of our account.
var lexicon = Names{Workflows: workflows, Bot: []string{"ci-bot", "SPDK CI", "ci@example.org"}}

// show writes what was parsed on one line: commands, "+N" for those left out,
// "cut", and "?verb" for a suggestion.
func show(p Parsed) string {
	var words []string
	for _, c := range p.Commands {
		s := c.String()
		if c.Unknown {
			s += "(unknown)"
		}
		words = append(words, s)
	}
	if p.Left > 0 {
		words = append(words, fmt.Sprintf("+%d", p.Left))
	}
	if p.Cut {
		words = append(words, "cut")
	}
	if p.Suggestion != "" {
		words = append(words, "?"+string(p.Suggestion))
	}
	return strings.Join(words, "; ")
}

func TestParse(t *testing.T) {
	t.Parallel()
	if len(comments) < 40 {
		t.Fatalf("only %d comments", len(comments))
	}
	for _, c := range comments {
		if got := show(Parse(c.text, lexicon)); got != c.want {
			t.Errorf("%q:\ngot  %s\nwant %s", c.text, got, c.want)
		}
	}
}

// TestParseIsBounded reads comments that are far too long. The command after
// the limit must not count, nor may the part of a line at the limit.
func TestParseIsBounded(t *testing.T) {
	t.Parallel()
	tests := []struct{ name, text, want string }{
		{"a million lines", "cancel\n" + strings.Repeat("x\n", 1_000_000) + "recheck", "cancel; cut"},
		{"a million commands", strings.Repeat("help\n", 1_000_000), "help; help; help; help; help; +13102; cut"},
		{"one long line", strings.Repeat("recheck", 1<<20), "cut"},
		{"a line cut into a command", strings.Repeat("x\n", MaxComment/2-4) + "\nrecheckbox", "cut"},
		{"just short enough", strings.Repeat("x\n", MaxComment/2-4) + "\nrecheck", "recheck"},
		{"open fences", strings.Repeat("```\n", 1_000_000), "cut"},
		{"deep quotes", strings.Repeat(">", 10<<20), "cut"},
	}
	for _, tt := range tests {
		if got := show(Parse(tt.text, lexicon)); got != tt.want {
			t.Errorf("%s: got %s, want %s", tt.name, got, tt.want)
		}
	}
}

// TestParseIsLinear holds a comment at the limit to a time that a square of its
// length would not meet.
func TestParseIsLinear(t *testing.T) {
	t.Parallel()
	text := strings.Repeat("false positive: #1, #2, #3\n", MaxComment/27)
	best := time.Hour
	for range 5 {
		start := time.Now()
		Parse(text, lexicon)
		best = min(best, time.Since(start))
	}
	if best > time.Second {
		t.Errorf("a comment of %d bytes takes %s", len(text), best)
	}
}

func TestOneSlip(t *testing.T) {
	t.Parallel()
	for _, tt := range []struct {
		a, b string
		want bool
	}{
		{"recheck", "recheck", false}, {"rechek", "recheck", true}, {"recheck", "rechek", true}, {"xrecheck", "recheck", true},
		{"rechecx", "recheck", true}, {"erchecx", "recheck", false}, {"erheck", "recheck", false}, {"ercheck", "recheck", true},
		{"rechekc", "recheck", true}, {"", "a", true}, {"", "", false}, {"ab", "ba", true}, {"abc", "cba", false}, {"", "ab", false},
	} {
		if got := oneSlip(tt.a, tt.b); got != tt.want {
			t.Errorf("oneSlip(%q, %q): got %v, want %v", tt.a, tt.b, got, tt.want)
		}
	}
}
