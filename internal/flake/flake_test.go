// SPDX-License-Identifier: BSD-3-Clause

package flake

import (
	"fmt"
	"math/rand/v2"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

// day returns noon of a day of November.
func day(n int) time.Time { return time.Date(2026, 11, n, 12, 0, 0, 0, time.UTC) }

func event(name string, kind Kind, number, attempt, on int, issue ...int) Event {
	e := Event{Name: name, Kind: kind, ID: change.ID{Change: number, Patchset: 1}, Attempt: attempt, At: day(on)}
	if len(issue) > 0 {
		e.Issue = issue[0]
	}
	return e
}

// history is a few weeks of a project.
func history() []Event {
	return []Event{
		// Fails here and there, and people know it.
		event("nvmf.test_connect", Flipped, 100, 1, 3),
		event("nvmf.test_connect", FalsePositive, 100, 1, 4, 3652),
		event("nvmf.test_connect", Flipped, 101, 1, 9),
		event("nvmf.test_connect", FalsePositive, 102, 2, 8, 3823),
		event("nvmf.test_connect", FalsePositive, 102, 2, 8, 3652),
		// One change breaks its own test, whatever is tried.
		event("bdev.test_new", Rechecked, 200, 1, 20),
		event("bdev.test_new", Rechecked, 200, 2, 21),
		event("bdev.test_new", Rechecked, 200, 3, 22),
		event("bdev.test_new", Rechecked, 200, 4, 23),
		// A job without tests, with a name of outside text.
		event("build \u00e4 (clang)\n::error::x", Flipped, 300, 1, 1),
		event("build \u00e4 (clang)\n::error::x", Flipped, 301, 1, 2),
		// Seen once each.
		event("old", Flipped, 400, 1, 1),
		event("new", Flipped, 401, 1, 24),
		event("", Flipped, 402, 1, 24),
	}
}

func TestRank(t *testing.T) {
	t.Parallel()
	want := []Row{
		{Name: "nvmf.test_connect", Count: 3, Changes: 3, Flipped: 2, FalsePositive: 2, Last: day(9), Issues: []int{3652, 3823}},
		{Name: "build \u00e4 (clang) ::error::x", Count: 2, Changes: 2, Flipped: 2, Last: day(2)},
		{Name: "bdev.test_new", Count: 4, Changes: 1, Rechecked: 4, Last: day(23)},
		{Name: "new", Count: 1, Changes: 1, Flipped: 1, Last: day(24)},
		{Name: "old", Count: 1, Changes: 1, Flipped: 1, Last: day(1)},
	}
	events := history()
	for range 20 {
		if diff := cmp.Diff(want, Rank(events)); diff != "" {
			t.Fatal(diff)
		}
		// Neither order nor doubles make a difference.
		rand.Shuffle(len(events), func(i, j int) { events[i], events[j] = events[j], events[i] })
		events = append(events, events[0])
	}
	if got := Rank(nil); len(got) != 0 {
		t.Errorf("got %+v for nothing", got)
	}
}

func TestRankIsBounded(t *testing.T) {
	t.Parallel()
	var events []Event
	for i := range 3 * maxNames {
		events = append(events, event(fmt.Sprint("test", i, strings.Repeat("x", 500)), FalsePositive, 1+i, 1, 1, i+1))
		events = append(events, event("one", FalsePositive, 1, 1, 1, i+1))
	}
	rows := Rank(events)
	if len(rows) != maxNames {
		t.Fatalf("got %d rows", len(rows))
	}
	for _, r := range rows {
		if len(r.Name) > maxName+3 || len(r.Issues) > maxIssues {
			t.Errorf("a name of %d bytes and %d issues", len(r.Name), len(r.Issues))
		}
	}
}

func TestTable(t *testing.T) {
	t.Parallel()
	rows := Rank(history())
	got := Table(rows, 10) + "\n" + Table(rows, 2) + "\n" + Table([]Row{{Name: "never"}}, 1)
	golden.Compare(t, "testdata/table.golden", got)
	if got := Table(nil, 5); got != "" {
		t.Errorf("got %q for no rows", got)
	}
}

// FuzzTable puts any name into a table: it stays on its line.
func FuzzTable(f *testing.F) {
	f.Add("a\nb", "c")
	f.Add("::error::", "\u202e")
	f.Fuzz(func(t *testing.T, a, b string) {
		rows := Rank([]Event{event(a, Flipped, 1, 1, 1), event(b, Rechecked, 2, 1, 2)})
		lines := strings.Split(strings.TrimSuffix(Table(rows, 9), "\n"), "\n")
		if len(rows) > 0 && len(lines) != len(rows)+1 {
			t.Errorf("%q, %q: got %d lines for %d rows", a, b, len(lines), len(rows))
		}
		for _, line := range lines {
			if change.OneLine(line) != strings.TrimSpace(line) {
				t.Errorf("%q, %q: got line %q", a, b, line)
			}
		}
	})
}
