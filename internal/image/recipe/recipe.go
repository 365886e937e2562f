// SPDX-License-Identifier: BSD-3-Clause

package recipe

import "time"

// FileName is the file that makes a folder a recipe.
const FileName = "recipe.yml"

// SourceDir is where a build finds the source tree, below the recipe's files.
const SourceDir = "source"

// Recipe says how an image is made. The json tags are the keys of recipe.yml;
// one without "omitempty" must be there. docs/images.md describes them.
type Recipe struct {
	// Name is the recipe's folder, and the image's name.
	Name string `json:"-"`
	// Description is one line for people.
	Description line `json:"description"`
	// Base is the image that the container starts from.
	Base      reference  `json:"base,omitempty"`
	Source    *Source    `json:"source,omitempty"`
	Container *Container `json:"container,omitempty"`
	Disk      *Disk      `json:"disk,omitempty"`
	Guest     Guest      `json:"guest,omitempty"`
	Smoke     Smoke      `json:"smoke"`

	// Files are all files of the folder that a build sees, sorted by path;
	// recipe.yml is not among them.
	Files []File `json:"-"`
}

// Source is a git repository of which a build needs some files.
type Source struct {
	URL      gitURL   `json:"url"`
	Revision revision `json:"revision"`
	// Paths are the files and folders that a build sees; empty means all.
	Paths []treePath `json:"paths,omitempty"`
}

// Container is a container image built with Docker or Podman.
type Container struct {
	Dockerfile filePath         `json:"dockerfile,omitempty"`
	Args       map[argName]line `json:"args,omitempty"`
	// Repository is where it is pushed, without a tag; empty means nowhere.
	Repository repository `json:"repository,omitempty"`
}

// Disk is a bootable disk image, made in one of two ways: from the file system
// of a container built with Dockerfile on top of the recipe's container, or from
// a distribution's cloud image by running scripts in a guest.
type Disk struct {
	Dockerfile filePath    `json:"dockerfile,omitempty"`
	CloudImage *CloudImage `json:"cloud-image,omitempty"`
	// Provision are the scripts that a guest runs as root, in this order.
	Provision []filePath `json:"provision,omitempty"`
	// UserData is cloud-init configuration (#cloud-config) that becomes part of
	// the image; what a machine's own seed says wins.
	UserData filePath `json:"user-data,omitempty"`
	// Size is the disk's size in bytes.
	Size size `json:"size,omitempty"`
	// Cmdline is the kernel's command line, less the root file system.
	Cmdline line `json:"cmdline,omitempty"`
}

// CloudImage is a disk image that a distribution offers.
type CloudImage struct {
	URL    webURL `json:"url"`
	SHA256 digest `json:"sha256"`
}

// Guest is the machine that provisioning and the smoke test run in.
type Guest struct {
	Memory size  `json:"memory,omitempty"` // bytes
	CPUs   count `json:"cpus,omitempty"`
}

// Smoke is the test that an image must pass.
type Smoke struct {
	Script  filePath `json:"script"`
	Timeout duration `json:"timeout,omitempty"`
}

// The defaults of settings that may be left out.
const (
	defaultDockerfile = "Dockerfile"
	defaultSize       = 20 << 30
	defaultCmdline    = "console=tty0 console=ttyS0,115200"
	defaultMemory     = 2 << 30
	defaultCPUs       = 2
	defaultTimeout    = 10 * time.Minute
)

// fill puts defaults in place of what is missing.
func (r *Recipe) fill() {
	if c := r.Container; c != nil && c.Dockerfile == "" {
		c.Dockerfile = defaultDockerfile
	}
	if d := r.Disk; d != nil {
		if d.Size == 0 {
			d.Size = defaultSize
		}
		if d.Cmdline == "" && d.CloudImage == nil {
			d.Cmdline = defaultCmdline
		}
	}
	if r.Guest.Memory == 0 {
		r.Guest.Memory = defaultMemory
	}
	if r.Guest.CPUs == 0 {
		r.Guest.CPUs = defaultCPUs
	}
	if r.Smoke.Timeout == 0 {
		r.Smoke.Timeout = duration(defaultTimeout)
	}
}
