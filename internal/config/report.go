// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"maps"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// reporting builds what is told to Gerrit and checks that it can be told.
func (l *loader) reporting(p *project, g Gerrit) Report {
	r := &p.Report
	out := Report{
		Label: string(r.Label), Messages: r.Messages, Retries: int(r.Retries), After: time.Duration(r.After),
		Ignore: texts(r.Ignore), MayFail: texts(r.MayFail), Setup: texts(r.Setup),
	}
	out.Votes = l.votes(r)
	out.RetryAfter = l.retryAfter(p)
	out.NothingToRun = NothingPolicy(r.Nothing)
	out.Started = StartedPolicy(r.Started)
	out.Commands = Commands{
		Off: r.Commands.Off, Owner: r.Commands.Owner, Groups: texts(r.Commands.Groups), CoolDown: time.Duration(r.Commands.CoolDown),
		Attempts: int(r.Commands.Attempts), Issues: string(r.Commands.Issues),
	}
	out.Publish = l.publishing(&r.Publish)
	out.Comments = l.comments(&r.Comments)
	if out.On() && g.Username == "" {
		l.fail(l.near(&r.Label, &r.Messages, p), "give the account that may vote: GERRIT_USERNAME and GERRIT_PASSWORD", "results are to be reported, but access to Gerrit is anonymous")
	}
	l.checkTrustLabels(p)
	return out
}

// checkTrustLabels refuses a gate that our own votes would open and hold.
func (l *loader) checkTrustLabels(p *project) {
	for i := range p.Workflows {
		if label := &p.Workflows[i].Trust.Label; *label != "" && strings.EqualFold(string(*label), string(p.Report.Label)) {
			l.fail(l.near(label), "let people vote on a label of its own, for example Allow-CI", "%s is the label that results are voted on: our own votes would open this gate, or hold it", quote(string(*label)))
		}
	}
}

// retryAfter builds the schedule of retries. A later retry that is due before an
// earlier one would be a slip of the pen.
func (l *loader) retryAfter(p *project) []time.Duration {
	list := p.Report.RetryAt
	switch {
	case len(list) == 0:
		l.fail(l.near(&p.Report.RetryAt, p), "write [0] to retry at once, or retries: 0 for no retries", "the list of times is empty")
	case len(list) > maxRetryTimes:
		l.fail(l.near(&p.Report.RetryAt, p), "the last entry holds for all later retries", "the list has %d entries, and %d are the most", len(list), maxRetryTimes)
	}
	var out []time.Duration
	for i, d := range list {
		if i > 0 && d < list[i-1] {
			l.fail(l.near(&list[i]), "write the times in ascending order", "retry %d comes %s after a run, but the one before it %s", i+1, d, list[i-1])
		}
		out = append(out, time.Duration(d))
	}
	return out
}

func (l *loader) votes(r *report) map[string]int {
	if len(r.Votes) == 0 {
		return nil
	}
	out := map[string]int{}
	for _, name := range slices.Sorted(maps.Keys(r.Votes)) {
		if !verdict.Outcome(name).Valid() {
			l.fail(l.near(mapKey{mapID(r.Votes), name}), "the outcomes are "+outcomes(), "there is no outcome %s", quote(name))
		}
		out[name] = int(r.Votes[name])
	}
	return out
}

func outcomes() string {
	var names []string
	for _, o := range verdict.Outcomes() {
		names = append(names, string(o))
	}
	return strings.Join(names, ", ")
}
