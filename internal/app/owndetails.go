// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"context"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/github"
	"github.com/spdk-community-ci/dispatcher/internal/report"
)

// ownDetails asks for annotations with the job's own token where the job is in the
// CI repository: fine-grained tokens of people have no permission for checks
// (orgs/community#179545), so they read no annotations of private repositories. The
// job's own has one (checks: read).
func (a *App) ownDetails(wire *wiring, p *config.Project, hub *github.Client) (report.Details, error) {
	token := config.Secret(strings.TrimSpace(cmp.Or(a.Getenv("INPUT_GITHUB-TOKEN"), a.Getenv("GITHUB_TOKEN"))))
	if token == "" || token == p.CI.Credential.Token || a.Getenv("GITHUB_REPOSITORY") != p.CI.Repository {
		return hub, nil
	}
	wire.mask(token.Reveal())
	own := *p
	own.CI.Credential = config.Credential{Token: token}
	c, err := wire.github(&own)
	return jobDetails{hub, c}, err
}

// jobDetails are those that the job may read, or else the project's token.
type jobDetails struct {
	*github.Client
	own *github.Client
}

// Annotations lists what a job remarked.
func (d jobDetails) Annotations(ctx context.Context, repository string, job change.Job) ([]change.Annotation, error) {
	list, err := d.own.Annotations(ctx, repository, job)
	if err != nil {
		return d.Client.Annotations(ctx, repository, job)
	}
	return list, nil
}
