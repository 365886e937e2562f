// SPDX-License-Identifier: BSD-3-Clause

package command

import "github.com/spdk-community-ci/dispatcher/internal/change"

// TakesBack reports whether a message of our account is an answer that took our
// vote back, until the runs that it promises have ended.
func TakesBack(m change.Message) bool {
	return m.Tag == Tag && ParseResidue(m.Text).TookBack
}
