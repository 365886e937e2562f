// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"fmt"
	"maps"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// advice says what a person can do about each refused vote: which labels there
// are, and who may vote. It asks at most twice, and only once for a label; what
// cannot be read is left out.
func (c *Client) advice(ctx context.Context, b *ballot, votes map[string]int, refused map[string]string) map[string]string {
	if len(refused) == 0 {
		return nil
	}
	all := map[string]string{}
	for asked := range refused {
		label, value := b.name(asked), votes[asked]
		span, known := b.labels[label]
		switch {
		case !known:
			all[asked] = fmt.Sprintf("the change has %s: correct the name in the configuration, or add the label to the project", named("the label", "the labels", maps.Keys(b.labels)))
		case value < span[0] || value > span[1]:
			all[asked] = fmt.Sprintf("the label %s has the values %s to %s: choose among them, or have a project owner add %s",
				change.OneLine(change.Clip(label, 60)), signed(span[0]), signed(span[1]), signed(value))
		default:
			all[asked] = c.rightsAdvice(ctx, b, label, value)
		}
	}
	return all
}

// rightsAdvice is about a label that is there.
func (c *Client) rightsAdvice(ctx context.Context, b *ballot, label string, value int) string {
	name := change.OneLine(change.Clip(label, 60))
	right := fmt.Sprintf("the right label-%s with %s on refs/heads/%s", name, signed(value), change.OneLine(change.Clip(b.branch, 100)))
	voters := c.voters(ctx, b, label, value)
	var text string
	switch {
	case len(voters.groups) > 0:
		text = fmt.Sprintf("%s may vote %s%s: put %s into one of them, or give %s to a group that it is in",
			named("the group", "the groups", slices.Values(voters.groups)), name, signed(value), c.door.who(), right)
	case voters.read:
		text = fmt.Sprintf("no group may vote %s%s: a project owner can give %s to a group that %s is in", name, signed(value), right, c.door.who())
	default:
		text = fmt.Sprintf("a project owner can give %s to a group that %s is in", right, c.door.who())
	}
	var mine []string
	for _, l := range slices.Sorted(maps.Keys(b.mine)) {
		r := b.mine[l]
		if l == label && r[0] <= value && value <= r[1] {
			continue // that is over: the server has refused it since
		}
		mine = append(mine, fmt.Sprintf("%s from %s to %s", change.OneLine(change.Clip(l, 60)), signed(r[0]), signed(r[1])))
	}
	if len(mine) > 0 {
		text += "; now it may vote " + strings.Join(bounded(mine), ", ")
	}
	return text
}

// voters are the groups that may cast a vote.
type voters struct {
	groups []string
	read   bool // the access rights were read, as far up as was asked
}

// accessInfo is ProjectAccessInfo, as far as it is used.
type accessInfo struct {
	Inherits struct {
		Name string `json:"name"`
	} `json:"inherits_from"`
	Local map[string]struct {
		Permissions map[string]struct {
			Rules map[string]struct {
				Action string `json:"action"`
				Min    int    `json:"min"`
				Max    int    `json:"max"`
			} `json:"rules"`
		} `json:"permissions"`
	} `json:"local"`
	Visible bool `json:"config_visible"`
	Groups  map[string]struct {
		Name string `json:"name"`
	} `json:"groups"`
}

// voters reads the access rights of a project and of its parent. An account that
// may not read refs/meta/config is answered too, but without any permission
// (GetAccess; seen on a real 3.13.5).
func (c *Client) voters(ctx context.Context, b *ballot, label string, value int) voters {
	c.mu.Lock()
	defer c.mu.Unlock()
	key := fmt.Sprintf("%s\x00%s\x00%s\x00%d", b.project, b.branch, label, value)
	if v, known := c.voted[key]; known {
		return v
	}
	v := voters{read: true}
	for range 2 { // most projects have All-Projects above them, and nothing else
		var info map[string]accessInfo
		_, err := c.get(ctx, "access/?project="+escapeSegment(b.project), &info)
		access := info[b.project]
		if err != nil || !access.Visible {
			v.read = false
			break
		}
		v.groups = append(v.groups, access.voters(b.branch, label, value)...)
		if access.Inherits.Name == "" {
			break
		}
		b = &ballot{project: access.Inherits.Name, branch: b.branch}
	}
	slices.Sort(v.groups)
	v.groups = slices.Compact(v.groups)
	if c.voted == nil {
		c.voted = map[string]voters{}
	}
	c.voted[key] = v
	return v
}

// voters returns the names of those who may cast a vote on a branch.
func (a *accessInfo) voters(branch, label string, value int) (names []string) {
	for ref, section := range a.Local {
		if !covers(ref, "refs/heads/"+branch) {
			continue
		}
		for permission, p := range section.Permissions {
			if !strings.EqualFold(permission, "label-"+label) {
				continue
			}
			for id, rule := range p.Rules {
				if rule.Action == "ALLOW" && rule.Min <= value && value <= rule.Max {
					names = append(names, a.group(id))
				}
			}
		}
	}
	return names
}

// group returns a group's name; those of the system have one in their id, too.
func (a *accessInfo) group(id string) string {
	name := a.Groups[id].Name
	if name == "" {
		name = strings.ReplaceAll(strings.TrimPrefix(id, "global:"), "-", " ")
	}
	return change.OneLine(change.Clip(name, 60))
}

// covers reports whether an access section is about a ref: by its name, by a
// prefix that ends with "/*", or by a pattern that begins with "^", of which the
// part is compared that is no pattern.
func covers(section, ref string) bool {
	if pattern, ok := strings.CutPrefix(section, "^"); ok {
		fixed := pattern
		if i := strings.IndexAny(pattern, `.*+?[](){}|\$`); i >= 0 {
			fixed = pattern[:i]
		}
		return strings.HasPrefix(ref, fixed)
	}
	if prefix, ok := strings.CutSuffix(section, "*"); ok {
		return strings.HasPrefix(ref, prefix)
	}
	return section == ref
}

// named lists things in words, a few of them.
func named(one, many string, names func(func(string) bool)) string {
	list := slices.Sorted(names)
	for i, name := range list {
		list[i] = change.OneLine(change.Clip(name, 60))
	}
	switch len(list) {
	case 0:
		return "no " + strings.TrimPrefix(one, "the ")
	case 1:
		return one + " " + list[0]
	}
	return many + " " + strings.Join(bounded(list), ", ")
}

// bounded replaces what is too much by its number.
func bounded(list []string) []string {
	if len(list) <= maxGroups {
		return list
	}
	return append(slices.Clip(list[:maxGroups]), fmt.Sprintf("and %d more", len(list)-maxGroups))
}
