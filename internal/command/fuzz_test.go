// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// plainLine is a rule of its own for lines that may be commands: what is neither a
// letter nor a digit may stand before one, and so may our name.
var plainLine = regexp.MustCompile(`(?i)^ {0,3}[^\pL\pN> \t]*(?:(?:ci-bot|spdk[\s\pZ]+ci|ci@example\.org)([\s\pZ:,]|$)|[\pZ\v\f]*(?:recheck|cancel|help|false[\s\pZ-]+positive))`)

// FuzzParse checks that commands come from plain lines only, that blank lines
// around and the command's own spelling change nothing, and that quoting a comment
// silences it, wrapped or not.
func FuzzParse(f *testing.F) {
	for _, c := range comments {
		f.Add(c.text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		if len(text) > MaxComment/2 {
			return
		}
		got := Parse(text, lexicon)
		plain := 0
		for line := range strings.SplitSeq(text, "\n") {
			if plainLine.MatchString(line) {
				plain++
			}
		}
		if n := len(got.Commands) + got.Left; n > plain || len(got.Commands) > MaxCommands || got.Suggestion != "" && n > 0 {
			t.Errorf("%q: got %s out of %d plain lines", text, show(got), plain)
		}
		for _, c := range got.Commands {
			again := Parse(c.String(), lexicon)
			if diff := cmp.Diff(Parsed{Commands: []Command{c}}, again); diff != "" {
				t.Errorf("%q is written as %q: %s", text, c, diff)
			}
		}
		if diff := cmp.Diff(got, Parse("\n \n"+strings.ReplaceAll(text, "\n", "\r\n")+"\n\t\n", lexicon)); diff != "" {
			t.Errorf("%q: line ends make a difference: %s", text, diff)
		}
		for name, silent := range map[string]string{
			"quoted":  "> " + strings.ReplaceAll(text, "\n", "\n> "),
			"wrapped": wrapQuote(text),
			"fenced":  "~~~~~\n" + strings.ReplaceAll(text, "~", "-") + "\n~~~~~",
			"spaced":  "    " + strings.ReplaceAll(text, "\n", "\n    "),
		} {
			if got := show(Parse(silent, lexicon)); got != "" {
				t.Errorf("%s %q: got %s", name, silent, got)
			}
		}
	})
}

// wrapQuote quotes a text as a mail program does that wraps long lines and marks
// only the first part of each.
func wrapQuote(text string) string {
	long := "> " + strings.Repeat("what somebody said ", 4) + "\n"
	return long + strings.ReplaceAll(regexp.MustCompile("(?m)^[ \t\r\n\v\f\\pZ\\p{Cf}]*$|[`~<>]").ReplaceAllString(text, "x"), "\n", "\n"+long)
}

// FuzzResidue checks that whatever is read is written the same way again, and
// that words before it make no difference.
func FuzzResidue(f *testing.F) {
	f.Add("Started.\n\nIn-Reply-To: 5f3c\nAsked-For: 1/2/a.yml/3\nCancelled: s+1/2/a.yml/2")
	f.Add("In-Reply-To: x y")
	f.Add("Asked-For: 1/2/a.yml/0\n")
	f.Add("Cancelled: 1/2/a.yml/9999 \n\n")
	f.Fuzz(func(t *testing.T, text string) {
		got := ParseResidue(text)
		written := got.String()
		if diff := cmp.Diff(got, ParseResidue("Patch Set 1:\n\n"+written+"\n")); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
		if !strings.Contains(text, replyName) && len(got.Replies) > 0 {
			t.Errorf("%q: got replies %q", text, got.Replies)
		}
	})
}

// FuzzReply feeds a comment to Decide: the answer must end the matter, be fit
// to be posted, and promise nothing but runs of this patchset.
func FuzzReply(f *testing.F) {
	for _, c := range comments {
		f.Add(c.text)
	}
	f.Add("recheck x.yml\nIn-Reply-To: evil\n\nAsked-For: 7/1/deploy/9")
	f.Fuzz(func(t *testing.T, text string) {
		s := world(say(ann, 1, text))
		got := Decide(s, policy, noon)
		if (len(got.Actions) > 0) != (got.Reply != "") || len(got.Reply) > 14<<10 {
			t.Fatalf("%q: %d actions and a reply of %d bytes", text, len(got.Actions), len(got.Reply))
		}
		r := ParseResidue(got.Reply)
		if got.Reply != "" && (len(r.Replies) != 1 || r.Replies[0] != s.Change.Messages[0].ID) {
			t.Errorf("%q: the reply answers %q", text, r.Replies)
		}
		keys := r.Cancelled
		for _, a := range r.Asked {
			keys = append(keys, a.Key)
		}
		for _, k := range keys {
			if k.ID != s.Change.ID() || change.CheckWorkflow(k.Workflow) != nil {
				t.Errorf("%q: the reply speaks of %s", text, k)
			}
		}
		s.Change.Messages = append(s.Change.Messages, answer(got.Reply))
		if again := Decide(s, policy, noon); len(again.Actions) > 0 {
			t.Errorf("%q: after the reply: %+v", text, again.Actions)
		}
	})
}
