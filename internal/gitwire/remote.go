// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Options says how to talk to a repository. The zero value is an anonymous
// client with the default limits.
type Options struct {
	// Credential returns the user and the password (or token) to send; it is
	// asked before each request, because tokens expire. Nil is anonymous. The
	// credentials go to the host of the address given to Open and to no other.
	Credential func(ctx context.Context) (user, password string, err error)
	// Transport carries the requests; nil is http.DefaultTransport.
	Transport http.RoundTripper
	// UserAgent names the program: in the User-Agent header, behind what makes
	// it a git client's, and in git's agent capability.
	UserAgent string
	// Idle is the longest time without a byte moving, 2 minutes by default, and as
	// much again for each hundred refs of a push: Gitea and soft-serve run a program
	// for each ref, a tenth of a second and longer, and say nothing meanwhile. The
	// time that the reader of a pack, or the source of a pushed one, takes does not
	// count.
	Idle time.Duration
	// Total is the longest time for a whole request, 1 hour by default.
	Total time.Duration
}

const (
	// gitClient is what the User-Agent header begins with: servers show a web
	// page to those who are not git, and JGit's (ClientVersionUtil) leaves the
	// status out of answers to a git before 1.7.9.1, or of no version. 2.18 is the
	// first with protocol v2.
	gitClient        = "git/2.18"
	defaultUserAgent = "dispatcher"
	defaultIdle      = 2 * time.Minute
	defaultTotal     = time.Hour
	// refsPerIdle is how many refs of a push let a server be silent for another
	// Options.Idle.
	refsPerIdle = 100
)

// Remote is a repository on a server. Its methods may be called concurrently.
type Remote struct {
	options Options
	agent   string
	origin  *url.URL // as given to Open: where the credentials belong

	mu       sync.Mutex
	base     *url.URL // differs from origin once the server redirected us
	looked   bool     // the address was looked up by a GET of info/refs
	protocol protocol
	offers   capabilities // of a v0 server
}

// protocol is what we know of the protocol that upload-pack speaks.
type protocol int

const (
	protocolUnknown protocol = iota // v2 until the server shows otherwise
	protocolV2
	protocolV0
)

// Open checks the address of a repository; it does no I/O. Errors are of kind
// Configuration and never repeat credentials.
func Open(rawURL string, o Options) (*Remote, error) {
	base, err := parseAddress(rawURL)
	if err != nil {
		return nil, err
	}
	if o.Transport == nil {
		o.Transport = http.DefaultTransport
	}
	if o.UserAgent == "" {
		o.UserAgent = defaultUserAgent
	}
	if o.Idle <= 0 {
		o.Idle = defaultIdle
	}
	if o.Total <= 0 {
		o.Total = defaultTotal
	}
	agent := strings.ReplaceAll(printable(o.UserAgent, 100), " ", "-")
	return &Remote{options: o, agent: agent, origin: base, base: base}, nil
}

func parseAddress(rawURL string) (*url.URL, error) {
	scheme, rest, ok := strings.Cut(rawURL, "://")
	switch scheme = strings.ToLower(scheme); {
	case ok && (scheme == "ssh" || scheme == "git+ssh"), !ok && strings.Contains(rawURL, ":"):
		return nil, badAddress("SSH sources are out of scope: give the HTTPS address")
	case !ok:
		return nil, badAddress("a repository's address must begin with https://")
	case scheme != "https" && scheme != "http":
		return nil, badAddress("the scheme %q is out of scope: give the HTTPS address", printable(scheme, 20))
	}
	host, _, _ := strings.Cut(rest, "/")
	if strings.Contains(host, "@") {
		return nil, badAddress("a repository's address must not hold a user name or password")
	}
	u, err := url.Parse(rawURL)
	switch {
	case err != nil || u.Hostname() == "":
		return nil, badAddress("the repository's address %q is not a URL", printable(rawURL, 200))
	case u.User != nil || u.RawQuery != "" || u.Fragment != "":
		return nil, badAddress("a repository's address must have a host and a path only")
	}
	u.Scheme, u.Host = scheme, strings.ToLower(u.Host)
	return withPath(u, strings.TrimRight(u.EscapedPath(), "/"))
}

func badAddress(format string, args ...any) error {
	return fault.New(fault.Configuration, format, args...).
		WithHint("use an address such as https://host/path/of/repository")
}

// String returns the repository's address as it is used now.
func (r *Remote) String() string {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.base.String()
}

// endpoint returns the address of a service below the repository's.
func (r *Remote) endpoint(tail string) *url.URL {
	r.mu.Lock()
	defer r.mu.Unlock()
	path, query, _ := strings.Cut(tail, "?")
	u := r.base.JoinPath(path)
	u.RawQuery = query
	return u
}

// withPath returns a copy of u that ends after an escaped path.
func withPath(u *url.URL, escaped string) (*url.URL, error) {
	c := *u
	path, err := url.PathUnescape(escaped)
	if err != nil {
		return nil, badAddress("the path %q is not escaped properly", printable(escaped, 200))
	}
	c.Path, c.RawPath, c.RawQuery, c.Fragment = path, escaped, "", ""
	return &c, nil
}

func (r *Remote) speaks() protocol {
	r.mu.Lock()
	defer r.mu.Unlock()
	return r.protocol
}

func (r *Remote) learn(p protocol, offers capabilities) {
	r.mu.Lock()
	defer r.mu.Unlock()
	r.protocol, r.offers = p, offers
}
