// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"maps"
	"os"
	"os/exec"
	"path"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/image/recipe"
)

// TestRecipesReadPaths holds the recipes to SPDK's own scripts: what these read of
// their tree must be among source.paths, or a build finds no such file.
func TestRecipesReadPaths(t *testing.T) {
	tree := spdkTree(t)
	for _, name := range recipe.Names(os.DirFS("images")) {
		r, err := recipe.Load(os.DirFS("images"), "images", name)
		if err != nil {
			t.Error(err)
			continue
		}
		provision, err := os.ReadFile(filepath.Join("images", name, "provision.sh"))
		if err != nil {
			t.Fatal(err)
		}
		read := pathsRead(tree, started(string(provision))...)
		if len(read) < 5 {
			t.Errorf("%s: only %q are read: has the way changed in which SPDK's scripts name files?", name, read)
		}
		given, err := recipe.Tree(tree, texts(r.Source.Paths))
		if err != nil {
			t.Fatal(err)
		}
		for _, p := range read {
			files, err := recipe.Tree(tree, []string{p})
			if err != nil {
				t.Fatal(err)
			}
			if slices.ContainsFunc(files, func(f recipe.File) bool { return !slices.Contains(given, f) }) {
				t.Errorf("images/%s/recipe.yml: source.paths lacks %s, which SPDK's scripts read", name, p)
			}
		}
	}
}

// spdkTree returns SPDK's tree from the folder in the variable SPDK: a checkout, or
// one with a bare repository spdk+spdk/repo.
func spdkTree(t *testing.T) fs.FS {
	t.Helper()
	dir := os.Getenv("SPDK")
	if dir == "" {
		t.Skip("SPDK=FOLDER names no checkout of SPDK")
	}
	if _, err := os.Stat(filepath.Join(dir, "scripts/pkgdep.sh")); err == nil {
		return os.DirFS(dir)
	}
	cmd := exec.Command("git", "--git-dir", filepath.Join(dir, "spdk+spdk/repo"), "archive", "HEAD", "scripts", "test/common", "python")
	cmd.Env = append(os.Environ(), "GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=safe.directory", "GIT_CONFIG_VALUE_0=*")
	out, err := cmd.Output()
	if err != nil {
		t.Fatalf("SPDK=%s has neither scripts/pkgdep.sh nor spdk+spdk/repo: %v", dir, err)
	}
	tree := fstest.MapFS{}
	for r := tar.NewReader(bytes.NewReader(out)); ; {
		h, err := r.Next()
		if errors.Is(err, io.EOF) {
			return tree
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(r)
		if err != nil {
			t.Fatal(err)
		}
		switch h.Typeflag {
		case tar.TypeReg:
			tree[h.Name] = &fstest.MapFile{Data: data, Mode: 0o644}
		case tar.TypeSymlink:
			tree[h.Name] = &fstest.MapFile{Data: []byte(h.Linkname), Mode: fs.ModeSymlink | 0o777}
		}
	}
}

// started are the scripts of the source tree that a recipe's script starts.
func started(provision string) (scripts []string) {
	for _, m := range regexp.MustCompile(`\bsource/([\w./-]+\.sh)\b`).FindAllStringSubmatch(provision, -1) {
		scripts = append(scripts, m[1])
	}
	return scripts
}

func texts[T ~string](list []T) (texts []string) {
	for _, s := range list {
		texts = append(texts, string(s))
	}
	return texts
}

// library is sourced by all scripts of SPDK. Most of its functions are for tests
// and read files that no image needs, so that it is not looked into.
const library = "scripts/common.sh"

// scriptReader finds what shell scripts read of their own tree.
type scriptReader struct {
	tree fs.FS
	// folders are variables that hold a folder of the tree.
	folders map[string]string
	found   map[string]bool
}

// pathsRead returns the files and folders of a tree that scripts read, by variables
// that hold their own folder, and that scripts read which they read in turn.
func pathsRead(tree fs.FS, scripts ...string) []string {
	found := map[string]bool{}
	for _, s := range scripts {
		r := scriptReader{tree, map[string]string{}, found}
		found[s] = true
		r.read(s)
	}
	return slices.Sorted(maps.Keys(found))
}

var (
	// folderForm is a variable that becomes a folder: that of the script, or one
	// seen from a folder that is known.
	folderForm = regexp.MustCompile(`^\s*(?:\w+ )?(\w+)=\$\(readlink -f "?(?:\$\(dirname "?\$(?:0|\{BASH_SOURCE\[0\]\})"?\)|\$\{?(\w+)\}?)(/[./]*)?"?\)`)
	// pathForm is what follows such a variable, as far as it is fixed.
	pathForm = regexp.MustCompile(`\$\{?(\w+)\}?((?:/[\w.+-]+)+/?|/)`)
)

func (r scriptReader) read(script string) {
	text, err := fs.ReadFile(r.tree, script)
	if err != nil {
		return // a folder, or something that a script makes
	}
	for line := range strings.Lines(string(text)) {
		if strings.HasPrefix(strings.TrimSpace(line), "#") {
			continue
		}
		if m := folderForm.FindStringSubmatch(line); m != nil {
			from, known := path.Dir(script), true
			if m[2] != "" {
				from, known = r.folders[m[2]], r.folders[m[2]] != ""
			}
			if known {
				r.folders[m[1]] = path.Join(from, m[3])
			}
			continue
		}
		for _, m := range pathForm.FindAllStringSubmatch(line, -1) {
			if folder, ok := r.folders[m[1]]; ok {
				r.reads(path.Join(folder, m[2]))
			}
		}
	}
}

// reads notes one path, and looks into it and what is below.
func (r scriptReader) reads(p string) {
	if _, err := fs.Stat(r.tree, p); err != nil || r.found[p] || p == "." {
		return
	}
	r.found[p] = true
	if p == library {
		return
	}
	fs.WalkDir(r.tree, p, func(name string, e fs.DirEntry, err error) error {
		if err == nil && !e.IsDir() {
			r.read(name)
		}
		return err
	})
}

// TestPathsRead: the ways in which scripts name what they read.
func TestPathsRead(t *testing.T) {
	tree := fstest.MapFS{}
	for name, text := range map[string]string{
		"tools/install.sh": `here=$(readlink -f $(dirname $0))
top=$(readlink -f $here/..)
# $top/README is not read
. "$top/scripts/common.sh"
for id in $ID; do source "$here/os/$id.sh"; done
cp -v "$here/completion/it" /etc`,
		"tools/os/a.sh":       `pip install -r "${top}/python/list.txt" -o $top/python/made.txt`,
		"tools/completion/it": "", "tools/other": "", "python/list.txt": "", "README": "", "data/x": "",
		"scripts/common.sh": "cat $top/data/x\n",
	} {
		tree[name] = &fstest.MapFile{Data: []byte(text)}
	}
	want := []string{"python/list.txt", "scripts/common.sh", "tools/completion/it", "tools/install.sh", "tools/os"}
	if diff := cmp.Diff(want, pathsRead(tree, started("retry source/tools/install.sh $FLAGS\n")...)); diff != "" {
		t.Errorf("paths, want - got +:\n%s", diff)
	}
}
