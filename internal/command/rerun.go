// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"slices"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// recheck starts what the command is about. It needs no earlier run or vote: a
// workflow that was never started gets its first attempt.
func (d *decider) recheck(m change.Message, c Command) Action {
	var targets, passedOver []Workflow
	for _, w := range d.s.Workflows {
		r, tried := d.latest[w.Name]
		switch {
		case c.Workflow == w.Name:
			targets = append(targets, w)
		case c.Workflow != "":
		case !tried && w.Unwanted != "":
			passedOver = append(passedOver, w)
		case c.Failed && r.State == Passed:
		default:
			targets = append(targets, w)
		}
	}
	keys, notes := d.start(m, targets)
	text := d.replacedText(m)
	if len(keys) > 0 {
		return Action{Kind: Rerun, Keys: keys, Text: text + startText(keys, c.Failed) + notes}
	}
	switch {
	case len(targets) > 0:
	case len(passedOver) > 0 && len(passedOver) == len(d.s.Workflows):
		notes = unwantedText(passedOver)
	case c.Failed:
		notes = "Nothing is started: all that ran has passed. `recheck` starts all of it again."
	default:
		notes = "Nothing is started: no workflow is configured."
	}
	return Action{Kind: Refuse, Text: text + notes}
}

// start takes the next attempt of each workflow that can have one and says why
// the others cannot.
func (d *decider) start(m change.Message, targets []Workflow) (keys []change.Key, notes string) {
	var shut []Workflow
	for _, w := range targets {
		r := d.latest[w.Name] // attempt 0 where there was none
		switch {
		case r.State.busy():
			notes += busyText(r)
		case r.Created.After(m.At):
			notes += servedText(r)
		case w.Gate != "":
			shut = append(shut, w)
		case r.Key.Attempt >= d.p.MaxAttempts:
			notes += capText(r.Key)
		default:
			keys = append(keys, d.s.key(w.Name, r.Key.Attempt+1))
		}
	}
	notes += gateText(shut)
	if until, early := d.tooSoon(m); len(keys) > 0 && early {
		return nil, notes + coolText(until)
	}
	for _, k := range keys {
		d.latest[k.Workflow] = Run{Key: k, State: Pending}
	}
	return keys, notes
}

// tooSoon reports whether a comment came too soon after the last answer that
// started something, and when that is over.
func (d *decider) tooSoon(m change.Message) (until time.Time, early bool) {
	until = d.memory.last.Add(d.p.CoolDown)
	return until, m.At.Before(until)
}

// cancel stops the runs of the current patchset that go on, and keeps those
// from starting that only wait for their turn.
func (d *decider) cancel() Action {
	var running, waiting []change.Key
	for _, w := range d.s.Workflows {
		switch r, tried := d.latest[w.Name]; {
		case r.State.busy():
			running = append(running, r.Key)
		case !tried && w.Gate == "" && w.Unwanted == "":
			waiting = append(waiting, d.s.key(w.Name, 1))
		}
	}
	keys := slices.Concat(running, waiting)
	if len(keys) == 0 {
		return Action{Kind: Refuse, Text: "Nothing runs or waits for this patchset."}
	}
	for _, k := range keys {
		d.latest[k.Workflow] = Run{Key: k, State: Unclear}
	}
	return Action{Kind: Stop, Keys: keys, Text: cancelText(running, waiting)}
}
