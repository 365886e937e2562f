// SPDX-License-Identifier: BSD-3-Clause

package recipe

import (
	"fmt"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/strictyaml"
)

// check looks at what the values of a recipe mean together.
type check struct {
	r *Recipe
	*strictyaml.Document
}

// files looks for the files that the recipe names.
func (c check) files() {
	files := map[string]bool{}
	for _, f := range c.r.Files {
		files[f.Path] = f.Mode != "120000"
		if f.Path == SourceDir || strings.HasPrefix(f.Path, SourceDir+"/") {
			c.Fail("", "rename it: a build finds the source tree there", "the recipe has a file %s", f.Path)
		}
	}
	exists := func(path string, name filePath) {
		if name != "" && !files[string(name)] {
			c.Fail(path, "add the file, or correct its name", "the recipe's folder has no file %s", name)
		}
	}
	exists("smoke.script", c.r.Smoke.Script)
	if container := c.r.Container; container != nil {
		exists("container.dockerfile", container.Dockerfile)
	}
	if disk := c.r.Disk; disk != nil {
		exists("disk.dockerfile", disk.Dockerfile)
		exists("disk.user-data", disk.UserData)
		for i, script := range disk.Provision {
			exists(fmt.Sprintf("disk.provision[%d]", i), script)
		}
	}
}

// parts says which keys need or exclude each other. A key counts even if its
// value is wrong, so that one mistake does not look like two.
func (c check) parts() {
	container, disk := c.Given("container"), c.Given("disk")
	if !container && !disk {
		c.Fail("", "add container, disk or both", "the recipe makes neither a container image nor a disk image")
	}
	if container != c.Given("base") {
		c.Fail("base", "give both, or neither", "base and container belong together")
	}
	if c.r.Disk == nil {
		return
	}
	switch fromContainer := c.Given("disk.dockerfile"); {
	case fromContainer == c.Given("disk.cloud-image"):
		c.Fail("disk", "give dockerfile to make the disk from the container, or cloud-image to make it in a guest", "the disk must be made in one way")
	case fromContainer && !container:
		c.Fail("disk.dockerfile", "add container, or use cloud-image", "the disk's Dockerfile builds on the recipe's container, and there is none")
	case fromContainer && c.Given("disk.provision"):
		c.Fail("disk.provision", "run the scripts in the Dockerfile, or use cloud-image", "provision is for cloud-image only")
	case !fromContainer && c.Given("disk.cmdline"):
		c.Fail("disk.cmdline", "change it in a provision script", "a cloud image brings its own boot loader, and cmdline is for dockerfile only")
	}
}
