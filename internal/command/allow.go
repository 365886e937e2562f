// SPDX-License-Identifier: BSD-3-Clause

package command

import (
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// mayUse reports whether an account may use commands that change something.
func (d *decider) mayUse(who change.Account) bool {
	a := d.p.Allow
	return !a.Owner && len(a.Groups) == 0 || a.Owner && d.owns(who) || d.member(who)
}

// mayExcuse reports whether an account that may use commands may use
// FalsePositive, too, by which we write elsewhere: never just anybody.
func (d *decider) mayExcuse(who change.Account) bool { return d.owns(who) || d.member(who) }

// owns reports whether an account is the change's owner or uploader.
func (d *decider) owns(who change.Account) bool {
	return who.ID == d.s.Change.Owner.ID || who.ID == d.s.Change.Current.Uploader.ID
}

// member reports whether an account is in a group that may use commands.
func (d *decider) member(who change.Account) bool {
	return slices.ContainsFunc(d.p.Allow.Groups, func(g string) bool { return d.s.Members[g][who.ID] })
}

// mayText says who may use the commands.
func (d *decider) mayText() string {
	a := d.p.Allow
	var who []string
	if a.Owner {
		who = append(who, "the change's owner and uploader")
	}
	if len(a.Groups) > 0 {
		who = append(who, "members of "+names(a.Groups))
	}
	if len(who) == 0 {
		return "Every registered user may use commands, and the change's owner and uploader `false positive`."
	}
	return "Commands are for " + strings.Join(who, ", ") + "."
}
