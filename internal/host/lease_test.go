// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"context"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// unavailable fails the test unless the host cannot be had for that reason.
func unavailable(t *testing.T, what string, err error, state State, text string) {
	t.Helper()
	u, ok := errors.AsType[*Unavailable](err)
	if !ok || u.State != state || !strings.Contains(u.Reason, text) {
		t.Errorf("%s: got %v, want %s and %q", what, err, state, text)
	}
}

func TestLease(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.lease("job 1")
	if b.state() != Busy {
		t.Errorf("got %s, want busy", b.state())
	}
	_, _, err := b.Lease(t.Context(), Request{Owner: "job 2", For: time.Hour})
	unavailable(t, "held", err, Busy, "job 1 has it since 2026-01-05 08:00 UTC, until 2026-01-05 09:00 UTC at the latest")
	done, err := b.Release(t.Context(), l.ID, Outcome{Worked: true})
	if err != nil || !done.Held || done.Quarantined != nil {
		t.Errorf("release: got %+v, %v", done, err)
	}
	if b.state() != Free {
		t.Errorf("got %s, want free", b.state())
	}
	b.lease("job 2")
	// The release of the first lease again is not that of the second.
	if done, err := b.Release(t.Context(), l.ID, Outcome{Worked: true}); err != nil || done.Held || b.state() != Busy {
		t.Errorf("second release: got %+v, %v, %s", done, err, b.state())
	}
	if _, err := b.Release(t.Context(), "../x", Outcome{}); !errors.Is(err, fault.Configuration) {
		t.Errorf("no lease: got %v", err)
	}
}

// TestWait: who waits gets the host when it is free, or is told who has it.
func TestWait(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.lease("job 1")
	var waited []string
	r := Request{Owner: "job 2", For: time.Hour, Wait: 10 * time.Minute, Waiting: func(u *Unavailable) { waited = append(waited, u.Error()) }}
	_, _, err := b.Lease(t.Context(), r)
	unavailable(t, "deadline", err, Busy, "job 1")
	if now := b.clock.Now(); !now.Equal(time.Date(2026, 1, 5, 8, 10, 0, 0, time.UTC)) || len(waited) != 1 {
		t.Errorf("it waited until %v and said %q", now, waited)
	}
	r.Wait = 2 * time.Hour // the first lease expires meanwhile
	if l, _, err := b.Lease(t.Context(), r); err != nil || l.Taken.Before(time.Date(2026, 1, 5, 9, 0, 0, 0, time.UTC)) {
		t.Errorf("got %+v, %v", l, err)
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if _, _, err := b.Lease(ctx, r); !errors.Is(err, context.Canceled) || fault.KindOf(err) != fault.Unknown {
		t.Errorf("cancelled: got %v", err)
	}
}

// TestTakenOver: a lease ends with its time, the boot or its process.
func TestTakenOver(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		do    func(b *bed)
		state State
		why   string
	}{
		{"held", func(*bed) {}, Busy, ""},
		{"expired", func(b *bed) { b.clock.Sleep(t.Context(), time.Hour) }, Free, "it expired at 2026-01-05 09:00 UTC"},
		{"restarted", func(b *bed) { b.kernel("/proc/sys/kernel/random/boot_id", "boot-2") }, Free, "the host was restarted"},
		{"process gone", func(b *bed) { os.RemoveAll(b.root + "/proc/77") }, Free, "its process 77 is gone"},
		{"another process has its number", func(b *bed) { b.process(77, 5001) }, Free, "its process 77 is gone"},
		{"process is a zombie", func(b *bed) {
			b.kernel("/proc/77/stat", strings.Replace(b.text("/proc/77/stat"), ") S", ") Z", 1))
		}, Free, "its process 77 is gone"},
		{"seen from a container", func(b *bed) {
			os.Remove(b.root + "/proc/self/ns/pid")
			os.Symlink("pid:[2]", b.root+"/proc/self/ns/pid")
			os.RemoveAll(b.root + "/proc/77")
		}, Busy, ""},
	} {
		b := newBed(t)
		b.process(77, 5000)
		if _, _, err := b.Lease(t.Context(), Request{Owner: "job 1", For: time.Hour, PID: 77}); err != nil {
			t.Fatal(err)
		}
		c.do(b)
		s, err := b.Status()
		if err != nil || s.State != c.state || !strings.Contains(s.Reason, c.why) {
			t.Errorf("%s: got %+v, %v; want %s and %q", c.name, s, err, c.state, c.why)
		}
		_, _, err = b.Lease(t.Context(), Request{Owner: "job 2", For: time.Hour})
		if (err == nil) != (c.state == Free) {
			t.Errorf("%s: got %v", c.name, err)
		}
	}
	b := newBed(t)
	if _, _, err := b.Lease(t.Context(), Request{For: time.Hour, PID: 77}); !errors.Is(err, fault.Configuration) {
		t.Errorf("no such process: got %v", err)
	}
}

