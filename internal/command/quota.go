// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"cmp"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

const (
	// maxAnswered bounds the comments that one reply answers; the rest is
	// answered by the next pass.
	maxAnswered = 10
	// maxOfAuthor bounds how many comments of one person on one patchset are
	// answered: two programs that answer each other must come to an end. Nobody's
	// comments count for anybody else.
	maxOfAuthor = 20
)

// remark is a comment with what it asks for.
type remark struct {
	change.Message
	parsed Parsed
}

// author is a person who comments on a patchset.
type author struct{ id, patchset int }

// author names whose limit a comment counts for. One on the change as a whole is
// about the current patchset.
func (d *decider) author(m change.Message) author {
	return author{m.Author.ID, cmp.Or(m.Patchset, d.s.Change.Current.Number)}
}

// count notes a comment that is answered.
func (d *decider) count(r remark) {
	who := d.author(r.Message)
	d.answers[who]++
	d.helped[who] = d.helped[who] || r.parsed.asks(Help)
}

// remarks returns the comments that are to be answered now, oldest first. Those
// that wait for an issue to be looked up are not among them.
func (d *decider) remarks() []remark {
	var due []remark
	for _, m := range d.s.ordered() {
		answered := d.memory.answered[m.ID]
		if !fromPerson(m, d.p.Self) || !validID(m.ID) || !answered && d.now.Sub(m.At) > d.p.Horizon {
			continue
		}
		r := remark{m, Parse(m.Text, Names{d.names(), d.p.Called})}
		switch {
		case answered:
			d.count(r)
		case d.silent(&r) || d.held(m, r.parsed.Commands):
		default:
			due = append(due, r)
		}
	}
	return d.fair(due)
}

// silent drops from a comment what needs no answer, and reports whether that is all:
// what concerns a patchset that was replaced and is stopped for that, the list of
// commands where its author has got it, and what may be meant for another dispatcher.
func (d *decider) silent(r *remark) bool {
	if !d.current(r.Message) {
		r.parsed.Suggestion = ""
		r.parsed.drop(Cancel)
	}
	if d.s.Elsewhere {
		r.parsed.keep(Recheck)
	}
	if who := d.author(r.Message); r.parsed.asks(Help) {
		if d.helped[who] {
			r.parsed.drop(Help)
			if !r.parsed.speaks() {
				d.pass(r.Message)
			}
		}
		d.helped[who] = true
	}
	return !r.parsed.speaks()
}

// fair takes what the limits allow, and counts the rest. Where one reply cannot
// answer all, everybody's first comment comes before anybody's second.
func (d *decider) fair(due []remark) []remark {
	type ranked struct{ rank, place int }
	var order []ranked
	ranks := map[author]int{}
	for i, r := range due {
		who := d.author(r.Message)
		if d.answers[who]+ranks[who] >= maxOfAuthor {
			d.pass(r.Message)
			continue
		}
		order = append(order, ranked{ranks[who], i})
		ranks[who]++
	}
	slices.SortStableFunc(order, func(x, y ranked) int { return cmp.Compare(x.rank, y.rank) })
	order = order[:min(len(order), maxAnswered)]
	slices.SortFunc(order, func(x, y ranked) int { return cmp.Compare(x.place, y.place) })
	taken := make([]remark, len(order))
	for i, o := range order {
		taken[i] = due[o.place]
	}
	return taken
}

// PassedOver are comments of one person that a limit leaves without an answer.
type PassedOver struct {
	Author change.Account
	Count  int
}

// pass notes a comment that is not answered.
func (d *decider) pass(m change.Message) {
	i := slices.IndexFunc(d.out.PassedOver, func(p PassedOver) bool { return p.Author.ID == m.Author.ID })
	if i < 0 {
		d.out.PassedOver = append(d.out.PassedOver, PassedOver{Author: m.Author})
		i = len(d.out.PassedOver) - 1
	}
	d.out.PassedOver[i].Count++
}
