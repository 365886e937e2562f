// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"context"
	"crypto/rand"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"regexp"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/durable"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Lease says who has the host.
type Lease struct {
	ID      string    `json:"id"`
	Owner   string    `json:"owner"` // for people
	Taken   time.Time `json:"taken"`
	Expires time.Time `json:"expires"`
	Boot    string    `json:"boot,omitempty"`
	// Process is the one whose end ends the lease; nil if there is none.
	Process *Process `json:"process,omitempty"`
}

// State is what a host is for somebody who wants it.
type State string

// The states. All but Free and Leased mean that the host cannot be had now, which
// is nobody's failure.
const (
	Free        State = "free"
	Leased      State = "leased"      // to the one who asked
	Busy        State = "busy"        // leased to somebody else
	Quarantined State = "quarantined" // its rig failed too often
	Unhealthy   State = "unhealthy"   // a check failed, or something cannot be cleaned up
)

// Unavailable is the error of a lease that cannot be had now.
type Unavailable struct {
	State  State
	Reason string
	// Until is when it may be had; zero if nobody knows.
	Until time.Time
}

func (u *Unavailable) Error() string { return "the host is " + string(u.State) + ": " + u.Reason }

// Request asks for the host.
type Request struct {
	// Owner is shown to others who want the host.
	Owner string
	// For is how long the lease lasts at most.
	For time.Duration
	// PID is a process whose end ends the lease; 0 is none.
	PID int
	// Wait is how long to wait for the host if it is busy.
	Wait time.Duration
	// Waiting, if not nil, is called for each holder that is waited for.
	Waiting func(u *Unavailable)
}

var leaseID = regexp.MustCompile(`^[a-z2-7]{26}$`)

// Lease gives the host to the one who asks, after it cleaned up what ended leases
// left. If the host cannot be had, the error is an *Unavailable.
func (h *Host) Lease(ctx context.Context, r Request) (*Lease, []Cleaned, error) {
	l := &Lease{ID: strings.ToLower(rand.Text()), Owner: change.Clip(change.OneLine(r.Owner), maxOwner)}
	if r.PID != 0 {
		p, err := h.Process(r.PID)
		if err != nil {
			return nil, nil, err
		}
		l.Process = &p
	}
	deadline := h.o.Now().Add(r.Wait)
	waitedFor := ""
	for {
		holder, cleaned, err := h.take(ctx, l, r.For)
		if err == nil {
			return l, cleaned, nil
		}
		busy, ok := errors.AsType[*Unavailable](err)
		if !ok || busy.State != Busy || !h.o.Now().Before(deadline) {
			return nil, cleaned, err
		}
		if r.Waiting != nil && waitedFor != holder {
			r.Waiting(busy)
		}
		waitedFor = holder
		if err := h.o.Sleep(ctx, min(poll, deadline.Sub(h.o.Now()))); err != nil {
			return nil, nil, fault.New(fault.Unknown, "failed to wait for the host: %w", err)
		}
	}
}

const maxOwner = 200

// take takes the lease if it can be had; otherwise it says who has it.
func (h *Host) take(ctx context.Context, l *Lease, last time.Duration) (holder string, cleaned []Cleaned, err error) {
	unlock, err := h.lock(ctx)
	if err != nil {
		return "", nil, err
	}
	defer unlock()
	health, err := h.health()
	if err != nil {
		return "", nil, err
	}
	now := h.o.Now()
	if health.quarantined(now) {
		return "", nil, &Unavailable{State: Quarantined, Reason: health.why(), Until: health.Until}
	}
	old, err := h.current()
	if err != nil {
		return "", nil, err
	}
	if old != nil && h.ended(old) == "" {
		return old.ID, nil, old.busy()
	}
	if cleaned, err = h.clean(ctx, ""); err != nil {
		return "", cleaned, err
	}
	if left := problems(cleaned); left != "" {
		return "", cleaned, &Unavailable{State: Unhealthy, Reason: "something of an earlier job cannot be cleaned up: " + left}
	}
	l.Taken, l.Expires, l.Boot = now.UTC().Truncate(time.Second), now.Add(last).UTC().Truncate(time.Second), h.boot()
	data, err := json.Marshal(l)
	if err == nil {
		err = durable.WriteFile(h.path(leaseFile), append(data, '\n'))
	}
	if err != nil {
		return "", cleaned, broken("write the lease", err)
	}
	return "", cleaned, nil
}

