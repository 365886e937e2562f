// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"archive/tar"
	"bytes"
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/guest/remote"
)

// TestUnpackKept: of what a container left, files and folders come out below the
// place that is theirs, and no more than fits.
func TestUnpackKept(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	w := tar.NewWriter(&b)
	for _, h := range []tar.Header{
		{Name: "out/", Typeflag: tar.TypeDir, Mode: 0o000}, {Name: "out/a.txt", Size: 3, Mode: 0o4777}, {Name: "out/sub/", Typeflag: tar.TypeDir},
		{Name: "out/sub/b.txt", Size: 3}, {Name: "out/same.txt", Typeflag: tar.TypeLink, Linkname: "out/sub/b.txt"},
		{Name: "out/away", Typeflag: tar.TypeLink, Linkname: "out/../../secret"}, {Name: "out/../../up", Size: 3}, {Name: "out/../beside", Size: 3},
		{Name: "out/shadow", Typeflag: tar.TypeSymlink, Linkname: "/etc"}, {Name: "out/shadow/passwd", Size: 3}, {Name: "out/fifo", Typeflag: tar.TypeFifo},
		{Name: "out/a.txt", Size: 3}, {Name: "out/" + strings.Repeat("n", 300), Size: 3}, {Name: "out/last.txt", Size: 3},
	} {
		if h.Mode == 0 && h.Typeflag != tar.TypeDir {
			h.Mode = 0o600
		}
		if err := w.WriteHeader(&h); err != nil {
			t.Fatal(err)
		}
		if h.Size > 0 {
			w.Write([]byte("abc"))
		}
	}
	if err := w.Close(); err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		left remote.Limits
		cut  bool
		want string
	}{
		"all":            {remote.Limits{Bytes: 100, Files: 100}, false, "a.txt last.txt same.txt sub/b.txt"},
		"too much":       {remote.Limits{Bytes: 5, Files: 100}, true, "a.txt"},
		"too many files": {remote.Limits{Bytes: 100, Files: 2}, true, "a.txt"},
	} {
		dir := t.TempDir()
		results := filepath.Join(dir, "results")
		if err := errors.Join(os.Mkdir(results, 0o755), os.WriteFile(filepath.Join(dir, "secret"), nil, 0o600)); err != nil {
			t.Fatal(err)
		}
		err := unpackKept(bytes.NewReader(b.Bytes()), results, "kept", &c.left)
		if errors.Is(err, errCut) != c.cut || err == nil {
			t.Errorf("%s: got %v", name, err)
		}
		var got []string
		filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
			if err == nil && !d.IsDir() && d.Name() != "secret" {
				below, _ := filepath.Rel(filepath.Join(results, "kept"), path)
				got = append(got, below)
			}
			return err
		})
		if diff := cmp.Diff(c.want, strings.Join(got, " ")); diff != "" {
			t.Errorf("%s: -want +got:\n%s", name, diff)
		}
	}
}

// TestHugeResult: a test that leaves a file of a terabyte has failed all the same, and
// the host's disk has room.
func TestHugeResult(t *testing.T) {
	b := newCellBench(t)
	b.command = "mkdir -p ../output; echo why >../output/a.txt; truncate -s 1T ../output/z; exit 3"
	b.byTest(b.run(environments.Docker), 3, false)
	if text, err := os.ReadFile(filepath.Join(b.results, "output/a.txt")); err == nil && string(text) != "why\n" {
		t.Errorf("got %q", text)
	}
	if _, err := os.Lstat(filepath.Join(b.results, "output/z")); !errors.Is(err, fs.ErrNotExist) || !strings.Contains(b.stderr, "more than the results of a job may be") {
		t.Errorf("got %v: %s", err, b.stderr)
	}
}

// TestLinkedResults: links to one file are one file in the results, too.
func TestLinkedResults(t *testing.T) {
	b := newCellBench(t)
	b.command = "mkdir -p ../output; echo why >../output/a; ln ../output/a ../output/b; exit 3"
	for _, kind := range []environments.Kind{environments.Metal, environments.Docker} {
		b.byTest(b.run(kind), 3, false)
		one, err := os.Stat(filepath.Join(b.results, "output/a"))
		other, otherErr := os.Stat(filepath.Join(b.results, "output/b"))
		if err != nil || otherErr != nil || !os.SameFile(one, other) {
			t.Errorf("%s: they are two files, or not there: %v, %v", kind, err, otherErr)
		}
	}
}
