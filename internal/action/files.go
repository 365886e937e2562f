// SPDX-License-Identifier: BSD-3-Clause

package action

import (
	"crypto/rand"
	"os"
	"regexp"
	"strings"
	"unicode/utf8"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// outputName is what a workflow can refer to as steps.ID.outputs.NAME.
var outputName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_-]*$`)

// SetOutput sets one of the step's outputs. The delimiter is drawn at random,
// so that no value can end itself and set other outputs; the SDK's is fixed.
func (a *Action) SetOutput(name, value string) error {
	if !outputName.MatchString(name) {
		return fault.New(fault.Ours, "failed to set output %q: a name has letters, digits, '_' and '-' only", change.Clip(name, 60))
	}
	delimiter := "dispatcher-" + rand.Text()
	return a.appendFile("GITHUB_OUTPUT", name+"<<"+delimiter+"\n"+value+"\n"+delimiter+"\n")
}

// maxSummary is the runner's limit for one step's summary, in bytes; a longer
// one is not shown at all (CreateStepSummaryCommand in actions/runner).
const maxSummary = 1 << 20

const summaryCut = "\n\n**The summary was cut here: GitHub shows at most 1 MiB of it. The log of this step has the rest.**\n"

// Summary adds Markdown to the step's summary, and says so where it had to cut
// it. Text from outside must have gone through Cell.
func (a *Action) Summary(markdown string) error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.summary > maxSummary { // cut already
		return nil
	}
	text := strings.ToValidUTF8(markdown, "\uFFFD") + "\n"
	room := maxSummary - a.summary
	if a.summary += len(text); a.summary > maxSummary-len(summaryCut) {
		text = cut(text, max(0, room-len(summaryCut))) + summaryCut
		a.summary = maxSummary + 1
	}
	return a.appendFile("GITHUB_STEP_SUMMARY", text)
}

// cut keeps at most n bytes of s, whole lines where there are any.
func cut(s string, n int) string {
	if n >= len(s) {
		return s
	}
	for n > 0 && !utf8.RuneStart(s[n]) {
		n--
	}
	if i := strings.LastIndexByte(s[:n], '\n'); i >= 0 {
		n = i + 1
	}
	return s[:n]
}

// appendFile adds to one of the runner's files; without the variable that
// names it there is nobody to read it.
func (a *Action) appendFile(variable, text string) error {
	name := a.getenv(variable)
	if name == "" {
		return nil
	}
	f, err := os.OpenFile(name, os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err != nil {
		return fault.New(fault.Ours, "failed to open the file in %s: %w", variable, err)
	}
	_, err = f.WriteString(text)
	if closing := f.Close(); err == nil {
		err = closing
	}
	if err != nil {
		return fault.New(fault.Ours, "failed to write the file in %s: %w", variable, err)
	}
	return nil
}
