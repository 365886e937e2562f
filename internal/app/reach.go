// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/url"
	"syscall"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// unreachable is a request that found no server: the name is unknown, nobody
// answers there, or a proxy is in the way. Several clients fail for one such
// cause, which must be told once and by its own name.
type unreachable struct {
	// cause is the same for all requests that fail for the same reason.
	cause string
	text  string
	err   error
}

func (u *unreachable) Error() string { return u.text }
func (u *unreachable) Unwrap() error { return u.err }

// reach is a transport that names the culprit where no answer comes, and
// compares clocks where one does.
type reach struct {
	next   http.RoundTripper
	proxy  func(*http.Request) (*url.URL, error) // nil is none
	now    func() time.Time
	clocks *clocks // may be nil
}

// RoundTrip sends a request.
func (t *reach) RoundTrip(r *http.Request) (*http.Response, error) {
	begin := t.now()
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, t.explain(r, err)
	}
	proxy := t.proxyOf(r)
	if resp.StatusCode == http.StatusProxyAuthRequired && proxy != nil {
		resp.Body.Close()
		return nil, proxyRefusal(proxy, r.URL, resp.StatusCode)
	}
	t.clocks.see(r.URL, resp.Header, begin, t.now())
	return resp, nil
}

// proxyOf returns the proxy that a request goes through, or nil.
func (t *reach) proxyOf(r *http.Request) *url.URL {
	if t.proxy == nil {
		return nil
	}
	proxy, err := t.proxy(r)
	if err != nil {
		return nil // RoundTrip has said so
	}
	return proxy
}

// explain turns the errors of net/http that name nobody's setting into one that
// does. What breaks after a connection came about is left to the clients, which
// know what may have happened by then.
func (t *reach) explain(r *http.Request, err error) error {
	if r.Context().Err() != nil && errors.Is(err, context.Cause(r.Context())) || fault.KindOf(err) != fault.Unknown {
		return err
	}
	op, dialled := errors.AsType[*net.OpError](err)
	dns, unnamed := errors.AsType[*net.DNSError](err)
	proxy := t.proxyOf(r)
	switch {
	case dialled && op.Op == "proxyconnect" && proxy != nil:
		f := notThere("the proxy "+proxy.Host, dns, err)
		return f.WithHint("check the variable %s, or list %s in NO_PROXY", proxyVariable(r.URL), r.URL.Hostname())
	case unnamed, dialled && op.Op == "dial":
		return notThere("the host "+r.URL.Host, dns, err).WithHint("%s", t.clocks.addressHint(r.URL))
	}
	if hint := tlsHint(r.URL.Host, err); hint != "" {
		u := &unreachable{cause: r.URL.Host + " TLS", text: fmt.Sprintf("no secure connection to %s: %v", r.URL.Host, err), err: err}
		return fault.New(fault.Configuration, "%w", u).WithHint("%s", hint)
	}
	return err
}

// notThere is for who could not be connected. A name that is known to nobody is
// a mistake; everything else may pass.
func notThere(who string, dns *net.DNSError, err error) *fault.Error {
	u := &unreachable{cause: who, err: err}
	kind := fault.Transient
	switch {
	case dns != nil && dns.IsNotFound:
		kind, u.text = fault.Configuration, fmt.Sprintf("%s cannot be found: nobody knows the name %s", who, change.OneLine(dns.Name))
	case dns != nil:
		u.text = fmt.Sprintf("%s cannot be found now: its name was not resolved: %s", who, change.OneLine(dns.Err))
	default:
		u.text = fmt.Sprintf("%s does not answer: %s", who, rootText(err))
	}
	return fault.New(kind, "%w", u)
}

// rootText is what the system says, without the addresses around it.
func rootText(err error) string {
	if errno, ok := errors.AsType[syscall.Errno](err); ok {
		return errno.Error()
	}
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Timeout() {
		return "no connection in the time for it"
	}
	return change.OneLine(change.Clip(err.Error(), 200))
}

// tlsHint is for servers that cannot be trusted or speak no TLS.
func tlsHint(host string, err error) string {
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		return "check the address; if the certificate of " + host + " comes from a private authority, give that authority's PEM file: ca-file"
	}
	if _, ok := errors.AsType[tls.RecordHeaderError](err); ok || errors.Is(err, http.ErrSchemeMismatch) {
		return host + " does not speak TLS there: check the scheme and the port of its address"
	}
	return ""
}

// proxyVariable is where net/http finds the proxy for an address.
func proxyVariable(u *url.URL) string {
	if u.Scheme == "https" {
		return "HTTPS_PROXY"
	}
	return "HTTP_PROXY"
}

// proxyRefusal explains a proxy's own answer. The proxy's address may hold a
// password: only its host is shown.
func proxyRefusal(proxy, target *url.URL, status int) error {
	u := &unreachable{
		cause: fmt.Sprintf("proxy %s %d", proxy.Host, status),
		text:  fmt.Sprintf("the proxy %s does not connect us to %s: %d %s", proxy.Host, target.Host, status, http.StatusText(status)),
		err:   &net.OpError{Op: "proxyconnect", Net: "tcp", Err: errors.New(http.StatusText(status))}, // nothing reached the server
	}
	f := fault.New(fault.Configuration, "%w", u)
	switch {
	case status == http.StatusProxyAuthRequired:
		u.text = fmt.Sprintf("the proxy %s wants a user name and a password", proxy.Host)
		return f.WithHint("write them into the variable %s: http://USER:PASSWORD@%s", proxyVariable(target), proxy.Host)
	case status >= http.StatusInternalServerError || status == http.StatusTooManyRequests:
		u.cause += " " + target.Host // the proxy itself is well
		f.Kind = fault.Transient
		return f.WithHint("if this stays, check the host name %s, and whether the proxy can reach it", target.Hostname())
	}
	return f.WithHint("have %s allowed on the proxy, or list it in NO_PROXY", target.Hostname())
}
