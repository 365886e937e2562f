// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Visible returns those of a project's numbered changes that the account can see,
// whatever their status. One that is not in the map is gone or hidden from the
// account: Gerrit has said so when asked for that very change, because its search
// index may be late, and does not tell the two apart.
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
		list, err := c.numbered(ctx, "", []string{project}, chunk, seenOptions, anyChange)
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
		ch, err := c.confirm(ctx, change.Address{Project: project, Number: n})
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

// confirm asks for one change. Only an answer of Gerrit's that names it makes it
// ErrGone. The change has its number alone where an answer cannot be read.
func (c *Client) confirm(ctx context.Context, a change.Address) (change.Change, error) {
	bare := change.Change{Number: a.Number}
	var info changeInfo
	if err := c.about(ctx, a, "?"+url.Values{"o": seenOptions}.Encode(), &info); err != nil {
		return bare, failedOn(fmt.Sprintf("read change %d", a.Number), err, a)
	}
	ch, err := decode(&info)
	if err != nil || ch.Address() != a {
		return bare, nil // it is there, and another one's look says what is wrong with it
	}
	return ch, nil
}

// Find returns the changes of a number in any of the projects, whatever their status:
// imported projects bring their numbers along. What the search index does not show
// yet is asked for one by one.
func (c *Client) Find(ctx context.Context, number int, projects []string) ([]change.Change, error) {
	var all []change.Change
	for chunk := range slices.Chunk(projects, closedChunk) {
		list, err := c.numbered(ctx, "", chunk, []int{number}, seenOptions, anyChange)
		if err != nil {
			return nil, failed("query changes by their number", err)
		}
		all = append(all, list...)
	}
	for i := 0; len(all) == 0 && i < min(len(projects), maxConfirmed); i++ {
		ch, err := c.confirm(ctx, change.Address{Project: projects[i], Number: number})
		switch {
		case errors.Is(err, ErrGone):
		case err != nil:
			return nil, err
		default:
			ch.Project = projects[i] // if only its number is known
			all = append(all, ch)
		}
	}
	return all, nil
}

func anyChange(*change.Change) bool { return true }

// seenOptions ask for what Visible tells.
var seenOptions = []string{"CURRENT_REVISION", "DETAILED_ACCOUNTS", skipDiffstat}
