// SPDX-License-Identifier: BSD-3-Clause

//go:build bench && linux

package bench

import (
	"os"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// baseline is the way that the dispatcher replaces: each job clones the whole
// project and then fetches and pushes patchset by patchset.
type baseline struct {
	clone sample
	each  sample // one fetch and one push of one patchset
	batch sample // one fetch and one push of all, the best that a clone can do
}

// measureBaseline clones so often, and with each clone moves all changes.
func (w *world) measureBaseline(t *testing.T, clones int, changes []rig.Change) baseline {
	t.Helper()
	var b baseline
	for range clones {
		dir := t.TempDir()
		git := w.gerrit.Git(dir)
		b.clone = append(b.clone, repeat(t, 1, func() error {
			_, err := git.Run(t.Context(), "clone", "-q", "--bare", w.gerrit.GitURL(gerritProject), dir)
			return err
		})...)
		one, all := w.newMirror(t), w.newMirror(t)
		for _, c := range changes {
			b.each = append(b.each, repeat(t, 1, func() error { return w.fetchPush(t, dir, one, c) })...)
		}
		must(t, forget(t, git))
		b.batch = append(b.batch, repeat(t, 1, func() error { return w.fetchPush(t, dir, all, changes...) })...)
		w.dropMirror(t, one)
		w.dropMirror(t, all)
		os.RemoveAll(dir)
	}
	return b
}

// fetchPush moves changes with C git through a clone.
func (w *world) fetchPush(t *testing.T, dir, mirror string, changes ...rig.Change) error {
	git, push := w.gerrit.Git(dir), w.mirror.Git(dir)
	fetchArgs := []string{"fetch", "-q", "origin"}
	pushArgs := []string{"push", "-q", w.mirror.GitURL(mirror)}
	for _, c := range changes {
		fetchArgs = append(fetchArgs, "+"+c.Ref()+":"+c.Ref())
		pushArgs = append(pushArgs, c.Ref()+":"+c.Ref())
	}
	if _, err := git.Run(t.Context(), fetchArgs...); err != nil {
		return err
	}
	_, err := push.Run(t.Context(), pushArgs...)
	return err
}

// forget removes what fetchPush brought into a clone.
func forget(t *testing.T, git rig.Git) error {
	refs, err := git.Run(t.Context(), "for-each-ref", "--format=delete %(refname)", "refs/changes/")
	if err != nil {
		return err
	}
	if _, err := git.Pipe(t.Context(), strings.NewReader(refs+"\n"), "update-ref", "--stdin"); err != nil {
		return err
	}
	_, err = git.Run(t.Context(), "prune", "--expire=now")
	return err
}

// total is what the old way takes for n new patchsets.
func (b baseline) total(n int) time.Duration {
	return b.clone.median() + time.Duration(n)*b.each.median()
}
