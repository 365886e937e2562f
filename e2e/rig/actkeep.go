// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// artifactDir is where the jobs of a run, all its attempts, keep artifacts.
func (a *Act) artifactDir(run int64) string {
	return filepath.Join(a.Dir, fmt.Sprintf("%d-artifacts", run))
}

// Artifacts returns the files of a run's artifacts, by ARTIFACT/PATH.
func (a *Act) Artifacts(run int64) map[string]string {
	files, err := readTree(a.artifactDir(run))
	if err != nil {
		a.Log("act: %v", err)
	}
	return files
}

// keeper gives the stand-in the artifacts of a run as they appear.
type keeper struct {
	hub  *github.Server
	run  int64
	dir  string
	seen map[string]bool
}

func (k keeper) keep() error {
	entries, err := os.ReadDir(k.dir)
	if err != nil {
		return err
	}
	for _, e := range entries {
		if k.seen[e.Name()] || strings.HasPrefix(e.Name(), ".") { // a part of one
			continue
		}
		files, err := readTree(filepath.Join(k.dir, e.Name()))
		if err != nil {
			return err
		}
		k.hub.AddArtifact(k.run, github.Artifact{Name: e.Name(), Files: files})
		k.seen[e.Name()] = true
	}
	return nil
}

func readTree(root string) (map[string]string, error) {
	files := map[string]string{}
	err := fs.WalkDir(os.DirFS(root), ".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || !d.Type().IsRegular() {
			return err
		}
		data, err := os.ReadFile(filepath.Join(root, path))
		files[path] = string(data)
		return err
	})
	return files, err
}
