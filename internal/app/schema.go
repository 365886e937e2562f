// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"io"

	"github.com/spdk-community-ci/dispatcher/internal/config"
)

func (a *App) schema(context.Context, []string) int {
	if _, err := io.WriteString(a.Stdout, config.Schema); err != nil {
		return ExitFailed
	}
	return ExitDone
}
