// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"context"
	"crypto/tls"
	"errors"
	"fmt"
	"net"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// shut is an address where nobody listens.
func shut(t *testing.T) string {
	t.Helper()
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		t.Fatal(err)
	}
	defer l.Close()
	return l.Addr().String()
}

// through runs sync through a proxy, and writes down what a user sees.
func (s *story) through(want int, proxy string) {
	s.Helper()
	u, err := url.Parse(proxy)
	if err != nil {
		s.Fatal(err)
	}
	var out, errs bytes.Buffer
	a := s.app("test", &out, &errs)
	a.Proxy = func(*http.Request) (*url.URL, error) { return u, nil }
	status := a.Main(s.Context(), []string{"sync"})
	s.stdout, s.stderr = strings.ReplaceAll(out.String(), u.Host, "PROXY"), errs.String()
	s.written(status, "sync")
	if n := strings.Count(s.stdout, "problem"); status != want || n != 1 || strings.Contains(s.stdout+s.stderr, "hunter2") {
		s.Errorf("got exit status %d and %d problems, want %d and one:\n%s%s", status, n, want, s.stdout, s.stderr)
	}
}

// TestProxies: what a proxy does is no fault of Gerrit's, and told once although
// every client meets it.
func TestProxies(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.push("ann", "nvme: split the probe loop", nil)
	answers := func(status int) string {
		p := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(status) }))
		t.Cleanup(p.Close)
		return strings.Replace(p.URL, "//", "//ann:hunter2@", 1)
	}
	s.says("Nobody listens where the proxy should be.")
	s.through(ExitFailed, "http://ann:hunter2@"+shut(t))
	s.says("It wants a password.")
	s.through(ExitConfiguration, answers(http.StatusProxyAuthRequired))
	s.says("Over TLS it is asked for connections, and allows none.")
	s.configure(strings.Replace(defaultConfig(""), "GERRIT", "https://review.example.org", 1))
	s.env["GITHUB_SERVER_URL"], s.env["GITHUB_API_URL"] = "https://review.example.org", "https://review.example.org"
	s.through(ExitConfiguration, answers(http.StatusForbidden))
	s.through(ExitConfiguration, answers(http.StatusProxyAuthRequired))
	s.says("It does not get through.")
	s.through(ExitFailed, answers(http.StatusBadGateway))
}

// failing fails all requests to the hosts with some text in their names.
type failing map[string]error

// RoundTrip sends the rest.
func (f failing) RoundTrip(r *http.Request) (*http.Response, error) {
	for text, err := range f {
		if strings.Contains(r.URL.Host, text) {
			return nil, err
		}
	}
	return http.DefaultTransport.RoundTrip(r)
}

// TestHostsThatAreNotThere: each is told once, with the setting that names it.
func TestHostsThatAreNotThere(t *testing.T) {
	t.Parallel()
	dial := func(err error) error { return &net.OpError{Op: "dial", Net: "tcp", Err: err} }
	s := begin(t, "")
	s.env["MIRROR_TOKEN"] = token
	config := func(gerrit, mirror string) {
		s.configure(strings.Replace(strings.Replace(defaultConfig(""), "GERRIT", gerrit, 1), "mirror: example/spdk", "mirror: {repository: example/spdk, url: '"+mirror+"', token-env: MIRROR_TOKEN}", 1))
	}
	for _, tt := range []struct {
		says string
		err  error
		want int
	}{
		{"The host's name is wrong.", dial(&net.DNSError{Err: "no such host", Name: "review.spkd.io", IsNotFound: true}), ExitConfiguration},
		{"Names are not resolved now.", dial(&net.DNSError{Err: "server misbehaving", Name: "review.spkd.io", IsTemporary: true}), ExitFailed},
		{"The host is down.", dial(syscall.ECONNREFUSED), ExitFailed},
		{"Its certificate is not trusted.", &tls.CertificateVerificationError{Err: errors.New("signed by nobody")}, ExitConfiguration},
		{"It speaks no TLS.", tls.RecordHeaderError{Msg: "first record does not look like a TLS handshake"}, ExitConfiguration},
	} {
		s.says(tt.says)
		s.transport = failing{"spkd": tt.err}
		config("https://review.spkd.io/gerrit", "GITHUB/example/spdk")
		s.pass(tt.want)
		one := strings.Count(s.stdout, "problem") == 1
		config("GERRIT", "https://git.spkd.io/example/spdk")
		s.pass(tt.want)
		if !one || strings.Count(s.stdout, "problem") != 1 {
			t.Errorf("%s: got more than one problem, or none:\n%s", tt.says, s.stdout)
		}
	}
}

