// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"crypto/sha1"
	"fmt"
	"maps"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Project is a repository under review.
type Project struct {
	srv      *Server
	name     string
	repo     *repository
	branches map[string]string // short name -> revision
}

// Draft is a change that somebody pushes for review.
type Draft struct {
	// Owner is a user name, "dev" if empty; the account is made if need be.
	Owner string
	// Branch is the target, master if empty.
	Branch string
	// Subject is the first line of the commit message; a default is made up.
	Subject string
	// Files are written over those of the parent; a default is made up.
	Files map[string]string
	// Parent is the change that this one builds on; nil is the branch's tip.
	Parent       *Change
	WIP, Private bool
	Topic        string
	// Footer are more lines at the end of the commit message, each with its end.
	Footer   string
	Hashtags []string
	// Imported is the number that the change has brought along from another server;
	// 0 is a change of this one. No project has two changes of one number.
	Imported int
}

// Dir flushes what was written and returns the repository's folder.
func (p *Project) Dir() string {
	p.srv.mu.Lock()
	defer p.srv.mu.Unlock()
	p.check(p.repo.flush())
	return p.repo.dir
}

// Tip returns the commit that a branch points at, or "".
func (p *Project) Tip(branch string) change.Revision {
	p.srv.mu.Lock()
	defer p.srv.mu.Unlock()
	return change.Revision(p.branches[branch])
}

// Commit puts a commit on a branch without review and returns its id. The first
// one makes the branch: from master's tip, or as a root commit.
func (p *Project) Commit(branch string, files map[string]string) change.Revision {
	p.srv.mu.Lock()
	defer p.srv.mu.Unlock()
	parent, ok := p.branches[branch]
	if !ok {
		parent = p.branches["master"]
	}
	return p.commit(branch, parent, files)
}

// Rewrite puts a root commit in the place of a branch, as a force push does that
// drops its history, and returns its id.
func (p *Project) Rewrite(branch string, files map[string]string) change.Revision {
	p.srv.mu.Lock()
	defer p.srv.mu.Unlock()
	return p.commit(branch, "", files)
}

func (p *Project) commit(branch, parent string, files map[string]string) change.Revision {
	p.branches[branch] = p.write(commit{
		ref: "refs/heads/" + branch, parent: parent, author: p.srv.account("admin"), when: p.srv.tick(),
		message: "Commit to " + branch, files: files,
	})
	return change.Revision(p.branches[branch])
}

// Push makes a change with one patchset.
func (p *Project) Push(d Draft) *Change {
	p.srv.mu.Lock()
	defer p.srv.mu.Unlock()
	s := p.srv
	number := d.Imported
	if number == 0 {
		number = s.next
		s.next++
	}
	d = d.complete(number)
	c := &Change{
		srv: s, project: p, number: number, branch: d.Branch, topic: d.Topic, footer: d.Footer, hashtags: d.Hashtags,
		imported: d.Imported != 0, status: change.New, owner: s.account(d.Owner), wip: d.WIP, private: d.Private,
		changeID: fmt.Sprintf("I%x", sha1.Sum(fmt.Appendf(nil, "%s %d", p.name, number))),
	}
	parent := p.branches[d.Branch]
	if d.Parent != nil {
		parent = d.Parent.current().revision
		c.parent = d.Parent
	}
	c.reviewed = !d.WIP
	c.add(patchset{uploader: c.owner, parent: parent, subject: d.Subject, files: d.Files, kind: rework})
	c.created = c.updated
	s.changes[change.Address{Project: p.name, Number: number}] = c
	return c
}

// complete fills in what was left empty.
func (d Draft) complete(number int) Draft {
	if d.Owner == "" {
		d.Owner = "dev"
	}
	if d.Branch == "" {
		d.Branch = "master"
	}
	if d.Subject == "" {
		d.Subject = fmt.Sprintf("Change number %d", number)
	}
	if d.Files == nil {
		d.Files = map[string]string{fmt.Sprintf("lib/file%d.c", number): fmt.Sprintf("/* %d */\n", number)}
	}
	d.Files = maps.Clone(d.Files)
	return d
}

func (p *Project) write(c commit) string {
	revision, err := p.repo.write(c)
	p.check(err)
	return revision
}

func (p *Project) check(err error) {
	if err != nil {
		p.srv.o.Fail(fmt.Errorf("project %s: %w", p.name, err))
	}
}
