// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/report"
)

// uncheckedBySync are the things that a dry run of sync leaves open, because only
// the server that is asked to do them knows.
func uncheckedBySync(cfg *config.Config) []string {
	told, published := false, false
	for _, p := range cfg.Projects {
		told = told || p.Report.On()
		published = published || p.Report.On() && p.Report.Publish.On
	}
	list := []string{"that the mirror takes what is pushed", "that GitHub starts and cancels runs"}
	if told {
		list = append(list, "that Gerrit takes messages and votes")
	}
	if published {
		list = append(list, "that the storage takes results")
	}
	return list
}

// uncheckedByReport are those of a dry run of report.
func uncheckedByReport(p *config.Project) []string {
	list := []string{"that Gerrit takes the message"}
	if p.Report.Label != "" {
		list = []string{"that Gerrit takes the message and the vote"}
	}
	if p.Report.Publish.On {
		list = append(list, "that the storage takes the results: links to them would be in the message")
	}
	return list
}

// dryRunNote closes what a dry run prints.
func dryRunNote(unchecked []string) string {
	return "dry run: nothing was changed; not checked: " + strings.Join(unchecked, ", ")
}

// showDryReport prints what report would have posted, and where.
func showDryReport(out *action.Action, p *config.Project, key change.Key, done report.Done) {
	if done.Review == nil {
		out.Println(fmt.Sprintf("Nothing would be posted: %s.", done.Silent))
		return
	}
	r := done.Review
	out.Println(fmt.Sprintf("This would be posted on %s (%s) of %s at %s, as %s:", key.ID, done.Revision.Short(), p.Name, p.Gerrit.URL, p.Gerrit.Username))
	out.Println("  vote: " + votesText(r.Labels))
	out.Println("  mail: " + r.Notify)
	if r.Attention == change.OwnerAttention {
		out.Println("  attention: the change's owner")
	}
	out.Println("  message:")
	for line := range strings.Lines(r.Message) {
		out.Println("    " + strings.TrimRight(line, "\n"))
	}
	for _, c := range r.Comments {
		text, _, _ := strings.Cut(strings.TrimSpace(c.Text), "\n")
		out.Println(fmt.Sprintf("  comment on %s:%d: %s", c.Path, c.Line, text))
	}
	out.Println(dryRunNote(uncheckedByReport(p)))
}

// votesText names votes, or says that there are none.
func votesText(labels map[string]int) string {
	var list []string
	for _, label := range slices.Sorted(maps.Keys(labels)) {
		list = append(list, voteText(label, labels[label]))
	}
	return cmp.Or(strings.Join(list, ", "), "none")
}
