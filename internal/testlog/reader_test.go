// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// read gives a log to a Reader.
func read(log string) change.LogReport {
	var r Reader
	for line := range strings.SplitSeq(log, "\n") {
		r.Line([]byte(line))
	}
	return r.Report()
}
