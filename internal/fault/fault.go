// SPDX-License-Identifier: BSD-3-Clause

// Package fault gives every failure one kind and, where it helps, a hint.
//
// Callers ask with errors.Is (errors.Is(err, fault.Transient)) and read the
// rest through HintOf and RetryAfter; nobody compares error texts. The package
// knows nothing about HTTP, git or YAML: whoever sees the raw failure
// classifies it, once.
package fault

import (
	"errors"
	"fmt"
	"time"
)

// Kind says whose failure it is and whether trying again can help. A Kind is
// an error itself, so that errors.Is(err, fault.Transient) reads as it should.
type Kind int

const (
	// Unknown is the kind of an error that nobody classified.
	Unknown Kind = iota
	// Transient failures may go away by themselves: time-outs, 5xx, throttling.
	Transient
	// Permanent failures stay until the input (a patchset, say) is another one.
	Permanent
	// Configuration failures stay until a person changes a setting or a right.
	Configuration
	// Guest failures happened inside the machine under test.
	Guest
	// Ours are failures of this program or of the host that it runs on.
	Ours
)

var kindNames = [...]string{"unknown", "transient", "permanent", "configuration", "guest", "ours"}

// String returns the kind's lower-case name.
func (k Kind) String() string {
	if k < 0 || int(k) >= len(kindNames) {
		return fmt.Sprintf("kind(%d)", int(k))
	}
	return kindNames[k]
}

// Error makes a Kind usable as the target of errors.Is.
func (k Kind) Error() string { return k.String() + " failure" }

// Error is a classified failure.
type Error struct {
	Kind Kind
	// Err is what happened; it is never nil in errors made by this package.
	Err error
	// Hint is one sentence that tells a person what to do, or empty.
	Hint string
	// After is how long the other side asked us to wait, or 0.
	After time.Duration
}

// New returns a classified error with a formatted text; %w works in it.
func New(kind Kind, format string, args ...any) *Error {
	return &Error{Kind: kind, Err: fmt.Errorf(format, args...)}
}

// Wrap classifies err. It returns nil for a nil err, as an untyped nil.
func Wrap(kind Kind, err error) error {
	if err == nil {
		return nil
	}
	return &Error{Kind: kind, Err: err}
}

// WithHint sets the sentence that tells a person what to do and returns e.
func (e *Error) WithHint(format string, args ...any) *Error {
	e.Hint = fmt.Sprintf(format, args...)
	return e
}

// WithRetryAfter sets the wait that the other side asked for and returns e.
func (e *Error) WithRetryAfter(d time.Duration) *Error {
	e.After = d
	return e
}

// Error returns the text without the hint; print the hint on its own line.
func (e *Error) Error() string { return e.Err.Error() }

// Unwrap returns the wrapped error.
func (e *Error) Unwrap() error { return e.Err }

// Is reports whether target is this error's Kind.
func (e *Error) Is(target error) bool {
	k, ok := target.(Kind)
	return ok && k == e.Kind
}

// KindOf returns the kind of the outermost classified error in err's tree.
func KindOf(err error) Kind {
	if fe, ok := errors.AsType[*Error](err); ok {
		return fe.Kind
	}
	return Unknown
}

// HintOf returns the outermost non-empty hint in err's chain, or "".
func HintOf(err error) string {
	for {
		fe, ok := errors.AsType[*Error](err)
		if !ok {
			return ""
		}
		if fe.Hint != "" {
			return fe.Hint
		}
		err = fe.Err
	}
}

// RetryAfter returns the wait that the other side asked for, or 0.
func RetryAfter(err error) time.Duration {
	for {
		fe, ok := errors.AsType[*Error](err)
		if !ok {
			return 0
		}
		if fe.After > 0 {
			return fe.After
		}
		err = fe.Err
	}
}
