// SPDX-License-Identifier: BSD-3-Clause

//go:build bench && linux

package bench

import (
	"crypto/sha1"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"regexp"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// The largest snapshot that a pass is asked to hold.
const (
	manyChanges = 10_000
	manyRefs    = 100_000
)

// manyPage is what a Gerrit of this size gives in one answer.
const manyPage = 1000

// review is a Gerrit that only lists: ten thousand open changes take a real one
// most of an hour to make.
type review struct {
	revisions []string // of change 1, 2, ...
	now       time.Time
}

var (
	beforePattern = regexp.MustCompile(`before:"([^"]*)"`)
	limitPattern  = regexp.MustCompile(`^[1-9][0-9]*$`)
)

func (g *review) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	switch {
	case strings.HasSuffix(r.URL.Path, "/git-upload-pack"):
		io.Copy(io.Discard, r.Body)
		w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
		line := g.revisions[0] + " refs/heads/master\n"
		fmt.Fprintf(w, "%04x%s0000", len(line)+4, line)
	case strings.HasSuffix(r.URL.Path, "/changes/"):
		g.list(w, r)
	default:
		http.NotFound(w, r)
	}
}

// updated spreads the changes over time, the highest number newest.
func (g *review) updated(number int) time.Time {
	return g.now.Add(-time.Duration(manyChanges-number) * 3 * time.Minute)
}

func (g *review) list(w http.ResponseWriter, r *http.Request) {
	first, limit := manyChanges, manyPage
	if m := beforePattern.FindStringSubmatch(r.FormValue("q")); m != nil {
		before, err := time.Parse(time.DateTime, m[1])
		if err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		for first > 0 && g.updated(first).After(before) {
			first--
		}
	}
	if n := r.FormValue("n"); limitPattern.MatchString(n) {
		asked, _ := strconv.Atoi(n) // the pattern bounds it well enough
		limit = min(limit, asked)
	}
	page := []map[string]any{}
	for n := first; n > 0 && len(page) < limit; n-- {
		page = append(page, g.change(n))
	}
	if first > limit {
		page[len(page)-1]["_more_changes"] = true
	}
	io.WriteString(w, ")]}'\n")
	json.NewEncoder(w).Encode(page)
}

// change is as long as what a real 3.13 says of one.
func (g *review) change(n int) map[string]any {
	stamp := g.updated(n).Format("2006-01-02 15:04:05.000000000")
	owner := map[string]any{"_account_id": 1000000 + n%97, "name": "A Developer", "email": "dev@example.com", "username": "dev"}
	id := fmt.Sprintf("I%x", sha1.Sum(fmt.Append(nil, n)))
	labels := []any{map[string]any{"label": "Code-Review", "status": "MAY"}, map[string]any{"label": "Verified", "status": "MAY"}}
	return map[string]any{
		"id": "storage%2Fengine~" + strconv.Itoa(n), "triplet_id": "storage%2Fengine~master~" + id,
		"project": gerritProject, "branch": "master", "hashtags": []any{}, "change_id": id, "status": "NEW",
		"subject": "a subject of about the usual length for change " + strconv.Itoa(n),
		"created": stamp, "updated": stamp, "submit_type": "MERGE_IF_NECESSARY", "total_comment_count": 0,
		"unresolved_comment_count": 0, "has_review_started": true, "meta_rev_id": g.revisions[n-1],
		"_number": n, "virtual_id_number": n, "owner": owner, "current_revision_number": 1,
		"current_revision": g.revisions[n-1],
		"revisions": map[string]any{g.revisions[n-1]: map[string]any{
			"kind": "REWORK", "_number": 1, "created": stamp, "uploader": owner,
			"ref": patchsetRef(n), "fetch": map[string]any{}, "branch": "refs/heads/master",
		}},
		"requirements":   []any{},
		"submit_records": []any{map[string]any{"rule_name": "gerrit~DefaultSubmitRule", "status": "OK", "labels": labels}},
	}
}

func patchsetRef(n int) string { return fmt.Sprintf("refs/changes/%02d/%d/1", n%100, n) }

// measureSnapshot runs idle passes over ten thousand open changes that were all
// relayed and started, and a mirror (a real one) with a hundred thousand refs.
func (w *world) measureSnapshot(t *testing.T, times int) pass {
	t.Helper()
	const mirror = "owner/many"
	server := &review{revisions: w.manyRefs(t, mirror), now: time.Now().UTC().Truncate(time.Second)}
	ts := httptest.NewServer(server)
	defer ts.Close()
	file, env, err := rig.Config{
		GerritURL: ts.URL, Project: gerritProject, Mirror: mirror, MirrorURL: w.mirror.GitURL(mirror),
		APIURL: rig.NewHub(t).URL(), User: rig.AdminUser, Password: rig.AdminPassword,
	}.Write(t.TempDir())
	must(t, err)
	var p pass
	for range times {
		r, err := rig.Run(t.Context(), w.bin, env, nil, "sync", "--config", file, "--json")
		must(t, err)
		if r.Code != 0 || !strings.Contains(r.Stdout, fmt.Sprintf(`"up_to_date": %d`, manyChanges)) {
			t.Fatalf("the pass over a large snapshot went wrong: %s", r)
		}
		p.wall, p.peak = append(p.wall, r.Wall), max(p.peak, r.Peak)
	}
	return p
}

// manyRefs makes the mirror: for each change its patchset, a claim and a run;
// the rest are patchsets of changes that are closed. It returns the revisions.
func (w *world) manyRefs(t *testing.T, mirror string) []string {
	t.Helper()
	ctx := t.Context()
	must(t, w.mirror.Create(ctx, mirror))
	git := rig.Git{Dir: w.mirror.Repository(mirror)}
	batch := make([]rig.Commit, manyChanges)
	for i := range batch {
		batch[i] = rig.Commit{Message: fmt.Sprintln("change", i+1), When: 1767322800}
	}
	oids, err := git.Import(ctx, batch)
	must(t, err)
	var refs strings.Builder
	count := 0
	add := func(name, oid string) { count++; fmt.Fprintf(&refs, "create %s %s\n", name, oid) }
	add("refs/heads/master", oids[0])
	add(fmt.Sprintf("refs/dispatcher/pruned/%d", time.Now().Unix()), oids[0])
	for i, oid := range oids {
		key := fmt.Sprintf("%d/1/autorun.yml/1", i+1)
		add(patchsetRef(i+1), oid)
		add("refs/dispatcher/claims/"+key, oid)
		add(fmt.Sprintf("refs/dispatcher/runs/%s/%d", key, 9_000_000_000+i), oid)
		fmt.Fprintf(&refs, "delete refs/import/%d\n", i+1)
	}
	for n := manyChanges + 1; count < manyRefs; n++ {
		add(patchsetRef(n), oids[0])
	}
	_, err = git.Pipe(ctx, strings.NewReader(refs.String()), "update-ref", "--stdin")
	must(t, err)
	_, err = git.Run(ctx, "pack-refs", "--all")
	must(t, err)
	return oids
}
