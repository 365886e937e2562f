// SPDX-License-Identifier: BSD-3-Clause

// Command dispatcher gives projects that review on Gerrit their CI on GitHub
// Actions. See README.md.
package main

import (
	"context"
	"os"
	"os/signal"
	"syscall"

	"github.com/spdk-community-ci/dispatcher/internal/app"
)

func main() {
	os.Exit(run())
}

// run exists so that what is deferred happens before the process ends.
func run() int {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	defer stop()
	return app.New().Main(ctx, os.Args[1:])
}
