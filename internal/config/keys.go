// SPDX-License-Identifier: BSD-3-Clause

package config

import "github.com/spdk-community-ci/dispatcher/internal/change"

// Server is the server part of the run keys of a project's change. Imported changes
// have numbers that changes of other projects may have, too, unless the project's keys
// have a prefix that is its own.
func (p *Project) Server(imported bool) string {
	if !imported || p.OwnPrefix {
		return p.KeyPrefix
	}
	return change.Scope(p.KeyPrefix, p.Name)
}

// Owns reports whether the project's keys have a server part.
func (p *Project) Owns(server string) bool {
	return server == p.Server(false) || server == p.Server(true)
}
