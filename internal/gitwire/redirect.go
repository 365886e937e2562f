// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"context"
	"errors"
	"net/http"
	"net/url"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// maxRedirects is how many hops a repository's address may take.
const maxRedirects = 5

// refsPath is where gitprotocol-http(5) puts the ref advertisement.
const refsPath = "/info/refs"

// advertisement sends the GET of info/refs. It follows redirects and keeps the
// address that they lead to, as git does: a server may redirect this request
// only, and what comes after it must go to the same place.
func (r *Remote) advertisement(ctx context.Context, service string) (*answer, error) {
	c := call{service: service, url: r.endpoint(refsPath[1:] + "?service=" + service), v2: service == uploadPack}
	for range maxRedirects + 1 {
		a, err := r.send(ctx, c)
		if err == nil {
			if err = r.rebase(c.url); err != nil {
				return nil, a.fail(err)
			}
			return a, nil
		}
		moved, ok := errors.AsType[*movedError](err)
		if !ok {
			return nil, err
		}
		if c.url, err = redirected(c.url, moved.location); err != nil {
			return nil, err
		}
	}
	return nil, fault.New(fault.Configuration, "%s redirects more than %d times", r, maxRedirects).
		WithHint("give the repository's final address")
}

// mayBeElsewhere reports whether an answer to a POST says that there is nothing
// at this address, which nobody has looked up yet. Once is enough.
func (r *Remote) mayBeElsewhere(err error) bool {
	e, ok := errors.AsType[*StatusError](err)
	if !ok {
		return false
	}
	switch e.Status {
	case http.StatusNotFound, http.StatusMethodNotAllowed, http.StatusGone, http.StatusUnprocessableEntity:
	default:
		return false
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	first := !r.looked
	r.looked = true
	return first
}

// explainDetour puts the reason in place of a refusal's hint where the
// credentials were held back, because redirects led to another server.
func (r *Remote) explainDetour(c call, err error) error {
	e, ok := errors.AsType[*StatusError](err)
	denied := ok && (e.Status == http.StatusUnauthorized || e.Status == http.StatusForbidden || e.Status == http.StatusNotFound)
	if !denied || !errors.Is(err, fault.Configuration) || r.options.Credential == nil || mayHoldCredentials(r.origin, c.url) {
		return err
	}
	return fault.New(fault.Configuration, "%w", err).
		WithHint("the address redirects to %s, which does not get the credentials that are meant for %s: give the final address", c.url.Host, r.origin.Host)
}

// relocate finds the address that a POST should have gone to.
func (r *Remote) relocate(ctx context.Context, service string) error {
	a, err := r.advertisement(ctx, service)
	if err != nil {
		return err
	}
	return a.Close()
}

// redirected returns the next address, or why it is refused.
func redirected(from *url.URL, location string) (*url.URL, error) {
	to, err := from.Parse(location)
	if err != nil || location == "" || to.Hostname() == "" {
		return nil, fault.New(fault.Configuration, "%s redirects to something that is not a URL", from)
	}
	to.User, to.Fragment = nil, ""
	if to.Scheme != "https" && to.Scheme != from.Scheme {
		return nil, fault.New(fault.Configuration, "%s redirects to an unencrypted address, %s://%s", from, to.Scheme, to.Host).
			WithHint("give the repository's final https address")
	}
	return to, nil
}

// rebase keeps the address whose info/refs was answered.
func (r *Remote) rebase(answered *url.URL) error {
	path, ok := strings.CutSuffix(answered.EscapedPath(), refsPath)
	if !ok {
		return fault.New(fault.Configuration, "%s redirects to %s, which is not a repository's %s", r, answered, refsPath).
			WithHint("the address may be wrong, or a login page answers in the server's place")
	}
	base, err := withPath(answered, path)
	if err != nil {
		return err
	}
	r.mu.Lock()
	defer r.mu.Unlock()
	r.base, r.looked = base, true
	return nil
}
