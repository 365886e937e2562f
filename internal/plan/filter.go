// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"cmp"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// filter holds a project's skip rules, compiled once for a whole plan.
type filter struct {
	branches []string
	skip     config.Skip
	subjects []*regexp.Regexp
	now      time.Time
}

func newFilter(p *config.Project, now time.Time) *filter {
	f := &filter{branches: p.Branches, skip: p.Skip, now: now}
	for _, s := range p.Skip.Subjects {
		// config refuses expressions that do not compile.
		if re, err := regexp.Compile(s); err == nil {
			f.subjects = append(f.subjects, re)
		}
	}
	return f
}

// reason says why a change is left alone as a whole, or "".
func (f *filter) reason(c *change.Change) string {
	return cmp.Or(f.scope(c), f.state(c))
}

// state says what holds a change up that will be different later, or "".
func (f *filter) state(c *change.Change) string {
	if age := f.now.Sub(c.Current.Created); f.skip.MinAge > 0 && age < f.skip.MinAge && f.mode(c) == "" {
		return fmt.Sprintf("too new: tried when the patchset is %s old", f.skip.MinAge)
	}
	return f.mode(c)
}

// mode says which of Gerrit's states a change must leave first, or "".
func (f *filter) mode(c *change.Change) string {
	switch {
	case f.skip.Private && c.Private:
		return "private"
	case f.skip.WIP && c.WIP:
		return "work in progress"
	}
	return ""
}

// elsewhere reports whether a change is for a branch that another dispatcher may test.
func (f *filter) elsewhere(c *change.Change) bool { return !matchAny(f.branches, c.Branch) }

// scope says why a change is none of ours, or "".
func (f *filter) scope(c *change.Change) string {
	if f.elsewhere(c) {
		return fmt.Sprintf("branch %s is not configured", c.Branch)
	}
	for _, re := range f.subjects {
		if re.MatchString(c.Subject) {
			return "its subject matches " + re.String()
		}
	}
	if r := f.people(c); r != "" {
		return r
	}
	for _, tag := range f.skip.Hashtags {
		if slices.Contains(c.Hashtags, tag) {
			return fmt.Sprintf("hashtag %q", tag)
		}
	}
	return ""
}

func (f *filter) people(c *change.Change) string {
	for _, glob := range f.skip.Owners {
		if ownerMatches(glob, c.Owner) {
			return fmt.Sprintf("its owner matches %q", glob)
		}
	}
	if len(f.skip.OnlyOwners) == 0 {
		return ""
	}
	for _, glob := range f.skip.OnlyOwners {
		if ownerMatches(glob, c.Owner) {
			return ""
		}
	}
	return "its owner is not among those configured"
}

// ownerMatches compares a glob with the names that Gerrit vouches for; the
// display name is free text and does not count.
func ownerMatches(glob string, a change.Account) bool {
	for _, name := range []string{a.Username, a.Email} {
		if name == "" {
			continue
		}
		if ok, err := doublestar.Match(strings.ToLower(glob), strings.ToLower(name)); err == nil && ok {
			return true
		}
	}
	return false
}

// matchAny reports whether one of the globs matches; no globs match everything.
func matchAny(globs []string, s string) bool {
	if len(globs) == 0 {
		return true
	}
	for _, g := range globs {
		if g == s {
			return true
		}
		if ok, err := doublestar.Match(g, s); err == nil && ok {
			return true
		}
	}
	return false
}

// pathsReason says why a workflow's path filters leave a patchset out, or "".
// A patchset without a file list (a merge without conflicts has none) is never
// left out: what it changes is not known, and a lost test is worse than one
// too many.
func pathsReason(w *config.Workflow, files []string) string {
	if len(files) == 0 || len(w.Paths) == 0 && len(w.PathsIgnore) == 0 {
		return ""
	}
	for _, file := range files {
		if matchAny(w.Paths, file) && (len(w.PathsIgnore) == 0 || !matchAny(w.PathsIgnore, file)) {
			return ""
		}
	}
	if len(w.Paths) > 0 {
		return "no file matches its paths"
	}
	return "all files match its paths-ignore"
}
