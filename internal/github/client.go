// SPDX-License-Identifier: BSD-3-Clause

// Package github starts, cancels and repeats workflow runs on GitHub and reads
// what must be known of them: runs, jobs, annotations, the ends of logs,
// artifacts, workflow files, the default branch; it looks at issues and comments
// on them. It also gets the tokens for that. It is the only package that imports
// go-github and go-gh.
//
// It decides nothing (which run to start is the plan's business, what its jobs
// mean the verdict's), moves no git objects and unpacks no artifacts. go-github v60 knows neither return_run_details nor conditional
// requests, so every call goes through its NewRequest and Do (door.go), and
// what comes back is decoded and checked here.
package github

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"sync"
	"sync/atomic"
	"time"

	gogithub "github.com/google/go-github/v60/github"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// DefaultAPIURL is the REST API of github.com.
const DefaultAPIURL = "https://api.github.com"

// TokenSource returns a token that is valid now. It is asked before each
// request, because some tokens live for an hour only.
type TokenSource func(context.Context) (string, error)

// Options describe the API and how to reach it.
type Options struct {
	// APIURL is the API's base; empty is DefaultAPIURL. A GitHub Enterprise
	// Server has it at https://HOST/api/v3.
	APIURL string
	// Token is asked before each request; nil sends none.
	Token TokenSource
	// Setting names the setting that the token comes from, for hints; it may
	// be empty.
	Setting string
	// Transport carries the requests; nil is http.DefaultTransport.
	Transport http.RoundTripper
	// UserAgent is sent with each request.
	UserAgent string
	// Sleep waits between two tries; nil makes each read try once.
	Sleep func(context.Context, time.Duration) error
	// Now tells how far away the end of a rate limit is.
	Now func() time.Time
}

// Client talks to one GitHub server. It may be used from several goroutines.
type Client struct {
	api     *gogithub.Client
	plain   *http.Client // for downloads from other servers: sends no token
	gitea   bool         // the API is Gitea's or Forgejo's
	idle    time.Duration
	token   TokenSource
	setting string
	kind    atomic.Int32 // a tokenKind: the last token's
	sleep   func(context.Context, time.Duration) error

	mu        sync.Mutex
	slept     time.Duration          // waited for rate limits so far
	noDetails bool                   // the server refuses return_run_details
	files     map[fileKey]cachedFile // what WorkflowFile read before
	forgejo   bool                   // a run was Forgejo's
	seen      map[string]bool        // repositories that the token may see
}

// New checks the options and returns a client. It sends nothing.
func New(o Options) (*Client, error) {
	base, err := parseAPIURL(o.APIURL)
	if err != nil {
		return nil, err
	}
	if o.Token != nil && change.InTheClear(base.String()) {
		return nil, fault.New(fault.Configuration, "the token would be sent in the clear to %s", base.Host).
			WithHint("give the API's https:// address; http:// is for servers on this machine")
	}
	next := o.Transport
	if next == nil {
		next = http.DefaultTransport
	}
	api := gogithub.NewClient(&http.Client{Transport: newLimiter(next, o.Now), CheckRedirect: checkRedirect})
	api.BaseURL = base
	api.UserAgent = o.UserAgent
	return &Client{
		api: api, plain: &http.Client{Transport: next, CheckRedirect: checkDetour}, idle: downloadIdle,
		gitea: isGitea(base),
		token: o.Token, setting: o.Setting, sleep: o.Sleep,
		files: map[fileKey]cachedFile{}, seen: map[string]bool{},
	}, nil
}

// parseAPIURL checks the API's address; go-github wants a final slash.
func parseAPIURL(raw string) (*url.URL, error) {
	if raw == "" {
		raw = DefaultAPIURL
	}
	bad := func(why string) error {
		return fault.New(fault.Configuration, "the GitHub API URL %s", why).
			WithHint("github.com has it at %s, a GitHub Enterprise Server at https://HOST/api/v3", DefaultAPIURL)
	}
	u, err := url.Parse(raw)
	switch {
	case strings.Contains(raw, "@"):
		// The text is not repeated: what stands before the @ may be a token.
		return nil, bad("must not contain '@': the token has a setting of its own")
	case err != nil:
		return nil, bad("cannot be parsed")
	case u.Scheme != "https" && u.Scheme != "http", u.Host == "":
		return nil, bad("must begin with https:// and a host")
	case u.RawQuery != "" || u.Fragment != "":
		return nil, bad("must not have a query or a fragment")
	}
	u.Path = strings.TrimRight(u.Path, "/") + "/"
	return u, nil
}

// checkRedirect follows GitHub's redirects of renamed repositories, but only
// on the same server and with the same method: a POST that is turned into a
// GET answers 200 without having started anything.
func checkRedirect(r *http.Request, via []*http.Request) error {
	first := via[0]
	if stay, _ := first.Context().Value(stayKey{}).(bool); stay && r.Response.StatusCode == http.StatusFound {
		return http.ErrUseLastResponse
	}
	if len(via) > maxRedirects || r.Method != first.Method || r.URL.Host != first.URL.Host || r.URL.Scheme != first.URL.Scheme {
		return http.ErrUseLastResponse
	}
	return nil
}

var repositoryPattern = regexp.MustCompile(`^[A-Za-z0-9_][A-Za-z0-9_-]{0,99}/[A-Za-z0-9._-]{1,100}$`)

// repositoryPath checks OWNER/NAME and returns its path in the API.
func repositoryPath(repository string) (string, error) {
	_, name, _ := strings.Cut(repository, "/")
	if !repositoryPattern.MatchString(repository) || name == "." || name == ".." {
		return "", fault.New(fault.Configuration, "%q is not a GitHub repository", change.OneLine(change.Clip(repository, 120))).
			WithHint("write it as OWNER/NAME")
	}
	return "repos/" + repository, nil
}

func checkRepository(repository string) string {
	return "check that " + repository + " is right"
}

// DefaultBranch returns the name of a repository's default branch.
func (c *Client) DefaultBranch(ctx context.Context, repository string) (string, error) {
	path, err := repositoryPath(repository)
	if err != nil {
		return "", err
	}
	var answer struct {
		DefaultBranch string `json:"default_branch"`
	}
	q := call{
		doing: "read the default branch of " + repository, method: http.MethodGet, path: path, deadline: readDeadline,
		needs: "Metadata: read", missing: checkRepository(repository),
	}
	if _, err := c.read(ctx, q, &answer); err != nil {
		return "", err
	}
	if err := change.CheckBranch(answer.DefaultBranch); err != nil {
		return "", fault.New(fault.Permanent, "failed to %s: %w", q.doing, err)
	}
	c.markSeen(repository)
	return answer.DefaultBranch, nil
}

func (c *Client) markSeen(repository string) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.seen[repository] = true
}
