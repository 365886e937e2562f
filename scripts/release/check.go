// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// check says whether a release can begin, or what is left to do of one that has
// begun. It changes nothing.
func (r *releaser) check(ctx context.Context) error {
	s, err := r.look(ctx)
	if err != nil {
		return err
	}
	if err := r.checkState(ctx, s); err != nil {
		return err
	}
	if s.commit == "" {
		r.say("%s can be released from %s", r.version, s.source)
	} else {
		r.say("%s was begun: its tag is at %s, made from %s", r.version, s.commit, s.source)
	}
	return nil
}

// checkState names all that stands against a release. One that was begun is not
// judged again: what its tag names must only be completed.
func (r *releaser) checkState(ctx context.Context, s *state) error {
	problems := []error{r.checkSeries(s)}
	if s.commit == "" {
		problems = append(problems, r.checkVersion(s), r.checkTree(ctx, s), r.checkText(ctx, s), r.checkRuns(ctx, s))
	}
	return errors.Join(problems...)
}

func (r *releaser) checkVersion(s *state) error {
	if newest, ok := s.newest(""); ok && newest.compare(r.version) > 0 {
		return fault.New(fault.Configuration, "%s is older than %s, which is released", r.version, newest).
			WithHint("releases only go forward: take a version after %s", newest)
	}
	return nil
}

// checkSeries makes sure that the moving tag is at a release: nobody else's tag is
// taken away.
func (r *releaser) checkSeries(s *state) error {
	if _, ok := s.at(s.series.commit); s.series.commit == "" || ok {
		return nil
	}
	return fault.New(fault.Configuration, "the tag %s is at %s, which is no release", r.version.series(), s.series.commit).
		WithHint("find out who put it there; then delete it, and run this again")
}

func (r *releaser) checkTree(ctx context.Context, s *state) error {
	var problems []error
	if changed, err := r.git(ctx, "status", "--porcelain"); err != nil || changed != "" {
		problems = append(problems, errors.Join(err, fault.New(fault.Configuration, "there are files that are not committed: %s", change.OneLine(change.Clip(changed, 200)))))
	}
	if _, err := r.remotely(ctx, "fetch", "--quiet", "--no-tags", r.remote, "refs/heads/main"); err != nil {
		return errors.Join(append(problems, err)...)
	}
	if _, err := r.git(ctx, "merge-base", "--is-ancestor", s.source, s.main); err != nil {
		problems = append(problems, fault.New(fault.Configuration, "the commit %s is not on main", s.source).WithHint("run the workflow on main"))
	}
	return errors.Join(problems...)
}

// checkText looks for what a person must write before a release: its section of
// the changelog, and the major version wherever people are told to use it.
func (r *releaser) checkText(ctx context.Context, s *state) error {
	changelog, err := r.file(ctx, s.source, "CHANGELOG.md")
	if err != nil {
		return err
	}
	action, err := r.file(ctx, s.source, actionFile)
	if err != nil {
		return err
	}
	problems := []error{checkAction(action)}
	if notes(changelog, r.version) == "" {
		problems = append(problems, fault.New(fault.Configuration, "CHANGELOG.md has no text below a heading %q", "## "+r.version.String()).
			WithHint("rename %q to it, and begin a new one", "## Unreleased"))
	}
	// git grep ends with 1 where there is nothing: then nothing is wrong either.
	found, _ := r.git(ctx, "grep", "--only-matching", "--line-number", "-E", `dispatcher(/[A-Za-z0-9_./-]+)?@v[0-9]+|\|\| 'v[0-9]+'`,
		s.source, "--", "README.md", "docs", "workflows", ".github/workflows")
	for line := range strings.Lines(found) {
		line = strings.TrimPrefix(strings.TrimSpace(line), s.source+":")
		if !strings.HasSuffix(strings.TrimSuffix(line, "'"), r.version.series()) {
			problems = append(problems, fault.New(fault.Configuration, "%s is not %s", line, r.version.series()))
		}
	}
	return errors.Join(problems...)
}

// checkAction looks for the line that a release replaces. Without it main would not
// be what it says it is, either: something that is built where it is used.
func checkAction(action string) error {
	if strings.Count(action+"\n", buildsImage) != 1 {
		return fault.New(fault.Configuration, "%s has no line %q", actionFile, strings.TrimSpace(buildsImage)).
			WithHint("only the commit of a release names an image")
	}
	return nil
}

// checksWorkflow is what must have passed for the commit.
const checksWorkflow = "ci.yml"

func (r *releaser) checkRuns(ctx context.Context, s *state) error {
	runs, err := r.jobs.RunsOf(ctx, r.repository, change.Revision(s.source))
	if err != nil {
		return err
	}
	runs = slices.DeleteFunc(runs, func(run change.Run) bool { return run.Workflow != checksWorkflow })
	if len(runs) == 0 {
		return fault.New(fault.Configuration, "%s has not run for %s", checksWorkflow, s.source).WithHint("wait until it has passed")
	}
	last := slices.MaxFunc(runs, func(a, b change.Run) int { return a.Created.Compare(b.Created) })
	if last.Conclusion != "success" {
		return fault.New(fault.Configuration, "%s has not passed for %s: it is %s: %s", checksWorkflow, s.source, strings.TrimSpace(last.Status+" "+last.Conclusion), last.URL).
			WithHint("wait until it has passed")
	}
	return nil
}

const tokenHint = "the token needs Contents: write and Workflows: write; the job's own can have no Workflows: " +
	"give the environment release the variable RELEASE_APP_ID and the secret RELEASE_APP_PRIVATE_KEY of a GitHub App (CONTRIBUTING.md)"

// checkToken tries whether the token may push what a release pushes: a tag to a
// commit with workflows that no branch has. Once an image is out it is too late to
// find out. The tag does not begin with v, and is deleted at once.
func (r *releaser) checkToken(ctx context.Context, s *state) error {
	if r.token == nil {
		return fault.New(fault.Configuration, "there is no token to push tags with").WithHint("%s", tokenHint)
	}
	name := "refs/tags/release-check/" + r.version.String()
	text := fmt.Sprintf("# %s\non: workflow_call\njobs: {}\n", r.now().UTC().Format(time.RFC3339Nano)) // as no other one is
	commit, err := r.commitOn(ctx, s.source, map[string]string{".github/workflows/release-check.yml": text}, "release: see whether this may be pushed\n")
	if err != nil {
		return err
	}
	refs, err := r.refs(ctx, name)
	if err != nil {
		return err
	}
	if err := r.push(ctx, name, refs[name].object, commit); err != nil {
		return fault.New(fault.Configuration, "the token may not push a tag with other workflows: nothing was published: %w", err).WithHint("%s", tokenHint)
	}
	return r.push(ctx, name, commit, "")
}
