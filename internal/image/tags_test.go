// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// TestPlanTags: versions that the store has, other tags, the last ones and young
// ones stay, and all parts and signatures of what stays
// (actions/delete-package-versions#90 and #162: parts have no tag).
func TestPlanTags(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	old := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	version := func(n int) string { return fmt.Sprintf("%016x", n) }
	list := []Stored{
		{1, "sha256:a", []string{version(1), "latest"}, old(400)}, {2, "sha256:b", []string{version(2)}, old(300)},
		{3, "sha256:c", []string{version(3)}, old(200)}, {4, "sha256:d", []string{version(4)}, old(10)},
		{5, "sha256:e", []string{version(5)}, old(5)}, {6, "sha256:f", []string{"sha256-0123.sig"}, old(500)},
		{10, "sha256:part-of-a", nil, old(400)}, {11, "sha256:part-of-c", nil, old(200)}, {12, "sha256:about-a", nil, old(400)},
		{13, "sha256:about-c", nil, old(200)}, {14, "sha256:moved-on", nil, old(90)}, {15, "sha256:young", nil, old(1)},
		{16, "sha256:deep", nil, old(400)}, {17, "sha256:both", nil, old(400)}, {18, "sha256:g", []string{version(6)}, old(350)},
	}
	refs := map[string]References{
		"sha256:a": {Parts: []string{"sha256:part-of-a", "sha256:both", "sha256:g"}}, "sha256:part-of-a": {Parts: []string{"sha256:deep"}},
		"sha256:c": {Parts: []string{"sha256:part-of-c", "sha256:both"}}, "sha256:about-a": {Subject: "sha256:a"}, "sha256:about-c": {Subject: "sha256:c"},
	}
	of := func(_ context.Context, digest string) (References, error) {
		r, ok := refs[digest]
		if !ok && digest == "sha256:moved-on" {
			return r, ErrNotFound
		}
		return r, nil
	}
	for _, tt := range []struct {
		name string
		of   func(context.Context, string) (References, error)
		want string // ids that are deleted
	}{
		{"all can be read", of, "3 11 13 14"},
		{"nothing can be read", func(context.Context, string) (References, error) { return References{}, errors.New("no answer") }, ""},
	} {
		plan := PlanTags(t.Context(), now, list, map[string]bool{version(2): true}, Policy{Last: 1, Younger: 30 * 24 * time.Hour}, tt.of)
		got := map[int64]bool{}
		for _, d := range plan {
			if d.Reason == "" {
				t.Errorf("%s: nothing says why of %d", tt.name, d.ID)
			}
			if d.Delete {
				got[d.ID] = true
			}
		}
		var ids []string
		for id := range int64(20) {
			if got[id] {
				ids = append(ids, fmt.Sprint(id))
			}
		}
		if diff := cmp.Diff(tt.want, strings.Join(ids, " ")); diff != "" || len(plan) != len(list) {
			t.Errorf("%s: -want +got:\n%s", tt.name, diff)
		}
	}
	if plan := PlanTags(t.Context(), now, list[2:3], nil, Policy{}, of); plan[0].Delete {
		t.Error("the last tag of a package is deleted, which the registry refuses")
	}
}
