// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"crypto/sha256"
	"fmt"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/command"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// maxExcuse bounds what is repeated of a failure elsewhere, in bytes.
const maxExcuse = 6 << 10

// excuses are the failures that comments call known, as they are to be noted on
// their issues: once on each. All that is repeated there is outside text, and may
// neither call people nor point to other issues, nor be read as anything but text:
// it stands in code.
func (b *builder) excuses(c *change.Change, actions []command.Action) []Excuse {
	var all []Excuse
	for _, a := range actions {
		if a.Kind != command.Excuse || len(a.Issues) == 0 {
			continue
		}
		mark := b.excuseMark(c)
		body := fmt.Sprintf("%s\nSeen again on %s, patchset %d, says `%s`.", mark, b.changeURL(c), c.Current.Number,
			strings.ReplaceAll(nameOf(a.Author), "`", "'"))
		if told := b.lastFailure(c); told != "" {
			body += "\n\n    " + strings.Join(codeLines(told), "\n    ") + "\n"
		}
		all = append(all, Excuse{Issues: a.Issues, Body: body, Mark: mark, Since: a.At.Add(-clockSlack), Asked: a.At})
	}
	return all
}

// excuseMark is found again in a note about a patchset. Projects and servers may
// share issues, and a project's name may hold anything, so it is a digest.
func (b *builder) excuseMark(c *change.Change) string {
	sum := sha256.Sum256(fmt.Appendf(nil, "%s\n%s\n%s", b.p.Gerrit.Name, b.p.Name, c.ID()))
	return fmt.Sprintf("<!-- dispatcher %x -->", sum[:12])
}

// codeLines splits a text at whatever a renderer may take for the end of a line, so
// that each of them can be marked as code.
func codeLines(text string) []string {
	text = strings.NewReplacer("\r", "\n", "\v", "\n", "\f", "\n", "\u0085", "\n", "\u2028", "\n", "\u2029", "\n").Replace(text)
	return strings.Split(strings.TrimRight(text, "\n"), "\n")
}

// lastFailure is what we said last about a failure of the current patchset.
func (b *builder) lastFailure(c *change.Change) string {
	for _, m := range slices.Backward(c.Messages) {
		if m.Author.ID != b.s.Self {
			continue
		}
		r, ok := verdict.ParseResidue(m.Text)
		if !ok || !slices.ContainsFunc(r.Runs, func(run verdict.RunResidue) bool {
			return run.Key.ID == c.ID() && run.Outcome == verdict.Failed
		}) {
			continue
		}
		return change.Clip(strings.ReplaceAll(m.Text, "\r", ""), maxExcuse)
	}
	return ""
}
