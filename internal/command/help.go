// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"fmt"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// helpText lists the commands and who may use them.
func (d *decider) helpText() string {
	var b strings.Builder
	b.WriteString("A command is a line of its own in a comment, not in a quote or a block of code:\n\n")
	for _, line := range []string{
		"`recheck`: start all workflows again",
		"`recheck failed`: only what did not pass",
		"`recheck WORKFLOW`: one of " + names(d.names()),
		"`cancel`: stop what runs or waits for this patchset",
		"`false positive: #N`: the failure is known as issue N: note it there, once for each patchset, and run again what failed",
		"`help`: this list",
	} {
		b.WriteString("- " + line + "\n")
	}
	fmt.Fprintf(&b, "\n%s Reruns are at least %s apart, and at most %d of a workflow for one patchset.",
		d.mayText(), short(d.p.CoolDown), d.p.MaxAttempts)
	return b.String()
}

// hint answers a comment that is nearly a command.
func (d *decider) hint(m change.Message, verb Verb) Action {
	form, more := string(verb), ""
	switch verb {
	case Recheck:
		more = ", if need be with `failed` or one of " + names(d.names())
	case FalsePositive:
		form, more = form+": #N", fmt.Sprintf(" with at most %d open issues of the configured repository", maxIssues)
	}
	return Action{Kind: Explain, Message: m.ID, Author: m.Author,
		Text: fmt.Sprintf("Did you mean `%s`%s? A command stands alone on its line, and not right below a quote. `help` lists them all.", form, more)}
}

// short writes a duration without the parts that are zero.
func short(d time.Duration) string {
	if d >= time.Minute && d%time.Minute == 0 {
		return fmt.Sprintf("%d min", d/time.Minute)
	}
	return d.String()
}
