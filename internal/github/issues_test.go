// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

func TestIssue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	w.repo.SetIssue(standin.Issue{Number: 7, Title: "flaky <b>"})
	w.repo.SetIssue(standin.Issue{Number: 8, Title: "done", Closed: true})
	w.repo.SetIssue(standin.Issue{Number: 9, PullRequest: true})
	for number, want := range map[int]string{7: "flaky <b>", 8: "done"} {
		open, title, err := w.client.Issue(t.Context(), "org/ci", number)
		if open != (number == 7) || title != want || err != nil {
			t.Errorf("#%d: got %v, %q, %v", number, open, title, err)
		}
	}
	_, _, err := w.client.Issue(t.Context(), "org/ci", 9)
	checkFailure(t, err, fault.Permanent, "#9 is a pull request")
	_, _, err = w.client.Issue(t.Context(), "org/ci", -1)
	checkFailure(t, err, fault.Permanent, "not the number of an issue")
	for body, part := range map[string]string{
		`{"number":70,"state":"open"}`:            "moved to another repository",
		`{"number":7,"state":"7"}`:                "not what GitHub's REST API describes",
		`{"number":7,"state":"open","title":[7]}`: "failed to read issue #7 of org/ci",
		"": "not what GitHub's REST API describes",
	} {
		w.server.Faults.Clear()
		w.server.Faults.Add(faults.Rule{Do: faults.Answer(200, body)})
		open, _, err := w.client.Issue(t.Context(), "org/ci", 7)
		if open || err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%s: got %v, %v; want %q in an error", body, open, err, part)
		}
	}
	w.server.Faults.Clear()
	w.server.Faults.Add(faults.Rule{Do: faults.Answer(410, `{"message":"This issue was deleted"}`)})
	_, _, err = w.client.Issue(t.Context(), "org/ci", 7)
	checkFailure(t, err, fault.Permanent, "This issue was deleted")
}

func TestCommentIssue(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	w.repo.SetIssue(standin.Issue{Number: 7})
	w.repo.SetIssue(standin.Issue{Number: 8, Locked: true})
	var want []int
	for body, n := range map[string]int{
		"seen in 1/2 <b> & \"c\"\n":                    22,
		strings.Repeat("x", maxComment):                maxComment,
		strings.Repeat("x", maxComment+1):              maxComment,
		strings.Repeat("\u00e9", maxComment):           maxComment - 1, // 3 bytes of "...", and no half character
		strings.Repeat("\xff", maxComment) + "invalid": len("\uFFFDinvalid"),
	} {
		if err := w.client.CommentIssue(t.Context(), "org/ci", 7, body); err != nil {
			t.Error(err)
		}
		want = append(want, n)
	}
	var got []int
	for _, c := range w.repo.Comments(7) {
		got = append(got, len(c.Body))
		if !utf8.ValidString(c.Body) {
			t.Errorf("got invalid text, %d bytes", len(c.Body))
		}
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("lengths (-want +got):\n%s", diff)
	}
	checkFailure(t, w.client.CommentIssue(t.Context(), "org/ci", 8, "x"), fault.Configuration, "unlock the conversation")
	checkFailure(t, w.client.CommentIssue(t.Context(), "org/ci", 0, "x"), fault.Permanent, "not the number of an issue")
	checkFailure(t, w.client.CommentIssue(t.Context(), "org/ci", 7, " \n"), fault.Ours, "the comment is empty")
}

// TestCommented: where an issue has so many comments that ours may be beyond those
// that are read, nobody is told that there is none.
func TestCommented(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	const mark = "<!-- mark -->"
	remarks := func(n int) []standin.Comment { return slices.Repeat([]standin.Comment{{Body: "me, too"}}, n) }
	for _, tt := range []struct {
		number, before, after int
		want                  bool
		err                   string
	}{
		{7, 0, 0, true, ""}, {8, maxRemarks - 1, 5, true, ""}, {9, maxRemarks, 0, false, "there are more than 300"},
	} {
		w.repo.SetIssue(standin.Issue{Number: tt.number, Comments: remarks(tt.before)})
		if got, err := w.client.Commented(t.Context(), "org/ci", tt.number, mark, time.Time{}); got || err != nil {
			t.Errorf("#%d: got %v, %v; want no mark yet", tt.number, got, err)
		}
		w.repo.SetIssue(standin.Issue{Number: tt.number, Comments: slices.Concat(remarks(tt.before), []standin.Comment{{Body: mark + "\nSeen again."}}, remarks(tt.after))})
		got, err := w.client.Commented(t.Context(), "org/ci", tt.number, mark, time.Time{})
		if got != tt.want || (err == nil) != (tt.err == "") || err != nil && !strings.Contains(err.Error(), tt.err) {
			t.Errorf("#%d: got %v, %v; want %v and %q", tt.number, got, err, tt.want, tt.err)
		}
	}
}
