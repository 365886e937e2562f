// SPDX-License-Identifier: BSD-3-Clause

package recipe

import (
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"io/fs"
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/strictyaml"
)

// nameForm is what images may be called: a part of tags, object names and file
// names alike.
var nameForm = regexp.MustCompile(`^[a-z0-9]([a-z0-9.-]{0,62}[a-z0-9])?$`)

// CheckName accepts the names that images may have.
func CheckName(name string) error {
	if !nameForm.MatchString(name) || strings.Contains(name, "..") {
		return bad("use lower-case letters, digits, '-' and '.'", "%s cannot name an image", quote(name))
	}
	return nil
}

// File is one file that goes into a build.
type File struct {
	// Path is relative, with slashes.
	Path string `json:"path"`
	// Mode is git's: 100644, 100755 or 120000 for a symbolic link.
	Mode string `json:"mode"`
	// SHA256 is that of the content, or of a link's target.
	SHA256 string `json:"sha256"`
}

// Load reads the recipe NAME below a folder of recipes; at is what people call
// that folder. The error holds strictyaml.Problems, all that were found.
func Load(recipes fs.FS, at, name string) (*Recipe, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	dir, err := fs.Sub(recipes, name)
	if err != nil {
		return nil, fault.Wrap(fault.Ours, err)
	}
	data, err := read(dir, FileName, strictyaml.MaxFile+1)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Configuration, "there is no recipe %s: no file %s", name, path.Join(at, name, FileName)).WithHint("%s", whichRecipes(recipes, at))
	} else if err != nil {
		return nil, fault.New(fault.Ours, "failed to read %s: %w", path.Join(at, name, FileName), err)
	}
	r := &Recipe{Name: name}
	c := check{r, strictyaml.Format{Manual: "docs/images.md"}.Decode(path.Join(at, name, FileName), data, r)}
	if r.Files, err = Tree(dir, nil); err != nil {
		return nil, err
	}
	r.Files = slices.DeleteFunc(r.Files, func(f File) bool { return ignored(f.Path) })
	if r.fill(); c.Given("") { // else there is nothing to look at
		c.files()
		c.parts()
	}
	return r, c.Err()
}

// ignored files tell people something, or an editor.
func ignored(name string) bool {
	return name == FileName || name == "README.md" || strings.HasPrefix(path.Base(name), ".") || strings.HasSuffix(name, "~")
}

// Names lists the recipes below a folder.
func Names(recipes fs.FS) []string {
	found, _ := fs.Glob(recipes, "*/"+FileName) // the pattern is a good one
	for i, name := range found {
		found[i] = path.Dir(name)
	}
	return found
}

func whichRecipes(recipes fs.FS, at string) string {
	names := Names(recipes)
	if len(names) == 0 {
		return "there are no recipes in " + at + "; --recipes names another folder"
	}
	return "the recipes in " + at + " are " + strings.Join(names, ", ")
}

// read reads a file, but no more than limit bytes of it.
func read(fsys fs.FS, name string, limit int64) ([]byte, error) {
	f, err := fsys.Open(name)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	return io.ReadAll(io.LimitReader(f, limit))
}

// hashOf returns the SHA-256 of what r holds, in hex.
func hashOf(r io.Reader) (string, error) {
	h := sha256.New()
	_, err := io.Copy(h, r)
	return hex.EncodeToString(h.Sum(nil)), err
}
