// SPDX-License-Identifier: BSD-3-Clause

package guest

import (
	"errors"
	"sync"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/guest/qmp"
)

// fate is what became of a guest. The first thing that is known counts.
type fate struct {
	once   sync.Once
	sealed chan struct{}
	err    error // valid after sealed
	// panicked is closed when QEMU tells of a panic; the console says which.
	panicked  chan struct{}
	panicOnce sync.Once
}

func newFate() *fate { return &fate{sealed: make(chan struct{}), panicked: make(chan struct{})} }

func (f *fate) seal(err error) {
	f.once.Do(func() {
		f.err = err
		close(f.sealed)
	})
}

// event takes what QEMU tells (qapi/run-state.json and qapi/block-core.json in
// QEMU).
func (f *fate) event(e qmp.Event) {
	var data struct {
		Reason  string `json:"reason"`
		NoSpace bool   `json:"nospace"`
		Action  string `json:"action"`
	}
	if e.Decode(&data) != nil {
		return // the name alone must do
	}
	switch e.Name {
	case "GUEST_PANICKED":
		f.panicOnce.Do(func() { close(f.panicked) })
	case "SHUTDOWN":
		f.seal(shutdown(data.Reason))
	case "BLOCK_IO_ERROR":
		switch {
		case data.NoSpace:
			f.seal(fault.New(fault.Ours, "%w: QEMU could not write to the guest's disk", ErrHostDiskFull).
				WithHint("free some space, or set TMPDIR to a folder on a larger disk"))
		case data.Action == "stop":
			f.seal(fault.New(fault.Ours, "QEMU could not read or write the guest's disk"))
		}
	}
}

// errReset is part of the fate of a guest that is not to restart.
var errReset = errors.New("it restarted, or its processor gave up (triple fault)")

// shutdown says what a reason of ShutdownCause means.
func shutdown(reason string) error {
	switch reason {
	case "guest-panic":
		return fault.New(fault.Guest, "%w", ErrPanic)
	case "guest-reset":
		return fault.New(fault.Guest, "%w: %w", ErrEnded, errReset)
	case "guest-shutdown":
		return fault.New(fault.Guest, "%w: it switched itself off", ErrEnded)
	}
	return fault.New(fault.Ours, "QEMU was told to end (%s)", reason)
}
