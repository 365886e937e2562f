// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"slices"
	"time"

	gogerrit "github.com/andygrunwald/go-gerrit"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// collect runs a query to its end, past any limit of the server on one answer,
// and returns the good changes by number.
//
// An answer is sorted by the time of the last update, newest first, and changes
// move to its front while pages are read, so that an offset would skip others.
// Pages are therefore cut by that time (see window).
func (c *Client) collect(ctx context.Context, query string, options []string, accept func(*change.Change) error) ([]change.Change, error) {
	found := map[int]change.Change{}
	left := map[int]bool{}
	w := window{limit: pageSize}
	for idle := 0; idle < maxIdlePages && len(found)+len(left) <= maxChanges; {
		page, err := c.page(ctx, query+w.terms(), options, w)
		if errors.Is(err, errTooLarge) && w.limit > 1 {
			w.limit /= 2
			continue
		}
		if err != nil {
			return nil, err
		}
		idle++
		for i := range page {
			ch, err := decode(&page[i])
			if err == nil {
				err = accept(&ch)
			}
			old, again := found[ch.Number]
			switch {
			case err != nil && left[page[i].Number]:
			case err != nil:
				idle, left[page[i].Number] = 0, true
				c.notes(change.OneLine(fmt.Sprintf("change %d is left out: %v", page[i].Number, err)))
			case !again:
				idle, found[ch.Number] = 0, ch
			case !ch.Updated.Before(old.Updated):
				found[ch.Number] = ch
			}
		}
		if len(page) == 0 || !page[len(page)-1].MoreChanges {
			return slices.SortedFunc(maps.Values(found), func(a, b change.Change) int { return cmp.Compare(a.Number, b.Number) }), nil
		}
		w.advance(page)
	}
	return nil, fault.New(fault.Permanent, "the server says again and again that there are more than %d changes", len(found)).
		WithHint("narrow the query, and report this: Gerrit's answers should come to an end")
}

// page asks for one answer.
func (c *Client) page(ctx context.Context, query string, options []string, w window) ([]gogerrit.ChangeInfo, error) {
	q := &gogerrit.QueryChangeOptions{Start: w.start}
	q.Query, q.Limit, q.AdditionalFields = []string{query}, w.limit, options
	infos, _, err := c.api.Changes.QueryChanges(ctx, q)
	if err != nil {
		return nil, err
	}
	return *infos, nil
}

// window is the part of a query's answer that the next page must come from:
// what was last updated before the oldest change seen so far, or since paging
// began. The latter are changes that moved to the front meanwhile and would be
// missed otherwise. Both borders overlap by up to a second with what was seen.
type window struct {
	before, since time.Time // zero for the first page
	start, limit  int
}

// terms returns the window in Gerrit's query language; both operators include
// their border, have whole seconds and are in UTC.
func (w window) terms() string {
	if w.before.IsZero() {
		return ""
	}
	return fmt.Sprintf(` (before:"%s" OR after:"%s")`, w.before.Format(time.DateTime), w.since.Format(time.DateTime))
}

// advance moves the window behind a page that is not the last one. Where a
// whole page has one time, only an offset gets past it.
func (w *window) advance(page []gogerrit.ChangeInfo) {
	if w.since.IsZero() {
		w.since = page[0].Updated.UTC().Truncate(time.Second)
	}
	before := page[len(page)-1].Updated.UTC().Truncate(time.Second).Add(time.Second)
	if w.before.IsZero() || before.Before(w.before) {
		w.before, w.start = before, 0
		return
	}
	w.start += len(page)
}
