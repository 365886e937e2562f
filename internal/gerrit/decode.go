// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"cmp"
	"errors"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	gogerrit "github.com/andygrunwald/go-gerrit"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// maxText bounds each text that a user of Gerrit may choose freely.
const maxText = 1000

var (
	// changeIDPattern is Gerrit's own (ChangeUtil, ChangeTriplet): people make them up.
	changeIDPattern = regexp.MustCompile(`^[iI][0-9a-f]{4,}.*$`)
	kindPattern     = regexp.MustCompile(`^[A-Z_]{1,50}$`)
)

// decode turns Gerrit's description of a change into a checked one. The number,
// revision and ref of every patchset must fit together, so that what is fetched
// and pushed later can be nothing else than what was judged.
func decode(info *changeInfo) (change.Change, error) {
	c := change.Change{
		Project:  info.Project,
		Number:   info.Number,
		ChangeID: info.ChangeID,
		Imported: info.VirtualID != 0 && info.VirtualID != info.Number,
		Branch:   info.Branch,
		Topic:    change.Clip(info.Topic, maxText),
		Subject:  change.Clip(info.Subject, maxText),
		Status:   change.Status(info.Status),
		Owner:    account(info.Owner),
		WIP:      info.WorkInProgress,
		Private:  info.IsPrivate,
		Updated:  info.Updated.Time,
	}
	if info.Submitted != nil {
		c.Submitted = info.Submitted.Time
	}
	for _, tag := range info.Hashtags {
		c.Hashtags = append(c.Hashtags, change.Clip(tag, maxText))
	}
	if err := check(&c); err != nil {
		return change.Change{}, err
	}
	if err := addPatchsets(&c, info); err != nil {
		return change.Change{}, err
	}
	c.Files = files(info.Revisions[info.CurrentRevision])
	c.Votes = votes(info.Labels)
	c.DependsOn = change.DependsOn(info.Revisions[info.CurrentRevision].Commit.Message)
	return c, nil
}

// check looks at what does not depend on a revision.
func check(c *change.Change) error {
	if err := checkProject(c.Project); err != nil {
		return err
	}
	if err := change.CheckBranch(c.Branch); err != nil {
		return err
	}
	switch {
	case !changeIDPattern.MatchString(c.ChangeID) || len(c.ChangeID) > maxText || c.ChangeID != change.OneLine(c.ChangeID):
		return fmt.Errorf("%q is not a Change-Id", change.Clip(c.ChangeID, 60))
	case c.Owner.ID <= 0:
		return errors.New("its owner has no account id")
	case c.Updated.IsZero():
		return errors.New("it has no time of its last update")
	}
	return checkStatus(c.Status)
}

func checkStatus(s change.Status) error {
	if s != change.New && s != change.Merged && s != change.Abandoned {
		return fmt.Errorf("%q is not a change's status", change.Clip(string(s), 60))
	}
	return nil
}

// addPatchsets fills in the current patchset and, if they came along, the ones
// before it.
func addPatchsets(c *change.Change, info *changeInfo) error {
	for name := range info.Revisions {
		revision := info.Revisions[name]
		p, err := patchset(c.Number, name, &revision)
		if err != nil {
			return err
		}
		if name == info.CurrentRevision {
			c.Current = p
		} else {
			c.Earlier = append(c.Earlier, p)
		}
	}
	if c.Current.Number == 0 {
		return fmt.Errorf("its current revision %q is not described", change.Clip(info.CurrentRevision, 60))
	}
	slices.SortFunc(c.Earlier, func(a, b change.Patchset) int { return cmp.Compare(a.Number, b.Number) })
	last := 0
	for _, p := range append(c.Earlier, c.Current) {
		if p.Number <= last {
			return fmt.Errorf("patchset %d comes twice or after the current one", p.Number)
		}
		last = p.Number
	}
	return nil
}

func patchset(number int, name string, info *gogerrit.RevisionInfo) (change.Patchset, error) {
	none := change.Patchset{}
	revision, err := change.ParseRevision(name)
	if err != nil {
		return none, err
	}
	id, err := change.CustomRefs.Parse(info.Ref)
	if err != nil {
		return none, err
	}
	if want := (change.ID{Change: number, Patchset: info.Number}); id != want {
		return none, fmt.Errorf("the ref %s does not belong to patchset %s", info.Ref, want)
	}
	p := change.Patchset{Number: info.Number, Revision: revision, Created: info.Created.Time, Uploader: account(info.Uploader)}
	if kindPattern.MatchString(string(info.Kind)) {
		p.Kind = change.Kind(info.Kind)
	}
	// Votes of the uploader do not count for trust, so it must be known.
	if p.Uploader.ID <= 0 {
		return none, fmt.Errorf("the uploader of patchset %s has no account id", id)
	}
	for _, parent := range info.Commit.Parents {
		r, err := change.ParseRevision(parent.Commit)
		if err != nil {
			return none, fmt.Errorf("a parent of patchset %s: %w", id, err)
		}
		p.Parents = append(p.Parents, r)
	}
	return p, nil
}

// files returns the paths that a patchset touches, without Gerrit's magic ones
// (/COMMIT_MSG, /MERGE_LIST, /PATCHSET_LEVEL): no path in git begins with a slash.
func files(info gogerrit.RevisionInfo) []string {
	var paths []string
	for path := range info.Files {
		if path != "" && !strings.HasPrefix(path, "/") {
			paths = append(paths, path)
		}
	}
	slices.Sort(paths)
	return paths
}

// votes returns all non-zero votes, by label and account.
func votes(labels map[string]gogerrit.LabelInfo) []change.Vote {
	var list []change.Vote
	for label, info := range labels {
		for _, a := range info.All {
			if a.Value != 0 && a.AccountID > 0 {
				list = append(list, change.Vote{Label: change.Clip(label, maxText), Value: a.Value, Account: account(a.AccountInfo), At: voteTime(a.Date)})
			}
		}
	}
	slices.SortFunc(list, func(a, b change.Vote) int {
		return cmp.Or(cmp.Compare(a.Label, b.Label), cmp.Compare(a.Account.ID, b.Account.ID))
	})
	return list
}

// voteTime reads ApprovalInfo.date, UTC with nine digits after the second; one that
// cannot be read is zero, and counts for nothing.
func voteTime(text string) time.Time {
	at, err := time.Parse(time.DateTime, text)
	if err != nil {
		return time.Time{}
	}
	return at
}

func account(info gogerrit.AccountInfo) change.Account {
	return change.Account{
		ID:       info.AccountID,
		Username: change.Clip(info.Username, maxText),
		Name:     change.Clip(info.Name, maxText),
		Email:    change.Clip(info.Email, maxText),
	}
}

// checkProject accepts what can stand between quotes in a query, where a first
// "^" would make it a pattern, and in a URL.
func checkProject(name string) error {
	bad := func(why string) error { return fmt.Errorf("project %q: %s", change.Clip(name, 80), why) }
	switch {
	case name == "" || len(name) > 500:
		return bad("its name must have 1 to 500 bytes")
	case strings.HasPrefix(name, "^"), strings.ContainsAny(name, "\"\\"), strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 || r == 0x7f }):
		return bad(`its name must not begin with '^' nor hold '"', '\' or control characters`)
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || part == "." || part == ".." {
			return bad("no part between slashes may be empty, '.' or '..'")
		}
	}
	return nil
}
