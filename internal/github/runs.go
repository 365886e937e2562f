// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"maps"
	"net/http"
	"net/url"
	"strconv"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

const (
	// pageSize is the largest page that GitHub gives.
	pageSize = 100
	// maxResults is how many runs one search gives, however many there are.
	maxResults = 1000
	// maxRunAge is longer than any run lives: 35 days (GitHub's "Actions limits").
	maxRunAge = 40 * 24 * time.Hour
	// maxPages bounds the requests of one listing: enough for 50,000 runs.
	maxPages = 1000
)

// dispatchEvents are the events of the runs that Dispatch starts.
var dispatchEvents = [...]string{"workflow_dispatch", "repository_dispatch"}

// busyStatuses are the states of unfinished runs, in the order in which a run
// goes through them: one that moves on while they are asked for is then seen
// twice rather than never.
var busyStatuses = [...]string{"requested", "waiting", "pending", "queued", "in_progress"}

// Runs lists all runs that were started by workflow_dispatch or
// repository_dispatch since then, newest first within each event. A run that
// was started a moment ago may still be missing.
func (c *Client) Runs(ctx context.Context, repository string, since time.Time) ([]change.Run, error) {
	l, err := c.newListing(repository)
	if err != nil {
		return nil, err
	}
	for _, event := range dispatchEvents {
		w := window{filter: url.Values{"event": {event}}, from: since.UTC().Truncate(time.Second)}
		if err := l.search(ctx, w); err != nil {
			return nil, err
		}
	}
	return l.runs, nil
}

// Busy lists the runs of a repository that are not completed, whatever started
// them.
func (c *Client) Busy(ctx context.Context, repository string) ([]change.Run, error) {
	l, err := c.newListing(repository)
	if err != nil {
		return nil, err
	}
	known := c.isForgejo()
	if !known {
		err = l.inStates(ctx, busyStatuses[:])
	}
	if known || c.gitea && isForgejoRefusal(err) {
		err = l.inStates(ctx, forgejoBusy[:])
	}
	if err != nil {
		return nil, err
	}
	return l.runs, nil
}

// inStates adds the runs in any of some states.
func (l *listing) inStates(ctx context.Context, statuses []string) error {
	for _, status := range statuses {
		if err := l.search(ctx, window{filter: url.Values{"status": {status}}}); err != nil {
			return err
		}
	}
	return nil
}

// listing collects runs of one repository, each once.
type listing struct {
	client     *Client
	repository string
	path       string
	pages      int // asked for so far
	seen       map[int64]bool
	runs       []change.Run
}

func (c *Client) newListing(repository string) (*listing, error) {
	p, err := repositoryPath(repository)
	if err != nil {
		return nil, err
	}
	return &listing{client: c, repository: repository, path: p + "/actions/runs", seen: map[int64]bool{}}, nil
}

// window is one search: a filter, and the times between which runs were
// created, both included; a zero time is no limit.
type window struct {
	filter   url.Values
	from, to time.Time
}

// query writes the search as GitHub's query parameters.
func (w window) query(c *Client, page int) string {
	v := maps.Clone(w.filter)
	c.page(v, strconv.Itoa(page))
	v.Set("exclude_pull_requests", "true")
	from, to := w.from.Format(time.RFC3339), w.to.Format(time.RFC3339)
	switch {
	case w.from.IsZero() && w.to.IsZero():
	case w.from.IsZero():
		v.Set("created", "<="+to)
	case w.to.IsZero():
		v.Set("created", ">="+from)
	default:
		v.Set("created", from+".."+to)
	}
	return v.Encode()
}

// split halves a window whose newest run was created at newest. GitHub knows
// creation times to the second, so the halves do not overlap.
func (w window) split(newest time.Time) (older, newer window, ok bool) {
	from := w.from
	if from.IsZero() {
		from = newest.Add(-maxRunAge)
	}
	middle := from.Add(newest.Sub(from) / 2).Truncate(time.Second)
	if newest.Before(from) || !newest.After(middle) || !w.to.IsZero() && newest.After(w.to) {
		return older, newer, false
	}
	older, newer = w, w
	older.to, newer.from = middle, middle.Add(time.Second)
	return older, newer, true
}

// search reads all pages of a window, or of its halves where GitHub would not
// give all of it.
func (l *listing) search(ctx context.Context, w window) error {
	for number := 1; ; number++ {
		page, err := l.page(ctx, w, number)
		if err != nil {
			return err
		}
		if l.client.gitea {
			if l.addSince(page.runs, w.from) {
				return nil
			}
			continue
		}
		if number == 1 && page.total >= maxResults && len(page.runs) > 0 {
			if older, newer, ok := w.split(page.runs[0].Created); ok {
				if err := l.search(ctx, newer); err != nil {
					return err
				}
				return l.search(ctx, older)
			}
		}
		l.add(page.runs)
		if page.size < pageSize || number*pageSize >= min(page.total, maxResults) {
			return nil
		}
	}
}

func (l *listing) add(runs []change.Run) {
	for _, run := range runs {
		if !l.seen[run.ID] {
			l.seen[run.ID] = true
			l.runs = append(l.runs, run)
		}
	}
}

// page is one page of a search: how many runs the search has, how many entries
// the page had, and those of them that are sound.
type page struct {
	total, size int
	runs        []change.Run
}

func (l *listing) page(ctx context.Context, w window, number int) (page, error) {
	var answer struct {
		Total *int       `json:"total_count"`
		Runs  []runEntry `json:"workflow_runs"`
	}
	q := call{
		doing: "list the runs of " + l.repository, method: http.MethodGet, path: l.path + "?" + w.query(l.client, number),
		deadline: listDeadline, needs: "Actions: read", missing: checkRepository(l.repository),
	}
	if l.pages++; l.pages > maxPages {
		return page{}, fault.New(fault.Permanent, "failed to %s: more than %d pages of them", q.doing, maxPages).
			WithHint("look back less far")
	}
	if _, err := l.client.read(ctx, q, &answer); err != nil {
		return page{}, err
	}
	// An empty or foreign answer must not pass for "no runs": runs that are not
	// seen are started again.
	if answer.Total == nil || *answer.Total < 0 || answer.Runs == nil {
		return page{}, fault.New(fault.Transient, "failed to %s: the answer is not what GitHub's REST API describes", q.doing).
			WithHint("check that the GitHub API URL is right")
	}
	l.client.markSeen(l.repository)
	p := page{total: *answer.Total, size: len(answer.Runs)}
	for _, entry := range answer.Runs {
		l.client.note(entry)
		run, err := entry.run()
		if err != nil {
			return page{}, fault.New(fault.Transient, "failed to %s: %w", q.doing, err)
		}
		p.runs = append(p.runs, run)
	}
	return p, nil
}
