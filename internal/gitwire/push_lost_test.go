// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
)

// failingPack gives some bytes and then an error, and knows if it was closed.
type failingPack struct {
	io.Reader
	closed bool
}

func (f *failingPack) Close() error {
	f.closed = true
	return nil
}

func TestPushOfAPackThatFails(t *testing.T) {
	t.Parallel()
	broken := fault.New(fault.Transient, "the source broke")
	for name, size := range map[string]int{"small": 100, "big": 3 << 20} {
		for _, spool := range []bool{false, true} {
			b := newBed(t)
			m := b.repo("mirror.git")
			pack := &failingPack{Reader: io.MultiReader(bytes.NewReader(noise(size)), errReader{broken})}
			_, err := b.remote("mirror.git", Options{}).Push(t.Context(), PushRequest{Commands: []Command{{"refs/heads/x", "", strings.Repeat("a", 40)}}, Pack: pack, Spool: spool})
			wantError(t, err, "pack to push", broken)
			if !pack.closed || m.objects() != 0 {
				t.Errorf("%s, spool %v: pack closed: %v; %d objects on the mirror; want it closed and none", name, spool, pack.closed, m.objects())
			}
			if spool && b.seen() != nil {
				t.Errorf("%s: a request was made, want none before the pack is complete", name)
			}
		}
	}
}

type errReader struct{ err error }

func (e errReader) Read([]byte) (int, error) { return 0, e.err }

func TestPushWhoseReplyIsLost(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	m := b.repo("mirror.git")
	id := m.history("refs/heads/master", 1, 1)[0]
	r := b.remote("mirror.git", Options{})
	for ref, do := range map[string]func() error{
		"refs/heads/lost": func() error { b.breakOnce("receive-pack", faults.LoseReply()); return nil },
		"refs/heads/cut":  func() error { b.breakOnce("receive-pack", faults.Cut(30)); return nil },
		"refs/heads/end":  func() error { b.breakOnce("receive-pack", faults.Truncate(30)); return ErrTruncated },
		"refs/heads/none": func() error { b.breakOnce("receive-pack", faults.Truncate(0)); return ErrTruncated },
	} {
		want := do()
		_, err := r.Push(t.Context(), PushRequest{Commands: []Command{{ref, "", id}}, Pack: emptyPack()})
		if wantError(t, err, "failed to push", fault.Transient); want != nil {
			wantError(t, err, "", want)
		}
		if m.rev(ref) != id {
			t.Errorf("%s is not on the mirror: the fault came too early", ref)
		}
	}
}

func TestPushWithoutPermission(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.repo("mirror.git", "http.receivepack=false")
	_, err := b.remote("mirror.git", Options{}).Push(t.Context(), PushRequest{Commands: []Command{{"refs/heads/x", strings.Repeat("a", 40), ""}}})
	wantError(t, err, "status 403", fault.Configuration)
	hint := fault.HintOf(err)
	for _, cause := range []string{"collaborator", "write permission", "scope"} {
		if !strings.Contains(hint, cause) {
			t.Errorf("got hint %q, want it to name the cause %q", hint, cause)
		}
	}
	if status, ok := errors.AsType[*StatusError](err); !ok || status.Status != 403 {
		t.Errorf("got %v, want a StatusError", err)
	}
}
