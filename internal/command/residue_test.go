// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/spdk-community-ci/dispatcher/internal/change"
)

func TestResidueRoundTrip(t *testing.T) {
	t.Parallel()
	key := func(s string) change.Key {
		k, err := change.ParseKey(s)
		if err != nil {
			t.Fatal(err)
		}
		return k
	}
	for _, r := range []Residue{
		{},
		{Replies: []string{"5d8e1f"}},
		{LeftOut: []string{"5d8e1f", "5d8e20"}},
		{Replies: []string{"8a7b_c9", "AAAA/x=="}, Asked: []Ask{{key("1/2/a.yml/3"), false}, {key("1/2/b.yml/1"), true}}},
		{Replies: []string{"x"}, Asked: []Ask{{key("spdk+1/2/a.yml/3"), false}}, Cancelled: []change.Key{key("spdk+1/2/a.yml/2")}},
	} {
		for _, text := range []string{r.String(), "Patch Set 3:\n\nStarting.\n\n" + r.String() + "\n"} {
			if diff := cmp.Diff(r, ParseResidue(text)); diff != "" {
				t.Errorf("%q: %s", text, diff)
			}
		}
	}
}

// TestResidueRefuses reads what our answers never end in: a residue must be the
// whole last paragraph, or text within a message could pass for one.
func TestResidueRefuses(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"", "Starting.", "Starting.\nIn-Reply-To: 1", "In-Reply-To: 1\nbye", "In-Reply-To: 1\n\nbye", "In-Reply-To:1", "in-reply-to: 1",
		"In-Reply-To: ", "In-Reply-To: a b", "In-Reply-To: \u00e4", "In-Reply-To: " + strings.Repeat("x", 101), "> In-Reply-To: 1",
		"In-Reply-To: 1\nAsked-For: 1/2/a.yml/0", "Asked-For: 1/2/../1", "Asked-For: 1/2/a.yml/1 now", "Cancelled: x", " Cancelled: 1/2/a.yml/1",
	} {
		if diff := cmp.Diff(Residue{}, ParseResidue(text)); diff != "" {
			t.Errorf("%q: %s", text, diff)
		}
	}
}

func TestResidueOfALongMessage(t *testing.T) {
	t.Parallel()
	want := Residue{Replies: []string{"1"}}
	if diff := cmp.Diff(want, ParseResidue(strings.Repeat("x\n", 5<<20)+"\nIn-Reply-To: 1")); diff != "" {
		t.Error(diff)
	}
	if got := ParseResidue(strings.Repeat("In-Reply-To: 1\n", 5<<20)); len(got.Replies) > maxResidue/len("In-Reply-To: 1\n") {
		t.Errorf("got %d replies", len(got.Replies))
	}
}

// TestWithoutNote: what could not be noted is neither said nor remembered.
func TestWithoutNote(t *testing.T) {
	t.Parallel()
	said := func(text string, noted ...int) string {
		return "> false positive: #1, #12\n\n" + text + " Starting attempt 2 of a.yml.\n\n" + Residue{Replies: []string{"x"}, Noted: noted}.String()
	}
	reply := said("The failure is noted on #1, #12.", 1, 12)
	for _, step := range []struct {
		issue int
		want  string
	}{
		{2, reply}, {1, said("The failure is noted on #12.", 12)}, {12, said("The failure is not noted.")},
	} {
		reply = strings.TrimSpace(WithoutNote(reply, step.issue))
		if diff := cmp.Diff(step.want, reply); diff != "" {
			t.Errorf("without #%d: %s", step.issue, diff)
		}
	}
}
