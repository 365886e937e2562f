// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"net/http"
	"strings"
	"time"

	gogithub "github.com/google/go-github/v60/github"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// apiVersion is the version of the REST API that is asked for. Later ones
// refuse or ignore return_run_details.
const apiVersion = "2022-11-28"

// call is one request to the API.
type call struct {
	// doing ends "failed to ..." in errors.
	doing        string
	method, path string // the path is relative to the API's base, escaped
	body         any    // sent as JSON if not nil
	file         []byte // sent as it is if not nil; the path is a whole URL then
	accept, etag string // headers, if not empty
	deadline     time.Duration
	// stay makes a 302 the answer: it is not followed.
	stay bool
	// done, if not nil, knows answers that are as good as a success although
	// go-github takes them for errors.
	done func(*apiError) bool
	// needs is the permission of a fine-grained token or App that it takes.
	needs string
	// missing is what a person should check after a 404.
	missing string
}

// apiError is a request that did not end in the wanted answer.
type apiError struct {
	status  int         // of the answer; 0 without one
	message string      // GitHub's own words, clipped and on one line
	limit   *limitError // the rate limit that stopped it, or nil
	unsent  bool        // certain: nothing reached the server
	err     error       // never nil
	// accepted are the permissions that would do, if GitHub says it.
	accepted string
}

func (e *apiError) Error() string { return e.err.Error() }
func (e *apiError) Unwrap() error { return e.err }

// once makes one try of a call. The answer's JSON goes to out, or its bytes if
// out is an io.Writer. Errors are *fault.Error around *apiError.
func (c *Client) once(ctx context.Context, q call, out any) (*gogithub.Response, error) {
	req, err := c.request(ctx, q)
	if err != nil {
		return nil, err
	}
	if err := ctx.Err(); err != nil {
		return nil, c.explain(q, &apiError{unsent: true, err: err})
	}
	tryCtx, cancel := context.WithTimeout(context.WithValue(ctx, stayKey{}, q.stay), q.deadline)
	defer cancel()
	resp, err := c.api.Do(tryCtx, req, out)
	if err == nil {
		return resp, nil
	}
	if ctx.Err() == nil && tryCtx.Err() != nil {
		err = fmt.Errorf("no whole answer within %s", q.deadline)
	}
	e := describe(resp, err)
	if q.stay && e.status == http.StatusFound || q.done != nil && q.done(e) {
		return resp, nil
	}
	if isPage(resp) && e.limit == nil {
		e.err = fmt.Errorf("%w (status %d)", errPage, e.status)
	}
	return resp, c.explain(q, e)
}

// stayKey is what checkRedirect finds call.stay under.
type stayKey struct{}

// errPage says that what answered was not the API.
var errPage = errors.New("got a web page where GitHub's REST API should answer")

func isPage(resp *gogithub.Response) bool {
	return resp != nil && resp.Response != nil && strings.HasPrefix(resp.Header.Get("Content-Type"), "text/html")
}

// request makes the HTTP request. The token goes into it, not into the
// transport, so that net/http drops it on a redirect to another host.
func (c *Client) request(ctx context.Context, q call) (*http.Request, error) {
	req, err := c.api.NewRequest(q.method, q.path, q.body, gogithub.WithVersion(apiVersion))
	if q.file != nil {
		req, err = c.api.NewUploadRequest(q.path, bytes.NewReader(q.file), int64(len(q.file)), "application/octet-stream", gogithub.WithVersion(apiVersion))
	}
	if err != nil {
		return nil, c.explain(q, &apiError{unsent: true, err: err})
	}
	if q.accept != "" {
		req.Header.Set("Accept", q.accept)
	}
	if q.etag != "" {
		req.Header.Set("If-None-Match", q.etag)
	}
	if c.token == nil {
		return req, nil
	}
	token, err := c.token(ctx)
	if err != nil {
		kind := fault.KindOf(err)
		return nil, fault.New(kind, "failed to %s: %w", q.doing, &apiError{unsent: true, err: err})
	}
	c.kind.Store(int32(kindOf(token)))
	req.Header.Set("Authorization", "Bearer "+token)
	return req, nil
}

// describe keeps what go-github's error says and nothing of its form.
func describe(resp *gogithub.Response, err error) *apiError {
	e := &apiError{err: err}
	if limit, ok := errors.AsType[*limitError](err); ok {
		e.limit, e.err = limit, limit
		return e
	}
	if resp == nil || resp.Response == nil {
		e.err = withoutURL(err)
		e.unsent = neverSent(err)
		return e
	}
	e.status, e.accepted = resp.StatusCode, accepted(resp.Header)
	if answer, ok := errors.AsType[*gogithub.ErrorResponse](err); ok {
		e.message = messageOf(answer)
		e.err = fmt.Errorf("GitHub answered %d: %s", e.status, e.message)
		if e.message == "" {
			e.err = fmt.Errorf("GitHub answered %d", e.status)
		}
	}
	return e
}

// messageOf joins the message of an error answer and those of its details.
func messageOf(answer *gogithub.ErrorResponse) string {
	text := answer.Message
	for _, detail := range answer.Errors {
		switch {
		case detail.Message != "":
			text += "; " + detail.Message
		case detail.Field != "":
			text += "; " + detail.Field + ": " + detail.Code
		}
	}
	return change.OneLine(change.Clip(text, 400))
}

// read makes a call that may be repeated.
func (c *Client) read(ctx context.Context, q call, out any) (resp *gogithub.Response, err error) {
	err = c.again(ctx, func() error {
		resp, err = c.once(ctx, q, out)
		return err
	})
	return resp, err
}

// again does what may be repeated, up to maxTries times while its failures are
// transient, and waits for rate limits that end soon.
func (c *Client) again(ctx context.Context, do func() error) error {
	backoff := firstBackoff
	for try := 1; ; try++ {
		err := do()
		if err == nil || !errors.Is(err, fault.Transient) || ctx.Err() != nil || try == maxTries || c.sleep == nil {
			return err
		}
		wait := backoff
		if after := fault.RetryAfter(err); after > 0 {
			wait = after
			if !c.mayWait(wait) {
				return err
			}
		}
		if c.sleep(ctx, wait) != nil {
			return err
		}
		backoff *= 2
	}
}

// mayWait takes a wait for a rate limit from what a client may spend on them.
func (c *Client) mayWait(wait time.Duration) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	if wait > maxWait || c.slept+wait > maxSlept {
		return false
	}
	c.slept += wait
	return true
}
