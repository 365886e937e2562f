// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"context"
	"crypto/x509"
	"errors"
	"io"
	"mime"
	"net"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

const (
	// maxErrorBody is how much of an unwanted answer is read.
	maxErrorBody = 4 << 10
	// shownBody is how much of it an error repeats.
	shownBody = 300
	// maxRetryAfter keeps a server from making us wait for years.
	maxRetryAfter = 24 * time.Hour
)

// movedError says that a request was answered with a redirect.
type movedError struct {
	StatusError
	location string
}

// check turns everything but a git answer with status 200 into an error.
func (r *Remote) check(c call, a *answer) error {
	h := a.response.Header
	status := a.response.StatusCode
	kind, _, _ := mime.ParseMediaType(h.Get("Content-Type"))
	if status == http.StatusOK && kind == c.contentType() {
		return nil
	}
	if a.upload != nil {
		a.upload.hold() // whatever comes now, nobody wants the rest
	}
	text := errorText(a)
	if status == http.StatusOK {
		return wrongContent(c, kind, text)
	}
	e := StatusError{Status: status, URL: c.url.String(), Body: text, RetryAfter: retryAfter(h)}
	if isRedirect(status) {
		return &movedError{e, h.Get("Location")}
	}
	return r.explainDetour(c, e.classify(c))
}

// errorText returns the beginning of an unwanted answer. JGit puts an ERR packet
// into it.
func errorText(body io.Reader) string {
	b, _ := io.ReadAll(io.LimitReader(body, maxErrorBody)) // what could be read is better than nothing
	const lengthDigits = 4
	if len(b) > lengthDigits {
		if text, ok := bytes.CutPrefix(b[lengthDigits:], []byte("ERR ")); ok {
			b = text
		}
	}
	return printable(string(b), shownBody)
}

// wrongContent explains an answer that is not git's.
func wrongContent(c call, kind, text string) error {
	if kind == "" {
		kind = "no content type"
	}
	return fault.New(fault.Configuration, "%s answered with %s instead of git's protocol: %q",
		c.url, printable(kind, 80), text).
		WithHint("the address may be wrong, or a login page or proxy answers in the server's place")
}

func isRedirect(status int) bool {
	return status == http.StatusMovedPermanently || status == http.StatusFound || status == http.StatusSeeOther ||
		status == http.StatusTemporaryRedirect || status == http.StatusPermanentRedirect
}

// classify gives a status its kind and its hint.
func (e *StatusError) classify(c call) error {
	pushing := c.service == receivePack
	chunked := c.body != nil && c.body.size < 0
	switch {
	case e.Status == http.StatusLengthRequired, chunked && refusesChunks(e):
		kind := fault.Permanent
		if e.Status == http.StatusInternalServerError || e.Status == http.StatusBadGateway {
			kind = fault.Transient // it may have begun
		}
		f := fault.New(kind, "%w: %w", ErrLengthRequired, e)
		if e.Status == http.StatusRequestEntityTooLarge {
			f = f.WithHint(hintSize)
		}
		return f
	case e.Status == http.StatusUnauthorized:
		return fault.New(fault.Configuration, "%w", e).
			WithHint("the token has expired or is wrong: make a new one and store it where this one came from; a server that checks names (Gerrit, a web server's list of users) wants the account's with it")
	case e.Status == http.StatusForbidden && (e.RetryAfter > 0 || throttled(e.Body)), mayPass(e.Status):
		return fault.New(fault.Transient, "%w", e).WithRetryAfter(e.RetryAfter)
	case e.Status == http.StatusForbidden:
		f := fault.New(fault.Configuration, "%w", e)
		f.Hint = e.hintOfDenial(pushing)
		return f
	case e.Status == http.StatusNotFound:
		return fault.New(fault.Configuration, "%w", e).
			WithHint("check the address; servers also say 404 when the account may not see the repository")
	case e.Status == http.StatusRequestEntityTooLarge:
		return fault.New(fault.Permanent, "%w", e).
			WithHint(hintSize)
	case e.Status == http.StatusBadRequest:
		return fault.Wrap(fault.Permanent, e)
	}
	return fault.New(fault.Configuration, "%w", e).WithHint("check the repository's address")
}

