// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"fmt"
	"strings"
	"time"
)

// ledger is what a pass leaves behind: patchsets and bookkeeping on the mirror,
// runs on GitHub. It reads ref names by itself, so that it does not share a
// mistake with the program.
type ledger struct {
	patchsets, claims, records, runs map[string]bool // by ref or by key
}

// readLedger waits until the servers have finished what a killed client had
// asked of them.
func (s *scene) readLedger() ledger {
	s.t.Helper()
	l := s.ledgerNow()
	for {
		select {
		case <-s.t.Context().Done():
			s.t.Fatal(s.t.Context().Err())
		case <-time.After(60 * time.Millisecond):
		}
		again := s.ledgerNow()
		if again.String() == l.String() {
			return again
		}
		l = again
	}
}

func (s *scene) ledgerNow() ledger {
	s.t.Helper()
	l := ledger{patchsets: map[string]bool{}, claims: map[string]bool{}, records: map[string]bool{}, runs: map[string]bool{}}
	for name := range s.mirrorRefs() {
		if strings.HasPrefix(name, "refs/changes/") {
			l.patchsets[name] = true
		}
		if key, ok := strings.CutPrefix(name, "refs/dispatcher/claims/"); ok {
			l.claims[key] = true
		}
		if key, ok := strings.CutPrefix(name, "refs/dispatcher/runs/"); ok {
			l.records[key[:strings.LastIndexByte(key, '/')]] = true
		}
	}
	for _, r := range s.hub.Runs() {
		l.runs[r.Inputs["key"]] = true
	}
	return l
}

// String gives the numbers.
func (l ledger) String() string {
	return fmt.Sprintf("%d patchsets on the mirror, %d claims, %d runs, %d of them recorded",
		len(l.patchsets), len(l.claims), len(l.runs), len(l.records))
}

// reading is the phase before anything was changed: a push that was cut off
// leaves nothing.
const reading = "1. while it was reading or pushing, or had nothing to do"

// phase says in which part of a pass the program was when it was killed, as far
// as what it left tells.
func (l ledger) phase(now ledger) string {
	unused, unrecorded := 0, 0
	for key := range now.claims {
		if !now.runs[key] {
			unused++
		}
	}
	for key := range now.runs {
		if !now.records[key] {
			unrecorded++
		}
	}
	claimed, started, recorded := len(now.claims) > len(l.claims), len(now.runs) > len(l.runs), len(now.records) > len(l.records)
	switch {
	case !claimed && !started && !recorded && len(now.patchsets) == len(l.patchsets):
		return reading
	case claimed && !started:
		return "2. after the push, before the first call"
	case started && unused > 0:
		return "3. among the calls"
	case started && unrecorded > 0:
		return "4. after the last call, before it was recorded"
	case recorded && unrecorded == 0:
		return "5. after everything was recorded"
	}
	return "6. while it was putting an earlier pass in order"
}
