// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"io"
	"net"
	"net/http"
	"net/url"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// errTooLarge says that an answer has more bytes than are read.
var errTooLarge = errors.New("the answer is too large")

// door is the transport under go-gerrit. Unlike other transports it answers a
// bad status with an error, so that the reason in the body is kept and the body
// closed: go-gerrit does neither.
type door struct {
	next     http.RoundTripper
	agent    string
	user     string
	base     *url.URL
	sleep    func(context.Context, time.Duration) error
	now      func() time.Time
	deadline func(*http.Request) time.Duration
	maxBody  int64
}

// RoundTrip sends a request up to three times: a GET when that can help, anything
// else only when it surely did nothing yet. The answer's body is whole and in
// memory. Every error is a *fault.Error, unless the caller gave up.
func (d *door) RoundTrip(r *http.Request) (*http.Response, error) {
	for try := 0; ; try++ {
		resp, err := d.send(r)
		if err == nil {
			return resp, nil
		}
		if r.Context().Err() != nil {
			return nil, context.Cause(r.Context())
		}
		if try == tries-1 || !errors.Is(err, fault.Transient) || r.Method != http.MethodGet && !harmless(err) {
			return nil, err
		}
		wait := backoff[try]
		if after := fault.RetryAfter(err); after > 0 {
			wait = after
		}
		if wait > maxRetryAfter || d.sleep(r.Context(), wait) != nil {
			return nil, err
		}
	}
}

// send makes one try.
func (d *door) send(r *http.Request) (*http.Response, error) {
	ctx, cancel := context.WithTimeout(r.Context(), d.deadline(r))
	defer cancel()
	r = r.Clone(ctx)
	if r.GetBody != nil {
		body, err := r.GetBody() // the one before was read by the try before
		if err != nil {
			return nil, fault.New(fault.Ours, "%s: %w", place(r), err)
		}
		r.Body = body
	}
	if d.agent != "" {
		r.Header.Set("User-Agent", d.agent)
	}
	resp, err := d.next.RoundTrip(r)
	if err != nil {
		return nil, d.noAnswer(r, err)
	}
	defer resp.Body.Close()
	resp.Request = r
	if resp.StatusCode >= 300 && resp.StatusCode < 400 && resp.Header.Get("Location") != "" {
		resp.Body = http.NoBody // http.Client follows, or checkRedirect refuses
		return resp, nil
	}
	if resp.StatusCode >= 300 {
		return nil, d.badStatus(resp)
	}
	body, err := io.ReadAll(io.LimitReader(resp.Body, d.maxBody+1))
	if err != nil {
		return nil, d.noAnswer(r, err)
	}
	if err := d.checkBody(resp, body); err != nil {
		return nil, err
	}
	resp.Body = io.NopCloser(bytes.NewReader(body))
	return resp, nil
}

// noAnswer classifies a request that did not end in a whole answer.
func (d *door) noAnswer(r *http.Request, err error) error {
	if fe, ok := errors.AsType[*fault.Error](err); ok {
		return fe // the transport knows better
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.Transient, "%s: no whole answer within %s", place(r), d.deadline(r))
	}
	e := fault.New(fault.Transient, "%s: no whole answer: %w", place(r), err)
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		e.Kind = fault.Configuration
		return e.WithHint("if the certificate of %s comes from a private authority, give that authority's PEM file", d.base.Host)
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok {
		e.Kind = fault.Configuration
		return e.WithHint("%s does not speak TLS there: check the scheme and port of the Gerrit URL", d.base.Host)
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		e.Kind = fault.Configuration
		return e.WithHint("check the host name in the Gerrit URL %s", d.base)
	}
	return e
}

// harmless reports whether a request that failed surely changed nothing: it was
// refused, or did not get as far as Gerrit's API. A server that is busy (503 with
// Retry-After) has refused it too.
func harmless(err error) bool {
	if errors.Is(err, fault.Configuration) {
		return true
	}
	if status, ok := errors.AsType[*statusError](err); ok {
		return status.code < 500 && status.code != http.StatusRequestTimeout ||
			status.code == http.StatusServiceUnavailable && fault.RetryAfter(err) > 0
	}
	op, ok := errors.AsType[*net.OpError](err)
	return ok && (op.Op == "dial" || op.Op == "proxyconnect")
}

// checkRedirect stays with the server and port that was asked, because the
// credentials travel along; only from http to https may it move.
func checkRedirect(r *http.Request, via []*http.Request) error {
	first, next := via[0].URL, r.URL
	same := next.Scheme == first.Scheme && next.Host == first.Host
	secured := first.Scheme == "http" && next.Scheme == "https" && next.Hostname() == first.Hostname()
	if !same && !secured {
		return fault.New(fault.Configuration, "%s sends us on to %s://%s, which is another place", first.Host, next.Scheme, change.OneLine(next.Host)).
			WithHint("if that is the right one, make it the Gerrit URL")
	}
	if r.Method != via[0].Method {
		return fault.New(fault.Configuration, "%s sends on a %s as a %s", first.Host, via[0].Method, r.Method).
			WithHint("make the address that it sends to, %s://%s, the Gerrit URL", next.Scheme, change.OneLine(next.Host))
	}
	if len(via) > maxRedirects {
		return fault.New(fault.Configuration, "%s redirects in circles", first.Host).WithHint("check the Gerrit URL")
	}
	return nil
}
