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

	"go.yaml.in/yaml/v3"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
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
// that folder. The error holds Problems, all that were found.
func Load(recipes fs.FS, at, name string) (*Recipe, error) {
	if err := CheckName(name); err != nil {
		return nil, err
	}
	dir, err := fs.Sub(recipes, name)
	if err != nil {
		return nil, fault.Wrap(fault.Ours, err)
	}
	data, err := read(dir, FileName, maxFile+1)
	if errors.Is(err, fs.ErrNotExist) {
		return nil, fault.New(fault.Configuration, "there is no recipe %s: no file %s", name, path.Join(at, name, FileName)).WithHint("%s", whichRecipes(recipes, at))
	} else if err != nil {
		return nil, fault.New(fault.Ours, "failed to read %s: %w", path.Join(at, name, FileName), err)
	}
	d := &decoder{file: path.Join(at, name, FileName), places: map[any]*yaml.Node{}}
	r := &Recipe{Name: name}
	d.decode(data, r)
	decoded := len(d.problems) == 0
	if r.Files, err = Tree(dir, nil); err != nil {
		return nil, err
	}
	r.Files = slices.DeleteFunc(r.Files, func(f File) bool { return ignored(f.Path) })
	r.fill()
	d.check(r, decoded)
	return r, d.problems.err()
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

// check looks at what values mean together.
func (d *decoder) check(r *Recipe, decoded bool) {
	if decoded {
		d.checkParts(r)
	}
	files := map[string]bool{}
	for _, f := range r.Files {
		files[f.Path] = f.Mode != "120000"
		if f.Path == SourceDir || strings.HasPrefix(f.Path, SourceDir+"/") {
			d.fail(nil, "rename it: a build finds the source tree there", "the recipe has a file %s", f.Path)
		}
	}
	exists := func(p *filePath) {
		if *p != "" && !files[string(*p)] {
			d.fail(d.places[p], "add the file, or correct its name", "the recipe's folder has no file %s", *p)
		}
	}
	exists(&r.Smoke.Script)
	if r.Container != nil {
		exists(&r.Container.Dockerfile)
	}
	if r.Disk != nil {
		exists(&r.Disk.Dockerfile)
		exists(&r.Disk.UserData)
		for i := range r.Disk.Provision {
			exists(&r.Disk.Provision[i])
		}
	}
}

// checkParts says which keys need or exclude each other.
func (d *decoder) checkParts(r *Recipe) {
	if r.Container == nil && r.Disk == nil {
		d.fail(nil, "add container, disk or both", "the recipe makes neither a container image nor a disk image")
	}
	if (r.Container == nil) != (r.Base == "") {
		d.fail(d.places[&r.Base], "give both, or neither", "base and container belong together")
	}
	disk := r.Disk
	if disk == nil {
		return
	}
	at := d.places[disk]
	switch fromContainer := disk.Dockerfile != ""; {
	case fromContainer == (disk.CloudImage != nil):
		d.fail(at, "give dockerfile to make the disk from the container, or cloud-image to make it in a guest", "the disk must be made in one way")
	case fromContainer && r.Container == nil:
		d.fail(at, "add container, or use cloud-image", "the disk's Dockerfile builds on the recipe's container, and there is none")
	case fromContainer && len(disk.Provision) > 0:
		d.fail(at, "run the scripts in the Dockerfile, or use cloud-image", "provision is for cloud-image only")
	case !fromContainer && disk.Cmdline != "":
		d.fail(d.places[&disk.Cmdline], "change it in a provision script", "a cloud image brings its own boot loader, and cmdline is for dockerfile only")
	}
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
