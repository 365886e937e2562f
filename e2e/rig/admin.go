// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"context"
	"net/url"
)

// Group ids that every Gerrit has.
const (
	AnonymousUsers  = "global:Anonymous-Users"
	RegisteredUsers = "global:Registered-Users"
)

// Rule is what a permission gives to a group (Gerrit's PermissionRuleInfo).
type Rule struct {
	Action string `json:"action"`
	Force  bool   `json:"force,omitempty"`
	Min    int    `json:"min"`
	Max    int    `json:"max"`
}

// Allow is the plain permission.
var Allow = Rule{Action: "ALLOW"}

// Grant adds a permission on a ref pattern (or on GLOBAL_CAPABILITIES) of a project.
func (g *Gerrit) Grant(ctx context.Context, project, ref, permission, group string, rule Rule) error {
	return g.access(ctx, project, "add", ref, map[string]any{
		permission: map[string]any{"rules": map[string]Rule{group: rule}},
	})
}

// Revoke takes back what Grant gave. It names the rule, because Gerrit removes
// the whole section when it is told a permission alone.
func (g *Gerrit) Revoke(ctx context.Context, project, ref, permission, group string) error {
	return g.access(ctx, project, "remove", ref, map[string]any{
		permission: map[string]any{"rules": map[string]Rule{group: Allow}},
	})
}

func (g *Gerrit) access(ctx context.Context, project, verb, ref string, permissions map[string]any) error {
	in := map[string]any{verb: map[string]any{ref: map[string]any{"permissions": permissions}}}
	return g.Post(ctx, "projects/"+url.PathEscape(project)+"/access", in, nil)
}

// GroupID returns a group's id by its name.
func (g *Gerrit) GroupID(ctx context.Context, name string) (string, error) {
	var group struct{ ID string }
	err := g.Get(ctx, "groups/"+url.PathEscape(name), &group)
	return group.ID, err
}

// CreateGroup makes a group with members (accounts) and included groups, and
// returns its id.
func (g *Gerrit) CreateGroup(ctx context.Context, name string, members, includes []string) (string, error) {
	var group struct{ ID string }
	if err := g.Put(ctx, "groups/"+url.PathEscape(name), map[string]any{"members": members}, &group); err != nil {
		return "", err
	}
	for _, sub := range includes {
		if err := g.Put(ctx, "groups/"+group.ID+"/groups/"+url.PathEscape(sub), nil, nil); err != nil {
			return "", err
		}
	}
	return group.ID, nil
}

// CreateAccount makes a user with an HTTP password and returns the account's number.
func (g *Gerrit) CreateAccount(ctx context.Context, username, password string) (int, error) {
	var account struct {
		ID int `json:"_account_id"`
	}
	err := g.Put(ctx, "accounts/"+username, map[string]any{
		"name": username, "email": username + "@example.com", "http_password": password,
	}, &account)
	return account.ID, err
}

// CreateProject makes a project with an empty first commit on master. Slashes
// in the name are fine.
func (g *Gerrit) CreateProject(ctx context.Context, name string) error {
	in := map[string]any{"create_empty_commit": true, "branches": []string{"master"}}
	return g.Put(ctx, "projects/"+url.PathEscape(name), in, nil)
}

// SetUp gives administrators the rights that the generators need (pushing any
// ref as anybody) and adds the label Verified, -1 to +1, for all projects.
func (g *Gerrit) SetUp(ctx context.Context) error {
	admins, err := g.GroupID(ctx, "Administrators")
	if err != nil {
		return err
	}
	rules := map[string]any{}
	for _, permission := range []string{"forgeAuthor", "forgeCommitter", "forgeServerAsCommitter", "create", "push"} {
		rules[permission] = map[string]any{"rules": map[string]Rule{admins: {Action: "ALLOW", Force: permission == "push"}}}
	}
	if err := g.access(ctx, "All-Projects", "add", "refs/*", rules); err != nil {
		return err
	}
	label := map[string]any{"function": "NoBlock", "default_value": 0, "values": map[string]string{"-1": "Fails", "0": "No score", "+1": "Verified"}}
	if err := g.Put(ctx, "projects/All-Projects/labels/Verified", label, nil); err != nil {
		return err
	}
	return g.Grant(ctx, "All-Projects", "refs/heads/*", "label-Verified", admins, Rule{Action: "ALLOW", Min: -1, Max: 1})
}
