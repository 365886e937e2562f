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
	"strings"

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

// hint tells a person what to check after an answer that refuses.
func (c *Client) hint(q call, e *apiError) string {
	setting := ""
	if c.setting != "" {
		setting = " (setting " + c.setting + ")"
	}
	text := strings.ToLower(e.message)
	switch {
	case e.status == http.StatusUnauthorized:
		return "the token" + setting + " is wrong, expired or revoked: make a new one"
	case e.status == http.StatusForbidden && strings.Contains(text, "saml"):
		return "authorize the token" + setting + " for single sign-on with that organization"
	case e.status == http.StatusForbidden && strings.Contains(text, "locked"):
		return "unlock the conversation, or name another issue"
	case e.status == http.StatusForbidden && c.token == nil:
		return "give a token: GitHub wants one for this even where the repository is public"
	case e.status == http.StatusForbidden:
		return "give the token" + setting + " the permission " + q.needs + " on that repository (a classic token: the scope repo)"
	case e.status == http.StatusNotFound:
		if c.token == nil {
			return q.missing + "; without a token only public repositories can be seen"
		}
		return q.missing + "; if the repository is private, the token" + setting + " may not see it"
	case e.status < 400:
		return "the repository seems to have moved: give its new name"
	}
	return hintOfRefusal(text)
}

// hintOfRefusal reads the texts of GitHub's 422 answers.
func hintOfRefusal(text string) string {
	switch {
	case strings.Contains(text, "workflow_dispatch' trigger"):
		return "add workflow_dispatch to the triggers of that workflow on that branch; GitHub also wants the file on the default branch"
	case strings.Contains(text, "disabled"):
		return "enable the workflow on the repository's Actions page"
	case strings.Contains(text, "no ref found"):
		return "give a branch of the CI repository that exists"
	case strings.Contains(text, "input"):
		return "compare the workflow's inputs on that branch with what is sent"
	}
	return ""
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
