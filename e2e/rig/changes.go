// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"context"
	"fmt"
	"net/url"
)

// Change is what a test must know of a change on the server.
type Change struct {
	Number   int    `json:"_number"`
	ChangeID string `json:"change_id"`
	Project  string
	Branch   string
	Subject  string
	Status   string
	WIP      bool `json:"work_in_progress"`
	Private  bool `json:"is_private"`
	// Revision is the current patchset's commit.
	Revision  string `json:"current_revision"`
	Revisions map[string]struct {
		Number int `json:"_number"`
		Ref    string
	}
}

// Patchset returns the current patchset's number.
func (c Change) Patchset() int { return c.Revisions[c.Revision].Number }

// Ref returns the current patchset's ref as the server names it.
func (c Change) Ref() string { return c.Revisions[c.Revision].Ref }

// Changes returns all changes of a query, with their current revisions.
func (g *Gerrit) Changes(ctx context.Context, query string) ([]Change, error) {
	var changes []Change
	err := g.Get(ctx, "changes/?no-limit&o=CURRENT_REVISION&q="+url.QueryEscape(query), &changes)
	return changes, err
}

// Act posts to a change's action: abandon, restore, submit, wip, ready,
// private. The input may be nil.
func (g *Gerrit) Act(ctx context.Context, number int, action string, in any) error {
	if in == nil {
		in = struct{}{}
	}
	return g.Post(ctx, fmt.Sprintf("changes/%d/%s", number, action), in, nil)
}

// Review posts votes and a message on a change's current patchset.
func (g *Gerrit) Review(ctx context.Context, number int, message string, labels map[string]int) error {
	return g.Post(ctx, fmt.Sprintf("changes/%d/revisions/current/review", number),
		map[string]any{"message": message, "labels": labels, "notify": "NONE"}, nil)
}
