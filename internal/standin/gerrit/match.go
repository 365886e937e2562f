// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// predicate says whether a change belongs to an answer.
type predicate func(*Change) bool

// rejection is a query that the server answers with status 400; the words are
// Gerrit's.
type rejection string

func (r rejection) Error() string { return string(r) }

func reject(format string, args ...any) error { return rejection(fmt.Sprintf(format, args...)) }

// compile turns a query into a predicate as seen by viewer at now. The error is
// what Gerrit would answer with status 400.
func compile(n node, viewer *Account, now time.Time) (predicate, error) {
	if n.op == term {
		return compileTerm(n.field, n.value, viewer, now)
	}
	var kids []predicate
	for _, k := range n.kids {
		p, err := compile(k, viewer, now)
		if err != nil {
			return nil, err
		}
		kids = append(kids, p)
	}
	return func(c *Change) bool {
		holds := func(p predicate) bool { return p(c) }
		switch n.op {
		case not:
			return !holds(kids[0])
		case or:
			return slices.ContainsFunc(kids, holds)
		}
		return !slices.ContainsFunc(kids, func(p predicate) bool { return !p(c) })
	}, nil
}

func compileTerm(field, value string, viewer *Account, now time.Time) (predicate, error) {
	switch field {
	case "status":
		return compileStatus(value)
	case "is":
		return compileIs(value)
	case "project", "repo":
		return matchText(value, func(c *Change) string { return c.project.name })
	case "branch":
		return matchText(strings.TrimPrefix(value, "refs/heads/"), func(c *Change) string { return c.branch })
	case "topic":
		return matchText(value, func(c *Change) string { return c.topic })
	case "owner":
		return func(c *Change) bool { return c.owner.is(value, viewer) }, nil
	case "uploader":
		return func(c *Change) bool { return c.current().uploader.is(value, viewer) }, nil
	case "hashtag":
		return func(c *Change) bool { return slices.Contains(c.hashtags, value) }, nil
	case "commit": // any patchset's, whole or abbreviated
		return func(c *Change) bool {
			return slices.ContainsFunc(c.patchsets, func(p patchset) bool { return strings.HasPrefix(p.revision, value) })
		}, nil
	case "change":
		return compileChange(value)
	case "label":
		return compileLabel(value, viewer)
	case "age":
		age, err := parseAge(value)
		return func(c *Change) bool { return !c.updated.After(now.Add(-age)) }, err
	case "before", "until":
		at, err := parseTime(value)
		return func(c *Change) bool { return !c.updated.After(at) }, err
	case "after", "since":
		at, err := parseTime(value)
		return func(c *Change) bool { return !c.updated.Before(at) }, err
	case "message", "":
		return func(c *Change) bool {
			text := strings.ToLower(c.commitMessage(c.current()))
			return strings.Contains(text, strings.ToLower(value)) || field == "" && value == strconv.Itoa(c.number)
		}, nil
	}
	return nil, reject("Unsupported operator %s:%s", field, value)
}

var changePattern = regexp.MustCompile(`^(?:[1-9][0-9]*|I[0-9a-f]{40})$`)

func compileChange(value string) (predicate, error) {
	if !changePattern.MatchString(value) {
		return nil, reject("Invalid change format")
	}
	return func(c *Change) bool { return value == strconv.Itoa(c.number) || value == c.changeID }, nil
}

func compileStatus(value string) (predicate, error) {
	switch value {
	case "open", "pending", "new":
		return func(c *Change) bool { return c.status == change.New }, nil
	case "closed":
		return func(c *Change) bool { return c.status != change.New }, nil
	case "merged":
		return func(c *Change) bool { return c.status == change.Merged }, nil
	case "abandoned":
		return func(c *Change) bool { return c.status == change.Abandoned }, nil
	}
	return nil, reject("Unrecognized value: %s", value)
}

func compileIs(value string) (predicate, error) {
	switch value {
	case "wip":
		return func(c *Change) bool { return c.wip }, nil
	case "private":
		return func(c *Change) bool { return c.private }, nil
	}
	return compileStatus(value)
}

