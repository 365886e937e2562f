// SPDX-License-Identifier: BSD-3-Clause

//go:build bench && linux

package bench

import (
	"context"
	"crypto/sha1"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"syscall"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// siteName names the cached Gerrit site with the project and its open changes.
const siteName = "bench-site-2"

// gerritProject is the project's name on the server.
const gerritProject = "storage/engine"

// The open changes. A topic tells which measurement may relay them.
const (
	oneTopic     = "one"     // a single change
	hundredTopic = "hundred" // 40 single changes and 12 chains of 5
	openChanges  = 600       // all of them together
)

// hub is the GitHub stand-in.
type hub = *github.Server

// world is what the measurements share.
type world struct {
	bin    string // the program
	seed   string // the project as a bare repository, without changes
	gerrit *rig.Gerrit
	mirror *rig.Mirror
	serial int
}

// newWorld starts the servers. Without bitmaps the source is a server where gc
// does not write any.
func newWorld(t *testing.T, bitmaps bool) *world {
	t.Helper()
	ctx := t.Context()
	w := &world{seed: projectRepository(t)}
	o := rig.GerritOptions{Site: savedSite(t, w.seed), Heap: "2g"}
	if !bitmaps {
		o.Prepare = dropBitmaps
	}
	var err error
	if w.bin, err = rig.Build(ctx, t.TempDir()); err != nil {
		t.Fatal(err)
	}
	if w.gerrit, err = rig.StartGerrit(ctx, o); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.gerrit.Stop)
	if w.mirror, err = rig.StartMirror(ctx); err != nil {
		t.Fatal(err)
	}
	t.Cleanup(w.mirror.Stop)
	// The copies that were just made must not wait for the disk when a measured
	// server wants to.
	syscall.Sync()
	return w
}

// newMirror returns the name of a new repository on the mirror that has the
// project's branches, as a mirror has between two passes.
func (w *world) newMirror(t *testing.T) string {
	t.Helper()
	w.serial++
	name := fmt.Sprintf("owner/engine%d", w.serial)
	must(t, w.mirror.Copy(t.Context(), name, w.seed))
	return name
}

// dropMirror makes room on the disk.
func (w *world) dropMirror(t *testing.T, name string) {
	t.Helper()
	must(t, os.RemoveAll(w.mirror.Repository(name)))
}

// savedSite returns a Gerrit site with all the changes, which it makes once.
func savedSite(t *testing.T, seed string) string {
	t.Helper()
	cache, err := rig.CacheDir()
	must(t, err)
	dir := filepath.Join(cache, siteName)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	t.Logf("pushing %d changes to a Gerrit in %s; this takes minutes, once", openChanges, dir)
	ctx := t.Context()
	gerrit, err := rig.StartGerrit(ctx, rig.GerritOptions{Repositories: map[string]string{gerritProject: seed}})
	must(t, err)
	defer gerrit.Stop()
	must(t, gerrit.SetUp(ctx))
	must(t, pushChanges(ctx, gerrit, t.TempDir(), seed))
	fresh := fmt.Sprintf("%s.%d", dir, os.Getpid())
	defer os.RemoveAll(fresh)
	must(t, gerrit.Save(fresh))
	must(t, os.Rename(fresh, dir))
	return dir
}

func pushChanges(ctx context.Context, gerrit *rig.Gerrit, dir, seed string) error {
	git := gerrit.Git(dir)
	work := filepath.Join(dir, "work.git")
	if _, err := git.Run(ctx, "clone", "-q", "--bare", "--shared", seed, work); err != nil {
		return err
	}
	git.Dir = work
	p := &pusher{gerrit: gerrit, git: git, project: newProject()}
	if err := p.chains(ctx, oneTopic, 1, 1); err != nil {
		return err
	}
	if err := p.chains(ctx, hundredTopic, 40, 1); err != nil {
		return err
	}
	if err := p.chains(ctx, hundredTopic, 12, 5); err != nil {
		return err
	}
	if err := p.chains(ctx, "", 24, 20); err != nil {
		return err
	}
	return p.chains(ctx, "", 1, openChanges-p.serial)
}

// pusher makes changes near the end of the history and pushes them for review.
type pusher struct {
	gerrit  *rig.Gerrit
	git     rig.Git
	project *project
	serial  int
}

// chains pushes so many relation chains of a length, with a topic.
func (p *pusher) chains(ctx context.Context, topic string, count, length int) error {
	for range count {
		tip, err := p.chain(ctx, length)
		if err != nil {
			return err
		}
		target := "refs/for/master"
		if topic != "" {
			target += "%topic=" + topic
		}
		if _, err := p.git.Run(ctx, "push", "-q", p.gerrit.GitURL(gerritProject), tip+":"+target); err != nil {
			return err
		}
	}
	return nil
}

// chain makes commits on one of the last fifty of master.
func (p *pusher) chain(ctx context.Context, length int) (string, error) {
	base := fmt.Sprintf("master~%d", p.project.rng.IntN(50))
	parent, err := p.git.Run(ctx, "rev-parse", base)
	if err != nil {
		return "", err
	}
	var batch []rig.Commit
	for i := range length {
		path := p.project.paths[p.project.rng.IntN(len(p.project.paths))]
		content, err := p.git.Run(ctx, "show", base+":"+path)
		if err != nil {
			return "", err
		}
		p.serial++
		c := rig.Commit{
			Parents: []string{parent}, When: 1767322800 + int64(p.serial)*60,
			Files: map[string][]byte{path: p.edited(content)},
			Message: fmt.Sprintf("%s\n\n%s\n\nChange-Id: I%x\n", p.project.line(), p.project.line(),
				sha1.Sum(fmt.Append(nil, p.serial))),
		}
		if i > 0 {
			c.Parents = []string{fmt.Sprintf(":%d", i)}
		}
		batch = append(batch, c)
	}
	oids, err := p.git.Import(ctx, batch)
	if err != nil {
		return "", err
	}
	return oids[length-1], nil
}

// edited changes a few lines of a file.
func (p *pusher) edited(content string) []byte {
	lines := strings.Split(content, "\n")
	for range 1 + p.project.rng.IntN(12) {
		lines[p.project.rng.IntN(len(lines))] = p.project.line()
	}
	return []byte(strings.Join(lines, "\n") + "\n")
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

// dropBitmaps leaves a site as a server has it whose gc writes no bitmaps.
func dropBitmaps(site string) error {
	bitmaps, err := filepath.Glob(filepath.Join(site, "git", gerritProject+".git", "objects/pack/*.bitmap"))
	for _, file := range bitmaps {
		err = errors.Join(err, os.Remove(file))
	}
	return err
}
