// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"fmt"
	"runtime/debug"
)

// linkedVersion is set by the linker in release builds.
var linkedVersion string

// builtHere is the version of a container that GitHub's runner built from the
// Dockerfile, as it does where a workflow uses a commit that is no release.
const builtHere = "built-here"

// sayBuilt tells the reader of a job's log why the step before took so long.
func (a *App) sayBuilt() {
	if a.Version == builtHere && a.Getenv("GITHUB_ACTIONS") == "true" {
		fmt.Fprintln(a.Stderr, "This commit of the dispatcher is no release: it was built for this job. Use a release, such as @v1, to start at once.")
	}
}

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
