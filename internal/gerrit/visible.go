// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"slices"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Visible returns those of a project's numbered changes that the account can see,
// whatever their status; project may be empty. One that is not in the map is gone
// or hidden from the account: Gerrit has said so when asked for that very change,
// because its search index may be late, and does not tell the two apart.
//
// A change that could not be asked for, because a request failed or there are too
// many of them, is in the map with its number alone. The error joins those
// failures; the map is good with it, too.
//
// An account goes on seeing a private change that it has voted on or said
// something about (Gerrit's "Private Changes" documentation, ChangeControl): such
// a change is in the map and marked private.
func (c *Client) Visible(ctx context.Context, project string, numbers []int) (map[int]change.Change, error) {
	numbers = slices.Compact(slices.Sorted(slices.Values(numbers)))
	seen := map[int]change.Change{}
	var errs []error
	var missing []int
	for chunk := range slices.Chunk(numbers, closedChunk) {
		list, err := c.list(ctx, project, chunk)
		if err != nil {
			errs = append(errs, failed("query changes by their numbers", err))
		}
		for _, ch := range list {
			seen[ch.Number] = ch
		}
		for _, n := range chunk {
			if _, known := seen[n]; known {
				continue
			}
			if err != nil {
				seen[n] = change.Change{Number: n} // a server that cannot answer says nothing
				continue
			}
			missing = append(missing, n)
		}
	}
	for i, n := range missing {
		if i == maxConfirmed {
			c.notes(fmt.Sprintf("%d changes are not in Gerrit's search index and were not looked at one by one: %d are in one pass", len(missing)-i, maxConfirmed))
		}
		if i >= maxConfirmed {
			seen[n] = change.Change{Number: n}
			continue
		}
		ch, err := c.confirm(ctx, project, n)
		if errors.Is(err, ErrGone) {
			continue
		}
		if err != nil {
			errs = append(errs, err)
		}
		seen[n] = ch
	}
	return seen, errors.Join(errs...)
}

// list queries changes of any status by their numbers.
func (c *Client) list(ctx context.Context, project string, numbers []int) ([]change.Change, error) {
	terms := make([]string, len(numbers))
	for i, n := range numbers {
		terms[i] = "change:" + strconv.Itoa(n)
	}
	text := "(" + strings.Join(terms, " OR ") + ")"
	if project != "" {
		if err := checkProject(project); err != nil {
			return nil, fault.Wrap(fault.Configuration, err)
		}
		text = fmt.Sprintf(`project:"%s" %s`, project, text)
	}
	return c.collect(ctx, text, []string{"CURRENT_REVISION", "DETAILED_ACCOUNTS", skipDiffstat}, func(ch *change.Change) error {
		if !slices.Contains(numbers, ch.Number) || project != "" && ch.Project != project {
			return errors.New("it was not asked for")
		}
		return nil
	})
}

// confirm asks for one change. Only an answer of Gerrit's that names it makes it
// ErrGone. The change has its number alone where an answer cannot be read.
func (c *Client) confirm(ctx context.Context, project string, number int) (change.Change, error) {
	id := strconv.Itoa(number)
	what := "read change " + id
	bare := change.Change{Number: number}
	options := "?" + url.Values{"o": {"CURRENT_REVISION", "DETAILED_ACCOUNTS", skipDiffstat}}.Encode()
	var info changeInfo
	names := []string{id}
	path := id
	if project != "" {
		path = escapeSegment(project) + "~" + id
		names = []string{path, project + "~" + id}
	}
	_, err := c.get(ctx, "changes/"+path+options, &info)
	if status, ok := errors.AsType[*statusError](err); ok && status.page && status.code == http.StatusNotFound && project != "" {
		// A web server before Gerrit does not let a name with %2F pass (Apache's
		// AllowEncodedSlashes). The number alone is not unique everywhere.
		names = []string{id}
		_, err = c.get(ctx, "changes/"+id+options, &info)
	}
	if err != nil {
		return bare, failedOn(what, err, names...)
	}
	ch, err := decode(&info)
	if err != nil || ch.Number != number || project != "" && ch.Project != project {
		return bare, nil // it is there, and another one's look says what is wrong with it
	}
	return ch, nil
}
