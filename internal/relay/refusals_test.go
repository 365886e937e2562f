// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

// TestRefusals holds what is made of each text that a server was seen to print:
// testdata/refusals.txt has them, with where they come from.
func TestRefusals(t *testing.T) {
	t.Parallel()
	const file = "testdata/refusals.txt"
	text, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	head, blocks := refusalBlocks(string(text))
	out := head
	for _, block := range blocks {
		out += "\n== " + strings.TrimRight(block, "\n") + "\n" + refusalText(t, block)
	}
	golden.Compare(t, file, out)
}

// TestEveryRuleIsSeen: without any one of the rules something else would be made of
// some text. It changes the tables, and so is not parallel.
func TestEveryRuleIsSeen(t *testing.T) {
	text, err := os.ReadFile("testdata/refusals.txt")
	if err != nil {
		t.Fatal(err)
	}
	_, blocks := refusalBlocks(string(text))
	before := make([]string, len(blocks))
	for i, block := range blocks {
		before[i] = refusalText(t, block)
	}
	for name, table := range map[string]*[]rule{"refRules": &refRules, "detailRules": &detailRules, "brokenRules": &brokenRules, "packRules": &packRules} {
		all := *table
		for i, r := range all {
			*table = slices.Delete(slices.Clone(all), i, i+1)
			if !differs(t, blocks, before) {
				t.Errorf("%s: no text of testdata/refusals.txt needs %q", name, r.text)
			}
		}
		*table = all
	}
}

// differs reports whether anything else is made of the blocks than before.
func differs(t *testing.T, blocks, before []string) bool {
	for i, block := range blocks {
		if refusalText(t, block) != before[i] {
			return true
		}
	}
	return false
}

// refusalBlocks splits the file, and leaves out what was made of the texts.
func refusalBlocks(text string) (head string, blocks []string) {
	var kept []string
	for line := range strings.Lines(text) {
		if !strings.HasPrefix(line, ">") {
			kept = append(kept, line)
		}
	}
	head, rest, _ := strings.Cut(strings.Join(kept, ""), "\n== ")
	return head, strings.Split(rest, "\n== ")
}

// refusalText gives what is made of one block.
func refusalText(t *testing.T, block string) string {
	t.Helper()
	field := map[string]string{"ref": "refs/changes/01/1/1"}
	var messages strings.Builder
	for line := range strings.Lines(block) {
		line = strings.TrimSuffix(line, "\n")
		if message, ok := strings.CutPrefix(line, "|"); ok {
			messages.WriteString(strings.ReplaceAll(strings.TrimPrefix(message, " "), `\r`, "\r") + "\n")
		} else if name, value, ok := strings.Cut(line, ": "); ok {
			field[name] = value
		}
	}
	if field["source"] == "" {
		t.Errorf("%.40q has no source", block)
	}
	var c cause
	if unpack := field["unpack"]; unpack != "" {
		c = packCause(unpack, field["reason"], messages.String())
	} else {
		c = refCause(field["ref"], field["reason"], messages.String())
	}
	word := c.word
	if word == "" {
		word = "not definite"
	}
	class := [...]string{"this ref", "search", "missing", "size", "broken", "busy"}[c.class]
	out := fmt.Sprintf("> %s, %s, %s\n> %s\n", class, c.err.Kind, word, c.err)
	if c.err.Hint != "" {
		out += "> hint: " + c.err.Hint + "\n"
	}
	return out
}
