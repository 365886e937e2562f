// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// collect runs a query to its end, past any limit of the server on one answer,
// and returns the changes that accept lets pass, by number and project.
//
// An answer is sorted by the time of the last update, newest first, and changes
// move to its front while pages are read, so that an offset would skip others.
// Pages are therefore cut by that time (see window).
func (c *Client) collect(ctx context.Context, query string, options []string, accept func(*change.Change) error) ([]change.Change, error) {
	l := listing{accept: accept, messages: c.messages, found: map[change.Address]change.Change{}, left: map[change.Address]bool{}}
	w := window{limit: pageSize}
	for idle := 0; idle < maxIdlePages && l.seen() < maxChanges; {
		page, answered, err := c.page(ctx, query, options, w)
		if errors.Is(err, errTooLarge) && w.shrink() {
			continue
		}
		if err != nil {
			return nil, err
		}
		fresh := l.add(page, c.leftOut)
		if w.last(page) {
			if w.empty == maxEmptyPages {
				c.notes(fmt.Sprintf("after %d changes it says that there are more and shows none on %d pages: some may be missing", l.seen(), w.empty))
			}
			return l.sorted(), nil
		}
		moved := w.advance(page, answered)
		switch {
		case len(page) == 0:
		case fresh:
			idle = 0
		case moved || w.start > l.seen():
			idle++ // no honest page is like this
		}
	}
	return nil, fault.New(fault.Permanent, "after %d changes the server still says that there are more", l.seen()).
		WithHint("narrow the Gerrit query; if there are not that many changes, the server repeats itself")
}

// page asks for the changes in a window and tells when they were listed.
func (c *Client) page(ctx context.Context, query string, options []string, w window) ([]changeInfo, time.Time, error) {
	if w.lean {
		options = slices.DeleteFunc(slices.Clone(options), func(o string) bool { return o == currentFiles || o == withMessages })
	}
	values := url.Values{"q": {query + w.terms()}, "n": {strconv.Itoa(w.limit)}, "o": options}
	if w.start > 0 {
		values.Set("start", strconv.Itoa(w.start))
	}
	var infos []changeInfo
	resp, err := c.get(ctx, "changes/?"+values.Encode(), &infos)
	if err != nil {
		return nil, time.Time{}, err
	}
	if w.lean {
		c.notes(fmt.Sprintf("files or messages of %d changes stay unknown: there are too many for one answer", len(infos)))
	}
	answered, _ := http.ParseTime(resp.Header.Get("Date")) // zero is handled
	return infos, answered, nil
}

// listing gathers the changes of several pages.
type listing struct {
	accept   func(*change.Change) error
	messages func(int, []messageInfo) []change.Message
	found    map[change.Address]change.Change
	left     map[change.Address]bool // left out and told
}

func (l *listing) seen() int { return len(l.found) + len(l.left) }

// add takes in a page and reports whether a change was on it that had not been
// seen before. Of a change that comes twice the newer state counts.
func (l *listing) add(page []changeInfo, leftOut func(int, error)) (fresh bool) {
	for i := range page {
		number := page[i].Number
		at := change.Address{Project: page[i].Project, Number: number}
		ch, err := decode(&page[i])
		if err == nil {
			err = l.accept(&ch)
		}
		if err != nil {
			if !l.left[at] {
				fresh, l.left[at] = true, true
				leftOut(number, err)
			}
			continue
		}
		old, again := l.found[at]
		fresh = fresh || !again
		if !again || !ch.Updated.Before(old.Updated) {
			ch.Messages = l.messages(number, page[i].Messages)
			l.found[at] = ch
		}
	}
	return fresh
}

func (l *listing) sorted() []change.Change {
	return slices.SortedFunc(maps.Values(l.found), func(a, b change.Change) int {
		return cmp.Or(cmp.Compare(a.Number, b.Number), cmp.Compare(a.Project, b.Project))
	})
}

// window is the part of a query's answer that the next page must come from:
// what was last updated before the oldest change of the page before, or since
// paging began. The latter are changes that moved to the front meanwhile; they
// would be missed otherwise. Both borders overlap with what was seen.
type window struct {
	before, since time.Time // zero for the first page
	start, limit  int
	lean          bool // without files and messages
	largest       int  // the most changes that came at once: the server's limit is not below
	empty         int  // pages in a row with nothing on them
}

// last reports whether no page comes after one. Gerrit marks the last change that it
// shows (QueryChanges#query), so a page of which it can show none says nothing; it
// ends the query if it is the first one, or if several in a row are like that.
func (w *window) last(page []changeInfo) bool {
	if len(page) > 0 {
		return !page[len(page)-1].MoreChanges
	}
	w.empty++
	return w.largest == 0 || w.empty == maxEmptyPages
}

// terms returns the window in Gerrit's query language; both operators include
// their border, take whole seconds and mean UTC.
func (w *window) terms() string {
	if w.before.IsZero() {
		return ""
	}
	return fmt.Sprintf(` (before:"%s" OR after:"%s")`, w.before.Format(time.DateTime), w.since.Format(time.DateTime))
}

// advance puts the window behind a page that is not the last one, listed at the
// time answered, and reports whether its border moved. Where it cannot, because
// a whole page has one time, only an offset gets past it.
func (w *window) advance(page []changeInfo, answered time.Time) (moved bool) {
	w.largest = max(w.largest, len(page))
	step := min(w.largest, w.limit) // a page may show less than it covers
	w.limit, w.lean = min(2*w.limit, pageSize), false
	if len(page) == 0 {
		w.start += step
		return false
	}
	w.empty = 0
	if w.since.IsZero() {
		w.since = page[0].Updated.UTC().Truncate(time.Second)
		if answered.Sub(w.since) > settled {
			w.since = w.since.Add(time.Second) // that second is complete
		}
	}
	before := page[len(page)-1].Updated.UTC().Truncate(time.Second).Add(time.Second)
	if w.before.IsZero() || before.Before(w.before) {
		w.before, w.start = before, 0
		return true
	}
	w.start += step
	return false
}

// shrink makes a page smaller whose answer was too large, and reports whether
// that is possible. A small one first loses its files and messages: one change may
// have more of them than fit in any answer, and must not hold up the others.
func (w *window) shrink() bool {
	switch {
	case w.limit >= smallPage:
		w.limit /= 2
	case !w.lean:
		w.lean = true
	case w.limit > 1:
		w.limit /= 2
	default:
		return false
	}
	return true
}
