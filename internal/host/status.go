// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"fmt"
	"time"
)

// Status is what there is to know of a host.
type Status struct {
	// State is Free, Busy or Quarantined.
	State State `json:"state"`
	// Reason says why it is not free; for a free host what was noticed.
	Reason string `json:"reason,omitempty"`
	// Until is when it may be had again; zero if that is now, or not known.
	Until time.Time `json:"until,omitzero"`
	// Lease is the one that is held, or the last one if that was not released.
	Lease *Lease `json:"lease,omitempty"`
	// Failures is how often the rig failed in a row.
	Failures int `json:"failures"`
	// Left are resources of ended leases that the next lease, or a clean, cleans
	// up.
	Left []Resource `json:"left,omitempty"`
}

// Status looks, and changes nothing. It needs no lock: each file is whole.
func (h *Host) Status() (Status, error) {
	health, err := h.health()
	if err != nil {
		return Status{}, err
	}
	s := Status{State: Free, Failures: health.Failures}
	if s.Lease, err = h.current(); err != nil {
		return Status{}, err
	}
	held := false
	if s.Lease != nil {
		why := h.ended(s.Lease)
		if held = why == ""; held {
			busy := s.Lease.busy()
			s.State, s.Reason, s.Until = Busy, busy.Reason, busy.Until
		} else {
			s.Reason = fmt.Sprintf("the lease of %s was not released: %s", s.Lease.Owner, why)
		}
	}
	if health.quarantined(h.o.Now()) {
		s.State, s.Reason, s.Until = Quarantined, health.why(), health.Until
	}
	ids, err := h.recorded()
	if err != nil {
		return Status{}, err
	}
	for _, id := range ids {
		if held && id == s.Lease.ID {
			continue
		}
		data, err := h.read("resources/" + id + ".jsonl")
		if err != nil {
			return Status{}, err
		}
		list, _ := parseResources(data)
		s.Left = append(s.Left, list...)
	}
	return s, nil
}
