// SPDX-License-Identifier: BSD-3-Clause

package plan

import (
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// gateReason says what a patchset still lacks to be trusted, or "".
func (b *builder) gateReason(c *change.Change, t config.Trust) string {
	if !t.Required() || c.Status == change.Merged {
		return ""
	}
	for _, group := range t.Groups {
		if b.s.Members[group][c.Current.Uploader.ID] {
			return ""
		}
	}
	for _, v := range c.Votes {
		// An author must not open the gate for himself.
		if v.Label == t.Label && v.Value >= t.Value && v.Account.ID != c.Current.Uploader.ID && v.Account.ID != c.Owner.ID {
			return ""
		}
	}
	switch {
	case t.Label == "":
		return fmt.Sprintf("its uploader is in none of the trusted groups %q", t.Groups)
	case len(t.Groups) == 0:
		return fmt.Sprintf("waits for %s %+d from somebody else than its author", t.Label, t.Value)
	default:
		return fmt.Sprintf("its uploader is in no trusted group: waits for %s %+d from somebody else", t.Label, t.Value)
	}
}
