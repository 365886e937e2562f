// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"regexp"
	"slices"
	"strings"
	"testing"
	"unicode"

	"github.com/google/go-cmp/cmp"
)

// runnerCommand is a workflow command that a runner obeyed.
type runnerCommand struct {
	name, title, text string
}

// ghRunner reads a step's output as actions/runner does (at 258d6c85):
// StreamReader.ReadLine in src/Runner.Sdk/ProcessInvoker.cs cuts lines at CR, LF and
// CR LF; TryProcessCommand in src/Runner.Worker/ActionCommandManager.cs tries
// TryParseV2 ("::", at the start but for blanks) and then TryParse ("##[", anywhere)
// of src/Runner.Common/ActionCommand.cs, without regard to case.
//
// The runner searches for both prefixes by the rules of a culture, where .NET with
// ICU ignores characters without a width. That depends on the machine, so both are
// played: see withoutWidth.
type ghRunner struct {
	withoutWidth bool
	stopped      string // the word that it waits for
	obeyed       []runnerCommand
}

var runnerKnows = []string{
	"notice", "warning", "error", "debug", "group", "endgroup", "add-mask", "add-path", "add-matcher", "remove-matcher", "set-env", "set-output", "save-state", "echo",
	"stop-commands",
}

func (r *ghRunner) read(output string) []runnerCommand {
	for _, line := range regexp.MustCompile(`\r\n|\r|\n`).Split(strings.ToValidUTF8(output, "\uFFFD"), -1) {
		r.line(line)
	}
	return r.obeyed
}

func (r *ghRunner) line(line string) {
	if r.withoutWidth {
		line = strings.Map(func(c rune) rune {
			if unicode.Is(unicode.Cf, c) || unicode.IsControl(c) && c != '\t' {
				return -1
			}
			return c
		}, line)
	}
	c, ok := r.parseV2(line)
	if !ok {
		if c, ok = r.parseV1(line); !ok {
			return
		}
	}
	switch {
	case r.stopped != "":
		if strings.EqualFold(c.name, r.stopped) {
			r.stopped = ""
		}
	case strings.EqualFold(c.name, "stop-commands"):
		if c.text != "" && !r.knows(c.text) && !strings.EqualFold(c.text, "pause-logging") {
			r.stopped = c.text
		}
	default:
		r.obeyed = append(r.obeyed, c)
	}
}

func (r *ghRunner) knows(name string) bool {
	return slices.ContainsFunc(append([]string{r.stopped}, runnerKnows...), func(known string) bool {
		return known != "" && strings.EqualFold(known, name)
	})
}

func (r *ghRunner) parseV2(line string) (c runnerCommand, ok bool) {
	rest, ok := strings.CutPrefix(strings.TrimLeftFunc(line, unicode.IsSpace), "::")
	if !ok {
		return c, false
	}
	info, text, ok := strings.Cut(rest, "::")
	if !ok {
		return c, false
	}
	return r.command(info, text, ",", strings.NewReplacer("%0D", "\r", "%0A", "\n", "%3A", ":", "%2C", ",", "%25", "%"), strings.NewReplacer("%0D", "\r", "%0A", "\n", "%25", "%"))
}

func (r *ghRunner) parseV1(line string) (c runnerCommand, ok bool) {
	_, rest, ok := strings.Cut(line, "##[")
	if !ok {
		return c, false
	}
	info, text, ok := strings.Cut(rest, "]")
	if !ok {
		return c, false
	}
	unescape := strings.NewReplacer("%3B", ";", "%0D", "\r", "%0A", "\n", "%5D", "]", "%25", "%")
	return r.command(info, text, ";", unescape, unescape)
}

func (r *ghRunner) command(info, text, between string, property, data *strings.Replacer) (c runnerCommand, ok bool) {
	name, properties, _ := strings.Cut(info, " ")
	if !r.knows(name) {
		return c, false
	}
	c = runnerCommand{name: name, text: data.Replace(text)}
	for p := range strings.SplitSeq(strings.TrimSpace(properties), between) {
		if key, value, ok := strings.Cut(p, "="); ok && strings.EqualFold(key, "title") {
			c.title = property.Replace(value)
		}
	}
	return c, true
}

// TestRunner checks the player against what the runner's source says.
func TestRunner(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		output string
		want   []runnerCommand
	}{
		{"::notice title=a b,file=x::text %25 %0A ::x", []runnerCommand{{"notice", "a b", "text % \n ::x"}}},
		{" \t::Error::x\nx ::error::y\r\u00a0::error::z", []runnerCommand{{"Error", "", "x"}, {"error", "", "z"}}},
		{"x ##[notice title=a;b=c]text %5D\n\x1b[0m##[error]", []runnerCommand{{"notice", "a", "text ]"}, {"error", "", ""}}},
		{"::unknown::x\n::notice x\n::\n::::\n##[command]x", nil},
		{"::stop-commands::w\n::error::x\n::stop-commands::v\n::v::\n##[W]\n::error::y", []runnerCommand{{"error", "", "y"}}},
		{"::stop-commands::w\nx::w::\n::error::x", nil},
		{"::stop-commands::notice\n::error::x", []runnerCommand{{"error", "", "x"}}},
	} {
		got := new(ghRunner).read(c.output)
		if diff := cmp.Diff(c.want, got, cmp.AllowUnexported(runnerCommand{})); diff != "" {
			t.Errorf("%q (-want +got):\n%s", c.output, diff)
		}
	}
	const odd = "\ufeff::error::x"
	if plain, wide := new(ghRunner).read(odd), (&ghRunner{withoutWidth: true}).read(odd); len(plain) != 0 || len(wide) != 1 {
		t.Errorf("got %v and %v", plain, wide)
	}
}
