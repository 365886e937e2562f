// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"
)

// maxResults is how many runs one search shows, however many there are.
const maxResults = 1000

// listRuns serves GET .../actions/runs, newest first.
// https://docs.github.com/rest/actions/workflow-runs#list-workflow-runs-for-a-repository
func (s *Server) listRuns(c call) {
	q := c.r.URL.Query()
	if s.o.ForgejoAPI && !forgejoQuery(c.w, q) {
		return
	}
	match, err := newFilter(q)
	if err != nil {
		fail(c.w, http.StatusUnprocessableEntity, err.Error())
		return
	}
	var found []*Run
	for _, run := range slices.Backward(s.runs) {
		visible := !s.now().Before(run.Created.Add(s.o.VisibilityDelay))
		if v := s.seen(run, s.lag.List); run.Repository == c.repo.name && visible && v.run != nil && match(v.run) {
			found = append(found, v.run)
		}
	}
	slices.SortStableFunc(found, func(a, b *Run) int { return b.Created.Compare(a.Created) })
	if s.o.OldestFirst {
		slices.Reverse(found)
	}
	size, number := pageOf(q)
	shown := found[:min(len(found), maxResults)]
	from := min((number-1)*size, len(shown))
	shown = shown[from:min(from+size, len(shown))]
	list := make([]any, 0, size)
	for _, run := range shown {
		list = append(list, s.runInfo(c.repo, run))
	}
	reply(c.w, http.StatusOK, map[string]any{"total_count": len(found), "workflow_runs": list})
}

// pageOf reads per_page (at most 100) and page.
func pageOf(q url.Values) (size, number int) {
	size, number = 30, 1
	if n, err := strconv.Atoi(q.Get("per_page")); err == nil && n > 0 {
		size = min(n, 100)
	}
	if n, err := strconv.Atoi(q.Get("page")); err == nil && n > 0 {
		number = min(n, maxResults)
	}
	return size, number
}

// newFilter makes one test of all filters that a query names. A status may also
// be a conclusion.
func newFilter(q url.Values) (func(*Run) bool, error) {
	created, err := createdFilter(q.Get("created"))
	if err != nil {
		return nil, err
	}
	is := func(name string, values ...string) bool {
		want := q.Get(name)
		return want == "" || slices.Contains(values, want)
	}
	return func(run *Run) bool {
		return is("event", run.Event) && is("branch", run.Branch) && is("actor", run.Actor) &&
			is("head_sha", run.Head) && is("status", run.Status, run.Conclusion) && created(run.Created)
	}, nil
}

// createdFilter reads the date syntax of GitHub's search: >=A, >A, <=A, <A,
// A..B (both included, * for no limit) and A.
func createdFilter(text string) (func(time.Time) bool, error) {
	for _, op := range []string{">=", "<=", ">", "<"} {
		date, ok := strings.CutPrefix(text, op)
		if !ok {
			continue
		}
		limit, err := parseDate(date)
		return func(t time.Time) bool {
			order := t.Compare(limit)
			return order == 0 && len(op) == 2 || order > 0 && op[0] == '>' || order < 0 && op[0] == '<'
		}, err
	}
	if text == "" {
		return func(time.Time) bool { return true }, nil
	}
	first, last, between := strings.Cut(text, "..")
	if !between {
		last = first
	}
	from, to := time.Time{}, time.Unix(1<<40, 0)
	var err error
	if first != "*" {
		from, err = parseDate(first)
	}
	if last != "*" && err == nil {
		to, err = parseDate(last)
		if len(last) == len(time.DateOnly) {
			to = to.Add(24*time.Hour - time.Second)
		}
	}
	return func(t time.Time) bool { return !t.Before(from) && !t.After(to) }, err
}

func parseDate(text string) (time.Time, error) {
	for _, layout := range []string{time.RFC3339, time.DateOnly} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, fmt.Errorf("%q is not a date that GitHub understands", text)
}