// TestOneHolder: many at once, and one has it.
func TestOneHolder(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	var group sync.WaitGroup
	var mu sync.Mutex
	held := 0
	for range 8 {
		group.Go(func() {
			_, _, err := b.Lease(t.Context(), Request{Owner: "job", For: 1000 * time.Hour})
			mu.Lock()
			defer mu.Unlock()
			if err == nil {
				held++
			} else if _, ok := errors.AsType[*Unavailable](err); !ok {
				t.Error(err)
			}
		})
	}
	group.Wait()
	if held != 1 {
		t.Errorf("%d have it, want 1", held)
	}
}

// TestQuarantine: failures in a row lead to it, and time or a person out of it.
func TestQuarantine(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	job := func(o Outcome) Released {
		t.Helper()
		l := b.lease("job")
		o.After, o.For = 2, time.Hour
		done, err := b.Release(t.Context(), l.ID, o)
		if err != nil {
			t.Fatal(err)
		}
		return done
	}
	failed := Outcome{Failed: "no \x1b[31mdrive\n::error::x"}
	job(failed)
	job(Outcome{Worked: true}) // ends the row
	job(failed)
	job(Outcome{}) // says nothing
	if done := job(failed); done.Quarantined == nil || done.Quarantined.Until != b.clock.Now().Add(time.Hour) {
		t.Errorf("got %+v, want quarantine for an hour", done)
	}
	_, _, err := b.Lease(t.Context(), Request{Owner: "job", For: time.Hour, Wait: time.Hour})
	unavailable(t, "quarantine", err, Quarantined, "its rig failed 2 times in a row, the last time at 2026-01-05 08:00 UTC for job: no ")
	if strings.ContainsAny(err.Error(), "\x1b\n") {
		t.Errorf("got control characters: %q", err)
	}
	b.clock.Sleep(t.Context(), time.Hour)
	if b.state() != Free {
		t.Errorf("after its time: got %s", b.state())
	}
	if done := job(failed); done.Quarantined == nil { // the row goes on
		t.Error("one more failure: got no quarantine")
	}
	if _, lifted, err := b.Clean(t.Context(), "", true); !lifted || err != nil {
		t.Errorf("lift: got %t, %v", lifted, err)
	}
	if _, lifted, err := b.Clean(t.Context(), "", true); lifted || err != nil {
		t.Errorf("lift again: got %t, %v", lifted, err)
	}
	l := b.lease("job")
	for range 3 { // the same release, made again after a kill
		if done, err := b.Release(t.Context(), l.ID, Outcome{Failed: "x", After: 2}); err != nil || done.Quarantined != nil {
			t.Errorf("got %+v, %v; want that it counts once", done, err)
		}
	}
	if s, _ := b.Status(); s.Failures != 1 {
		t.Errorf("got %d failures, want 1", s.Failures)
	}
}

// TestDamagedState: what is not understood is not taken for nothing.
func TestDamagedState(t *testing.T) {
	t.Parallel()
	for _, name := range []string{leaseFile, healthFile} {
		for _, text := range []string{"", "{", "{}{}", `{"id":"x"}`, `{"more":1}`, strings.Repeat(" ", maxFile+1)} {
			b := newBed(t)
			if err := os.WriteFile(b.path(name), []byte(text), 0o644); err != nil {
				t.Fatal(err)
			}
			_, _, err := b.Lease(t.Context(), Request{Owner: "job", For: time.Hour})
			if !errors.Is(err, fault.Ours) || !strings.Contains(err.Error(), b.path(name)) {
				t.Errorf("%s %.20q: got %v", name, text, err)
			}
			if _, err := b.Status(); !errors.Is(err, fault.Ours) {
				t.Errorf("%s %.20q: status: got %v", name, text, err)
			}
		}
	}
	file := filepath.Join(t.TempDir(), "file")
	os.WriteFile(file, nil, 0o644)
	if _, err := Open(Options{Dir: file + "/state"}); !errors.Is(err, fault.Configuration) || fault.HintOf(err) == "" {
		t.Errorf("got %v, want a hint", err)
	}
}
