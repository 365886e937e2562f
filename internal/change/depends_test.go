// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

func TestDependsOn(t *testing.T) {
	t.Parallel()
	id := "I0123456789012345678901234567890123456789"
	tests := []struct {
		message string
		want    []string
	}{
		{"lib: fix it\n\nDepends-On: " + id + "\nChange-Id: Iff\n", []string{id}},
		{"a\n\ndepends-on:https://review.example.org/c/spdk/+/12  \r\nDepends-On: " + id + "\nDepends-On: " + id, []string{"https://review.example.org/c/spdk/+/12", id}},
		{"It depends-on: nothing\n> Depends-On: x\nDepends-On:\n", nil},
		{"Depends-On: ::error::x\x1b[31m ##[debug]", []string{": :error::x [31m ## [debug]"}},
		{"Depends-On: " + strings.Repeat("x", 500), []string{strings.Repeat("x", 200) + "..."}},
		{strings.Repeat("Depends-On: a\n", 1000) + "Depends-On: b", []string{"a"}},
	}
	for _, tt := range tests {
		if diff := cmp.Diff(tt.want, DependsOn(tt.message)); diff != "" {
			t.Errorf("%.60q (-want +got):\n%s", tt.message, diff)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	c := Change{Number: 12, ChangeID: "I12"}
	for text, want := range map[string]bool{
		"I12": true, "I1": false, "https://r.example.org/c/p/+/12": true, "https://r.example.org/12/": true,
		"https://r.example.org/c/p/+/112": false, "12": false, "": false,
	} {
		if got := c.Names(text); got != want {
			t.Errorf("%q: got %v, want %v", text, got, want)
		}
	}
}

func FuzzDependsOn(f *testing.F) {
	f.Add("a\n\nDepends-On: Ix\n")
	f.Fuzz(func(t *testing.T, message string) {
		got := DependsOn(message)
		if len(got) > maxDepends {
			t.Errorf("got %d", len(got))
		}
		for _, text := range got {
			if text != OneLine(text) || len(text) > maxDependsText+3 {
				t.Errorf("%q is not fit for a line", text)
			}
		}
	})
}
