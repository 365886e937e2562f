// SPDX-License-Identifier: BSD-3-Clause

package recipe

import (
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// maxFiles bounds a source tree: SPDK with all submodules has some 20,000.
const maxFiles = 200_000

// Tree lists the files at and below some paths (nil: everywhere), sorted, with
// their hashes; .git is left out. Devices, sockets and the like are refused, and
// so is a path that is not there.
func Tree(fsys fs.FS, paths []string) ([]File, error) {
	if len(paths) == 0 {
		paths = []string{"."}
	}
	found := map[string]File{}
	for _, root := range paths {
		err := fs.WalkDir(fsys, root, func(name string, e fs.DirEntry, err error) error {
			switch {
			case err != nil:
				return err
			case e.Name() == ".git":
				if e.IsDir() {
					return fs.SkipDir
				}
				return nil
			case e.IsDir():
				return nil
			case len(found) == maxFiles:
				return fault.New(fault.Configuration, "there are more than %d files", maxFiles)
			}
			found[name], err = fileOf(fsys, name, e)
			return err
		})
		if err != nil {
			return nil, treeError(root, err)
		}
	}
	list := make([]File, 0, len(found))
	for _, f := range found {
		list = append(list, f)
	}
	slices.SortFunc(list, func(a, b File) int { return strings.Compare(a.Path, b.Path) })
	return list, nil
}

func treeError(root string, err error) error {
	switch {
	case fault.KindOf(err) != fault.Unknown:
		return err
	case errors.Is(err, fs.ErrNotExist):
		return fault.New(fault.Configuration, "there is no %s", root).WithHint("name what is there, or give another revision or folder")
	}
	return fault.New(fault.Ours, "failed to read %s: %w", root, err)
}

func fileOf(fsys fs.FS, name string, e fs.DirEntry) (File, error) {
	f := File{Path: name, Mode: "100644"}
	if strings.ContainsAny(name, "\n\"\\") {
		return f, fault.New(fault.Configuration, "the file name %q cannot be used", name).WithHint("rename or remove it")
	}
	switch e.Type() {
	case fs.ModeSymlink:
		target, err := fs.ReadLink(fsys, name)
		if err != nil {
			return f, err
		}
		f.Mode = "120000"
		f.SHA256, err = hashOf(strings.NewReader(target))
		return f, err
	case 0:
	default:
		return f, fault.New(fault.Configuration, "%s is neither a file nor a link", name).WithHint("remove it")
	}
	info, err := e.Info()
	if err != nil {
		return f, err
	}
	if info.Mode()&0o111 != 0 {
		f.Mode = "100755"
	}
	r, err := fsys.Open(name)
	if err != nil {
		return f, err
	}
	defer r.Close()
	f.SHA256, err = hashOf(r)
	return f, err
}

// Digest returns one hash for a list of files, whatever its order.
func Digest(files []File) string {
	lines := make([]string, len(files))
	for i, f := range files {
		lines[i] = fmt.Sprintf("%s %s %q\n", f.Mode, f.SHA256, f.Path)
	}
	slices.Sort(lines)
	sum, _ := hashOf(strings.NewReader(strings.Join(lines, ""))) // a string can be read
	return sum
}
