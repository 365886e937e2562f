// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
)

// rich is a review with every part that can be left out.
func rich() change.Review {
	r := bad()
	end := "\n\nDispatcher: 1/1/ci.yml/1 vote="
	links := "\n\nLogs: https://logs.example.org/1"
	body := "The tests failed.\n\n" + strings.Repeat("not ok 1 - nvme\n", 400)
	r.Message, r.Short = body+links+end+"-1", body+end+"-1"
	r.Unvoted, r.ShortUnvoted = body+links+end+"none", body+end+"none"
	return r
}

// minds has the server refuse each review that mind finds, and counts all.
func minds(s *standin.Server, status int, answer string, mind func(in map[string]any, size int) bool) *int {
	tries := new(int)
	s.Faults.Add(faults.Rule{Method: http.MethodPost, Do: func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			body, err := io.ReadAll(r.Body)
			var in map[string]any
			if err == nil {
				err = json.Unmarshal(body, &in)
			}
			if err != nil {
				panic(err)
			}
			r.Body = io.NopCloser(bytes.NewReader(body))
			*tries++
			if mind(in, len(body)) {
				faults.Answer(status, answer)(next).ServeHTTP(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	}})
	return tries
}

func field(name string) func(map[string]any, int) bool {
	return func(in map[string]any, _ int) bool { return in[name] != nil }
}

// TestNoPartCostsTheMessage: whatever part the server minds, and however it says
// so, the message and the vote get in without it.
func TestNoPartCostsTheMessage(t *testing.T) {
	t.Parallel()
	const strange = "something is wrong"
	mail := func(in map[string]any, _ int) bool { return in["notify"] != "NONE" }
	tag := func(in map[string]any, _ int) bool { return in["tag"] != nil }
	link := func(in map[string]any, _ int) bool { return strings.Contains(in["message"].(string), "https://logs") }
	long := func(most int) func(map[string]any, int) bool {
		return func(in map[string]any, _ int) bool { return len(in["message"].(string)) > most }
	}
	vote := field("labels")
	upTo := func(last int) []change.Part {
		return []change.Part{change.AttentionPart, change.CommentsPart, change.NotifyPart, change.TagPart, change.LinksPart, change.LengthPart}[:last]
	}
	tests := []struct {
		name   string
		status int
		answer string
		mind   func(map[string]any, int) bool
		parts  []change.Part
		tries  int
		vote   bool
	}{
		{"attention set, in words", 422, "Can't add to attention set: Read not permitted for 1000000", field("add_to_attention_set"), upTo(1), 2, true},
		{"attention set, in newer words", 403, "Can't modify attention set: Read not permitted for 1000000", field("add_to_attention_set"), upTo(1), 2, true},
		{"attention set, inactive", 422, "Account '1000000' only matches inactive accounts. To use an inactive account, retry with one of the following exact account IDs:\n1000000: Ann", field("add_to_attention_set"), upTo(1), 2, true},
		{"attention set, unknown", 422, "1000000 doesn't exist or is not active on the change as an owner, uploader, reviewer, or cc so they can't be added to the attention set", field("add_to_attention_set"), upTo(1), 2, true},
		{"comments, in words", 400, "cannot comment on BASE on auto-merge", field("comments"), []change.Part{change.CommentsPart}, 2, true},
		{"too many comments", 400, "One or more comments were rejected in validation: Exceeding maximum number of comments: 4999 (existing) + 2 (new) > 5000", field("comments"), []change.Part{change.CommentsPart}, 2, true},
		{"comments, strange", 400, strange, field("comments"), upTo(2), 3, true},
		{"mail", 403, strange, mail, upTo(3), 4, true},
		{"tag", 409, strange, tag, upTo(4), 5, true},
		{"links", 403, "<html>forbidden by a rule</html>", link, upTo(5), 6, true},
		{"length", 422, strange, long(5000), upTo(6), 7, true},
		{"length, much", 422, strange, long(1024), upTo(6), 8, true},
		{"a small limit, in words", 400, "One or more comments were rejected in validation: Comment size exceeds limit (6502 > 2000)", long(2000), []change.Part{change.LengthPart}, 2, true},
		{"a full change, in words", 400, "One or more comments were rejected in validation: Exceeding maximum cumulative size of comments and change messages: 2999000 (existing) + 7000 (new) > 3000000", long(1000),
			[]change.Part{change.CommentsPart, change.LengthPart}, 3, true},
		{"a body that is too large", 413, "<html>413 Request Entity Too Large</html>", func(_ map[string]any, size int) bool { return size > 4000 },
			[]change.Part{change.CommentsPart, change.LinksPart, change.LengthPart}, 5, true},
		{"vote, in words", 403, `Applying label "Verified": -1 is restricted`, vote, nil, 2, false},
		{"vote, in another case", 403, `Applying label "VERIFIED": -1 is restricted`, vote, nil, 2, false},
		{"vote, strange", 422, strange, vote, nil, 9, false},
		{"vote and mail, strange", 422, strange, func(in map[string]any, n int) bool { return vote(in, n) || mail(in, n) }, upTo(6), 10, false},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, ch := bed(t, standin.Options{})
			tries := minds(s, tt.status, tt.answer, tt.mind)
			posted, err := connect(t, s, as("ci")).Post(t.Context(), spdk(1), ch.Revision(), rich())
			if err != nil || *tries != tt.tries {
				t.Fatalf("got %v after %d tries, want %d", err, *tries, tt.tries)
			}
			var parts []change.Part
			for _, d := range posted.Dropped {
				if parts = append(parts, d.Part); d.Why == "" || !strings.Contains(d.String(), string(d.Part)) {
					t.Errorf("dropped for no reason: %+v", d)
				}
			}
			if diff := cmp.Diff(tt.parts, parts); diff != "" {
				t.Errorf("dropped (-want +got):\n%s", diff)
			}
			end := map[bool]string{true: "vote=-1", false: "vote=none"}[tt.vote]
			text := last(ch).Text
			if _, voted := posted.Applied["Verified"]; voted != tt.vote || (posted.Refused["Verified"] == "") != tt.vote || posted.Claimed || !strings.HasSuffix(text, "\n\nDispatcher: 1/1/ci.yml/1 "+end) {
				t.Errorf("got %+v and a message that ends with %q", posted, text[max(0, len(text)-80):])
			}
			if strings.Contains(text, "could not be set") == tt.vote || !strings.Contains(text, "The tests failed.") {
				t.Errorf("got message %.300q", text)
			}
		})
	}
}

