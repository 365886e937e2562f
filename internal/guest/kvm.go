// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package guest

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"sync"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/guest/qemu"
)

// Findings are what this process has found out about KVM, so that no guest but
// the first loses time with one that does not work. The zero value knows nothing.
type Findings struct {
	mu    sync.Mutex
	known bool
	err   error // why KVM is not taken
}

// probe returns why KVM is not taken. Guests that start meanwhile wait for one
// answer.
func (f *Findings) probe(ctx context.Context, p qemu.Prober) error {
	f.mu.Lock()
	defer f.mu.Unlock()
	if f.known {
		return f.err
	}
	err := p.KVM(ctx)
	if ctx.Err() == nil {
		f.known, f.err = true, err
	}
	return err
}

func (f *Findings) distrust(why error) {
	f.mu.Lock()
	defer f.mu.Unlock()
	f.known, f.err = true, why
}

// chooseAccel takes KVM if it truly works, unless it was given what to take.
func (g *Guest) chooseAccel(ctx context.Context) error {
	g.command.Accel = g.o.Accel
	if g.o.Accel == qemu.TCG {
		g.o.Log("using TCG, as asked")
		return nil
	}
	probe := qemu.Prober{Program: g.command.Program, Device: g.o.KVMDevice, TempDir: g.folder.path, Patience: g.o.ProbeTimeout}
	var err error
	if g.o.Accel == qemu.KVM {
		err = probe.KVM(ctx)
	} else {
		err = g.o.Findings.probe(ctx, probe)
	}
	switch {
	case ctx.Err() != nil:
		return ctx.Err()
	case err == nil:
		g.command.Accel = qemu.KVM
		g.o.Log("using KVM")
		return nil
	case g.o.Accel == qemu.KVM:
		return err
	}
	g.command.Accel = qemu.TCG
	g.o.Log(fmt.Sprintf("using TCG, which is slow: %v", err))
	return nil
}

// What a probe cannot see, since it is short: a guest that stalls.
const (
	// stallTimeout is how long a guest may give no sign of life while it boots.
	// Under a KVM that works, most are up by then.
	stallTimeout = time.Minute
	stallPoll    = time.Second
	// stallRead is how much a guest reads from its disk that is alive, although
	// it prints nothing: an image may have no serial console. A boot loader that
	// hardly gets on reads less.
	stallRead = 1 << 20
)

// errStalled is part of the fate of a guest that KVM does not run.
var errStalled = errors.New("the guest stalls under KVM")

// watchBoot ends a guest that stalls, until ctx ends. Nothing is taken for a
// stall where KVM was asked for: a slow guest has its whole time there.
func (g *Guest) watchBoot(ctx context.Context) {
	limit := g.o.StallTimeout
	if limit == 0 {
		limit = stallTimeout
	}
	var printed, read int64
	since := g.o.Now()
	for g.o.Sleep(ctx, stallPoll) == nil {
		p, r := g.console.size(), read
		if disk, err := g.disk(ctx); err == nil {
			r = disk.Read
		}
		switch now := g.o.Now(); {
		case p != printed || r-read >= stallRead || g.usable():
			printed, read, since = p, r, now
		case now.Sub(since) >= limit:
			g.fate.seal(fault.New(fault.Guest, "%w: it printed nothing and hardly read its disk for %s", errStalled, limit))
			return
		}
	}
}

// diskStats is what QEMU counts (BlockDeviceStats in qapi/block-core.json).
type diskStats struct {
	Read   int64 `json:"rd_bytes"`
	Writes int64 `json:"wr_operations"`
}

// disk returns what the guest did with the disk that it boots from.
func (g *Guest) disk(ctx context.Context) (diskStats, error) {
	ctx, cancel := context.WithTimeout(ctx, stallPoll)
	defer cancel()
	var all []struct {
		Device string    `json:"device"`
		Stats  diskStats `json:"stats"`
	}
	if err := g.monitor.Execute(ctx, "query-blockstats", nil, &all); err != nil {
		return diskStats{}, err
	}
	for _, b := range all {
		if b.Device == "disk" {
			return b.Stats, nil
		}
	}
	return diskStats{}, fault.New(fault.Ours, "QEMU does not know its disk")
}

// usable reports whether the guest has booted as far as to ask for an account, on
// its console or over SSH.
func (g *Guest) usable() bool { return g.answered.Load() || g.console.atLogin() }

// withoutKVM reports whether a guest that did not come up is worth a start
// without KVM: nobody asked for KVM, it may be to blame, and the disk is as it
// was. A guest that said what is wrong with it, or got as far as to let somebody
// log in, would do the same again.
func (g *Guest) withoutKVM(ctx context.Context, err error) bool {
	if g.o.Accel != "" || g.command.Accel != qemu.KVM || g.process == nil || ctx.Err() != nil {
		return false
	}
	if why, _ := g.console.ending(); why != "" || g.usable() || errors.Is(err, ErrPanic) {
		return false
	}
	// QEMU ends with its own words about KVM (accel/kvm and target/i386/kvm).
	if !errors.Is(err, errStalled) && !errors.Is(err, ErrNotUp) && !errors.Is(err, errReset) && !strings.Contains(strings.ToLower(err.Error()), "kvm") {
		return false
	}
	if !g.o.Writable || g.monitor == nil {
		return !g.o.Writable
	}
	stats, err := g.disk(ctx)
	return err == nil && stats.Writes == 0
}
