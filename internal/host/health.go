// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"bytes"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/durable"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Outcome is what a job says of the rig when it gives the host back. What became
// of its tests is not part of it.
type Outcome struct {
	// Failed says why the rig failed. Worked says that it did its work, which ends
	// a row of failures. With neither nothing is known.
	Failed string
	Worked bool
	// After is how many failures in a row lead to quarantine; 0 is never.
	After int
	// For is how long quarantine lasts; 0 is until somebody lifts it.
	For time.Duration
}

// health is what is remembered of failures.
type health struct {
	// Failures are those in a row.
	Failures int       `json:"failures"`
	Reason   string    `json:"reason,omitempty"` // of the last one
	Owner    string    `json:"owner,omitempty"`
	At       time.Time `json:"at,omitzero"`
	// Lease is the last that was counted: a release that was killed and made
	// again counts once.
	Lease string `json:"lease,omitempty"`
	// Quarantine is on until Until, or until it is lifted if that is zero.
	Quarantine bool      `json:"quarantine"`
	Until      time.Time `json:"until,omitzero"`
}

const (
	healthFile = "health.json"
	maxReason  = 300
)

func (f health) quarantined(now time.Time) bool {
	return f.Quarantine && (f.Until.IsZero() || now.Before(f.Until))
}

// why says in one line what led to quarantine.
func (f health) why() string {
	times := "once"
	if f.Failures > 1 {
		times = fmt.Sprintf("%d times in a row", f.Failures)
	}
	return fmt.Sprintf("its rig failed %s, the last time at %s for %s: %s", times, f.At.Format(timeLayout), f.Owner, f.Reason)
}

func (h *Host) health() (health, error) {
	data, err := h.read(healthFile)
	if data == nil || err != nil {
		return health{}, err
	}
	f, err := parseHealth(data)
	if err != nil {
		return health{}, fault.New(fault.Ours, "failed to read %s: %w", h.path(healthFile), err).
			WithHint("somebody changed it: delete it if the host is in order")
	}
	return f, nil
}

func parseHealth(data []byte) (health, error) {
	var f health
	if err := decode(data, &f); err != nil {
		return health{}, err
	}
	if f.Failures < 0 || f.Lease != "" && !leaseID.MatchString(f.Lease) {
		return health{}, errors.New("it is odd")
	}
	f.Reason, f.Owner = change.Clip(change.OneLine(f.Reason), maxReason), change.Clip(change.OneLine(f.Owner), maxOwner)
	return f, nil
}

// decode reads one JSON value without anything that is not known.
func decode(data []byte, v any) error {
	d := json.NewDecoder(bytes.NewReader(data))
	d.DisallowUnknownFields()
	if err := d.Decode(v); err != nil {
		return err
	}
	if d.Decode(&struct{}{}) != io.EOF {
		return errors.New("there is something behind it")
	}
	return nil
}

func (h *Host) writeHealth(f health) error {
	data, err := json.Marshal(f)
	if err == nil {
		err = durable.WriteFile(h.path(healthFile), append(data, '\n'))
	}
	if err != nil {
		return broken("note the host's health", err)
	}
	return nil
}

// account notes how the rig did. A success of a lease that had ended says
// nothing of the host as it is now.
func (h *Host) account(id string, l *Lease, held bool, o Outcome) (health, error) {
	f, err := h.health()
	if err != nil || f.Lease == id {
		return f, err
	}
	switch {
	case o.Failed != "":
		f.Failures++
		f.Reason, f.At = change.Clip(change.OneLine(o.Failed), maxReason), h.o.Now().UTC().Truncate(time.Second)
		f.Owner = "an earlier lease"
		if held {
			f.Owner = l.Owner
		}
		if o.After > 0 && f.Failures >= o.After {
			f.Quarantine, f.Until = true, time.Time{}
			if o.For > 0 {
				f.Until = f.At.Add(o.For)
			}
		}
	case o.Worked && held:
		f = health{}
	default:
		return f, nil
	}
	f.Lease = id
	return f, h.writeHealth(f)
}

// lift ends quarantine and forgets the failures that led to it.
func (h *Host) lift() (was bool, err error) {
	f, err := h.health()
	if err != nil {
		return false, err
	}
	was = f.quarantined(h.o.Now())
	return was, h.writeHealth(health{Lease: f.Lease})
}
