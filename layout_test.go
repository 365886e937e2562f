// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"go/parser"
	"go/token"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
)

const module = "github.com/spdk-community-ci/dispatcher/internal/"

// mayImport is the project's map: which package may know which. Arrows point
// one way only, so a newcomer can read the packages in this order.
var mayImport = map[string][]string{
	"change":       {},
	"fault":        {},
	"strictyaml":   {"change", "fault"},
	"config":       {"change", "fault", "strictyaml", "verdict"},
	"plan":         {"change", "command", "config", "verdict"},
	"gitwire":      {"fault"},
	"relay":        {"change", "fault", "gitwire"},
	"gerrit":       {"change", "fault"},
	"github":       {"change", "fault", "testlog"},
	"report":       {"change", "config", "fault", "findings", "flake", "plan", "publish", "verdict"},
	"reconcile":    {"change", "command", "config", "fault", "plan", "relay", "verdict"},
	"action":       {"change", "config", "fault"},
	"verdict":      {"change", "testlog"},
	"testlog":      {"change"},
	"command":      {"change"},
	"findings":     {"change"},
	"flake":        {"change", "command", "verdict"},
	"durable":      {},
	"proctree":     {},
	"store":        {"change", "durable", "fault"},
	"cache":        {"durable", "fault"},
	"host":         {"change", "durable", "fault"},
	"publish":      {"change", "fault"},
	"image":        {"fault", "image/disk", "image/recipe", "image/tool"},
	"image/disk":   {"fault", "image/tool"},
	"image/recipe": {"fault", "strictyaml"}, "image/registry": {"fault"}, "image/tool": {"fault"},
	"environments":   {"change", "fault", "guest/machine", "strictyaml"},
	"guest/machine":  {"change", "fault", "strictyaml"},
	"guest/qemu":     {"change", "fault", "guest/machine"},
	"guest/qmp":      {"fault"},
	"guest/seed":     {"fault"},
	"guest/remote":   {"change", "fault"},
	"guest":          {"change", "fault", "guest/machine", "guest/qemu", "guest/qmp", "guest/remote", "guest/seed"},
	"standin/faults": {}, "standin/githttp": {}, "standin/golden": {}, "standin/loopback": {}, "standin/s3": {"standin/faults", "standin/loopback"},
	"standin/qemu":   {},
	"standin/engine": {},
	"standin/gerrit": {"change", "standin/faults", "standin/githttp", "standin/loopback"},
	"standin/github": {"change", "standin/faults", "standin/githttp", "standin/loopback"},
}

// soleImporter names the one package that may use each vendor's client; the
// stand-ins are the other side and may, too.
var soleImporter = map[string]string{
	"github.com/andygrunwald/go-gerrit":       "gerrit",
	"github.com/google/go-github/":            "github",
	"github.com/cli/go-gh/":                   "github",
	"github.com/sethvargo/go-githubactions":   "action",
	"github.com/gofri/go-github-ratelimit/v2": "github",
	"github.com/minio/minio-go/":              "store",
	"github.com/google/go-containerregistry/": "image/registry",
	"golang.org/x/crypto/ssh":                 "guest/remote",
	"github.com/pkg/sftp":                     "guest/remote",
	"github.com/kdomanski/iso9660":            "guest/seed",
}

// TestLayout holds the imports of production code to the map.
func TestLayout(t *testing.T) {
	t.Parallel()
	for path, imports := range sources(t) {
		pkg := filepath.ToSlash(strings.TrimPrefix(filepath.Dir(path), "internal/"))
		allowed, known := mayImport[pkg]
		for _, imp := range imports {
			if other, ours := strings.CutPrefix(imp, module); ours && pkg != "app" && strings.HasPrefix(path, "internal/") {
				if !known {
					t.Errorf("%s: package %s is not on the map in layout_test.go", path, pkg)
				} else if !slices.Contains(allowed, other) {
					t.Errorf("%s: %s must not import %s", path, pkg, other)
				}
			}
			for vendor, sole := range soleImporter {
				if strings.HasPrefix(imp, vendor) && pkg != sole && !strings.HasPrefix(pkg, "standin/") {
					t.Errorf("%s: only %s may import %s", path, sole, imp)
				}
			}
		}
	}
}

// sources returns the imports of each production file, and checks the licence
// line and the size that a file may have.
func sources(t *testing.T) map[string][]string {
	t.Helper()
	const header, maxLines = "// SPDX-License-Identifier: BSD-3-Clause\n", 260
	files := map[string][]string{}
	err := filepath.WalkDir(".", func(path string, d fs.DirEntry, err error) error {
		if err != nil || d.IsDir() || !strings.HasSuffix(path, ".go") {
			return err
		}
		text, err := os.ReadFile(path)
		if err != nil {
			return err
		}
		if !strings.HasPrefix(string(text), header) {
			t.Errorf("%s: it does not begin with %q", path, header)
		}
		if strings.HasSuffix(path, "_test.go") {
			return nil
		}
		if n := strings.Count(string(text), "\n"); n > maxLines {
			t.Errorf("%s: %d lines; split what outgrows %d", path, n, maxLines)
		}
		f, err := parser.ParseFile(token.NewFileSet(), path, text, parser.ImportsOnly)
		if err != nil {
			return err
		}
		files[path] = nil
		for _, spec := range f.Imports {
			imp, err := strconv.Unquote(spec.Path.Value)
			if err != nil {
				return err
			}
			files[path] = append(files[path], imp)
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return files
}