const leaseFile = "lease.json"

func (l *Lease) busy() *Unavailable {
	return &Unavailable{
		State: Busy, Until: l.Expires,
		Reason: fmt.Sprintf("%s has it since %s, until %s at the latest", l.Owner, l.Taken.Format(timeLayout), l.Expires.Format(timeLayout)),
	}
}

const timeLayout = "2006-01-02 15:04 MST"

// current returns the lease that was taken last and not released, ended or not;
// nil if there is none.
func (h *Host) current() (*Lease, error) {
	data, err := h.read(leaseFile)
	if data == nil || err != nil {
		return nil, err
	}
	l, err := parseLease(data)
	if err != nil {
		return nil, fault.New(fault.Ours, "failed to read %s: %w", h.path(leaseFile), err).
			WithHint("somebody changed it: make sure that no job runs on this host, then delete it")
	}
	return l, nil
}

// parseLease reads a lease strictly: one that is not understood must not be taken
// for none.
func parseLease(data []byte) (*Lease, error) {
	l := new(Lease)
	if err := decode(data, l); err != nil {
		return nil, err
	}
	switch {
	case !leaseID.MatchString(l.ID):
		return nil, fmt.Errorf("it has no id")
	case l.Expires.IsZero() || l.Taken.IsZero():
		return nil, fmt.Errorf("it has no time")
	}
	l.Owner = change.Clip(change.OneLine(l.Owner), maxOwner)
	return l, nil
}

// ended says why a lease is over; empty if it is not.
func (h *Host) ended(l *Lease) string {
	switch {
	case l.Boot != h.boot():
		return "the host was restarted"
	case !h.o.Now().Before(l.Expires):
		return "it expired at " + l.Expires.Format(timeLayout)
	case l.Process != nil && h.life(*l.Process) == gone:
		return fmt.Sprintf("its process %d is gone", l.Process.PID)
	}
	return ""
}

// Released says what became of a release.
type Released struct {
	// Held is false if the lease had ended before, and somebody else may have
	// the host.
	Held    bool
	Cleaned []Cleaned
	// Quarantined is set if the host is in quarantine now.
	Quarantined *Unavailable
}

// Release cleans up what was recorded for a lease and gives the host back.
func (h *Host) Release(ctx context.Context, id string, o Outcome) (Released, error) {
	var done Released
	if !leaseID.MatchString(id) {
		return done, badLease(id)
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return done, err
	}
	defer unlock()
	l, err := h.current()
	if err != nil {
		return done, err
	}
	done.Held = l != nil && l.ID == id
	if done.Cleaned, err = h.cleanLease(ctx, id); err != nil {
		return done, err
	}
	health, err := h.account(id, l, done.Held, o)
	if err != nil {
		return done, err
	}
	if health.quarantined(h.o.Now()) {
		done.Quarantined = &Unavailable{State: Quarantined, Reason: health.why(), Until: health.Until}
	}
	if done.Held {
		if err := os.Remove(h.path(leaseFile)); err != nil {
			return done, broken("give the lease back", err)
		}
		if err := durable.Sync(h.o.Dir); err != nil {
			return done, broken("give the lease back", err)
		}
	}
	return done, nil
}

func badLease(id string) error {
	return fault.New(fault.Configuration, "%q is no lease", change.Clip(change.OneLine(id), 60)).
		WithHint("give what dispatcher host lease printed: its output lease")
}
