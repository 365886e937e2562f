// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// optional are the parts that are given up one after the other where the server's
// words do not say which one it minds. The votes come after all of them, and only
// the message itself is never given up. Heavy ones make a request smaller.
var optional = []struct {
	part  change.Part
	heavy bool
}{
	{change.AttentionPart, false}, {change.CommentsPart, true}, {change.NotifyPart, false}, {change.TagPart, false},
	{change.LinksPart, true}, {change.LengthPart, true}, {change.LengthPart, true},
}

// lengths are the sizes that a message is cut to, one after the other.
var lengths = []int{maxPosted, 4 << 10, 1 << 10}

// has reports whether a review has a part that can be given up.
func (d *draft) has(part change.Part) bool {
	switch part {
	case change.AttentionPart:
		return len(d.in.AddToAttentionSet) > 0
	case change.CommentsPart:
		return len(d.in.Comments) > 0
	case change.NotifyPart:
		return d.in.Notify != silent || d.in.NotifyDetails != nil
	case change.TagPart:
		return d.in.Tag != ""
	case change.LinksPart:
		_, short := d.texts()
		return !d.short && short != ""
	case change.LengthPart:
		return d.shorter() > 0
	}
	return false
}

// shorter is the next size that the message can be cut to; 0 is none.
func (d *draft) shorter() int {
	text := d.message()
	for _, n := range lengths {
		if len(text) > n && fits(text, n) {
			return n
		}
	}
	return 0
}

// fits reports whether a text's last line survives a cut.
func fits(text string, limit int) bool {
	return len(text)-max(lastLine(text), 0) <= limit*3/4
}

// cut gives up a part.
func (d *draft) cut(part change.Part) {
	switch part {
	case change.AttentionPart:
		d.in.AddToAttentionSet = nil
	case change.CommentsPart:
		d.in.Comments = nil
	case change.NotifyPart:
		d.in.Notify, d.in.NotifyDetails = silent, nil
	case change.TagPart:
		d.in.Tag = ""
	case change.LinksPart:
		d.short = true
	case change.LengthPart:
		d.limit = d.shorter()
	}
}

// restore takes a part back in, and its note out.
func (d *draft) restore(part change.Part) {
	switch part {
	case change.AttentionPart:
		d.in.AddToAttentionSet = d.full.AddToAttentionSet
	case change.CommentsPart:
		d.in.Comments = d.full.Comments
	case change.NotifyPart:
		d.in.Notify, d.in.NotifyDetails = d.full.Notify, d.full.NotifyDetails
	case change.TagPart:
		d.in.Tag = d.full.Tag
	case change.LinksPart:
		d.short = false
	case change.LengthPart:
		d.limit = d.most
		if d.most < maxPosted {
			return // the server's words have cut it, too
		}
	}
	d.posted.Dropped = slices.DeleteFunc(d.posted.Dropped, func(x change.Dropped) bool { return x.Part == part })
}

// note remembers why a part was given up.
func (d *draft) note(part change.Part, why string) {
	i := slices.IndexFunc(d.posted.Dropped, func(x change.Dropped) bool { return x.Part == part })
	if i < 0 {
		d.posted.Dropped = append(d.posted.Dropped, change.Dropped{Part: part, Why: why})
	}
}