// TestProxyWithoutAName shows the proxy's host, and nothing of its password.
func TestProxyWithoutAName(t *testing.T) {
	t.Parallel()
	err := &net.OpError{Op: "proxyconnect", Net: "tcp", Err: &net.OpError{Op: "dial", Net: "tcp", Err: &net.DNSError{Err: "no such host", Name: "proxy.example.org", IsNotFound: true}}}
	proxy := &url.URL{Scheme: "http", User: url.UserPassword("ann", "hunter2"), Host: "proxy.example.org:3128"}
	_, got := (&reach{next: failing{"review": err}, now: time.Now, proxy: func(*http.Request) (*url.URL, error) { return proxy, nil }}).
		RoundTrip(httptest.NewRequest(http.MethodGet, "https://review.example.org/changes/", nil))
	if !errors.Is(got, fault.Configuration) || got.Error() != "the proxy proxy.example.org:3128 cannot be found: nobody knows the name proxy.example.org" ||
		fault.HintOf(got) != "check the variable HTTPS_PROXY, or list review.example.org in NO_PROXY" {
		t.Errorf("got %v (%s)", got, fault.HintOf(got))
	}
}

// TestReachLeavesTheRest: what breaks later, and what the caller ended, is not
// for the transport to judge.
func TestReachLeavesTheRest(t *testing.T) {
	t.Parallel()
	ended, cancel := context.WithCancel(t.Context())
	cancel()
	for _, tt := range []struct {
		ctx context.Context
		err error
	}{
		{t.Context(), errors.New("unexpected EOF")}, {t.Context(), &net.OpError{Op: "read", Err: syscall.ECONNRESET}},
		{ended, context.Canceled}, {t.Context(), fault.New(fault.Permanent, "known")},
	} {
		r, err := http.NewRequestWithContext(tt.ctx, http.MethodGet, "http://example.org/", nil)
		if err != nil {
			t.Fatal(err)
		}
		_, err = (&reach{next: failing{"example": tt.err}, now: time.Now}).RoundTrip(r)
		if err != tt.err {
			t.Errorf("got %v, want %v as it was", err, tt.err)
		}
	}
}

// TestClocks looks at what a server's Date proves.
func TestClocks(t *testing.T) {
	t.Parallel()
	noon := time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC)
	at := func(d time.Duration) string { return noon.Add(d).Format(http.TimeFormat) }
	for _, tt := range []struct {
		name, date, age string
		took            time.Duration
		want            string
	}{
		{"the same", at(0), "", 0, ""},
		{"five minutes ahead", at(5 * time.Minute), "", 0, ""},
		{"ahead", at(5*time.Minute + time.Second), "", 0, "5m1s ahead of"},
		{"five minutes behind", at(-5 * time.Minute), "", 0, ""},
		{"behind", at(-26 * time.Hour), "", 0, "26h0m0s behind"},
		{"an answer that took long", at(0), "", 20 * time.Minute, ""},
		{"written at the end of one that took long", at(20 * time.Minute), "", 20 * time.Minute, ""},
		{"ahead although it took long", at(26 * time.Minute), "", 20 * time.Minute, "6m0s ahead of"},
		{"from a cache", at(-time.Hour), "3600", 0, ""},
		{"fresh from a cache's server", at(-time.Hour), "0", 0, "1h0m0s behind"},
		{"no date", "", "", 0, ""},
		{"not a date", "yesterday", "", 0, ""},
	} {
		c := new(clocks)
		c.name("https://api.github.example.org/x", "GitHub")
		c.name("https://github.example.org/octo/spdk.git", "the mirror")
		h := http.Header{"Date": {tt.date}}
		if tt.age != "" {
			h.Set("Age", tt.age)
		}
		for _, host := range []string{"api.github.example.org", "github.example.org", "storage.example.org"} {
			c.see(&url.URL{Host: host}, h, noon, noon.Add(tt.took))
		}
		got := c.warnings()
		if want := fmt.Sprintf("the clock of GitHub (github.example.org) is %s this machine's", tt.want); tt.want == "" && len(got) > 0 ||
			tt.want != "" && (len(got) != 1 || got[0].Error() != want || fault.HintOf(got[0]) == "") {
			t.Errorf("%s: got %q, want one: %s", tt.name, got, tt.want)
		}
	}
}

// TestClockIsOff is told by both commands, and stops nothing.
func TestClockIsOff(t *testing.T) {
	t.Parallel()
	shifted := func(now func() time.Time, d time.Duration) func() time.Time {
		return func() time.Time { return now().Add(d) }
	}
	s := reporting(t, "", func(o *servers) {
		o.gerrit.Now, o.github.Now = shifted(o.gerrit.Now, -7*time.Minute), shifted(o.github.Now, 90*time.Minute)
	})
	s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.env["GITHUB_RUN_ID"] = fmt.Sprint(s.ends(testJob("unit tests", "success")))
	s.shows(ExitDone, "report", "--key", "101/1/autorun.yml/1")
	s.says("In a job it is an annotation.")
	s.env["GITHUB_ACTIONS"] = "true"
	s.run(t.Context(), "sync")
	if n := strings.Count(s.stdout, "::warning::the clock of "); n != 2 {
		t.Errorf("got %d annotations, want one for each server:\n%s", n, s.stdout)
	}
}
