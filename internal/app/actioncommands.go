// SPDX-License-Identifier: BSD-3-Clause

//go:build action

package app

import (
	"context"
	"fmt"
)

// hostCommands are refused: a container reaches no devices, and without what is
// behind them the image of the action is a fifth smaller.
func hostCommands() []command {
	refuse := func(a *App, _ context.Context, _ []string) int {
		fmt.Fprint(a.Stderr, "dispatcher: this command needs the machine itself, which the container action cannot reach\n"+
			"    hint: install the plain binary with spdk-community-ci/dispatcher/actions/setup, and run it in a step\n")
		return ExitConfiguration
	}
	const synopsis = "not in the container action: use the plain binary"
	return []command{{"guest", synopsis, refuse}, {"image", synopsis, refuse}, {"host", synopsis, refuse}, {"environments", synopsis, refuse}}
}
