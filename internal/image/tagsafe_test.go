// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"
)

// TestPlanTagsKeepsWhole: whatever the reason for which a manifest stays, all that it
// needs stays with it.
func TestPlanTagsKeepsWhole(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 11, 29, 0, 0, 0, 0, time.UTC)
	old := func(days int) time.Time { return now.AddDate(0, 0, -days) }
	version := func(n int) string { return fmt.Sprintf("%016x", n) }
	newest := Stored{1, "sha256:newest", []string{version(1)}, old(2)}
	for name, c := range map[string]struct {
		list []Stored
		refs map[string]References
		gone string // what the registry does not have, though it is listed
		want string
	}{
		// A rebuild that changes one platform alone has the old part of the other.
		"an index that has lost its tag, and is young": {
			[]Stored{newest, {2, "sha256:index", nil, old(1)}, {3, "sha256:part", nil, old(90)}},
			map[string]References{"sha256:index": {Parts: []string{"sha256:part"}}}, "", "",
		},
		"an index in an index, with the tag of a version that is not there": {
			[]Stored{newest, {2, "sha256:outer", []string{"edge"}, old(90)}, {3, "sha256:inner", []string{version(3)}, old(90)}, {4, "sha256:part", nil, old(90)}},
			map[string]References{"sha256:outer": {Parts: []string{"sha256:inner"}}, "sha256:inner": {Parts: []string{"sha256:part"}}}, "", "",
		},
		"what a signature has in it": {
			[]Stored{newest, {2, "sha256:about", nil, old(90)}, {3, "sha256:part", nil, old(90)}},
			map[string]References{"sha256:about": {Parts: []string{"sha256:part"}, Subject: "sha256:newest"}}, "", "",
		},
		"a signature of a signature": {
			[]Stored{newest, {2, "sha256:about", nil, old(90)}, {3, "sha256:twice", nil, old(90)}},
			map[string]References{"sha256:about": {Subject: "sha256:newest"}, "sha256:twice": {Subject: "sha256:about"}}, "", "",
		},
		"an index that stays and cannot be had": {
			[]Stored{newest, {2, "sha256:index", []string{"edge"}, old(90)}, {3, "sha256:part", nil, old(90)}}, nil, "sha256:index", "",
		},
		"a part that nobody has any more": {
			[]Stored{newest, {2, "sha256:part", nil, old(90)}}, nil, "sha256:part", "2",
		},
	} {
		plan := PlanTags(t.Context(), now, c.list, nil, Policy{Last: 1, Younger: 30 * 24 * time.Hour}, func(_ context.Context, digest string) (References, error) {
			if digest == c.gone {
				return References{}, ErrNotFound
			}
			return c.refs[digest], nil
		})
		var got []string
		for _, d := range plan {
			if d.Reason == "" {
				t.Errorf("%s: nothing says why of %d", name, d.ID)
			}
			if d.Delete {
				got = append(got, fmt.Sprint(d.ID))
			}
		}
		if got := strings.Join(got, " "); got != c.want {
			t.Errorf("%s: it deletes %q, want %q", name, got, c.want)
		}
	}
}

// movingPackages are packages that somebody else changes.
type movingPackages struct {
	list    []Stored
	err     error
	deleted []int64
}

func (p *movingPackages) Stored(context.Context, string) ([]Stored, error) { return p.list, p.err }
func (p *movingPackages) DeleteStored(_ context.Context, _ string, id int64) error {
	p.deleted = append(p.deleted, id)
	return nil
}

// TestPruneTagsLooksAgain: what was planned for a repository that has changed since
// is not done. What only went is no change that matters.
func TestPruneTagsLooksAgain(t *testing.T) {
	t.Parallel()
	a, b, c := Stored{ID: 1, Digest: "sha256:a", Tags: []string{"edge"}}, Stored{ID: 2, Digest: "sha256:b", Tags: []string{"0123456789abcdef"}}, Stored{ID: 3, Digest: "sha256:c"}
	plan := []Dropped{{Stored: a}, {Stored: b, Delete: true}, {Stored: c, Delete: true}}
	moved := b
	moved.Tags = []string{"0123456789abcdef", "latest"}
	for name, tt := range map[string]struct {
		list []Stored
		err  error
		want string
	}{
		"nothing":             {[]Stored{a, b, c}, nil, "[2 3]"},
		"one has gone":        {[]Stored{a, b}, nil, "[2 3]"},
		"a tag was moved":     {[]Stored{a, moved, c}, nil, "[]"},
		"an image was pushed": {[]Stored{{ID: 4, Digest: "sha256:d"}, a, b, c}, nil, "[]"},
		"it cannot be read":   {nil, errors.New("no answer"), "[]"},
	} {
		p := &movingPackages{list: tt.list, err: tt.err}
		err := PruneTags(t.Context(), p, "ghcr.io/ci/x", plan)
		if got := fmt.Sprint(p.deleted); got != tt.want || (err == nil) != (tt.want == "[2 3]") {
			t.Errorf("%s: got %s and %v, want %s", name, got, err, tt.want)
		}
	}
}
