// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"sync"
	"time"

	"github.com/gofri/go-github-ratelimit/v2/github_ratelimit/github_secondary_ratelimit"
)

// limitError says that GitHub did not execute a request because of a rate
// limit, or that the request was not even sent for that reason.
type limitError struct {
	kind  string // "primary" or "secondary"
	after time.Duration
}

func (e *limitError) Error() string {
	return fmt.Sprintf("GitHub's %s rate limit is reached; it ends in %s", e.kind, e.after.Round(time.Second))
}

// limiter is the transport under go-github. It bounds bodies and turns answers
// that mean "too many requests" into a *limitError; until such a limit ends, it
// lets nothing through, because GitHub bans clients that go on asking.
//
// go-github-ratelimit tells secondary limits from other refusals. Its own
// waiting is switched off (a longest sleep of 0): it waits by the wall clock,
// without a bound on how often, and it cannot send a body twice. go-github
// remembers primary limits by the wall clock too, so it is not shown when they
// end, and the memory here, on the injected clock, is the only one.
type limiter struct {
	next http.RoundTripper
	now  func() time.Time

	mu    sync.Mutex
	kind  string
	until time.Time
}

func newLimiter(next http.RoundTripper, now func() time.Time) *limiter {
	return &limiter{next: github_secondary_ratelimit.New(tidy{next}), now: now}
}

// RoundTrip sends one request unless a limit is known to be reached.
func (l *limiter) RoundTrip(r *http.Request) (*http.Response, error) {
	if e := l.standing(); e != nil {
		if r.Body != nil {
			r.Body.Close() // as http.RoundTripper demands
		}
		return nil, e
	}
	secondary := false
	ctx := github_secondary_ratelimit.WithOverrideConfig(r.Context(),
		github_secondary_ratelimit.WithSingleSleepLimit(0, func(*github_secondary_ratelimit.CallbackContext) { secondary = true }))
	resp, err := l.next.RoundTrip(r.WithContext(ctx))
	if err != nil {
		return nil, err
	}
	if e := l.judge(resp, secondary); e != nil {
		resp.Body.Close()
		return nil, e
	}
	resp.Header.Del(resetHeader)
	return resp, nil
}

// standing returns the limit that an earlier answer told of, if it still holds.
func (l *limiter) standing() *limitError {
	l.mu.Lock()
	defer l.mu.Unlock()
	if after := l.until.Sub(l.now()); after > 0 {
		return &limitError{kind: l.kind, after: after}
	}
	return nil
}

// The headers of GitHub's rate limits, and the one that tidy adds.
const (
	remainingHeader = "X-Ratelimit-Remaining"
	resetHeader     = "X-Ratelimit-Reset"
	retryHeader     = "Retry-After"
	impliedHeader   = "X-Dispatcher-Implied-Retry-After"
)

// judge remembers what an answer says about limits, and returns an error if the
// answer is a refusal because of one. Order of the headers: GitHub's "Rate
// limits for the REST API", "Exceeding the rate limit".
func (l *limiter) judge(resp *http.Response, secondary bool) *limitError {
	refused := resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusTooManyRequests
	spent := resp.Header.Get(remainingHeader) == "0"
	after, told := seconds(resp.Header.Get(retryHeader))
	told = told && resp.Header.Get(impliedHeader) == ""
	kind := "secondary"
	switch {
	case refused && !spent && (secondary || told || resp.StatusCode == http.StatusTooManyRequests):
	case spent:
		kind = "primary"
		if !refused || !told {
			after = l.untilReset(resp.Header.Get(resetHeader))
		}
	default:
		return nil
	}
	l.mu.Lock()
	defer l.mu.Unlock()
	if until := l.now().Add(after); until.After(l.until) {
		l.kind, l.until = kind, until
	}
	if !refused {
		return nil
	}
	return &limitError{kind: kind, after: after}
}

// untilReset reads the time of a reset, in seconds since 1970.
func (l *limiter) untilReset(header string) time.Duration {
	n, err := strconv.ParseInt(header, 10, 64)
	if err != nil {
		return defaultRetryAfter
	}
	return min(max(time.Unix(n, 0).Sub(l.now()), 0), maxLimit)
}

// seconds reads a Retry-After header; GitHub only sends whole seconds.
func seconds(header string) (time.Duration, bool) {
	n, err := strconv.ParseInt(header, 10, 64)
	if err != nil || n <= 0 {
		return 0, false
	}
	return time.Duration(min(n, int64(maxLimit/time.Second))) * time.Second, true
}

// tidy bounds bodies, and makes sure that each answer that may be a limit names
// a sane wait: go-github-ratelimit overlooks a secondary limit without one and
// asks again at once, for ever, where the wait is over already.
type tidy struct{ next http.RoundTripper }

func (t tidy) RoundTrip(r *http.Request) (*http.Response, error) {
	resp, err := t.next.RoundTrip(r)
	if err != nil {
		return nil, err
	}
	limit := int64(maxBody)
	if resp.StatusCode >= 300 {
		limit = maxErrorBody
	}
	resp.Body = struct {
		io.Reader
		io.Closer
	}{io.LimitReader(resp.Body, limit), resp.Body}
	if resp.StatusCode == http.StatusForbidden || resp.StatusCode == http.StatusTooManyRequests {
		after, ok := seconds(resp.Header.Get(retryHeader))
		if !ok {
			after = defaultRetryAfter
			resp.Header.Set(impliedHeader, "1")
		}
		resp.Header.Set(retryHeader, strconv.Itoa(int(after/time.Second)))
	}
	return resp, nil
}
