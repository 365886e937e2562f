// SPDX-License-Identifier: BSD-3-Clause

package strictyaml

import "testing"

func TestNearest(t *testing.T) {
	t.Parallel()
	names := []string{"max-age", "min-age", "branches", "workflows", "wip", "ci"}
	for word, want := range map[string]string{
		"max_age": "max-age", "maxage": "max-age", "branch": "branches", "workflow": "workflows", "wokrflows": "workflows",
		"wpi": "wip", "color": "", "": "", "xxxxxx": "", "ic": "ci",
		"CI": "ci", "MAX-AGE": "max-age", "Workflow": "workflows", "WIP-": "wip",
	} {
		if got := Nearest(word, names); got != want {
			t.Errorf("%s: got %q, want %q", word, got, want)
		}
	}
}

func TestDistance(t *testing.T) {
	t.Parallel()
	long := make([]byte, 65)
	tests := []struct {
		a, b string
		want int
	}{{"", "", 0}, {"a", "", 1}, {"", "abc", 3}, {"abc", "abc", 0}, {"abc", "acb", 1}, {"kitten", "sitting", 3}, {"ab", "ba", 1}, {string(long), "a", 64}}
	for _, tt := range tests {
		if got := distance(tt.a, tt.b); got != tt.want {
			t.Errorf("%s, %s: got %d, want %d", tt.a, tt.b, got, tt.want)
		}
		if got := distance(tt.b, tt.a); got != tt.want {
			t.Errorf("%s, %s: got %d, want %d", tt.b, tt.a, got, tt.want)
		}
	}
}
