// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/config"
)

func (a *App) schema(context.Context, []string) int {
	schema, err := config.Schema()
	if err != nil {
		fmt.Fprintln(a.Stderr, "dispatcher:", err)
		return ExitFailed
	}
	a.Stdout.Write(schema)
	return ExitDone
}
