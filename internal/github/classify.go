// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// explain classifies a failed call and says what to do about it.
func (c *Client) explain(q call, e *apiError) error {
	f := fault.New(fault.Transient, "failed to %s: %w", q.doing, e)
	switch {
	case e.limit != nil:
		f.After = e.limit.after
		if e.limit.kind == "primary" {
			f.Hint = "the token has no requests left for this hour; a GitHub App or a token of its own has more"
		}
	case e.status == 0:
		explainNoAnswer(f, e, c.api.BaseURL.Host)
	case errors.Is(e, errTooLarge):
		f.Kind = fault.Configuration
	case errors.Is(e, errPage) && e.status < 500: // GitHub's own page for bad times has 5xx
		f.Kind = fault.Configuration
		f.Hint = fmt.Sprintf("a login page or a proxy may answer in its place, or the address of the GitHub API, %s, is wrong", c.api.BaseURL)
	case e.status < 300: // an answer whose body is cut short or not JSON
	case e.status >= 500, e.status == http.StatusRequestTimeout, e.status == http.StatusConflict:
	default:
		f.Kind = fault.Configuration
		f.Hint = c.hint(q, e)
		if r, ok := known(e); ok && r.kind == fault.Transient {
			f.Kind, f.After = fault.Transient, defaultRetryAfter
		}
	}
	return f
}

// explainNoAnswer is for requests that did not end in an answer.
func explainNoAnswer(f *fault.Error, e *apiError, host string) {
	if errors.Is(e, context.Canceled) {
		f.Kind = fault.Unknown // nobody's failure: the caller gave up
		return
	}
	if kind := fault.KindOf(e.err); kind != fault.Unknown {
		f.Kind = kind // the transport knows better, and has a hint
		return
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](e); ok {
		f.Kind = fault.Configuration
		f.Hint = "if the certificate of " + host + " comes from a private authority, give that authority's PEM file"
	}
	if notTLS(e) {
		f.Kind = fault.Configuration
		f.Hint = host + " does not speak TLS there: check the scheme and port of the GitHub API URL"
	}
}

// withoutURL takes the address off net/http's errors: it says nothing that
// "failed to ..." does not say.
func withoutURL(err error) error {
	if ue, ok := errors.AsType[*url.Error](err); ok {
		return ue.Err
	}
	return err
}

// neverSent reports whether an error proves that the server saw nothing of the
// request: the name was not found, no connection came about, or TLS failed
// before it. Everything else may have been executed.
func neverSent(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && (op.Op == "dial" || op.Op == "proxyconnect") {
		return true
	}
	if _, ok := errors.AsType[*net.DNSError](err); ok {
		return true
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return true
	}
	return notTLS(err)
}

// notTLS reports whether the server answered something else to a TLS greeting.
func notTLS(err error) bool {
	_, ok := errors.AsType[tls.RecordHeaderError](err)
	return ok || errors.Is(err, http.ErrSchemeMismatch)
}