// TestGivenUp: some refusals are about the account or the change, and nothing
// that is left out helps; the rest ends, too, with the first reason.
func TestGivenUp(t *testing.T) {
	t.Parallel()
	all := func(map[string]any, int) bool { return true }
	const full = "Change 1 may not exceed 5000 updates. It may still be abandoned, submitted and you can add/remove reviewers to/from the attention-set."
	tests := []struct {
		name   string
		status int
		answer string
		target error
		kind   fault.Kind
		tries  int
	}{
		{"full", 409, full, ErrFull, fault.Configuration, 1},
		{"closed", 409, "change is closed", ErrClosed, fault.Permanent, 1},
		{"no votes after submit", 409, "Voting on labels disallowed after submit: Verified", ErrClosed, fault.Permanent, 1},
		{"no room", 400, "Exceeding maximum cumulative size of comments and change messages: 3000000 (existing) + 7000 (new) > 3000000", ErrFull, fault.Configuration, 5},
		{"may not read", 403, "read not permitted", nil, fault.Configuration, 1},
		{"gone", 404, "Not found: 1", ErrGone, fault.Permanent, 1},
		{"always", 422, "something is wrong", nil, fault.Permanent, 10},
		{"always, by a proxy", 413, "<html></html>", nil, fault.Configuration, 5},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, ch := bed(t, standin.Options{})
			tries := minds(s, tt.status, tt.answer, all)
			_, err := connect(t, s, as("ci")).Post(t.Context(), spdk(1), ch.Revision(), rich())
			if *tries != tt.tries || fault.KindOf(err) != tt.kind || tt.target != nil && !errors.Is(err, tt.target) || errors.Is(err, ErrUnsettled) {
				t.Errorf("got a %s failure after %d tries, want %d: %v", fault.KindOf(err), *tries, tt.tries, err)
			}
			if len(ch.Messages()) != 1 {
				t.Errorf("it was posted: %v", ch.Messages())
			}
		})
	}
}

// TestRefusalsOfTheServer: the same with what the stand-in does by itself.
func TestRefusalsOfTheServer(t *testing.T) {
	t.Parallel()
	long := rich()
	long.Message = strings.Repeat("y", 9000) + "\n\nDispatcher: end"
	tests := []struct {
		name  string
		o     standin.Options
		first func(*standin.Server, *standin.Change)
		r     change.Review
		parts string
		err   error
	}{
		{"a blind owner of old", standin.Options{StrictAttention: true}, func(s *standin.Server, _ *standin.Change) { s.Blind("ann", true) }, bad(), "[the attention set]", nil},
		{"a blind owner", standin.Options{}, func(s *standin.Server, _ *standin.Change) { s.Blind("ann", true) }, bad(), "[]", nil},
		{"an inactive owner", standin.Options{}, func(s *standin.Server, _ *standin.Change) { s.SetActive("ann", false) }, bad(), "[the attention set]", nil},
		{"little room", standin.Options{MaxText: 12000}, func(_ *standin.Server, ch *standin.Change) { ch.Comment("bob", strings.Repeat("x", 8000)) }, long, "[the comments on files the middle of the message]", nil},
		{"no room", standin.Options{MaxText: 8100}, func(_ *standin.Server, ch *standin.Change) { ch.Comment("bob", strings.Repeat("x", 8000)) }, long, "[]", ErrFull},
		{"full", standin.Options{MaxUpdates: 2}, func(_ *standin.Server, ch *standin.Change) { ch.Comment("bob", "hi") }, bad(), "[]", ErrFull},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			s, ch := bed(t, tt.o)
			tt.first(s, ch)
			s.Requests()
			posted, err := connect(t, s, as("ci")).Post(t.Context(), spdk(1), ch.Revision(), tt.r)
			var parts []string
			for _, d := range posted.Dropped {
				parts = append(parts, string(d.Part))
			}
			if fmt.Sprint(parts) != tt.parts || !errors.Is(err, tt.err) || (posted.Applied["Verified"] == -1) != (tt.err == nil) {
				t.Errorf("got %v, %v and %+v", parts, err, posted)
			}
			if n := posts(s); n > 5 {
				t.Errorf("it took %d tries", n)
			}
		})
	}
}
