// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"errors"
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

const day = 24 * time.Hour

// entry is a version of some age in days with a manifest and a disk.
func entry(n, age int, aliases ...string) Entry {
	version := fmt.Sprintf("%016x", n)
	m := &Manifest{Name: "x", Version: version, Disk: &Disk{Object: "disk-" + version + ".qcow2"}}
	at := start.Add(-time.Duration(age) * day)
	return Entry{
		Version: version, Created: at, Manifest: m, Aliases: aliases, Bytes: 110,
		Objects: []Object{{diskName(m), 100, at}, {manifestName("x", version), 10, at}},
	}
}

// TestPlanPrune is a table of stores, and what becomes of each version.
func TestPlanPrune(t *testing.T) {
	t.Parallel()
	former := entry(4, 90)
	former.Former = []string{"stable"}
	unreadable := entry(5, 90)
	unreadable.Manifest, unreadable.Problem = nil, "it is not a manifest"
	bare := func(age time.Duration) Entry {
		return Entry{Version: "0000000000000007", Objects: []Object{{"images/x/0000000000000007/disk-1.qcow2", 100, start.Add(-age)}}, Bytes: 100}
	}
	spare := entry(6, 3, "latest")
	spare.Objects = append(spare.Objects, Object{"images/x/0000000000000006/disk-2.qcow2", 100, start.Add(-3 * day)})
	for _, c := range []struct {
		name    string
		entries []Entry
		policy  Policy
		want    string
	}{
		{"nothing", nil, Policy{}, ""},
		{"aliases stay", []Entry{entry(1, 40, "latest", "stable"), former}, Policy{}, "keep 1: latest, stable stands for it\nkeep 4: stable stood for it before"},
		{"the last stay", []Entry{entry(1, 40), entry(2, 50), entry(3, 60)}, Policy{Last: 2}, "keep 1: it is one of the last 2\nkeep 2: it is one of the last 2\ndelete 3: it is 60 days old, not one of the last 2, and no alias stands for it"},
		{"the young stay", []Entry{entry(1, 1), entry(2, 29), entry(3, 30)}, Policy{Younger: 30 * day}, "keep 1: it is 24 hours old, less than 30 days\nkeep 2: it is 29 days old, less than 30 days\ndelete 3: it is 30 days old, not one of the last 0, and no alias stands for it"},
		{"unreadable", []Entry{unreadable}, Policy{}, "keep 5: its manifest cannot be read: it is not a manifest"},
		{"left over", []Entry{bare(49 * time.Hour)}, Policy{Last: 9}, "delete 7: left over: it has no manifest"},
		{"being uploaded", []Entry{bare(time.Hour)}, Policy{}, "keep 7: it has no manifest, but an upload may be going on"},
		{"a second disk", []Entry{spare}, Policy{}, "keep 6: latest stands for it\ndelete 6: left over: its manifest does not name it"},
	} {
		var got []string
		for _, d := range PlanPrune(start, &Contents{Name: "x", Entries: c.entries}, c.policy) {
			word := "keep"
			if d.Delete {
				word = "delete"
			}
			got = append(got, fmt.Sprintf("%s %s: %s", word, strings.TrimLeft(d.Version, "0"), d.Reason))
		}
		if diff := cmp.Diff(c.want, strings.Join(got, "\n")); diff != "" {
			t.Errorf("%s (-want +got):\n%s", c.name, diff)
		}
	}
}

// TestPrune: the manifest goes first, and what cannot be deleted keeps the rest
// of its own version only.
func TestPrune(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	plan := PlanPrune(start, &Contents{Name: "x", Entries: []Entry{entry(1, 40), entry(2, 50)}}, Policy{Last: 1})
	must(t, b.Prune(t.Context(), plan))
	want := []string{"delete images/x/0000000000000002/manifest.json", "delete images/x/0000000000000002/disk-0000000000000002.qcow2"}
	if diff := cmp.Diff(want, b.store.log); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	b.store.log, b.store.fail["Delete"] = nil, errors.New("no")
	plan = PlanPrune(start, &Contents{Name: "x", Entries: []Entry{entry(1, 40), entry(2, 50)}}, Policy{})
	if err := b.Prune(t.Context(), plan); err == nil || !strings.Contains(err.Error(), "failed to delete 2 versions") || len(b.store.log) != 2 {
		t.Errorf("got %v, %q", err, b.store.log)
	}
}

// TestList: what is in the store, and nothing of another image.
func TestList(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	ctx := t.Context()
	m := manifest()
	must(t, b.store.Put(ctx, manifestName("x", m.Version), m.Encode()))
	must(t, b.store.Put(ctx, diskName(m), []byte("disk")))
	must(t, b.store.Put(ctx, aliasName("x", "latest"), encode(Alias{Schema: 1, Alias: "latest", Version: m.Version, Previous: "0000000000000001", Moved: start})))
	must(t, b.store.Put(ctx, manifestName("x", "0000000000000001"), []byte("{}")))
	must(t, b.store.Put(ctx, "images/x/notes.txt", []byte("somebody's")))
	must(t, b.store.Put(ctx, manifestName("y", m.Version), m.Encode()))
	names, err := b.Names(ctx)
	if diff := cmp.Diff([]string{"x", "y"}, names); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	c, err := b.List(ctx, "x")
	must(t, err)
	if len(c.Entries) != 2 || len(c.Aliases) != 1 {
		t.Fatalf("got %+v", c)
	}
	for _, e := range c.Entries {
		if e.Version == m.Version && (e.Manifest == nil || len(e.Objects) != 2 || e.Aliases[0] != "latest") ||
			e.Version != m.Version && (e.Problem == "" || e.Manifest != nil || e.Former[0] != "latest") {
			t.Errorf("got %+v", e)
		}
	}
	must(t, b.store.Put(ctx, aliasName("x", "broken"), []byte("{}")))
	if _, err := b.List(ctx, "x"); err == nil || !strings.Contains(err.Error(), "images/x/alias/broken.json") {
		t.Errorf("an alias that cannot be read: got %v", err)
	}
	b.Images.Store = nil
	if _, err := b.List(ctx, "x"); err == nil || !strings.Contains(err.Error(), "no storage is configured") {
		t.Errorf("no storage: got %v", err)
	}
}
