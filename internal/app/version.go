// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"fmt"
	"runtime/debug"
)

// linkedVersion is set by the linker in release builds.
var linkedVersion string

// buildVersion is the release's version, or what the Go toolchain recorded.
func buildVersion() string {
	if linkedVersion != "" {
		return linkedVersion
	}
	if info, ok := debug.ReadBuildInfo(); ok && info.Main.Version != "" {
		return info.Main.Version
	}
	return "(unknown)"
}

func (a *App) version(context.Context, []string) int {
	fmt.Fprintln(a.Stdout, "dispatcher", a.Version)
	return ExitDone
}

// userAgent is sent with each request.
func (a *App) userAgent() string { return "spdk-dispatcher/" + a.Version }
