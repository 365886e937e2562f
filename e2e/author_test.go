// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"crypto/sha1"
	"fmt"
	"math/rand/v2"
	"path/filepath"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// author pushes changes to one project as developers do: commits with
// Change-Id trailers, sent to refs/for/BRANCH. The same seed makes the same
// commits.
type author struct {
	t       *testing.T
	gerrit  *rig.Gerrit
	git     rig.Git
	project string
	rng     *rand.Rand
	serial  int
	clock   int64
	base    string // where new changes begin: master
}

// draft is one change as its author knows it.
type draft struct {
	id      string // Change-Id
	subject string
	files   map[string][]byte
	parents []string
	oid     string
}

func newAuthor(t *testing.T, gerrit *rig.Gerrit, project string, seed uint64) *author {
	t.Helper()
	a := &author{
		t: t, gerrit: gerrit, git: gerrit.Git(t.TempDir()), project: project,
		rng: rand.New(rand.NewPCG(seed, 1)), clock: 1767322800, // 2026-01-02
	}
	work := filepath.Join(a.git.Dir, "work.git")
	a.run("clone", "-q", "--bare", gerrit.GitURL(project), work)
	a.git.Dir = work
	a.base = a.run("rev-parse", "refs/heads/master")
	return a
}

func (a *author) run(args ...string) string {
	a.t.Helper()
	out, err := a.git.Run(a.t.Context(), args...)
	if err != nil {
		a.t.Fatal(err)
	}
	return out
}

// write makes the commit of a new change on its parents (a.base without any).
func (a *author) write(subject string, parents ...string) *draft {
	a.t.Helper()
	a.serial++
	if len(parents) == 0 {
		parents = []string{a.base}
	}
	d := &draft{
		id:      fmt.Sprintf("I%x", sha1.Sum(fmt.Appendf(nil, "%s %d", a.project, a.serial))),
		subject: subject, parents: parents,
		files: map[string][]byte{fmt.Sprintf("lib/part%d.c", a.serial): a.text(400)},
	}
	a.commit(d)
	return d
}

// amend makes the commit of a new patchset: other content, the same Change-Id.
func (a *author) amend(d *draft) {
	a.t.Helper()
	d.files["lib/amended.c"] = a.text(200)
	a.commit(d)
}

// commit fills in the draft's object id.
func (a *author) commit(d *draft) {
	a.t.Helper()
	a.clock += 60
	oids, err := a.git.Import(a.t.Context(), []rig.Commit{{
		Parents: d.parents, Files: d.files, When: a.clock,
		Message: d.subject + "\n\nSome words about why.\n\nChange-Id: " + d.id + "\n",
	}})
	if err != nil {
		a.t.Fatal(err)
	}
	d.oid = oids[0]
}

// reword makes the commit of a new patchset with another message and the same content.
func (a *author) reword(d *draft, subject string) {
	a.t.Helper()
	d.subject = subject
	a.commit(d)
}

// advance has master move on, as it does when other work is merged.
func (a *author) advance() {
	a.t.Helper()
	a.base = a.write("work that others have merged").oid
	a.run("push", "-q", a.gerrit.GitURL(a.project), a.base+":refs/heads/master")
}

// rebase has Gerrit rebase a change, as its button does, onto where master is.
func (a *author) rebase(d *draft) {
	a.t.Helper()
	if err := a.gerrit.Act(a.t.Context(), a.number(d), "rebase", nil); err != nil {
		a.t.Fatal(err)
	}
	d.parents, d.oid = []string{a.base}, a.onServer(d).Revision
}

// push sends a commit, and what is below it, for review. Options are those of
// refs/for: "%wip", "%private".
func (a *author) push(d *draft, options string) {
	a.t.Helper()
	a.run("push", "-q", a.gerrit.GitURL(a.project), d.oid+":refs/for/master"+options)
}

// stack makes and pushes a relation chain and returns it, lowest first.
func (a *author) stack(subject string, length int) []*draft {
	a.t.Helper()
	chain := []*draft{a.write(subject + " 1")}
	for i := 2; i <= length; i++ {
		chain = append(chain, a.write(fmt.Sprintf("%s %d", subject, i), chain[len(chain)-1].oid))
	}
	a.push(chain[len(chain)-1], "")
	return chain
}

// number returns the change's number on the server.
func (a *author) number(d *draft) int {
	a.t.Helper()
	return a.onServer(d).Number
}

func (a *author) onServer(d *draft) rig.Change {
	a.t.Helper()
	changes, err := a.gerrit.Changes(a.t.Context(), "project:"+a.project+" change:"+d.id)
	if err != nil || len(changes) != 1 {
		a.t.Fatalf("got %d changes for %s (%v), want one", len(changes), d.id, err)
	}
	return changes[0]
}

// text returns lines of lower-case letters that git cannot take for binary.
func (a *author) text(size int) []byte {
	data := make([]byte, size)
	for i := range data {
		data[i] = 'a' + byte(a.rng.IntN(26))
		if a.rng.IntN(40) == 0 {
			data[i] = '\n'
		}
	}
	return data
}

// noise returns bytes that cannot be compressed.
func (a *author) noise(size int) []byte {
	data := make([]byte, size)
	for i := range data {
		data[i] = byte(a.rng.Uint32())
	}
	return data
}
