// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"maps"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/github"
	"github.com/spdk-community-ci/dispatcher/internal/image/registry"
)

// begin looks at what is there, checks it once more, and reads what was built: nil
// where the release is finished.
func (r *releaser) begin(ctx context.Context) (*state, *built, error) {
	s, err := r.look(ctx)
	if err != nil {
		return nil, nil, err
	}
	if err := r.checkState(ctx, s); err != nil {
		return nil, nil, err
	}
	if done, err := r.finished(ctx, s); done || err != nil {
		return s, nil, err
	}
	b, err := r.readDist(s)
	return s, b, err
}

// pushImage checks once more, tries the token, and pushes the container. Nothing
// points to it yet: an image of a release that was given up harms nobody.
func (r *releaser) pushImage(ctx context.Context) error {
	s, b, err := r.begin(ctx)
	if err != nil {
		return err
	}
	if b == nil {
		return r.outputs(s.digest)
	}
	if err := r.checkToken(ctx, s); err != nil {
		return err
	}
	digest, err := r.ensureImage(ctx, s, b)
	if err != nil {
		return err
	}
	return r.outputs(digest)
}

// outputs tells what provenance is to be signed for.
func (r *releaser) outputs(digest string) error {
	return errors.Join(r.output("image", r.image), r.output("digest", digest))
}

// ensureImage has the registry hold the image of a release, for everybody, and
// returns its digest.
func (r *releaser) ensureImage(ctx context.Context, s *state, b *built) (string, error) {
	digest, tag := b.container.Digest, r.image+":"+r.version.String()
	if s.commit != "" {
		digest = s.digest
	}
	reference := r.image + "@" + digest
	_, err := r.registry.Digest(ctx, reference)
	switch {
	case err == nil:
		r.say("%s is there", reference)
	case !errors.Is(err, registry.ErrNotFound):
		return "", err
	case digest != b.container.Digest:
		return "", fault.New(fault.Configuration, "the registry lacks %s, which the commit of %s names, and what was built here is %s", reference, r.version, b.container.Digest).
			WithHint("restore the image in the registry, or release the next version")
	default:
		if err := r.registry.PushContainer(ctx, b.container, tag); err != nil {
			return "", err
		}
		r.say("pushed %s", reference)
	}
	if _, err := r.public.Digest(ctx, reference); err != nil {
		return "", fault.New(fault.Configuration, "not everybody may pull %s: %w", reference, err).
			WithHint("make the package public, which takes a person and lasts (its settings, Change visibility), and run this again")
	}
	return digest, nil
}

// publish goes from an image to a release that people can pin. Each step is one
// that a second run finds done or does again; the tag of the version is the first
// that others may rely on, the moving tag the last.
func (r *releaser) publish(ctx context.Context) error {
	s, b, err := r.begin(ctx)
	if err != nil || b == nil {
		return err
	}
	digest, err := r.ensureImage(ctx, s, b)
	if err != nil {
		return err
	}
	text, err := r.text(ctx, s, digest)
	if err != nil {
		return err
	}
	release, err := r.fill(ctx, s, b, text)
	if err != nil {
		return err
	}
	if s.commit == "" {
		commit, err := r.makeCommit(ctx, s, digest, b.checksums)
		if err != nil {
			return err
		}
		if err := r.push(ctx, "refs/tags/"+r.version.String(), "", commit); err != nil {
			return err
		}
		s.commit, s.releases[r.version] = commit, commit
		r.say("tagged %s as %s", commit, r.version)
	}
	if release.Draft {
		newest, _ := s.newest("")
		if release, err = r.hub.PublishRelease(ctx, r.repository, release, text, newest == r.version); err != nil {
			return err
		}
		r.say("published %s", release.URL)
	}
	if err := r.checkDownloads(ctx, b.checksums); err != nil {
		return err
	}
	return r.moveSeries(ctx, s)
}

// text is what the page of a release says.
func (r *releaser) text(ctx context.Context, s *state, digest string) (string, error) {
	changelog, err := r.file(ctx, s.source, "CHANGELOG.md")
	if err != nil {
		return "", err
	}
	return fmt.Sprintf("%s\n\nMade from %s. The action runs `%s@%s`.\n", notes(changelog, r.version), s.source, r.image, digest), nil
}

// fill finds or makes the draft of a release, and has it hold its files and no
// others. One that is published already is only added to.
func (r *releaser) fill(ctx context.Context, s *state, b *built, text string) (github.Release, error) {
	found, err := r.hub.Releases(ctx, r.repository, r.version.String())
	if err != nil {
		return github.Release{}, err
	}
	i := slices.IndexFunc(found, func(x github.Release) bool { return !x.Draft })
	var release github.Release
	switch {
	case i >= 0 && s.commit == "":
		return release, fault.New(fault.Configuration, "there is a release %s without its tag: %s", r.version, found[i].URL).
			WithHint("delete the release, or take the next version")
	case i >= 0:
		release = found[i]
	case len(found) > 0:
		release = found[0]
	default:
		if release, err = r.hub.DraftRelease(ctx, r.repository, r.version.String(), text); err != nil {
			return release, err
		}
	}
	there := map[string]bool{}
	for _, a := range release.Assets {
		want, ours := b.files[a.Name]
		same := a.State == "uploaded" && a.Size == int64(len(want)) && (a.Digest == "" || a.Digest == fmt.Sprintf("sha256:%x", sha256.Sum256(want)))
		if there[a.Name] = ours && same; there[a.Name] || !ours && !release.Draft {
			continue
		}
		if err := r.hub.DeleteAsset(ctx, r.repository, release, a); err != nil {
			return release, err
		}
	}
	for _, name := range slices.Sorted(maps.Keys(b.files)) {
		if there[name] {
			continue
		}
		if err := r.hub.UploadAsset(ctx, r.repository, release, name, b.files[name]); err != nil {
			return release, err
		}
		r.say("uploaded %s", name)
	}
	return release, nil
}

// moveSeries moves the moving tag to this release, never back.
func (r *releaser) moveSeries(ctx context.Context, s *state) error {
	series := r.version.series()
	if newest, _ := s.newest(series); newest != r.version {
		r.say("%s stays where it is: %s is newer", series, newest)
		return nil
	}
	if s.series.commit != s.commit {
		if err := r.push(ctx, "refs/tags/"+series, s.series.object, s.commit); err != nil {
			return err
		}
		r.say("moved %s to it", series)
	}
	r.say("%s is released: use %s@%s, @%s or @%s", r.version, r.repository, r.version, s.commit, series)
	return nil
}

// finished reports whether nothing is left to do: then everybody can get what the
// commit names.
func (r *releaser) finished(ctx context.Context, s *state) (bool, error) {
	newest, _ := s.newest(r.version.series())
	if s.commit == "" || s.series.commit != s.commit && newest == r.version {
		return false, nil
	}
	found, err := r.hub.Releases(ctx, r.repository, r.version.String())
	if err != nil || !slices.ContainsFunc(found, func(x github.Release) bool { return !x.Draft && len(x.Assets) > len(architectures) }) {
		return false, err
	}
	switch _, err := r.public.Digest(ctx, r.image+"@"+s.digest); {
	case errors.Is(err, fault.Configuration): // it was deleted, or made private
		return false, nil
	case err != nil:
		return false, err
	}
	if err := r.checkDownloads(ctx, s.checksums); err != nil {
		return false, err
	}
	r.say("%s is released already, and whole: nothing is left to do", r.version)
	return true, nil
}
