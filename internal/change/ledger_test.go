// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

var ledgers = []Ledger{CustomLedger, BranchLedger}

const someRevision Revision = "0123456789abcdef0123456789abcdef01234567"

// entries are valid entries and the ends of their refs.
var entries = func() []struct {
	entry Entry
	tail  string
} {
	key := Key{ID: ID{12345, 6}, Workflow: "autorun.yml", Attempt: 2}
	named := Key{Server: "spdk", ID: ID{12345, 6}, Workflow: "autorun.yml", Attempt: 2}
	at := time.Unix(1800000000, 0).UTC()
	return []struct {
		entry Entry
		tail  string
	}{
		{Entry{Kind: Claim, Key: key, ID: key.ID}, "claims/12345/6/autorun.yml/2"},
		{Entry{Kind: Claim, Key: named, ID: key.ID}, "claims/spdk+12345/6/autorun.yml/2"},
		{Entry{Kind: RunOf, Key: key, ID: key.ID, RunID: 987654321}, "runs/12345/6/autorun.yml/2/987654321"},
		{Entry{Kind: RunOf, Key: key, ID: key.ID}, "runs/12345/6/autorun.yml/2/0"},
		{Entry{Kind: Lost, Key: named, ID: key.ID, At: at}, "lost/spdk+12345/6/autorun.yml/2/1800000000"},
		{Entry{Kind: Carried, Key: key, ID: key.ID, From: 5}, "carried/12345/6/autorun.yml/2/5"},
		{Entry{Kind: Ended, Key: key, ID: key.ID, Word: "runner-lost"}, "ended/12345/6/autorun.yml/2/runner-lost"},
		{Entry{Kind: Ended, Key: key, ID: key.ID, Word: "runner-lost", At: at}, "ended/12345/6/autorun.yml/2/runner-lost/1800000000"},
		{Entry{Kind: Asked, Key: key, ID: key.ID, Word: AllJobs}, "asked/12345/6/autorun.yml/2/all"},
		{Entry{Kind: Asked, Key: named, ID: key.ID, Word: FailedJobs}, "asked/spdk+12345/6/autorun.yml/2/failed"},
		{Entry{Kind: Stopped, Key: key, ID: key.ID}, "stopped/12345/6/autorun.yml/2"},
		{Entry{Kind: Left, Key: key, ID: key.ID}, "left/12345/6/autorun.yml/2"},
		{Entry{Kind: Scanned, At: at}, "scanned/1800000000"},
		{Entry{Kind: Unrelayed, ID: key.ID, Revision: someRevision, Word: LargeFile, Count: 2, At: at}, "refused/12345/6/" + string(someRevision) + "/large-file/2/1800000000"},
		{Entry{Kind: Unmoved, Revision: someRevision, Word: Protected, Count: 1, At: at, Branch: "rel/24.01"}, "unmoved/" + string(someRevision) + "/protected/1/1800000000/rel/24.01"},
		{Entry{Kind: Placed, Branch: "rel/24.01"}, "placed/heads/rel/24.01"},
		{Entry{Kind: Placed, Revision: someRevision, Tag: "v/24.01"}, "placed/tags/" + string(someRevision) + "/v/24.01"},
		{Entry{Kind: Gone, At: at, Branch: "rel/24.01"}, "gone/1800000000/heads/rel/24.01"},
		{Entry{Kind: Gone, At: at, Tag: "v/24.01"}, "gone/1800000000/tags/v/24.01"},
		{Entry{Kind: Untagged, Revision: someRevision, Word: OtherReason, Count: 2, At: at}, "untagged/" + string(someRevision) + "/other/2/1800000000"},
		{Entry{Kind: Full, ID: key.ID, Count: 3, At: at}, "full/12345/6/3/1800000000"},
		{Entry{Kind: Poisoned, ID: key.ID, Revision: someRevision}, "poisoned/12345/6/" + string(someRevision)},
		{Entry{Kind: Pruned, At: at}, "pruned/1800000000"},
		{Entry{Kind: Pruned, At: time.Unix(0, 0).UTC()}, "pruned/0"},
	}
}()

func TestLedgerRoundTrip(t *testing.T) {
	t.Parallel()
	for _, l := range ledgers {
		for _, e := range entries {
			ref := l.Ref(e.entry)
			if want := string(l) + e.tail; ref != want {
				t.Errorf("Ref: got %s, want %s", ref, want)
			}
			got, err := l.Parse(ref)
			if err != nil {
				t.Errorf("Parse(%s): %v", ref, err)
			}
			if diff := cmp.Diff(e.entry, got); diff != "" {
				t.Errorf("Parse(%s) (-want +got):\n%s", ref, diff)
			}
			if !gitAccepts(t, strings.TrimPrefix(ref, "refs/")) {
				t.Errorf("git refuses %s", ref)
			}
		}
	}
}

