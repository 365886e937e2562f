// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"crypto/tls"
	"crypto/x509"
	"net"
	"net/http"
	"net/url"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// transports makes one transport for each set of certificate authorities, so
// that all clients of one server share its connections.
type transports struct {
	app    *App
	clocks *clocks // nil compares none
	made   map[string]http.RoundTripper
}

// get returns the transport that trusts the system's authorities and those in
// a PEM file, if one is named. Proxies are those of HTTPS_PROXY, HTTP_PROXY and
// NO_PROXY.
func (t *transports) get(caFile string) (http.RoundTripper, error) {
	if t.app.Transport != nil {
		return t.reach(t.app.Transport), nil
	}
	if rt, ok := t.made[caFile]; ok {
		return rt, nil
	}
	roots, err := t.roots(caFile)
	if err != nil {
		return nil, err
	}
	dialer := &net.Dialer{Timeout: 15 * time.Second, KeepAlive: 30 * time.Second}
	rt := t.reach(&http.Transport{
		Proxy:               t.app.Proxy,
		DialContext:         dialer.DialContext,
		TLSHandshakeTimeout: 15 * time.Second,
		TLSClientConfig:     &tls.Config{RootCAs: roots, MinVersion: tls.VersionTLS12},
		ForceAttemptHTTP2:   true,
		MaxIdleConnsPerHost: 8,
		IdleConnTimeout:     90 * time.Second,
		// Waiting for the first byte has no limit here: a server may walk its
		// history for minutes before it answers, and each caller sets its own.
		OnProxyConnectResponse: func(_ context.Context, proxy *url.URL, connect *http.Request, resp *http.Response) error {
			if resp.StatusCode == http.StatusOK {
				return nil
			}
			return proxyRefusal(proxy, &url.URL{Scheme: "https", Host: strings.TrimSuffix(connect.Host, ":443")}, resp.StatusCode)
		},
	})
	if t.made == nil {
		t.made = map[string]http.RoundTripper{}
	}
	t.made[caFile] = rt
	return rt, nil
}

func (t *transports) reach(next http.RoundTripper) http.RoundTripper {
	return &reach{next: next, proxy: t.app.Proxy, now: t.app.Now, clocks: t.clocks}
}

func (t *transports) roots(caFile string) (*x509.CertPool, error) {
	if caFile == "" {
		return nil, nil // the system's
	}
	pem, err := t.app.ReadFile(caFile)
	if err != nil {
		return nil, fault.New(fault.Configuration, "failed to read ca-file: %w", err)
	}
	pool, err := x509.SystemCertPool()
	if err != nil {
		pool = x509.NewCertPool()
	}
	if !pool.AppendCertsFromPEM(pem) {
		return nil, fault.New(fault.Configuration, "ca-file %s holds no certificate", caFile).
			WithHint("it must be a PEM file with BEGIN CERTIFICATE lines")
	}
	return pool, nil
}
