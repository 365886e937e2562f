// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// TestParseNeeds: GitHub's context, or the results alone.
func TestParseNeeds(t *testing.T) {
	t.Parallel()
	want := []change.Job{{Name: "lint", Status: "completed", Conclusion: "skipped"}, {Name: "unit", Status: "completed", Conclusion: "failure"}}
	for text, want := range map[string][]change.Job{
		"":   nil,
		"{}": nil,
		`{"unit": {"result": "failure", "outputs": {"a": "b"}}, "lint": {"result": "skipped", "outputs": {}}}`: want,
		`{"unit": "failure", "lint": "skipped"}`: want,
	} {
		if got, err := parseNeeds(text); err != nil || !cmp.Equal(got, want) {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	for _, bad := range []string{"null!", "[]", `{"unit": 1}`, `{"unit": ["success"]}`} {
		if got, err := parseNeeds(bad); err == nil {
			t.Errorf("%s: got %+v", bad, got)
		}
	}
}
