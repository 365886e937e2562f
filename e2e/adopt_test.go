// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"fmt"
	"os"
	"path/filepath"
	"regexp"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// The account that docs/adopt.md makes.
const (
	adoptUser     = "adopt-bot"
	adoptPassword = "pw"
)

// adoptGroup makes that account and its group, once, and returns the group's UUID.
func adoptGroup(t *testing.T) string {
	t.Helper()
	ctx, g := t.Context(), world.gerrit
	if uuid, err := g.GroupID(ctx, "CI Bots"); err == nil {
		return uuid
	}
	_, err := g.CreateAccount(ctx, adoptUser, adoptPassword)
	must(t, err)
	uuid, err := g.CreateGroup(ctx, "CI Bots", []string{adoptUser}, nil)
	must(t, err)
	must(t, g.Put(ctx, "groups/Service%20Users/members/"+adoptUser, nil, nil))
	return uuid
}

// adopt does to a project what docs/adopt.md says, letter for letter.
func adopt(t *testing.T, project string) {
	t.Helper()
	g, uuid := world.gerrit, adoptGroup(t)
	page := readFile(t, "../docs/adopt.md")
	lines := regexp.MustCompile("(?s)```ini\n(.*?)```").FindStringSubmatch(page)
	group := regexp.MustCompile("(?m)^[0-9a-f]{40}(\tCI Bots)$").FindStringSubmatch(page)
	if lines == nil || group == nil {
		t.Fatal("docs/adopt.md does not have the lines of project.config and groups")
	}
	work := g.Git(t.TempDir())
	run := func(args ...string) {
		t.Helper()
		_, err := work.Run(t.Context(), args...)
		must(t, err)
	}
	run("clone", "-q", g.GitURL(project), "meta")
	work.Dir = filepath.Join(work.Dir, "meta")
	run("fetch", "-q", "origin", "refs/meta/config")
	run("checkout", "-q", "FETCH_HEAD")
	for file, text := range map[string]string{"project.config": lines[1], "groups": uuid + group[1] + "\n"} {
		name := filepath.Join(work.Dir, file)
		before, _ := os.ReadFile(name) // there may be no groups yet
		must(t, os.WriteFile(name, append(before, text...), 0o644))
	}
	run("add", ".")
	run("commit", "-q", "-m", "Let CI vote")
	run("push", "-q", "origin", "HEAD:refs/meta/config")
}

// TestAdopt does what docs/adopt.md says about Gerrit, and has the account that it
// makes vote.
func TestAdopt(t *testing.T) {
	ctx, g := t.Context(), world.gerrit
	const project = "adopt/spdk"
	must(t, g.CreateProject(ctx, project))
	if _, err := g.CreateAccount(ctx, "somebody", "pw"); err != nil {
		t.Fatal(err)
	}
	adopt(t, project)

	a := newAuthor(t, g, project, 1)
	d := a.write("to be voted on")
	a.push(d, "")
	number := a.number(d)
	requirement(t, number, "UNSATISFIED")
	vote := change.Review{Message: "passed", Labels: map[string]int{"Verified": 1}}
	posted, err := newClient(t, "somebody", "pw").Post(ctx, change.Address{Project: project, Number: number}, change.Revision(d.oid), vote)
	if len(posted.Applied) != 0 {
		t.Errorf("somebody may vote: %+v, %v", posted, err)
	}
	client := newClient(t, adoptUser, adoptPassword)
	posted, err = client.Post(ctx, change.Address{Project: project, Number: number}, change.Revision(d.oid), vote)
	if err != nil || posted.Applied["Verified"] != 1 {
		t.Fatalf("the bot may not vote: %+v, %v", posted, err)
	}
	requirement(t, number, "SATISFIED")
	messages, err := client.Messages(ctx, change.Address{Project: project, Number: number})
	must(t, err)
	if last := messages[len(messages)-1]; last.Author.Username != adoptUser || !last.Robot {
		t.Errorf("the last message is %+v, want it from a service user", last)
	}
	a.amend(d)
	a.push(d, "")
	requirement(t, number, "UNSATISFIED")
}

// requirement checks what Gerrit says of the submit requirement Verified.
func requirement(t *testing.T, number int, want string) {
	t.Helper()
	var info struct {
		Requirements []struct{ Name, Status string } `json:"submit_requirements"`
	}
	must(t, world.gerrit.Get(t.Context(), fmt.Sprintf("changes/%d?o=SUBMIT_REQUIREMENTS", number), &info))
	for _, r := range info.Requirements {
		if r.Name == "Verified" {
			if r.Status != want {
				t.Errorf("change %d: Verified is %s, want %s", number, r.Status, want)
			}
			return
		}
	}
	t.Errorf("change %d has no requirement Verified: %+v", number, info.Requirements)
}
