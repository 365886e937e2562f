// SPDX-License-Identifier: BSD-3-Clause

package recipe

import (
	"fmt"
	"slices"
	"strings"
)

// versionLength is how many hex digits of the inputs' hash name a version.
const versionLength = 16

// Inputs is all that decides what an image becomes. It is part of the manifest.
type Inputs struct {
	// Settings are those of recipe.yml that a build obeys, by key.
	Settings map[string]string `json:"settings"`
	// Base is the digest of the base image, or the local id of one that no
	// registry has; empty if there is no container.
	Base string `json:"base,omitempty"`
	// Files are those of the recipe's folder.
	Files []File `json:"files"`
	// Source is the digest of the source tree's files; empty if there is none.
	Source string `json:"source,omitempty"`
	// Serial is any text that makes a new version of the same inputs.
	Serial string `json:"serial,omitempty"`
}

// Inputs returns what the recipe itself contributes. The description, the
// repository to push to, and the machine that tests it do not change an image.
func (r *Recipe) Inputs() Inputs {
	set := map[string]string{"smoke.script": string(r.Smoke.Script)}
	if c := r.Container; c != nil {
		set["container.dockerfile"] = string(c.Dockerfile)
		for name, value := range c.Args {
			set["container.args."+string(name)] = string(value)
		}
	}
	if d := r.Disk; d != nil {
		set["disk.size"] = fmt.Sprint(int64(d.Size))
		set["disk.user-data"] = string(d.UserData)
		if d.Dockerfile != "" {
			set["disk.dockerfile"] = string(d.Dockerfile)
			set["disk.cmdline"] = string(d.Cmdline)
		}
		if d.CloudImage != nil {
			set["disk.cloud-image.sha256"] = string(d.CloudImage.SHA256)
		}
		for i, script := range d.Provision {
			set[fmt.Sprintf("disk.provision.%03d", i)] = string(script)
		}
	}
	return Inputs{Settings: set, Files: r.Files}
}

// Canonical returns the text whose SHA-256 is the inputs' hash: a first line
// that names this form, then one line for each input, in the order of their
// bytes. It does not depend on the order in which anything is listed.
func (in Inputs) Canonical() string {
	lines := []string{}
	add := func(format string, args ...any) { lines = append(lines, fmt.Sprintf(format, args...)) }
	for key, value := range in.Settings {
		add("setting %s %q\n", key, value)
	}
	for _, f := range in.Files {
		add("file %q %s %s\n", f.Path, f.Mode, f.SHA256)
	}
	for key, value := range map[string]string{"base": in.Base, "source": in.Source, "serial": in.Serial} {
		if value != "" {
			add("%s %q\n", key, value)
		}
	}
	slices.Sort(lines)
	return "dispatcher-image 1\n" + strings.Join(lines, "")
}

// Hash returns the SHA-256 of the canonical text, in hex.
func (in Inputs) Hash() string {
	sum, _ := hashOf(strings.NewReader(in.Canonical())) // a string can be read
	return sum
}

// Version returns the name of what these inputs make: the first 16 digits of
// their hash.
func (in Inputs) Version() string { return in.Hash()[:versionLength] }
