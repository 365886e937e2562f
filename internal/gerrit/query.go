// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

const (
	// skipDiffstat spares the server the count of lines in each patchset.
	skipDiffstat = "SKIP_DIFFSTAT"
	currentFiles = "CURRENT_FILES"
	withMessages = "MESSAGES"
)

// Query says which open changes are wanted and what is wanted of them.
type Query struct {
	// Project is the exact name.
	Project string
	// Extra is more text in Gerrit's query language, or empty.
	Extra string
	// MaxAge leaves out changes that were not updated for so long; 0 is no limit.
	MaxAge time.Duration
	// Files and Votes fill in those fields of the changes; they cost the server
	// time.
	Files, Votes bool
	// Parents fills in what each patchset builds on; the server reads the commits.
	Parents bool
	// Messages fills in what was said; it stays nil where there is too much of it
	// for one answer. Each message takes about 360 bytes beside its text and the
	// server's index does not hold it, so a MaxAge should go with it.
	Messages bool
}

// text returns the query in Gerrit's language. Extra stands in parentheses, so
// that an OR in it cannot reach beyond the project.
func (q Query) text() string {
	text := fmt.Sprintf(`status:open project:"%s"`, q.Project)
	if q.MaxAge > 0 {
		text += " -age:" + age(q.MaxAge)
	}
	if extra := strings.TrimSpace(q.Extra); extra != "" {
		text += " (" + extra + ")"
	}
	return text
}

// age writes a duration in the largest unit that Gerrit knows and that fits.
func age(d time.Duration) string {
	for _, u := range []struct {
		unit time.Duration
		name string
	}{{24 * time.Hour, "d"}, {time.Hour, "h"}, {time.Minute, "m"}} {
		if d%u.unit == 0 {
			return strconv.FormatInt(int64(d/u.unit), 10) + u.name
		}
	}
	return strconv.FormatInt(max(int64(d/time.Second), 1), 10) + "s"
}

// Open returns all open changes that match, each at its current patchset, by
// number. A change that does not fit the question, or whose parts do not fit
// together, is left out and noted.
func (c *Client) Open(ctx context.Context, q Query) ([]change.Change, error) {
	if err := checkProject(q.Project); err != nil {
		return nil, fault.New(fault.Configuration, "failed to query open changes: %w", err)
	}
	options := []string{"CURRENT_REVISION", "DETAILED_ACCOUNTS", skipDiffstat}
	if q.Files {
		options = append(options, currentFiles)
	}
	if q.Votes {
		options = append(options, "DETAILED_LABELS")
	}
	if q.Parents {
		options = append(options, "CURRENT_COMMIT")
	}
	if q.Messages {
		options = append(options, withMessages)
	}
	list, err := c.collect(ctx, q.text(), options, func(ch *change.Change) error {
		switch {
		case ch.Project != q.Project:
			return fmt.Errorf("it is of project %q", change.Clip(ch.Project, 80))
		case ch.Status != change.New:
			return errors.New("it is not open")
		}
		return nil
	})
	if err != nil {
		return nil, failed("query the open changes of "+q.Project, err)
	}
	return list, nil
}

// Closed returns those of a project's numbered changes that are merged or abandoned
// and visible. Their Updated is the time of the last update, which may be later than
// the closing.
func (c *Client) Closed(ctx context.Context, project string, numbers []int) ([]change.Change, error) {
	var all []change.Change
	for chunk := range slices.Chunk(numbers, closedChunk) {
		list, err := c.numbered(ctx, "status:closed ", []string{project}, chunk, []string{"CURRENT_REVISION", skipDiffstat}, func(ch *change.Change) bool { return ch.Status != change.New })
		if err != nil {
			return nil, failed("query closed changes", err)
		}
		all = append(all, list...)
	}
	return all, nil
}

// Private returns a project's private changes that the account sees, with all their
// patchsets, whatever their state.
func (c *Client) Private(ctx context.Context, project string) ([]change.Change, error) {
	if err := checkProject(project); err != nil {
		return nil, fault.New(fault.Configuration, "failed to query private changes: %w", err)
	}
	list, err := c.collect(ctx, fmt.Sprintf(`is:private project:"%s"`, project), []string{"ALL_REVISIONS", skipDiffstat}, func(ch *change.Change) error {
		if ch.Project != project || !ch.Private {
			return errors.New("it was not asked for")
		}
		return nil
	})
	if err != nil {
		return nil, failed("query the private changes of "+project, err)
	}
	return list, nil
}

// numbered queries changes of any of the projects by their numbers; prefix is more
// of the query.
func (c *Client) numbered(ctx context.Context, prefix string, projects []string, numbers []int, options []string, wanted func(*change.Change) bool) ([]change.Change, error) {
	var in, of []string
	for _, p := range projects {
		if err := checkProject(p); err != nil {
			return nil, fault.Wrap(fault.Configuration, err)
		}
		in = append(in, fmt.Sprintf(`project:"%s"`, p))
	}
	for _, n := range numbers {
		of = append(of, "change:"+strconv.Itoa(n))
	}
	text := fmt.Sprintf("%s(%s) (%s)", prefix, strings.Join(in, " OR "), strings.Join(of, " OR "))
	return c.collect(ctx, text, options, func(ch *change.Change) error {
		if !slices.Contains(projects, ch.Project) || !slices.Contains(numbers, ch.Number) || !wanted(ch) {
			return errors.New("it was not asked for")
		}
		return nil
	})
}

// Merged returns the changes of q's project that were merged and updated within
// q.MaxAge; Extra and the fields that ask for more than Files are not used.
func (c *Client) Merged(ctx context.Context, q Query) ([]change.Change, error) {
	if err := checkProject(q.Project); err != nil {
		return nil, fault.New(fault.Configuration, "failed to query merged changes: %w", err)
	}
	text := fmt.Sprintf(`status:merged project:"%s" -age:%s`, q.Project, age(q.MaxAge))
	options := []string{"CURRENT_REVISION", "DETAILED_ACCOUNTS", skipDiffstat}
	if q.Files {
		options = append(options, currentFiles)
	}
	list, err := c.collect(ctx, text, options, func(ch *change.Change) error {
		if ch.Project != q.Project || ch.Status != change.Merged {
			return errors.New("it was not asked for")
		}
		return nil
	})
	if err != nil {
		return nil, failed("query the merged changes of "+q.Project, err)
	}
	return list, nil
}

// Change returns everything about one change: its files, votes, messages, parents
// and earlier patchsets too. The error is ErrGone where there is no such change.
func (c *Client) Change(ctx context.Context, a change.Address) (change.Change, error) {
	what := fmt.Sprintf("read change %d", a.Number)
	options := url.Values{"o": {"ALL_REVISIONS", "CURRENT_COMMIT", currentFiles, "DETAILED_LABELS", "DETAILED_ACCOUNTS", withMessages, skipDiffstat}}
	var info changeInfo
	if err := c.about(ctx, a, "/detail?"+options.Encode(), &info); err != nil {
		return change.Change{}, failedOn(what, err, a)
	}
	ch, err := decode(&info)
	if err == nil && ch.Address() != a {
		err = fmt.Errorf("the answer is about change %d of %q", ch.Number, change.OneLine(change.Clip(ch.Project, 80)))
	}
	if err != nil {
		return change.Change{}, fault.New(fault.Permanent, "failed to %s: %w", what, err)
	}
	ch.Messages = c.messages(a.Number, info.Messages)
	return ch, nil
}