// matchText compares exactly, or with the regular expression after a "^".
func matchText(value string, get func(*Change) string) (predicate, error) {
	if !strings.HasPrefix(value, "^") {
		return func(c *Change) bool { return get(c) == value }, nil
	}
	re, err := regexp.Compile("^(?:" + value[1:] + ")$")
	if err != nil {
		return nil, reject("invalid regular expression: %s", value)
	}
	return func(c *Change) bool { return re.MatchString(get(c)) }, nil
}

var labelPattern = regexp.MustCompile(`^([A-Za-z][A-Za-z0-9-]*?)(>=|<=|=|>|<|)([+-]?[0-9]{1,5}|ANY|MAX|MIN)((?:,[^,]+)*)$`)

// compileLabel reads NAME=VALUE[,user=NAME] with all of Gerrit's comparisons. A
// change without votes counts as one with a vote of 0.
func compileLabel(text string, viewer *Account) (predicate, error) {
	m := labelPattern.FindStringSubmatch(text)
	if m == nil {
		return nil, reject("invalid label query: %s", text)
	}
	name, op, word, user := m[1], m[2], m[3], strings.TrimPrefix(strings.TrimPrefix(m[4], ","), "user=")
	number, _ := strconv.Atoi(word) // 0 for the words
	return func(c *Change) bool {
		l, _ := c.srv.label(name)
		want := number
		switch word {
		case "MAX":
			want = l.Max
		case "MIN":
			want = l.Min
		}
		values := []int{}
		for _, v := range c.current().votes {
			if v.value != 0 && v.label == name && (user == "" || v.who.is(user, viewer)) {
				values = append(values, v.value)
			}
		}
		if word == "ANY" {
			return len(values) > 0
		}
		if len(values) == 0 {
			values = append(values, 0)
		}
		return slices.ContainsFunc(values, func(v int) bool { return compare(v, op, want) })
	}, nil
}

func compare(v int, op string, want int) bool {
	switch order := cmp.Compare(v, want); op {
	case ">=":
		return order >= 0
	case "<=":
		return order <= 0
	case ">":
		return order > 0
	case "<":
		return order < 0
	default:
		return order == 0
	}
}

var agePattern = regexp.MustCompile(`^([0-9]{1,9}) ?([a-z]+)$`)

// parseAge reads a number with one of Gerrit's units (user-search, age:).
func parseAge(text string) (time.Duration, error) {
	const day = 24 * time.Hour
	m := agePattern.FindStringSubmatch(text)
	if m == nil {
		return 0, reject("Error in operator age:%s", text)
	}
	n, _ := strconv.Atoi(m[1]) // the pattern bounds it
	switch m[2] {
	case "s", "sec", "second", "seconds":
		return time.Duration(n) * time.Second, nil
	case "m", "min", "minute", "minutes":
		return time.Duration(n) * time.Minute, nil
	case "h", "hr", "hour", "hours":
		return bounded(n, time.Hour), nil
	case "d", "day", "days":
		return bounded(n, day), nil
	case "w", "week", "weeks":
		return bounded(n, 7*day), nil
	case "mon", "month", "months":
		return bounded(n, 30*day), nil
	case "y", "year", "years":
		return bounded(n, 365*day), nil
	}
	return 0, reject("Error in operator age:%s", text)
}

// bounded multiplies without going over: nothing is older than 200 years.
func bounded(n int, unit time.Duration) time.Duration {
	const most = 200 * 365 * 24 * time.Hour
	return time.Duration(min(n, int(most/unit))) * unit
}

// parseTime reads 2006-01-02[ 15:04:05[.890][ -0700]]; UTC if no zone is given.
func parseTime(text string) (time.Time, error) {
	for _, layout := range []string{"2006-01-02", time.DateTime, "2006-01-02 15:04:05 -0700"} {
		if t, err := time.Parse(layout, text); err == nil {
			return t, nil
		}
	}
	return time.Time{}, reject("Invalid date format: %s", text)
}
