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
	in     gogerrit.ReviewInput
	posted change.Posted
}

// draft begins with everything that a review asks for.
func (c *Client) draft(r change.Review) *draft {
	d := &draft{review: r, who: c.door.who(), posted: change.Posted{Applied: map[string]int{}, Refused: map[string]string{}}}
	d.in = gogerrit.ReviewInput{
		Tag: r.Tag, Labels: maps.Clone(r.Labels), Drafts: "KEEP", Notify: cmp.Or(r.Notify, "NONE"),
		OmitDuplicateComments: true, IgnoreAutomaticAttentionSetRules: true,
	}
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
	return d
}

// fit leaves out the votes that cannot be set, and names the owner where
// attention is asked for.
func (d *draft) fit(b ballot) {
	for name, value := range d.in.Labels {
		if why := b.refusal(name, value, d.who); why != "" {
			d.refuse(name, why)
		}
	}
	if d.review.Attention == change.OwnerAttention && b.status == change.New {
		reason := cmp.Or(change.OneLine(change.Clip(d.review.AttentionReason, maxWhy)), "the tests have something to say")
		d.in.AddToAttentionSet = []gogerrit.AttentionSetInput{{User: strconv.Itoa(b.owner), Reason: reason}}
	}
}

func (d *draft) refuse(label, why string) {
	d.posted.Refused[label] = why
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

// input is what is sent now. What was given up is told first: programs read the
// end of a message.
func (d *draft) input() *gogerrit.ReviewInput {
	in := d.in
	in.Message = d.review.Message
	if lines := d.reasons(); lines != "" {
		in.Message = lines + "\n\n" + in.Message
	}
	in.Message = shorten(strings.TrimSpace(in.Message), maxPosted)
	return &in
}

// result compares the votes of the server's answer with those that were sent.
func (d *draft) result(labels map[string]int) change.Posted {
	for name, value := range d.in.Labels {
		if got, ok := labels[name]; !ok || got != value {
			d.posted.Refused[name] = "the server dropped it without a word"
			continue
		}
		d.posted.Applied[name] = value
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
	for _, mark := range []string{"\n\n", "\n"} {
		if i := strings.LastIndex(text, mark); i >= 0 && len(text)-i <= limit/2 {
			body, end = text[:i], text[i:]
			break
		}
	}
	return change.Clip(body, limit-len(end)-len("...")) + end
}
