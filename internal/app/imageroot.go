// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"fmt"
	"os"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/disk"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// asRoot begins the command that does as root what only root can: this program. It
// is nil for root, and gets nothing of our environment.
func asRoot() ([]string, error) {
	if os.Geteuid() == 0 {
		return nil, nil
	}
	self, err := os.Executable()
	if err != nil {
		return nil, fault.New(fault.Ours, "failed to find this program: %w", err)
	}
	return []string{"sudo", "--non-interactive", "--", self, "image", "as-root"}, nil
}

// imageAsRoot is the part of "image build" that root must do.
func (a *App) imageAsRoot(ctx context.Context, args []string) int {
	err := disk.AsRoot(ctx, tool.Tools{Path: a.lookPath}, a.Stdin, args)
	if err == nil {
		return ExitDone
	}
	fmt.Fprintln(a.Stderr, printable(err.Error()))
	if hint := fault.HintOf(err); hint != "" {
		fmt.Fprintln(a.Stderr, printable(hint))
	}
	if errors.Is(err, fault.Configuration) {
		return disk.ExitConfiguration
	}
	return ExitFailed
}
