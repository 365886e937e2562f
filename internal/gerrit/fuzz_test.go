// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// FuzzRetreat: whatever a server answers, and answers again, a review gets smaller
// until it is given up, keeps its last line, and is told in full what it lost.
func FuzzRetreat(f *testing.F) {
	for _, reason := range []string{
		"", "something", `Applying label "Verified": -1 is restricted`, `label "` + "\x00" + `" is not a configured label`, "missing field: user",
		"file x not found in revision 1,1", "Comment size exceeds limit (99999 > 300)", "Comment size exceeds limit (999999999 > 0)",
		"Exceeding maximum cumulative size of comments and change messages: 10 (existing) + 7000 (new) > 3000", "Change 1 may not exceed 5 updates", "closed",
	} {
		for _, code := range []int{400, 403, 409, 413, 422} {
			f.Add(code, reason, false)
		}
	}
	f.Add(403, "", true)
	f.Fuzz(func(t *testing.T, code int, reason string, page bool) {
		r := rich()
		d := (&Client{door: &door{user: "ci"}}).draft(r)
		d.fit(&ballot{owner: 7, status: change.New, labels: map[string][2]int{"Verified": {-1, 1}}, mine: map[string][2]int{"Verified": {-1, 1}}})
		refused, most := &statusError{code: code, reason: change.OneLine(reason), page: page}, len(d.message())
		rounds := 0
		for d.retreat(refused) {
			if rounds++; rounds > maxRefusals {
				t.Fatalf("%d rounds", rounds)
			}
			text := d.message()
			claims := strings.HasSuffix(text, "\n\nDispatcher: 1/1/ci.yml/1 vote=-1")
			if voted := len(d.in.Labels) > 0; claims != voted || !claims && !strings.HasSuffix(text, "\n\nDispatcher: 1/1/ci.yml/1 vote=none") {
				t.Fatalf("with labels %v the message ends with %q", d.in.Labels, text[max(0, len(text)-60):])
			}
			if len(text) > most+400 {
				t.Fatalf("the message grew from %d to %d bytes", most, len(text))
			}
		}
		for part, gone := range map[change.Part]bool{
			change.AttentionPart: d.in.AddToAttentionSet == nil, change.CommentsPart: d.in.Comments == nil, change.TagPart: d.in.Tag == "",
			change.NotifyPart: d.in.Notify == silent, change.LinksPart: d.short, change.LengthPart: d.limit < maxPosted,
		} {
			told := false
			for _, x := range d.posted.Dropped {
				told = told || x.Part == part
			}
			if gone != told {
				t.Fatalf("%s: gone %t, told %t", part, gone, told)
			}
		}
	})
}
