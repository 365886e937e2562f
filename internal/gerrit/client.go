// SPDX-License-Identifier: BSD-3-Clause

// Package gerrit reads changes, messages, groups and the version of one Gerrit
// server through its REST API, turns what comes into checked values of package
// change, and posts reviews. It is the only package that imports go-gerrit.
//
// It decides nothing: which changes get a run is the plan's business, and what a
// review says is the report's. It moves no git objects. It does not trust what it
// reads: a change whose numbers, revision or ref do not fit together is left out
// and told to Options.Notes.
//
// Every request goes through one door (door.go) that bounds bodies, retries
// what may be retried and classifies every bad answer, because go-gerrit keeps
// neither the text nor the connection of a failing answer.
package gerrit

import (
	"context"
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"strings"
	"sync"
	"time"

	gogerrit "github.com/andygrunwald/go-gerrit"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// ErrGone says that Gerrit knows no such change, or no such patchset of it, or
// hides it from this account.
var ErrGone = errors.New("the change is not there")

// Options describe the server and the account used there.
type Options struct {
	// URL is the server's address with its sub-path, if it has one
	// (https://review.example.org/gerrit). It must not hold credentials.
	URL string
	// Username and Password (an HTTP password or auth token) go together; both
	// empty means anonymous access.
	Username, Password string
	// Transport carries the requests; nil is http.DefaultTransport.
	Transport http.RoundTripper
	// UserAgent is sent with each request if not empty.
	UserAgent string
	// Sleep waits between two tries and ends early with ctx; it must be set.
	Sleep func(context.Context, time.Duration) error
	// Now tells how far away the date of a Retry-After header is; it must be set.
	Now func() time.Time
	// Notes, if not nil, is told in one printable line about each entry of an
	// answer that was left out because it is not what Gerrit would send.
	Notes func(string)
	// LeftOut, if not nil, is told about changes that were left out, instead of
	// Notes.
	LeftOut func(number int, why error)
}

// Client talks to one Gerrit server. It may be used from several goroutines.
type Client struct {
	base    *url.URL // without a final slash
	auth    bool
	api     *gogerrit.Client
	door    *door
	notes   func(string)
	leftOut func(number int, why error)

	mu       sync.Mutex // of what follows
	self     change.Account
	voted    map[string]voters
	slashes  slashes
	verified map[change.Address]bool // numbers that alone mean that change
}

// New checks the options and returns a client. It sends nothing.
func New(o Options) (*Client, error) {
	base, err := parseBase(o.URL)
	if err != nil {
		return nil, err
	}
	if (o.Username == "") != (o.Password == "") {
		return nil, fault.New(fault.Configuration, "the Gerrit user name and its HTTP password must be given together, or neither of them").
			WithHint("make a password or token at %s", credentialsPage(base))
	}
	d := &door{
		next: o.Transport, agent: o.UserAgent, user: o.Username, base: base,
		sleep: o.Sleep, now: o.Now, deadline: deadlineOf, maxBody: maxBody,
	}
	if d.next == nil {
		d.next = http.DefaultTransport
	}
	// NewClient only parses the address: it has no credentials to probe.
	api, err := gogerrit.NewClient(context.Background(), base.String(), &http.Client{Transport: d, CheckRedirect: checkRedirect})
	if err != nil {
		return nil, fault.New(fault.Configuration, "failed to use the Gerrit URL: %w", err)
	}
	if o.Username != "" {
		api.Authentication.SetBasicAuth(o.Username, o.Password)
	}
	notes := o.Notes
	if notes == nil {
		notes = func(string) {}
	}
	leftOut := o.LeftOut
	if leftOut == nil {
		leftOut = func(number int, why error) {
			notes(change.OneLine(fmt.Sprintf("change %d is left out: %v", number, why)))
		}
	}
	return &Client{base: base, auth: o.Username != "", api: api, door: d, notes: notes, leftOut: leftOut}, nil
}

// parseBase checks a server's address and cuts off a final "/" or "/a".
func parseBase(raw string) (*url.URL, error) {
	bad := func(why string) error {
		return fault.New(fault.Configuration, "the Gerrit URL %s", why).
			WithHint("give the address that a browser shows for the start page, sub-path included: https://review.example.org/gerrit")
	}
	u, err := url.Parse(raw)
	switch {
	case strings.Contains(raw, "@"):
		// The text is not repeated: what stands before the @ may be a password.
		return nil, bad("must not contain '@': user name and password have settings of their own")
	case err != nil:
		return nil, bad(fmt.Sprintf("%q cannot be parsed", change.Clip(raw, 100)))
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return nil, bad(fmt.Sprintf("%q must begin with https:// and a host", change.Clip(raw, 100)))
	case u.RawQuery != "" || u.Fragment != "":
		return nil, bad(fmt.Sprintf("%q must not have a query or a fragment", change.Clip(raw, 100)))
	}
	path := strings.TrimSuffix(strings.TrimRight(u.EscapedPath(), "/"), "/a")
	return url.Parse(u.Scheme + "://" + u.Host + path)
}

// GitURL returns the address of a project for git over HTTP; Gerrit wants the
// "a/" prefix where credentials are sent.
func (c *Client) GitURL(project string) string {
	prefix := "/"
	if c.auth {
		prefix = "/a/"
	}
	return c.base.String() + prefix + escapePath(project)
}

// ChangeURL returns the page of a change, for people.
func (c *Client) ChangeURL(project string, number int) string {
	return fmt.Sprintf("%s/c/%s/+/%d", c.base, escapePath(project), number)
}

// Version returns the server's version as it tells it (3.13.5).
func (c *Client) Version(ctx context.Context) (string, error) {
	version, _, err := c.api.Config.GetVersion(ctx)
	if err != nil {
		return "", failed("read the version of the Gerrit server", err)
	}
	return change.OneLine(change.Clip(version, 100)), nil
}

// Self returns the account that is used. The server is asked once.
func (c *Client) Self(ctx context.Context) (change.Account, error) {
	const what = "read the account that is used in Gerrit"
	if !c.auth {
		return change.Account{}, noAccount(what)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.self.ID > 0 {
		return c.self, nil
	}
	info, _, err := c.api.Accounts.GetAccount(ctx, "self")
	if err == nil && info.AccountID <= 0 {
		err = errors.New("it has no account id")
	}
	if err != nil {
		return change.Account{}, failed(what, err)
	}
	c.self = account(*info)
	return c.self, nil
}

func noAccount(what string) error {
	return fault.New(fault.Configuration, "failed to %s: that takes an account, and no credentials are set", what).
		WithHint("set a user name and an HTTP password or token")
}

// get reads the JSON at a path below the server's address.
func (c *Client) get(ctx context.Context, path string, into any) (*gogerrit.Response, error) {
	return c.api.Call(ctx, http.MethodGet, path, nil, into)
}

// failed says what was being done. The door has classified whatever went wrong
// on the wire; what is left is an answer that is JSON but not Gerrit's.
func failed(what string, err error) error {
	if fe, ok := errors.AsType[*fault.Error](err); ok {
		return fault.New(fe.Kind, "failed to %s: %w", what, fe)
	}
	if errors.Is(err, context.Canceled) {
		return fmt.Errorf("failed to %s: %w", what, context.Canceled)
	}
	if errors.Is(err, context.DeadlineExceeded) {
		return fault.New(fault.Transient, "failed to %s in the time that was left: %w", what, context.DeadlineExceeded)
	}
	return fault.New(fault.Permanent, "failed to %s: the answer is not what Gerrit's REST API describes: %w", what, err).
		WithHint("check that the URL is that of a Gerrit server, version 3.0 or later")
}

// failedOn is failed for a request about a change and parts of it. It is ErrGone
// where Gerrit does not find them.
func failedOn(what string, err error, a change.Address, parts ...string) error {
	if status, ok := errors.AsType[*statusError](err); ok && gone(err, a, parts...) {
		return fault.New(fault.Permanent, "failed to %s: %w: %w", what, ErrGone, status)
	}
	return failed(what, err)
}

// escapePath escapes a project's name and keeps its slashes.
func escapePath(project string) string {
	parts := strings.Split(project, "/")
	for i, part := range parts {
		parts[i] = escapeSegment(part)
	}
	return strings.Join(parts, "/")
}

// escapeSegment escapes everything that is special in a URL; a plus sign too,
// because Gerrit reads it as a space.
func escapeSegment(s string) string {
	return strings.ReplaceAll(url.QueryEscape(s), "+", "%20")
}

func credentialsPage(base *url.URL) string { return base.String() + "/settings/#HTTPCredentials" }
