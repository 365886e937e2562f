// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// PackageVersion is one manifest of a container package: an image, the index of
// several, or a part of one, which has no tag.
type PackageVersion struct {
	ID      int64
	Digest  string // sha256:...
	Tags    []string
	Created time.Time
}

// maxPackageVersions bounds what is read of a package.
const maxPackageVersions = 10000

// PackageVersions lists the manifests of a container package, OWNER/NAME, in which
// NAME may have slashes. The error is ErrGone where there is no such package, or
// the token may not see it.
// https://docs.github.com/rest/packages/packages#list-package-versions-for-a-package-owned-by-an-organization
func (c *Client) PackageVersions(ctx context.Context, name string) ([]PackageVersion, error) {
	q, err := packageCall("list the versions of", name)
	if err != nil {
		return nil, err
	}
	var entries []packageEntry
	whole := true
	err = c.ofOwner(&q, func() error {
		if strings.HasPrefix(q.path, "users/") {
			whole = true
			entries, err = c.packagePages(ctx, q)
			return err
		}
		page := q
		page.path += "?"
		entries, whole, err = list(ctx, c, page, maxPackageVersions, func(p []packageEntry) []packageEntry { return p })
		return err
	})
	switch {
	case err != nil:
		return nil, err
	case !whole:
		return nil, fault.New(fault.Permanent, "failed to %s: there are more than %d", q.doing, maxPackageVersions)
	}
	var all []PackageVersion
	for _, e := range entries {
		if e.ID <= 0 || e.Created.IsZero() || !strings.HasPrefix(e.Name, "sha256:") {
			return nil, fault.New(fault.Transient, "failed to %s: a version has no id, digest or time", q.doing)
		}
		all = append(all, PackageVersion{ID: e.ID, Digest: e.Name, Tags: e.Metadata.Container.Tags, Created: e.Created.UTC()})
	}
	return all, nil
}

// packageEntry is the part of a version that we read.
type packageEntry struct {
	ID       int64     `json:"id"`
	Name     string    `json:"name"`
	Created  time.Time `json:"created_at"`
	Metadata struct {
		Container struct {
			Tags []string `json:"tags"`
		} `json:"container"`
	} `json:"metadata"`
}

// packagePages lists the versions of a person's package. GitHub describes no pages
// for it (@octokit/openapi 23.0.2); where an answer names a next one it is read.
func (c *Client) packagePages(ctx context.Context, q call) (all []packageEntry, err error) {
	path := q.path
	for len(all) <= maxPackageVersions {
		var page []packageEntry
		resp, err := c.read(ctx, q, &page)
		if err != nil {
			return nil, err
		}
		all = append(all, page...)
		if resp.NextPage == 0 || len(page) == 0 {
			return all, nil
		}
		q.path = fmt.Sprintf("%s?page=%d", path, resp.NextPage)
	}
	return nil, fault.New(fault.Permanent, "failed to %s: there are more than %d", q.doing, maxPackageVersions)
}

// DeletePackageVersion deletes one manifest of a container package with all of its
// tags; that it is gone is fine. GitHub refuses public ones with more than 5,000
// downloads, and the last that has a tag.
// https://docs.github.com/rest/packages/packages#delete-package-version-for-an-organization
func (c *Client) DeletePackageVersion(ctx context.Context, name string, id int64) error {
	q, err := packageCall(fmt.Sprintf("delete version %d of", id), name)
	if err != nil {
		return err
	}
	q.method = http.MethodDelete
	err = c.ofOwner(&q, func() error {
		one := q
		one.path += fmt.Sprintf("/%d", id)
		_, err := c.read(ctx, one, nil)
		return err
	})
	if errors.Is(err, ErrGone) {
		return nil
	}
	return err
}

// ofOwner asks for a package of an organization, and of a person where there is no
// such organization: an owner's name does not tell.
func (c *Client) ofOwner(q *call, ask func() error) error {
	err := ask()
	if Status(err) == http.StatusNotFound {
		q.path = strings.Replace(q.path, "orgs/", "users/", 1)
		err = ask()
	}
	if Status(err) == http.StatusNotFound {
		return fault.New(fault.Permanent, "%w: %w", err, ErrGone)
	}
	return err
}

func packageCall(doing, name string) (call, error) {
	owner, rest, _ := strings.Cut(name, "/")
	if !repositoryPattern.MatchString(owner+"/x") || rest == "" {
		return call{}, fault.New(fault.Configuration, "%q is no package of GitHub's registry", name).WithHint("write ghcr.io/OWNER/NAME")
	}
	return call{
		doing: doing + " the container " + name, method: http.MethodGet,
		path:     "orgs/" + owner + "/packages/container/" + url.PathEscape(rest) + "/versions",
		deadline: listDeadline, needs: "Packages: write",
		missing: "check the name, and that the token has packages: write (a classic one: read:packages and delete:packages)",
	}, nil
}
