// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"errors"
	"fmt"
	"regexp"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// ErrTruncated says that an answer ended without git's end mark. A server that
// fails in the middle of a pack may well end its HTTP answer as if all was sent
// (Gerrit does), so a clean end of the body proves nothing.
var ErrTruncated = errors.New("the answer was cut short: git's end mark is missing")

// ErrLengthRequired says that a server or a proxy before it refuses request
// bodies of unknown length, or may: many say so with a bare 400 or a cut
// connection. Push again with Spool. If the error is Transient too, the server
// may have changed refs.
var ErrLengthRequired = errors.New("the server may refuse chunked request bodies")

// ErrNoRoom says that this host has no room for a pack that is to be sent with
// its length. A smaller one may fit.
var ErrNoRoom = errors.New("the folder for temporary files has no room for the pack")

// errBroken is a connection that failed while a request was under way.
var errBroken = errors.New("the connection broke")

// errEmpty is a git answer of no bytes: a C git that does not understand the
// request ends like that.
var errEmpty error = emptyError{}

type emptyError struct{}

// Error says so.
func (emptyError) Error() string { return "the answer is empty" }

// Is makes it an ErrTruncated, too.
func (emptyError) Is(target error) bool { return target == ErrTruncated }

// WantError says that upload-pack does not give an object away: it is gone, or
// no ref that this account may read leads to it. One such want fails the whole
// fetch, so drop it and ask again.
type WantError struct {
	// OID is the object that the server named.
	OID string
}

// Error names the object.
func (e *WantError) Error() string {
	return "the server does not give object " + e.OID + ": no ref that this account may read leads to it"
}

// StatusError is an HTTP answer other than 200.
type StatusError struct {
	// Status is the HTTP status code.
	Status int
	// URL is the address asked, without credentials.
	URL string
	// Body is the beginning of the answer, made printable.
	Body string
	// RetryAfter is how long the server asks to wait, or 0.
	RetryAfter time.Duration
}

// Error tells status and what the server said; the errors of a Remote name the
// repository's address before it.
func (e *StatusError) Error() string {
	s := fmt.Sprintf("the server answered with HTTP status %d", e.Status)
	if e.Body != "" {
		s += ": " + e.Body
	}
	return s
}

// serverError is the text of an ERR packet or of side-band channel 3.
type serverError struct{ text string }

func (e *serverError) Error() string { return "the server reports an error: " + e.text }

// truncated returns ErrTruncated, classified: asking again may help.
func truncated() error { return fault.Wrap(fault.Transient, ErrTruncated) }

// malformed returns an error for bytes that the protocol does not allow.
func malformed(format string, args ...any) error {
	return fault.New(fault.Permanent, "the server broke the git protocol: "+format, args...)
}

// wantPattern matches the refusals of JGit (first) and of C git (second).
var wantPattern = regexp.MustCompile(`\bwant ([0-9a-f]{40}) not valid|\bnot our ref ([0-9a-f]{40})`)

// passing are words of server errors that may be gone a moment later.
var passing = []string{"internal", "timeout", "timed out", "rate limit", "quota", "too many", "try again", "unavailable"}

// remoteError classifies what a server said in an ERR packet.
func remoteError(text string) error {
	if m := wantPattern.FindStringSubmatch(text); m != nil {
		return fault.Wrap(fault.Permanent, &WantError{OID: m[1] + m[2]})
	}
	kind, lower := fault.Permanent, strings.ToLower(text)
	for _, word := range passing {
		if strings.Contains(lower, word) {
			kind = fault.Transient
		}
	}
	return fault.Wrap(kind, &serverError{printable(text, 400)})
}
