// SPDX-License-Identifier: BSD-3-Clause

// Package registry asks container registries for digests, pushes images and
// moves tags. It is the only package that imports go-containerregistry, which
// does the work.
//
// Credentials come from the files that "docker login" writes and, for GitHub's
// registry, from the environment; they reach no command line. The package
// deletes nothing.
package registry

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/google/go-containerregistry/pkg/authn"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// ErrNotFound says that a registry has no such image, or does not show it.
var ErrNotFound = errors.New("there is no such image")

// Limits of one call, retries included.
const (
	askLimit  = time.Minute
	pushLimit = 2 * time.Hour
)

// Client speaks to any registry.
type Client struct {
	// Transport carries the requests; nil is the library's own.
	Transport http.RoundTripper
	// UserAgent is sent with each request if not empty.
	UserAgent string
	// Getenv finds GITHUB_TOKEN, GHPA_TOKEN and GITHUB_ACTOR.
	Getenv func(string) string
	// Anonymous asks as everybody may, without credentials.
	Anonymous bool
	// Backoff is the wait before a second try; it triples. 0 does not wait.
	Backoff time.Duration
}

// Pushed is an image that a registry has.
type Pushed struct {
	// Digest is that of its manifest: sha256:...
	Digest string
	// Size is how many bytes a pull moves.
	Size int64
}

// Digest returns the digest that a reference stands for now: for one with a
// platform of its own each, that of the index. The error is ErrNotFound if there
// is none.
func (c *Client) Digest(ctx context.Context, reference string) (string, error) {
	ref, err := parse(reference)
	if err != nil {
		return "", err
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	d, err := remote.Head(ref, c.options(ctx)...)
	if err != nil {
		return "", explain("find "+reference, ref, err)
	}
	return d.Digest.String(), nil
}

// Push uploads an image that "docker save" wrote to a file, under a reference
// with a tag. Layers that the registry has are not sent again.
func (c *Client) Push(ctx context.Context, file, reference string) (Pushed, error) {
	ref, err := parse(reference)
	if err != nil {
		return Pushed{}, err
	}
	ctx, cancel := context.WithTimeout(ctx, pushLimit)
	defer cancel()
	img, err := tarball.ImageFromPath(file, nil)
	if err != nil {
		return Pushed{}, fault.New(fault.Ours, "failed to read the saved image %s: %w", file, err)
	}
	done, err := describe(img)
	if err != nil {
		return Pushed{}, fault.New(fault.Ours, "failed to read the saved image %s: %w", file, err)
	}
	if err := remote.Write(ref, img, c.options(ctx)...); err != nil {
		return Pushed{}, explain("push "+reference, ref, err)
	}
	return done, nil
}

func describe(img v1.Image) (Pushed, error) {
	digest, err := img.Digest()
	if err != nil {
		return Pushed{}, err
	}
	m, err := img.Manifest()
	if err != nil {
		return Pushed{}, err
	}
	done := Pushed{Digest: digest.String(), Size: m.Config.Size}
	for _, layer := range m.Layers {
		done.Size += layer.Size
	}
	return done, nil
}

// Tag gives the image that a reference stands for another tag, or moves that tag
// to it. It is one request that takes effect whole or not at all.
func (c *Client) Tag(ctx context.Context, reference, tag string) error {
	ref, err := parse(reference)
	if err != nil {
		return err
	}
	to, err := name.NewTag(ref.Context().Name()+":"+tag, name.StrictValidation)
	if err != nil {
		return fault.New(fault.Configuration, "%q cannot be a tag", tag).WithHint("use letters, digits, '.', '_' and '-'")
	}
	ctx, cancel := context.WithTimeout(ctx, askLimit)
	defer cancel()
	d, err := remote.Get(ref, c.options(ctx)...)
	if err != nil {
		return explain("find "+reference, ref, err)
	}
	if err := remote.Tag(to, d, c.options(ctx)...); err != nil {
		return explain("move the tag "+to.String(), to, err)
	}
	return nil
}

func parse(reference string) (name.Reference, error) {
	ref, err := name.ParseReference(reference)
	if err != nil {
		return nil, fault.New(fault.Configuration, "%q names no container image", reference).
			WithHint("write it as in 'docker pull': ghcr.io/owner/name:tag")
	}
	return ref, nil
}

func (c *Client) options(ctx context.Context) []remote.Option {
	o := []remote.Option{
		remote.WithContext(ctx),
		remote.WithRetryBackoff(remote.Backoff{Duration: c.Backoff, Factor: 3, Steps: 3}),
	}
	if !c.Anonymous {
		o = append(o, remote.WithAuthFromKeychain(keychain{c.Getenv}))
	}
	if c.Transport != nil {
		o = append(o, remote.WithTransport(c.Transport))
	}
	if c.UserAgent != "" {
		o = append(o, remote.WithUserAgent(c.UserAgent))
	}
	return o
}

// keychain asks Docker's files first: who logged in there meant it.
type keychain struct{ getenv func(string) string }

// Resolve returns the credentials for a registry; none is anonymous.
func (k keychain) Resolve(target authn.Resource) (authn.Authenticator, error) {
	auth, err := authn.DefaultKeychain.Resolve(target)
	if err != nil || auth != authn.Anonymous || target.RegistryStr() != "ghcr.io" {
		return auth, err
	}
	for _, variable := range []string{"GITHUB_TOKEN", "GHPA_TOKEN"} {
		if token := k.getenv(variable); token != "" {
			user := k.getenv("GITHUB_ACTOR")
			if user == "" {
				user = "token" // any name will do
			}
			return authn.FromConfig(authn.AuthConfig{Username: user, Password: token}), nil
		}
	}
	return auth, nil
}
