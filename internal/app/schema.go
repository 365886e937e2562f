// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/config"
)

func (a *App) schema(context.Context, []string) int {
	fmt.Fprint(a.Stdout, config.Schema)
	return ExitDone
}
