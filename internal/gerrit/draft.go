// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"cmp"
	"fmt"
	"maps"
	"slices"
	"strconv"
	"strings"

	gogerrit "github.com/andygrunwald/go-gerrit"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// maxWhy bounds the reason in a message's line about a refused vote.
const maxWhy = 200

// draft is a review on its way: what is sent still, and what was given up.
type draft struct {
	review change.Review
	who    string // the account, in words
	in     reviewInput
	full   reviewInput // in, as it was before anything was given up by trial
	// spelling are the labels' names in the review, by their names on the server.
	spelling map[string]string
	short    bool // without what can be missed
	limit    int  // of the message now, in bytes
	most     int  // the limit that is known
	refusals int  // how often the server said no
	guessed  []change.Part
	bare     bool  // votes were given up by trial, so guessed parts had their second chance
	first    error // the refusal that no words explain
	posted   change.Posted
}

type (
	// reviewInput is ReviewInput with the one field that go-gerrit does not know.
	reviewInput struct {
		gogerrit.ReviewInput
		// NotifyDetails are accounts by how they are addressed. They are mailed
		// whatever Notify says (rest-api-changes, ReviewInput and NotifyInfo).
		NotifyDetails map[string]notifyInfo `json:"notify_details,omitempty"`
	}
	notifyInfo struct {
		Accounts []string `json:"accounts"`
	}
)

// mail names those who are mailed in any case.
func (in *reviewInput) mail(accounts []int) {
	if len(accounts) == 0 {
		return
	}
	var names []string
	for _, id := range accounts {
		names = append(names, strconv.Itoa(id))
	}
	in.NotifyDetails = map[string]notifyInfo{"TO": {Accounts: names}}
}

// draft begins with everything that a review asks for.
func (c *Client) draft(r change.Review) *draft {
	d := &draft{
		review: r, who: c.door.who(), limit: maxPosted, most: maxPosted, spelling: map[string]string{},
		posted: change.Posted{Applied: map[string]int{}, Refused: map[string]string{}},
	}
	d.in.ReviewInput = gogerrit.ReviewInput{
		Tag: r.Tag, Labels: maps.Clone(r.Labels), Drafts: "KEEP", Notify: cmp.Or(r.Notify, silent),
		OmitDuplicateComments: true, IgnoreAutomaticAttentionSetRules: true,
	}
	d.in.mail(r.Mail)
	for _, m := range r.Comments {
		if m.Path == "" || m.Text == "" {
			continue // Gerrit would refuse the whole review for it
		}
		if d.in.Comments == nil {
			d.in.Comments = map[string][]gogerrit.CommentInput{}
		}
		d.in.Comments[m.Path] = append(d.in.Comments[m.Path], gogerrit.CommentInput{
			Line: max(m.Line, 0), Message: change.Clip(m.Text, maxComment), Unresolved: &m.Unresolved,
		})
	}
	d.full = d.in
	return d
}

// fit leaves out the votes that cannot be set, spells the others as the server
// does, and names the owner where attention is asked for.
func (d *draft) fit(b *ballot) {
	d.in.Labels = map[string]int{}
	for _, asked := range slices.Sorted(maps.Keys(d.review.Labels)) {
		value, name := d.review.Labels[asked], b.name(asked)
		if why := b.refusal(name, value, d.who); why != "" {
			d.posted.Refused[asked] = why
			continue
		}
		d.in.Labels[name], d.spelling[name] = value, asked
	}
	if d.review.Attention == change.OwnerAttention && b.status == change.New {
		if b.inactive {
			d.note(change.AttentionPart, "the account of the change's owner is inactive")
		} else {
			reason := cmp.Or(change.OneLine(change.Clip(d.review.AttentionReason, maxWhy)), "the tests have something to say")
			d.in.AddToAttentionSet = []gogerrit.AttentionSetInput{{User: strconv.Itoa(b.owner), Reason: reason}}
		}
	}
	d.full = d.in
}

// refuse takes out a vote; label is the server's name for it.
func (d *draft) refuse(label, why string) {
	d.posted.Refused[cmp.Or(d.spelling[label], label)] = why
	delete(d.in.Labels, label)
}

// reasons lists the refused votes, one in a line. A vote of 0 only takes back
// another one, and is not worth a line.
func (d *draft) reasons() string {
	var lines []string
	for _, name := range slices.Sorted(maps.Keys(d.posted.Refused)) {
		if value := d.review.Labels[name]; value != 0 {
			why := change.OneLine(change.Clip(d.posted.Refused[name], maxWhy))
			lines = append(lines, fmt.Sprintf("The vote %s%s could not be set: %s.", change.OneLine(change.Clip(name, 60)), signed(value), why))
		}
	}
	return strings.Join(lines, "\n")
}

// texts returns the message and the one that may replace it, both without a
// claim to a vote where one was refused.
func (d *draft) texts() (text, short string) {
	if len(d.posted.Refused) > 0 && d.review.Unvoted != "" {
		return d.review.Unvoted, d.review.ShortUnvoted
	}
	return d.review.Message, d.review.Short
}

// message is what is said now. What was given up is told first: programs read the
// end of a message.
func (d *draft) message() string {
	text, short := d.texts()
	if d.short {
		text = cmp.Or(short, text)
	}
	if lines := d.reasons(); lines != "" {
		text = lines + "\n\n" + text
	}
	return shorten(strings.TrimSpace(text), d.limit)
}

// input is what is sent now.
func (d *draft) input() *reviewInput {
	in := d.in
	in.Message = d.message()
	return &in
}

// result compares the votes of the server's answer with those that were sent. A
// vote that is not in it, or differs, was dropped without a word.
//
// Gerrit 3.x answers with the labels of the request, without those that it does
// not know and those of unknown values (PostReview#checkLabels and #apply, where
// change.strictLabels is not set; seen on a real 3.13.5). It clamps no value: what
// is out of the account's range is a 403 for the whole review. As the labels were
// looked at before, only one that was taken away meanwhile can be dropped.
func (d *draft) result(labels map[string]int) change.Posted {
	for name, value := range d.in.Labels {
		asked := cmp.Or(d.spelling[name], name)
		if got, ok := labels[name]; !ok || got != value {
			d.posted.Refused[asked] = "the server dropped it without a word"
			d.posted.Claimed = true
			continue
		}
		d.posted.Applied[asked] = value
	}
	return d.posted
}

// shorten cuts a text to at most limit bytes on a rune boundary, before its last
// paragraph or, where that is long, its last line: programs look there for what a
// message was about.
func shorten(text string, limit int) string {
	if len(text) <= limit {
		return text
	}
	body, end := text, ""
	if i := strings.LastIndex(text, "\n\n"); i >= 0 && len(text)-i <= limit/2 {
		body, end = text[:i], text[i:]
	} else if i := lastLine(text); i >= 0 && len(text)-i <= limit*3/4 {
		body, end = text[:i], text[i:]
	}
	return change.Clip(body, limit-len(end)-len("...")) + end
}

// lastLine returns where a text's last line begins, its line break included; -1
// is nowhere.
func lastLine(text string) int { return strings.LastIndexByte(text, '\n') }
