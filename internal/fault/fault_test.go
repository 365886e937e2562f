// SPDX-License-Identifier: BSD-3-Clause

package fault

import (
	"errors"
	"fmt"
	"io"
	"testing"
	"time"
)

var kinds = []Kind{Unknown, Transient, Permanent, Configuration, Guest, Ours}

func TestKindNames(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, k := range kinds {
		name := k.String()
		if name == "" || seen[name] {
			t.Errorf("kind %d: got the name %q", int(k), name)
		}
		seen[name] = true
		if want := name + " failure"; k.Error() != want {
			t.Errorf("got %q, want %q", k.Error(), want)
		}
	}
	for _, k := range []Kind{-1, Kind(len(kinds))} {
		if got, want := k.String(), fmt.Sprintf("kind(%d)", int(k)); got != want {
			t.Errorf("got %q, want %q", got, want)
		}
	}
}

func TestIs(t *testing.T) {
	t.Parallel()
	for _, k := range kinds {
		err := fmt.Errorf("failed to move: %w", New(k, "failed to read %s: %w", "x", io.ErrUnexpectedEOF))
		for _, other := range kinds {
			if got := errors.Is(err, other); got != (k == other) {
				t.Errorf("%v is %v: got %v", k, other, got)
			}
		}
		if !errors.Is(err, io.ErrUnexpectedEOF) {
			t.Errorf("%v: the cause is lost", k)
		}
		if got := KindOf(err); got != k {
			t.Errorf("KindOf: got %v, want %v", got, k)
		}
	}
	if errors.Is(New(Transient, "x"), io.EOF) {
		t.Error("a classified error is not any error")
	}
}

func TestText(t *testing.T) {
	t.Parallel()
	err := New(Configuration, "failed to push %s: %w", "refs/x", io.EOF).WithHint("give %s permission", "write").WithRetryAfter(time.Minute)
	if got, want := err.Error(), "failed to push refs/x: EOF"; got != want {
		t.Errorf("got %q, want %q: the hint is not part of it", got, want)
	}
	if got, want := HintOf(err), "give write permission"; got != want {
		t.Errorf("got hint %q, want %q", got, want)
	}
	if got := RetryAfter(err); got != time.Minute {
		t.Errorf("got %v, want a minute", got)
	}
}

func TestWrap(t *testing.T) {
	t.Parallel()
	if err := Wrap(Ours, nil); err != nil {
		t.Errorf("got %v, want nil without a type", err)
	}
	err := Wrap(Ours, io.EOF)
	if !errors.Is(err, Ours) || !errors.Is(err, io.EOF) || err.Error() != "EOF" {
		t.Errorf("got %v of kind %v", err, KindOf(err))
	}
}

// TestOutermostWins: whoever knows more may classify again, and what it does
// not say is still found below.
func TestOutermostWins(t *testing.T) {
	t.Parallel()
	inner := New(Transient, "503").WithHint("wait").WithRetryAfter(time.Second)
	outer := fmt.Errorf("sync: %w", New(Permanent, "failed to relay: %w", inner))
	if got := KindOf(outer); got != Permanent {
		t.Errorf("KindOf: got %v, want permanent", got)
	}
	if got := HintOf(outer); got != "wait" {
		t.Errorf("HintOf: got %q, want the inner hint", got)
	}
	if got := RetryAfter(outer); got != time.Second {
		t.Errorf("RetryAfter: got %v, want the inner one", got)
	}
	over := New(Permanent, "failed: %w", inner).WithHint("stop").WithRetryAfter(time.Hour)
	if HintOf(over) != "stop" || RetryAfter(over) != time.Hour {
		t.Errorf("got %q and %v, want the outer ones", HintOf(over), RetryAfter(over))
	}
}

func TestJoined(t *testing.T) {
	t.Parallel()
	err := errors.Join(io.EOF, New(Guest, "guest died").WithHint("look at the console"), New(Ours, "x"))
	if KindOf(err) != Guest || HintOf(err) != "look at the console" {
		t.Errorf("got %v and %q, want the first classified error's", KindOf(err), HintOf(err))
	}
	if !errors.Is(err, Ours) {
		t.Error("the second one is not found")
	}
}

func TestUnclassified(t *testing.T) {
	t.Parallel()
	for _, err := range []error{nil, io.EOF, fmt.Errorf("x: %w", io.EOF)} {
		if KindOf(err) != Unknown || HintOf(err) != "" || RetryAfter(err) != 0 {
			t.Errorf("%v: got %v, %q, %v; want nothing", err, KindOf(err), HintOf(err), RetryAfter(err))
		}
	}
}

func FuzzHintOf(f *testing.F) {
	f.Add("text", "hint", 3)
	f.Add("%d", "%s", 0)
	f.Fuzz(func(t *testing.T, text, hint string, depth int) {
		var err error = New(Transient, "%s", text).WithHint("%s", hint)
		for range min(max(depth, 0), 20) {
			err = Wrap(Permanent, fmt.Errorf("around: %w", err))
		}
		if got := HintOf(err); got != hint {
			t.Errorf("got %q, want %q", got, hint)
		}
		if !errors.Is(err, Transient) {
			t.Error("the innermost kind is lost")
		}
	})
}
