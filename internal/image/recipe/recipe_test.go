// SPDX-License-Identifier: BSD-3-Clause

package recipe

import (
	"errors"
	"os"
	"path/filepath"
	"reflect"
	"slices"
	"strings"
	"testing"
	"testing/fstest"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

const whole = `description: all that there is
base: debian:bookworm-slim
source: {url: https://git.example.org/p, revision: main, paths: [scripts]}
container: {dockerfile: Dockerfile, args: {B: two, A: one}, repository: ghcr.io/o/p}
disk: {dockerfile: Dockerfile.disk, user-data: user-data, size: 4G, cmdline: quiet}
guest: {memory: 1G, cpus: 4}
smoke: {script: smoke.sh, timeout: 90s}
`

// folder is a recipe with all files that the texts of this test name.
func folder(text string) fstest.MapFS {
	fsys := fstest.MapFS{
		"x/recipe.yml":   {Data: []byte(text)},
		"x/README.md":    {Data: []byte("for people")},
		"x/.editor":      {Data: []byte("for an editor")},
		"x/provision.sh": {Data: []byte("#!/bin/sh\n"), Mode: 0o755},
	}
	for _, name := range []string{"Dockerfile", "Dockerfile.disk", "user-data", "smoke.sh"} {
		fsys["x/"+name] = &fstest.MapFile{Data: []byte(name), Mode: 0o644}
	}
	return fsys
}

func load(t *testing.T, text string) *Recipe {
	t.Helper()
	r, err := Load(folder(text), "images", "x")
	if err != nil {
		t.Fatal(err)
	}
	return r
}

// TestBadRecipes: each file below testdata/bad has the problems beside it.
func TestBadRecipes(t *testing.T) {
	t.Parallel()
	files, _ := filepath.Glob("testdata/bad/*.yml")
	if len(files) < 5 {
		t.Fatalf("got %d files", len(files))
	}
	for _, file := range files {
		text, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		_, err = Load(folder(string(text)), "images", "x")
		if !errors.Is(err, fault.Configuration) {
			t.Errorf("%s: got %v", file, err)
			continue
		}
		golden.Compare(t, strings.TrimSuffix(file, ".yml")+".txt", err.Error()+"\n")
	}
}

func TestDefaults(t *testing.T) {
	t.Parallel()
	r := load(t, "description: d\nbase: debian\ncontainer: {}\nsmoke: {script: smoke.sh}\n")
	if r.Container.Dockerfile != "Dockerfile" || r.Guest.Memory != 2<<30 || r.Guest.CPUs != 2 || r.Smoke.Timeout != duration(defaultTimeout) || r.Disk != nil {
		t.Errorf("got %+v", r)
	}
	var names []string
	for _, f := range r.Files {
		names = append(names, f.Path+" "+f.Mode)
	}
	want := []string{"Dockerfile 100644", "Dockerfile.disk 100644", "provision.sh 100755", "smoke.sh 100644", "user-data 100644"}
	if diff := cmp.Diff(want, names); diff != "" {
		t.Errorf("files (-want +got):\n%s", diff)
	}
}

// TestVersion pins the canonical text: another one would make new versions of
// all images that there are.
func TestVersion(t *testing.T) {
	t.Parallel()
	in := load(t, whole).Inputs()
	in.Base, in.Source, in.Serial = "sha256:"+strings.Repeat("ab", 32), strings.Repeat("cd", 32), "2026-48"
	golden.Compare(t, "testdata/canonical.txt", in.Canonical())
	golden.Compare(t, "testdata/version.txt", in.Hash()+"\n"+in.Version()+"\n")

	cloud := load(t, "description: d\ndisk:\n  cloud-image: {url: \"https://x.example.org/c.qcow2\", sha256: "+strings.Repeat("EF", 32)+
		"}\n  provision: [provision.sh, smoke.sh]\nsmoke: {script: smoke.sh}\n").Inputs()
	golden.Compare(t, "testdata/canonical-cloud.txt", cloud.Canonical())
}

// TestWhatChangesAVersion: inputs do, their order and what is for people do not.
func TestWhatChangesAVersion(t *testing.T) {
	t.Parallel()
	was := load(t, whole).Inputs().Version()
	for old, replaced := range map[string]string{
		"all that there is": "another description", "ghcr.io/o/p": "ghcr.io/o/q", "{B: two, A: one}": "{A: one, B: two}",
		"memory: 1G": "memory: 8G", "90s": "10m", "revision: main": "revision: v1", "# ": "", "debian:bookworm-slim": "debian:12",
	} {
		if got := load(t, "# a comment\n"+strings.ReplaceAll(whole, old, replaced)).Inputs().Version(); got != was {
			t.Errorf("%s instead of %s makes another version", replaced, old)
		}
	}
	for old, replaced := range map[string]string{"B: two": "B: three", "4G": "5G", "quiet": "debug", "user-data: user-data, ": "", "smoke.sh": "provision.sh"} {
		if got := load(t, strings.ReplaceAll(whole, old, replaced)).Inputs().Version(); got == was {
			t.Errorf("%s instead of %s makes the same version", replaced, old)
		}
	}
	in := load(t, whole).Inputs()
	slices.Reverse(in.Files)
	if in.Version() != was {
		t.Error("the order of files makes another version")
	}
	for _, change := range []func(fstest.MapFS){
		func(f fstest.MapFS) { f["x/provision.sh"].Data = []byte("echo") },
		func(f fstest.MapFS) { f["x/provision.sh"].Mode = 0o644 },
		func(f fstest.MapFS) { f["x/more"] = &fstest.MapFile{} },
	} {
		fsys := folder(whole)
		change(fsys)
		r, err := Load(fsys, "images", "x")
		if err != nil || r.Inputs().Version() == was {
			t.Errorf("a changed file makes the same version (%v)", err)
		}
	}
}

func TestLoadRefuses(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"../x": "cannot name an image", "Upper": "cannot name an image", "y": "there is no recipe y: no file images/y/recipe.yml",
	} {
		_, err := Load(folder(whole), "images", name)
		if !errors.Is(err, fault.Configuration) || !strings.Contains(err.Error(), want) || fault.HintOf(err) == "" {
			t.Errorf("%s: got %v (%q)", name, err, fault.HintOf(err))
		}
	}
	if _, err := Load(fstest.MapFS{}, "images", "x"); !strings.Contains(fault.HintOf(err), "--recipes") {
		t.Errorf("no recipes at all: got %q", fault.HintOf(err))
	}
	fsys := folder(whole)
	fsys["x/source/a"] = &fstest.MapFile{}
	if _, err := Load(fsys, "images", "x"); err == nil || !strings.Contains(err.Error(), "the recipe has a file source/a") {
		t.Errorf("a reserved name: got %v", err)
	}
}