// notEntries are ends of refs that are no entries.
var notEntries = []string{
	"", "claims", "claims/", "claims/12345/6/autorun.yml", "claims/12345/6/autorun.yml/2/3", "claim/12345/6/autorun.yml/2", "Claims/12345/6/autorun.yml/2",
	"runs/12345/6/autorun.yml/2", "runs/12345/6/autorun.yml/2/-1", "runs/12345/6/autorun.yml/2/01", "runs/12345/6/autorun.yml/2/", "runs/12345/6/autorun.yml/2/1/1",
	"runs/12345/6/autorun.yml/2/1234567890123456789", "runs/1", "lost/12345/6/autorun.yml/2", "lost/12345/6/autorun.yml/2/x", "carried/1/1/a/1/1", "carried/12345/6/autorun.yml/2", "carried/12345/6/autorun.yml/2/6", "carried/12345/6/autorun.yml/2/0",
	"ended/12345/6/autorun.yml/2", "ended/12345/6/autorun.yml/2/1800000000", "ended/12345/6/autorun.yml/2/1st", "ended/12345/6/autorun.yml/2/passed/01", "ended/12345/6/autorun.yml/2/passed/1/1",
	"refused/12345/6/" + string(someRevision), "refused/12345/6/" + string(someRevision) + "/secret/0/1", "refused/12345/6/" + string(someRevision) + "/secret/1/x", "refused/12345/6/" + string(someRevision) + "/1/1/1",
	"refused/12345/6/" + string(someRevision) + "/secret/1/1/1", "refused/12345/6/0123/secret/1/1", "refused/12345/0/" + string(someRevision) + "/secret/1/1", "refused/12345/6/" + string(someRevision) + "/secret/12345/1",
	"unmoved/protected/1/1/main", "unmoved/0123/protected/1/1/main", "unmoved/" + string(someRevision) + "/protected/1/1", "unmoved/" + string(someRevision) + "/protected/1/1/",
	"placed/heads/", "placed/heads/a..b", "placed/tags/v1", "placed/tags/" + string(someRevision), "placed/tags/" + string(someRevision) + "/" + string(someRevision), "placed/x/y",
	"gone/1800000000", "gone/1800000000/v1", "gone/x/tags/v1", "gone/1800000000/heads/", "gone/1800000000/tags/a..b",
	"untagged/other/1/1", "untagged/" + string(someRevision) + "/other/1", "untagged/" + string(someRevision) + "/other/1/1/x",
	"unmoved/" + string(someRevision) + "/protected/1/1/a..b", "unmoved/" + string(someRevision) + "/1/1/1/main", "full/12345/6/1", "full/12345/6/1/1/1", "full/1/1", "full/12345/6/01/1",
	"poisoned/12345/6", "poisoned/12345/6/0123", "poisoned/12345/6/" + string(ZeroRevision), "poisoned/12345/0/" + string(someRevision),
	"poisoned/12345/6/" + strings.ToUpper(string(someRevision)), "pruned", "pruned/", "pruned/00", "pruned/1/2", "pruned//1", "/pruned/1", "other/1",
}

func TestLedgerParseRefuses(t *testing.T) {
	t.Parallel()
	for _, l := range ledgers {
		for _, tail := range notEntries {
			if got, err := l.Parse(string(l) + tail); err == nil || got != (Entry{}) {
				t.Errorf("%s%s: got %+v, %v; want an error", l, tail, got, err)
			}
		}
		for _, ref := range []string{"pruned/1", "refs/heads/pruned/1", "refs/changes/45/12345/6", "x" + string(l) + "pruned/1"} {
			if got, err := l.Parse(ref); err == nil {
				t.Errorf("%s under %s: got %+v, want an error", ref, l, got)
			}
		}
	}
}

func FuzzLedgerParse(f *testing.F) {
	for _, l := range ledgers {
		for _, e := range entries {
			f.Add(string(l) + e.tail)
		}
		for _, tail := range notEntries {
			f.Add(string(l) + tail)
		}
	}
	f.Fuzz(func(t *testing.T, ref string) {
		for _, l := range ledgers {
			e, err := l.Parse(ref)
			if err != nil {
				continue
			}
			if l.Ref(e) != ref {
				t.Errorf("%q becomes %q", ref, l.Ref(e))
			}
			if err := CheckBranch(strings.TrimPrefix(ref, "refs/")); err != nil {
				t.Errorf("%q is no ref: %v", ref, err)
			}
			for _, ns := range namespaces {
				if _, err := ns.Parse(ref); err == nil {
					t.Errorf("%q is a patchset as well", ref)
				}
			}
		}
	})
}
