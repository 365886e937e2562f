// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"fmt"
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// The files that a release commit changes, and the line of action.yml that it
// replaces.
const (
	actionFile    = "action.yml"
	checksumsFile = "actions/setup/checksums.txt"
	buildsImage   = "\n  image: Dockerfile\n"
)

// state is what the server has of a release. Its tag decides: without it nothing
// is promised and everything may be made anew; with it the commit that it names
// says what must be there, and what is missing is added.
type state struct {
	// releases are the commits of all releases.
	releases map[version]string
	// main is the tip of the default branch; series is where the moving tag is, or
	// empty.
	main   string
	series ref
	// source is the commit that is released, commit the one on top of it that the
	// version's tag names; commit is empty while there is no such tag.
	source, commit string
	// digest and checksums are what commit pins, toolchain the Go that its programs
	// were built with.
	digest, checksums, toolchain string
}

func (r *releaser) look(ctx context.Context) (*state, error) {
	refs, err := r.refs(ctx, "refs/tags/v*", "refs/heads/main")
	if err != nil {
		return nil, err
	}
	s := &state{releases: map[version]string{}, main: refs["refs/heads/main"].commit, series: refs["refs/tags/"+r.version.series()]}
	for name, at := range refs {
		if v, err := parseVersion(strings.TrimPrefix(name, "refs/tags/")); err == nil {
			s.releases[v] = at.commit
		}
	}
	if s.main == "" {
		return nil, fault.New(fault.Configuration, "%s has no branch main", r.remote)
	}
	if s.commit = s.releases[r.version]; s.commit != "" {
		return s, r.readPins(ctx, s)
	}
	s.source, err = r.git(ctx, "rev-parse", "--verify", "HEAD^{commit}")
	return s, err
}

var imageLine = regexp.MustCompile(`(?m)^  image: docker://(\S+)@(sha256:[0-9a-f]{64})$`)

// readPins reads what the commit of a release names, and refuses one that is none.
func (r *releaser) readPins(ctx context.Context, s *state) error {
	if _, err := r.remotely(ctx, "fetch", "--quiet", "--no-tags", r.remote, "refs/tags/"+r.version.String()); err != nil {
		return err
	}
	bad := func(why string) error {
		return fault.New(fault.Configuration, "the tag %s is at %s, which is no release: %s", r.version, s.commit, why).
			WithHint("if nobody uses it, delete the tag and run this again; else release the next version")
	}
	var err error
	if s.source, err = r.git(ctx, "rev-parse", "--verify", s.commit+"^"); err != nil {
		return bad("it has no parent")
	}
	changed, err := r.git(ctx, "diff", "--name-only", s.source, s.commit)
	if err != nil {
		return err
	}
	if changed != actionFile+"\n"+checksumsFile {
		return bad(fmt.Sprintf("it does not change %s and %s alone", actionFile, checksumsFile))
	}
	action, err := r.file(ctx, s.commit, actionFile)
	if err != nil {
		return err
	}
	m := imageLine.FindStringSubmatch(action)
	if m == nil || m[1] != r.image {
		return bad(actionFile + " names no digest of " + r.image)
	}
	s.digest = m[2]
	before, err := r.file(ctx, s.source, actionFile)
	if err != nil {
		return err
	}
	if action+"\n" != r.pin(before, s.digest) {
		return bad(actionFile + " has more than another image")
	}
	if s.checksums, err = r.file(ctx, s.commit, checksumsFile); err != nil {
		return err
	}
	s.checksums += "\n"
	head := checksumsHead.FindStringSubmatch(s.checksums)
	if head == nil || head[1] != r.version.String() || head[3] != s.source {
		return bad(checksumsFile + " is of another one")
	}
	s.toolchain = head[2]
	return nil
}

// checksumsHead is how the file with the checksums begins.
var checksumsHead = regexp.MustCompile(`^# (\S+)\n# (go[0-9a-z.]+), commit ([0-9a-f]{40})\n`)

// newest is the newest of the releases, or of those with a major version alone.
func (s *state) newest(series string) (newest version, ok bool) {
	for v := range s.releases {
		if (series == "" || v.series() == series) && (!ok || v.compare(newest) > 0) {
			newest, ok = v, true
		}
	}
	return newest, ok
}

// at is the release whose commit is given.
func (s *state) at(commit string) (version, bool) {
	for v, c := range s.releases {
		if c == commit {
			return v, true
		}
	}
	return version{}, false
}

// pin has an action, without its last newline, name an image.
func (r *releaser) pin(action, digest string) string {
	return strings.Replace(action+"\n", buildsImage, "\n  image: docker://"+r.image+"@"+digest+"\n", 1)
}

// makeCommit makes the commit of a release; it pushes nothing.
func (r *releaser) makeCommit(ctx context.Context, s *state, digest, checksums string) (string, error) {
	action, err := r.file(ctx, s.source, actionFile)
	if err != nil {
		return "", err
	}
	if err := checkAction(action); err != nil {
		return "", err
	}
	files := map[string]string{
		actionFile:    r.pin(action, digest),
		checksumsFile: checksums,
	}
	return r.commitOn(ctx, s.source, files, fmt.Sprintf("release: pin %s\n\nThe image by its digest, the programs by their checksums.\n", r.version))
}
