// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package guest

import (
	"context"
	"errors"
	"io"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/guest/remote"
)

// powerPatience is how long a guest may take to shut down after it was asked.
const powerPatience = time.Minute

// PowerDown asks the guest to shut down and waits until QEMU has written
// everything and ended: first with the power button, then with a command.
func (g *Guest) PowerDown(ctx context.Context) error {
	press := func(ctx context.Context) error { return g.monitor.Execute(ctx, "system_powerdown", nil, nil) }
	command := func(ctx context.Context) error {
		_, err := g.client.Run(ctx, remote.Command{Args: []string{"sudo", "-n", "poweroff"}, Stdout: io.Discard, Stderr: io.Discard})
		if errors.Is(err, remote.ErrLost) {
			return nil // as it should be
		}
		return err
	}
	for _, ask := range []func(context.Context) error{press, command} {
		patience, cancel := context.WithTimeout(ctx, powerPatience)
		err := ask(patience)
		if err == nil {
			err = g.waitForEnd(patience)
		}
		cancel()
		if err == nil {
			return nil
		}
		if ctx.Err() != nil {
			return ctx.Err()
		}
	}
	return g.explain(fault.New(fault.Guest, "the guest did not shut down when it was asked"))
}

// waitForEnd waits for the end of QEMU, which must have come from the guest.
func (g *Guest) waitForEnd(ctx context.Context) error {
	select {
	case <-g.process.Done():
		<-g.fate.sealed
		if errors.Is(g.fate.err, ErrEnded) {
			return nil
		}
		return g.fate.err
	case <-ctx.Done():
		return ctx.Err()
	}
}

// Close ends the guest at once, whatever it does, and removes its files. It may
// be called again.
func (g *Guest) Close() error {
	if g.client != nil {
		g.client.Close()
	}
	if g.process != nil {
		g.process.Kill()
	}
	if g.monitor != nil {
		g.monitor.Close()
	}
	var errs []error
	if g.consoleFile != nil {
		errs = append(errs, g.consoleFile.Close())
		g.consoleFile = nil
	}
	if g.folder != nil {
		if g.o.Keep {
			g.folder.keep()
		} else {
			errs = append(errs, g.folder.remove())
		}
		g.folder = nil
	}
	return fault.Wrap(fault.Ours, errors.Join(errs...))
}
