// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"encoding/json"
	"regexp"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/recipe"
)

// Objects are named, below the store's prefix:
//
//	images/NAME/VERSION/manifest.json
//	images/NAME/VERSION/disk-HASH.qcow2    HASH: the first 16 digits of its SHA-256
//	images/NAME/alias/ALIAS.json
const (
	root         = "images/"
	manifestFile = "manifest.json"
	diskFile     = "disk.qcow2" // in the folder of builds
)

func prefixOf(name string) string              { return root + name + "/" }
func manifestName(name, version string) string { return prefixOf(name) + version + "/" + manifestFile }
func diskName(m *Manifest) string              { return prefixOf(m.Name) + m.Version + "/" + m.Disk.Object }
func aliasName(name, alias string) string      { return prefixOf(name) + "alias/" + alias + ".json" }

// DefaultAlias is what a name without a version stands for.
const DefaultAlias = "latest"

// aliasForm is not what a version looks like.
var aliasForm = regexp.MustCompile(`^[a-z][a-z0-9-]{0,31}$`)

// Target is an image as people name it: NAME, NAME:ALIAS or NAME@VERSION.
type Target struct {
	Name string
	// Version and Alias: one of them is set, or none.
	Version, Alias string
}

// ParseTarget reads what people write.
func ParseTarget(s string) (Target, error) {
	t := Target{Name: s}
	var version, alias bool
	if t.Name, t.Version, version = strings.Cut(s, "@"); !version {
		t.Name, t.Alias, alias = strings.Cut(s, ":")
	}
	switch {
	case version && !versionForm.MatchString(t.Version):
		return t, fault.New(fault.Configuration, "%.80q is not a version", t.Version).WithHint("a version has 16 hex digits: dispatcher image list")
	case alias && (!aliasForm.MatchString(t.Alias) || versionForm.MatchString(t.Alias)):
		return t, fault.New(fault.Configuration, "%.80q is not an alias", t.Alias).WithHint("write NAME, NAME:ALIAS or NAME@VERSION; an alias has lower-case letters, digits and '-'")
	}
	return t, recipe.CheckName(t.Name)
}

// String returns what ParseTarget reads.
func (t Target) String() string {
	switch {
	case t.Version != "":
		return t.Name + "@" + t.Version
	case t.Alias != "":
		return t.Name + ":" + t.Alias
	}
	return t.Name
}

// Alias is a name that moves from version to version.
type Alias struct {
	Schema  int    `json:"schema"`
	Alias   string `json:"alias"`
	Version string `json:"version"`
	// Previous is the version that it stood for before, if any.
	Previous string    `json:"previous,omitempty"`
	Moved    time.Time `json:"moved"`
}

// ParseAlias reads an alias from outside.
func ParseAlias(data []byte) (*Alias, error) {
	a := &Alias{}
	if err := json.Unmarshal(data, a); err != nil || len(data) > maxManifest {
		return nil, fault.New(fault.Permanent, "it is not an alias: it is not JSON of the right form")
	}
	if a.Schema != manifestSchema || !aliasForm.MatchString(a.Alias) || !versionForm.MatchString(a.Version) ||
		a.Previous != "" && !versionForm.MatchString(a.Previous) {
		return nil, fault.New(fault.Permanent, "it is not an alias that this program knows").WithHint("update dispatcher, or move the alias anew")
	}
	return a, nil
}
