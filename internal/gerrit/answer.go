// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	gogerrit "github.com/andygrunwald/go-gerrit"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// statusError is an answer with a status that is not a success.
type statusError struct {
	code   int
	reason string // from the body, printable, at most maxReason bytes
	page   bool   // the body is a web page: whatever answered was not Gerrit's API
}

func (e *statusError) Error() string {
	text := fmt.Sprintf("%d %s", e.code, http.StatusText(e.code))
	if !e.bare() {
		text += ": " + e.reason
	}
	return text
}

// bare reports whether the server gave no reason of its own.
func (e *statusError) bare() bool { return e.reason == "" || e.reason == http.StatusText(e.code) }

// badStatus classifies an answer that is not a success and reads its reason:
// Gerrit explains itself in plain text.
func (d *door) badStatus(resp *http.Response) error {
	body, _ := io.ReadAll(io.LimitReader(resp.Body, maxReason)) // what came is enough
	status := &statusError{code: resp.StatusCode, page: isPage(resp, body)}
	if !status.page {
		status.reason = change.OneLine(string(body))
	}
	kind, hint := d.judge(resp.Request, status)
	e := fault.New(kind, "%s: %w", place(resp.Request), status).WithHint("%s", hint)
	return e.WithRetryAfter(retryAfter(resp.Header.Get("Retry-After"), d.now))
}

// place names a request in errors: its method and its address without the query,
// which may be long.
func place(r *http.Request) string {
	return fmt.Sprintf("%s %s://%s%s", r.Method, r.URL.Scheme, r.URL.Host, r.URL.EscapedPath())
}

// judge says whose failure a status is and what to do about it. The list of
// changes is always there, if the address is right.
func (d *door) judge(r *http.Request, s *statusError) (fault.Kind, string) {
	get, list := r.Method == http.MethodGet, strings.HasSuffix(r.URL.Path, "/changes/")
	switch {
	case s.code == http.StatusUnauthorized && d.user != "":
		return fault.Configuration, fmt.Sprintf("the HTTP password or token of %s is wrong or expired: make a new one at %s",
			change.OneLine(d.user), credentialsPage(d.base))
	case s.code == http.StatusUnauthorized:
		return fault.Configuration, "the server wants credentials: set a user name and an HTTP password or token"
	case s.code == http.StatusForbidden:
		return fault.Configuration, d.hintOfDenial(s)
	case s.code == http.StatusTooManyRequests:
		return fault.Transient, "the server limits how often it may be asked: make passes rarer, or have the account's quota raised"
	case s.code >= 500, s.code == http.StatusRequestTimeout:
		return fault.Transient, ""
	case s.code == http.StatusRequestEntityTooLarge:
		return fault.Configuration, "something before Gerrit takes no request of this size: raise its limit (nginx: client_max_body_size)"
	case s.page, s.code < 400, s.code == http.StatusNotFound && list:
		return fault.Configuration, fmt.Sprintf("this did not come from Gerrit's REST API: the URL %s may lack a sub-path (/gerrit, /r)", d.base)
	case s.code == http.StatusBadRequest && get:
		return fault.Configuration, "check the text of the Gerrit query"
	case s.code == http.StatusNotFound:
		return fault.Configuration, fmt.Sprintf("it does not exist, or %s may not see it", d.who())
	}
	return fault.Permanent, ""
}

func (d *door) who() string {
	if d.user == "" {
		return "an anonymous user"
	}
	return "the account " + change.OneLine(d.user)
}

// checkBody makes sure that go-gerrit gets whole JSON or nothing.
func (d *door) checkBody(resp *http.Response, body []byte) error {
	text := gogerrit.RemoveMagicPrefixLine(body)
	at := place(resp.Request)
	switch {
	case int64(len(body)) > d.maxBody:
		return fault.New(fault.Permanent, "%s: %w: more than %d MiB", at, errTooLarge, d.maxBody>>20)
	case isPage(resp, body):
		return fault.New(fault.Configuration, "%s: got a web page (%s) where JSON is due: %q", at,
			change.OneLine(change.Clip(resp.Header.Get("Content-Type"), 60)), change.Clip(change.OneLine(change.Clip(string(body), 300)), 100)).
			WithHint("the URL %s may lack a sub-path (/gerrit, /r), or lead to a login page", d.base)
	case !json.Valid(text):
		return fault.New(fault.Transient, "%s: the answer of %d bytes is not whole JSON", at, len(body)).
			WithHint("if this stays, something between here and Gerrit cuts answers short")
	}
	return nil
}

// isPage reports whether a body is HTML. The type alone does not tell: proxies
// label it as they like.
func isPage(resp *http.Response, body []byte) bool {
	return strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html") || bytes.HasPrefix(bytes.TrimSpace(body), []byte("<"))
}

// retryAfter reads a Retry-After header: seconds or a date (RFC 9110, 10.2.3).
// Anything else, and a time that is over, is 0.
func retryAfter(text string, now func() time.Time) time.Duration {
	if seconds, err := strconv.Atoi(text); err == nil {
		return time.Duration(min(max(seconds, 0), 24*60*60)) * time.Second
	}
	if at, err := http.ParseTime(text); err == nil {
		return max(at.Sub(now()), 0)
	}
	return 0
}
