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

// comments are what people and programs write, and what it asks for.
var comments = []struct{ text, want string }{
	// Commands, as they are written.
	{"recheck", "recheck"},
	{"Recheck", "recheck"},
	{"RECHECK\r\n", "recheck"},
	{"  recheck  ", "recheck"},
	{"recheck failed", "recheck failed"},
	{"recheck \t Failed", "recheck failed"},
	{"recheck autorun.yml", "recheck autorun.yml"},
	{"recheck autorun", "recheck autorun.yml"},
	{"recheck AutoRun", "recheck autorun.yml"},
	{"recheck docs", "recheck docs.yaml"},
	{"recheck deploy", "recheck deploy"},
	{"recheck build_images", "recheck Build_Images.yml"},
	{"cancel", "cancel"},
	{"Help", "help"},
	{"false positive: #3652", "false positive: #3652"},
	{"false positive: #1, #22,#333", "false positive: #1, #22, #333"},
	{"False Positive:3652", "false positive: #3652"}, // SPDK's own pattern takes it
	{"false positive:\t#7, #7", "false positive: #7"},
	{"false  positive: #7", "false positive: #7"},

	// As people write them.
	{"recheck.", "recheck"},
	{"Recheck!", "recheck"},
	{"recheck .", "recheck"},
	{"recheck failed,", "recheck failed"},
	{"cancel!", "cancel"},
	{"**recheck**", "recheck"},
	{"__recheck__", "recheck"},
	{"*recheck failed*.", "recheck failed"},
	{"**`recheck`**", "recheck"},
	{"_recheck_", "recheck"},
	{"/recheck", "recheck"},
	{"False-positive: #3652.", "false positive: #3652"},
	{"false positive #3652", "false positive: #3652"},
	{"false positive : #3", "false positive: #3"},
	{"\ufeffrecheck\r\n", "recheck"},
	{"recheck\u2028", "recheck"},
	{"recheck\r\r\n", "recheck"},
	{"Patch Set 3:\r\n\r\n(1 comment)\r\n\r\nrecheck\r\n", "recheck"},

	// To us by name.
	{"@ci-bot recheck", "recheck"},
	{"@CI-Bot: recheck failed", "recheck failed"},
	{"@ci@example.org cancel", "cancel"},
	{"SPDK CI: recheck", "recheck"},
	{"SPDK CI recheck", "recheck"},
	{"ci-bot, recheck docs.", "recheck docs.yaml"},
	{"@ci-bot", "help"},
	{"@ci-bot why did this fail?", "help"},
	{"Thanks.\n@ci-bot please look", "help"},
	{"SPDK CI: what is this?", "help"},
	{"SPDK CI is broken again", ""},
	{"ci-bot", ""},
	{"@ci-bot2 recheck", ""},
	{"@bob recheck", ""},
	{"@ recheck", ""},
	{"ask @ci-bot recheck", ""},

	// What Gerrit puts before a message.
	{"Patch Set 3:\n\nrecheck", "recheck"},
	{"Patch Set 12: Verified-1\n\nrecheck failed", "recheck failed"},
	{"Patch Set 3: Code-Review+1 -Verified\n\n(2 comments)\n\nrecheck", "recheck"},
	{"Patch Set 3:\n\n(1 comment)", ""},
	{"Patch Set 3: recheck", ""},
	{"Patch Set 3: Patch Set 2 was rebased", ""},

	// Among other words, on a line of its own.
	{"The lab was down.\nrecheck\nThanks!", "recheck"},
	{"recheck\nrecheck autorun\ncancel", "recheck; recheck autorun.yml; cancel"},
	{"> is it flaky?\n\nYes, seen before.\n\nfalse positive: #12\n", "false positive: #12"},
	{strings.Repeat("recheck\n", 7), "recheck; recheck; recheck; recheck; recheck; +2"},

	// Quotes, code and samples.
	{"> recheck", ""},
	{">recheck", ""},
	{"  > recheck\n>> cancel", ""},
	{"> please try again\n> recheck\n\nDone.", ""},
	{"```\nrecheck\n```", ""},
	{"```text\nrecheck\n```\ncancel", "cancel"},
	{"~~~\nrecheck\n```\nrecheck\n~~~", ""},
	{"````\n```\nrecheck\n````\nrecheck", "recheck"},
	{"```\nrecheck", ""}, // an open fence reaches to the end
	{"```\nrecheck\n``` no end\nrecheck\n```", ""},
	{"```a```\nrecheck", "recheck"}, // code within a line opens nothing
	{"    ```\nrecheck", "recheck"},
	{"    recheck", ""},
	{"\trecheck", ""},
	{"  \trecheck", ""},
	{"Try this:\n\n    recheck failed\n", ""},
	{"`recheck`", "recheck"}, // copied from the list of commands
	{"Try this:\n`recheck`", ""},
	{"- recheck", ""},
	{"* cancel", ""},
	{"1. recheck", ""},

	// Quotes that mail programs make, wrapped or not marked.
	{"> If you think that the lab was at fault, and not your change, you can always say\nrecheck", ""},
	{"> If you think that the lab was at fault, and not your change, you can always say\nrecheck\n\ncancel", "cancel"},
	{"> If you think that the lab was at fault, and not your change, you can always say\nthat with\nrecheck", ""},
	{"> ok?\nrecheck", "?recheck"}, // it may be the answer: who knows
	{"> ok?\nYes.\nrecheck", ""},
	{"> ok?\nYes.\n\nrecheck", "recheck"},
	{"> ok?\n```\nrecheck\n```", ""},
	{"> ok?\n```\nx\n```\nrecheck", "recheck"},
	{"On Mon, Nov 2, 2026 at 10:00 Bob wrote:\n\nrecheck", ""},
	{"recheck\n\nOn Mon, Nov 2, 2026 at 10:00 Bob <bob@example.org>\nwrote:\n\ncancel", "recheck"},
	{"On Mon, Nov 2, 2026 at 10:00 Bob wrote:\n\n> recheck\n\ncancel", "cancel"},
	{"recheck\n\n-----Original Message-----\nFrom: Bob\n\ncancel", "recheck"},
	{"Bob wrote:\n| recheck", ""},

	// Blocks and spans.
	{"<pre>\nrecheck\n</pre>", ""},
	{"<PRE class=x>recheck\nrecheck</PRE>\ncancel", "cancel"},
	{"<code>\nrecheck\n</code>\ncancel", "cancel"},
	{"<blockquote>\n\nrecheck\n</blockquote>", ""},
	{"<!-- recheck\nrecheck -->\ncancel", "cancel"},
	{"<!--recheck-->\ncancel", "cancel"},
	{"<pre>\nrecheck", ""},
	{"<prefix>\nrecheck", "recheck"},
	{"`\nrecheck\n`", ""},
	{"`recheck\n`", "?recheck"},
	{"``\nrecheck\n``\ncancel", "cancel"},
	{"``\nrecheck\n`", "recheck"},
	{"Say `x\nrecheck\ny`\ncancel", "cancel"},
	{"The mark ` is odd.\n\nrecheck `", ""},
	{"A `b` c ` d\n\nrecheck", "recheck"},
	{"A `b` c ` d\nrecheck\n`` e ` f", ""},
	{"```recheck```", ""},

	// Near misses and prose (rebar abc3afd: a keyword inside another word and in
	// a program's answers started and cancelled healthy runs).
	{"please recheck", ""},
	{"recheck please", "?recheck"},
	{"recheck this, the lab was down", "?recheck"},
	{"recheckbox.py line 12 looks wrong", ""},
	{"rechecking autorun.yml now", ""},
	{"I did a precheck and a recheck.", ""},
	{"recheck failed again", "?recheck"},
	{"recheck autorun.yml docs.yaml", "?recheck"},
	{"recheck bug 1234", "?recheck"},
	{"recheck ../secret", "?recheck"},
	{"recheck -x", "?recheck"},
	{"recheck; rm -rf /", "?recheck"},
	{"recheck failed\u00a0", "recheck failed"},
	{"recheck\u200b", "recheck"},
	{"\u00a0recheck", "recheck"},
	{"\vrecheck", "recheck"},
	{"rec\x00heck", "?recheck"},
	{"cancel that", ""},
	{"help me", ""},
	{"helpp", ""},
	{"this is a false positive: #12", ""},
	{"false positive:", ""},
	{"false positive: maybe", ""},
	{"false positive: #0", "?false positive"},
	{"false positive: #012", "?false positive"},
	{"false positive: #1234567890", "?false positive"},
	{"false positive: #1 #2", "false positive: #1, #2"},
	{"false positive: #1,", "false positive: #1"},
	{"false positive: #1, #2 and #3", "false positive: #1, #2, #3"},
	{"false positive: #1 and", "?false positive"},
	{"false positive: #1 or #2", "?false positive"},
	{"false positive: #1, #2, #3, #4, #5, #6", "?false positive"},
	{"false positives: #1, #2", "false positive: #1, #2"},
	{"", ""},
	{"\n\n\r\n", ""},

	// A name that can only be meant as one is answered, though it is not known.
	{"recheck nightly.yml", "recheck nightly.yml(unknown)"},
	{"recheck autorum", "recheck autorum(unknown)"},
	{"recheck deploi", "recheck deploi(unknown)"},
	{"recheck Autorun.yam", "?recheck"},

	// Hints: the whole comment is one line, and one slip away.
	{"rechek", "?recheck"},
	{"Re-check", "?recheck"},
	{"recheck?", "?recheck"},
	{"recehck", "?recheck"},
	{"Patch Set 2:\n\nrechecks\n", "?recheck"},
	{"cancle", "?cancel"},
	{"false positive 3652", "?false positive"},
	{"false positive: spdk/spdk#3652", "?false positive"},
	{"false positive: https://github.com/spdk/spdk/issues/3652", "?false positive"},
	{"recheck-failed", "?recheck"},
	{"recheck autorun docs\n\nThe lab was down.", "?recheck"},
	{"The lab was down.\nrecheck please", ""},
	{"recheck " + strings.Repeat("this ", 20), ""},
	{"rechek\nthanks", ""},
	{"> rechek", ""},
	{"rchek", ""},
	{"recheck it", "?recheck"},
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
