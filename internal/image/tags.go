// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Stored is one manifest in a registry that can be deleted there, with the tags
// that stand for it. It goes with all of them: ghcr.io deletes no single tag
// (numberly/vault-db-injector#78).
type Stored struct {
	ID      int64
	Digest  string
	Tags    []string
	Created time.Time
}

// Packages deletes from registries. Stored's error is ErrNotFound if there is no
// such repository of containers.
type Packages interface {
	Stored(ctx context.Context, repository string) ([]Stored, error)
	DeleteStored(ctx context.Context, repository string, id int64) error
}

// References are what a manifest refers to.
type References struct {
	// Parts are the manifests that it is an index of.
	Parts []string
	// Subject is the manifest that it says something about, such as a signature.
	Subject string
}

// Manifests reads what a manifest refers to. The error is ErrNotFound if there is
// none.
type Manifests interface {
	References(ctx context.Context, repository, digest string) (References, error)
}

// Dropped is what becomes of one manifest in a registry.
type Dropped struct {
	Stored
	Delete bool
	Reason string
}

// Label is what people know a manifest by: its tags, or its digest.
func (s Stored) Label() string {
	if len(s.Tags) == 0 {
		return s.Digest
	}
	return strings.Join(s.Tags, ", ")
}

// PlanTags decides about each manifest of a repository, newest first. Kept are the
// versions that stay in the store. An image of several platforms is an index and
// manifests without a tag, which are as safe as it is; so is what says something
// about an image (a signature), and so are tags that are no versions. It reads the
// manifests it must, and where that fails keeps everything.
func PlanTags(ctx context.Context, now time.Time, list []Stored, kept map[string]bool, p Policy, of func(ctx context.Context, digest string) (References, error)) []Dropped {
	list = slices.Clone(list)
	slices.SortStableFunc(list, func(a, b Stored) int { return b.Created.Compare(a.Created) })
	plan := make([]Dropped, 0, len(list))
	safe := map[string]bool{}
	rank := 0
	for _, s := range list {
		d := Dropped{Stored: s}
		if len(s.Tags) > 0 {
			rank++
			d.Reason = keepTags(now, s, kept, rank, p)
			if d.Delete = d.Reason == ""; d.Delete {
				d.Reason = fmt.Sprintf("it is %s old, and the store has no such version", days(now.Sub(s.Created)))
			}
			safe[s.Digest] = !d.Delete
		} else if age := now.Sub(s.Created); age < p.Younger {
			d.Reason = fmt.Sprintf("it is %s old, less than %s", days(age), days(p.Younger))
			safe[s.Digest] = true
		}
		plan = append(plan, d)
	}
	refs, unread := readReferences(ctx, plan, safe, of)
	spread(refs, safe)
	for i := range plan {
		d := &plan[i]
		age := now.Sub(d.Created)
		switch {
		case len(d.Tags) > 0 && d.Delete && safe[d.Digest]: // a part of another that stays
			d.Delete, d.Reason = false, "an image that stays refers to it"
		case d.Delete && unread != nil:
			d.Delete, d.Reason = false, "it is not known what refers to it: "+unread.Error()
		case len(d.Tags) > 0 || d.Reason != "":
		case safe[d.Digest] && safe[refs[d.Digest].Subject]:
			d.Reason = "it says something about an image that stays"
		case safe[d.Digest]:
			d.Reason = "an image that stays refers to it"
		case unread != nil:
			d.Reason = "it is not known what refers to it: " + unread.Error()
		default:
			d.Delete, d.Reason = true, fmt.Sprintf("it is %s old, has no tag, and no image that stays refers to it", days(age))
		}
	}
	return plan
}

// keepTags says why a manifest with tags stays, or nothing.
func keepTags(now time.Time, s Stored, kept map[string]bool, rank int, p Policy) string {
	for _, tag := range s.Tags {
		switch {
		case !versionForm.MatchString(tag):
			return "the tag " + tag + " stands for it"
		case kept[tag]:
			return "the store has this version"
		}
	}
	age := now.Sub(s.Created)
	switch {
	case rank <= max(p.Last, 1): // the last tag of a package cannot be deleted
		return fmt.Sprintf("it is one of the last %d", max(p.Last, 1))
	case age < p.Younger:
		return fmt.Sprintf("it is %s old, less than %s", days(age), days(p.Younger))
	}
	return ""
}

// readReferences reads what each manifest refers to: one that has no reason of its own
// to stay may be a part of another that does, and then needs parts itself. If nothing
// is to go nothing needs to be known.
func readReferences(ctx context.Context, plan []Dropped, safe map[string]bool, of func(ctx context.Context, digest string) (References, error)) (map[string]References, error) {
	refs := map[string]References{}
	if !slices.ContainsFunc(plan, func(d Dropped) bool { return !safe[d.Digest] }) {
		return refs, nil
	}
	for _, d := range plan {
		r, err := of(ctx, d.Digest)
		// What is gone refers to nothing. That an image which stays is gone may be the
		// registry's mistake.
		if err != nil && (safe[d.Digest] || !errors.Is(err, ErrNotFound)) {
			return refs, err
		}
		refs[d.Digest] = r
	}
	return refs, nil
}

// spread makes the parts of what is safe as safe, and theirs, and what says something
// about any of them.
func spread(refs map[string]References, safe map[string]bool) {
	about := map[string][]string{}
	for digest, r := range refs {
		if r.Subject != "" {
			about[r.Subject] = append(about[r.Subject], digest)
		}
	}
	var todo []string
	for digest, is := range safe {
		if is {
			todo = append(todo, digest)
		}
	}
	for len(todo) > 0 {
		digest := todo[0]
		todo = todo[1:]
		for _, other := range slices.Concat(refs[digest].Parts, about[digest]) {
			if !safe[other] {
				safe[other] = true
				todo = append(todo, other)
			}
		}
	}
}

// PruneTags deletes what a plan says; one that cannot be deleted stops no other. It
// takes minutes to make a plan: nothing is deleted if by then there is another
// manifest, which may refer to any, or another tag.
func PruneTags(ctx context.Context, packages Packages, repository string, plan []Dropped) error {
	if !slices.ContainsFunc(plan, func(d Dropped) bool { return d.Delete }) {
		return nil
	}
	list, err := packages.Stored(ctx, repository)
	if err != nil {
		return err
	}
	for _, s := range list {
		i := slices.IndexFunc(plan, func(d Dropped) bool { return d.ID == s.ID })
		if i < 0 || !sameTags(plan[i].Tags, s.Tags) {
			return fault.New(fault.Transient, "nothing was deleted of %s: %s has come meanwhile", repository, s.Label()).WithHint("nothing is lost; the next image prune looks again")
		}
	}
	var failed []error
	for _, d := range plan {
		if !d.Delete || ctx.Err() != nil {
			continue
		}
		if err := packages.DeleteStored(ctx, repository, d.ID); err != nil {
			failed = append(failed, err)
		}
	}
	if len(failed) == 0 {
		return ctx.Err()
	}
	return fault.New(fault.KindOf(failed[0]), "failed to delete %d containers of %s: %w", len(failed), repository, errors.Join(failed...)).WithHint("%s", fault.HintOf(failed[0]))
}

func sameTags(a, b []string) bool {
	return slices.Equal(slices.Sorted(slices.Values(a)), slices.Sorted(slices.Values(b)))
}