// TestTree: a tree's digest is that of its files, wherever it is.
func TestTree(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	for name, text := range map[string]string{"scripts/a.sh": "a", "scripts/b": "b", "other": "o", ".git/config": "g"} {
		if err := os.MkdirAll(filepath.Dir(filepath.Join(dir, name)), 0o755); err != nil {
			t.Fatal(err)
		}
		if err := os.WriteFile(filepath.Join(dir, name), []byte(text), 0o755); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Symlink("/etc/passwd", filepath.Join(dir, "scripts/link")); err != nil {
		t.Fatal(err)
	}
	files, err := Tree(os.DirFS(dir), []string{"scripts", "scripts/b"})
	if err != nil || len(files) != 3 || files[2].Mode != "120000" {
		t.Fatalf("got %+v, %v", files, err)
	}
	all, err := Tree(os.DirFS(dir), nil)
	if err != nil || len(all) != 4 || Digest(all) == Digest(files) {
		t.Fatalf("got %+v, %v", all, err)
	}
	first := Digest(files)
	slices.Reverse(files)
	if Digest(files) != first {
		t.Error("the order of files changes the digest")
	}
	if _, err := Tree(os.DirFS(dir), []string{"missing"}); !errors.Is(err, fault.Configuration) || !strings.Contains(err.Error(), "there is no missing") {
		t.Errorf("got %v", err)
	}
}

// FuzzRecipe: no text makes the decoder panic, and what it takes has a version
// that does not depend on reading it twice.
func FuzzRecipe(f *testing.F) {
	f.Add([]byte(whole))
	files, _ := filepath.Glob("testdata/bad/*.yml")
	for _, file := range files {
		text, _ := os.ReadFile(file)
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text []byte) {
		r, err := Load(folder(string(text)), "images", "x")
		if err != nil {
			if !errors.Is(err, fault.Configuration) {
				t.Errorf("got %v", err)
			}
			return
		}
		again, err := Load(folder(string(text)), "images", "x")
		if err != nil || r.Inputs().Hash() != again.Inputs().Hash() {
			t.Errorf("the second time it was another one: %v", err)
		}
	})
}

// TestDocs: each key that a recipe may have is described.
func TestDocs(t *testing.T) {
	t.Parallel()
	text, err := os.ReadFile("../../../docs/images.md")
	if err != nil {
		t.Fatal(err)
	}
	described := map[string]bool{}
	for line := range strings.SplitSeq(string(text), "\n") {
		if !strings.HasPrefix(line, "| `") {
			continue
		}
		keys, _, _ := strings.Cut(strings.TrimPrefix(line, "| "), " | ")
		group := ""
		for _, key := range strings.Split(strings.ReplaceAll(keys, "`", ""), ", ") {
			if rest, short := strings.CutPrefix(key, "."); short {
				key = group + "." + rest
			}
			group = key[:max(0, strings.LastIndexByte(key, '.'))]
			described[key] = true
		}
	}
	var walk func(t reflect.Type, prefix string) []string
	walk = func(t reflect.Type, prefix string) (missing []string) {
		for i := range t.NumField() {
			f := t.Field(i)
			name, _, _ := strings.Cut(f.Tag.Get("json"), ",")
			of := f.Type
			if of.Kind() == reflect.Pointer {
				of = of.Elem()
			}
			switch {
			case name == "-":
			case of.Kind() == reflect.Struct:
				missing = append(missing, walk(of, prefix+name+".")...)
			case !described[prefix+name]:
				missing = append(missing, prefix+name)
			}
		}
		return missing
	}
	if missing := walk(reflect.TypeFor[Recipe](), ""); len(missing) > 0 {
		t.Errorf("docs/images.md does not describe %q", missing)
	}
}

// TestShippedRecipes: the recipes of this repository are good ones.
func TestShippedRecipes(t *testing.T) {
	t.Parallel()
	for _, at := range []string{"../../../images", "../../../e2e/testdata/images"} {
		names := Names(os.DirFS(at))
		if len(names) < 2 {
			t.Errorf("%s: got %q", at, names)
		}
		for _, name := range names {
			if _, err := Load(os.DirFS(at), at, name); err != nil {
				t.Error(err)
			}
		}
	}
}