// mayPass lists the statuses that say nothing against a later try.
func mayPass(status int) bool {
	const clientGaveUp = 499 // nginx
	return status >= 500 || status == http.StatusRequestTimeout || status == http.StatusTooEarly ||
		status == http.StatusTooManyRequests || status == clientGaveUp
}

func throttled(body string) bool {
	body = strings.ToLower(body)
	return strings.Contains(body, "rate limit") || strings.Contains(body, "too many requests") ||
		strings.Contains(body, "abuse detection")
}

// hintSize is for 413, which git servers do not send by themselves.
const hintSize = "a proxy before the server limits the size of a request: raise it there (nginx: client_max_body_size)"

// refusesChunks recognizes answers to a chunked body that may mean what 411
// says: those that name the encoding, and those that give no reason at all,
// neither in words nor by their status. git's cure for them is http.postBuffer.
func refusesChunks(e *StatusError) bool {
	switch e.Status {
	case http.StatusUnauthorized, http.StatusNotFound, http.StatusGone:
		return false
	case http.StatusInternalServerError, http.StatusNotImplemented, http.StatusBadGateway, http.StatusHTTPVersionNotSupported:
	default:
		if mayPass(e.Status) || e.RetryAfter > 0 {
			return false
		}
	}
	body := strings.ToLower(e.Body)
	return e.bare() || strings.Contains(body, "chunked") || strings.Contains(body, "transfer-encoding")
}

// bare reports whether the answer says nothing but its status: no text, the
// name of the status, or a proxy's page.
func (e *StatusError) bare() bool {
	body := strings.ToLower(e.Body)
	if strings.HasPrefix(body, "<") {
		return true
	}
	words := strings.TrimPrefix(body, strconv.Itoa(e.Status))
	name := strings.ToLower(http.StatusText(e.Status))
	return strings.Trim(words, " .:!") == "" || strings.Trim(words, " .:!") == name
}

// mayWantLength reports whether a chunked body may be why a push ended without
// a report: the connection broke under it, or the server answers as if it had
// got none.
func mayWantLength(err error) bool {
	if op, ok := errors.AsType[*net.OpError](err); ok && op.Op == "dial" || errors.Is(err, errSource) {
		return false
	}
	return errors.Is(err, errBroken) || errors.Is(err, errEmpty)
}

// retryAfter reads the header of RFC 9110, section 10.2.3. A date counts from
// the answer's own Date, so the two clocks need not agree.
func retryAfter(h http.Header) time.Duration {
	value := h.Get("Retry-After")
	if seconds, err := strconv.ParseUint(value, 10, 31); err == nil {
		return min(time.Duration(seconds)*time.Second, maxRetryAfter)
	}
	at, err := http.ParseTime(value)
	if err != nil {
		return 0
	}
	now, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return 0
	}
	return min(max(at.Sub(now), 0), maxRetryAfter)
}

// classifyNetwork gives an error below HTTP its kind.
func classifyNetwork(err error) error {
	if fault.KindOf(err) != fault.Unknown {
		return err
	}
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		return fault.New(fault.Configuration, "%w", err).WithHint("check the host name in the repository's address")
	}
	_, unknown := errors.AsType[x509.UnknownAuthorityError](err)
	_, invalid := errors.AsType[x509.CertificateInvalidError](err)
	_, wrongHost := errors.AsType[x509.HostnameError](err)
	if unknown || invalid || wrongHost {
		return fault.New(fault.Configuration, "%w", err).WithHint("the server's certificate is not trusted: check the address and the CA certificates of this host")
	}
	if errors.Is(err, context.Canceled) {
		return fault.New(fault.Transient, "the request was closed: %w", err)
	}
	return fault.New(fault.Transient, "%w: %w", errBroken, err)
}
