// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"encoding/json"
	"fmt"
	"regexp"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/recipe"
)

// manifestSchema is the version of the manifest's form. A reader takes its own
// and refuses what is newer.
const manifestSchema = 1

// maxManifest bounds a manifest: the inputs of SPDK's recipes take some 10 KB.
const maxManifest = 4 << 20

// Manifest is all that is known about one version of an image.
type Manifest struct {
	Schema      int       `json:"schema"`
	Name        string    `json:"name"`
	Version     string    `json:"version"`
	Description string    `json:"description"`
	Created     time.Time `json:"created"`
	// InputsSHA256 is the hash of Inputs, which Version is the beginning of.
	InputsSHA256 string        `json:"inputs_sha256"`
	Inputs       recipe.Inputs `json:"inputs"`
	Origin       Origin        `json:"origin"`
	// Tools are the programs that made it, with their versions.
	Tools     map[string]string `json:"tools"`
	Container *Container        `json:"container,omitempty"`
	Disk      *Disk             `json:"disk,omitempty"`
	Smoke     Smoke             `json:"smoke"`
}

// Origin says where inputs came from, for people: their content is in Inputs.
type Origin struct {
	Base           string `json:"base,omitempty"`
	SourceURL      string `json:"source_url,omitempty"`
	SourceRevision string `json:"source_revision,omitempty"`
	CloudImage     string `json:"cloud_image,omitempty"`
}

// Container is the container image of a version.
type Container struct {
	// ID is the engine's own name for it.
	ID string `json:"id"`
	// Repository, Digest and Size (what a pull moves) are known after a push.
	Repository string `json:"repository,omitempty"`
	Digest     string `json:"digest,omitempty"`
	Size       int64  `json:"size,omitempty"`
}

// Disk is the disk image of a version.
type Disk struct {
	// Object is the file's name beside the manifest.
	Object      string `json:"object"`
	Format      string `json:"format"`
	Size        int64  `json:"size"`         // of the file, in bytes
	VirtualSize int64  `json:"virtual_size"` // of the disk, in bytes
	SHA256      string `json:"sha256"`
}

// Smoke holds the results of the smoke test in each kind of image.
type Smoke struct {
	Container *Result `json:"container,omitempty"`
	Disk      *Result `json:"disk,omitempty"`
}

// Result is one run of a smoke test.
type Result struct {
	Passed  bool      `json:"passed"`
	Status  int       `json:"status"` // the script's exit status
	At      time.Time `json:"at"`
	Seconds float64   `json:"seconds"`
	// Output is the end of what the script wrote.
	Output string `json:"output,omitempty"`
}

// Verified reports whether all that the version has passed the smoke test.
func (m *Manifest) Verified() bool {
	return (m.Container == nil || m.Smoke.Container != nil && m.Smoke.Container.Passed) &&
		(m.Disk == nil || m.Smoke.Disk != nil && m.Smoke.Disk.Passed)
}

// Encode returns the manifest as indented JSON.
func (m *Manifest) Encode() []byte { return encode(m) }

func encode(v any) []byte {
	text, err := json.MarshalIndent(v, "", "  ")
	if err != nil {
		panic(err) // these types can always be encoded
	}
	return append(text, '\n')
}

var (
	versionForm = regexp.MustCompile(`^[0-9a-f]{16}$`)
	sha256Form  = regexp.MustCompile(`^[0-9a-f]{64}$`)
	digestForm  = regexp.MustCompile(`^sha256:[0-9a-f]{64}$`)
	objectForm  = regexp.MustCompile(`^disk-[0-9a-f]{16}\.qcow2$`)
)

// ParseManifest reads a manifest from outside and checks all that is used later.
// Keys that it does not know are left out.
func ParseManifest(data []byte) (*Manifest, error) {
	m := &Manifest{}
	if err := parseJSON(data, m); err != nil {
		return nil, fault.New(fault.Permanent, "it is not a manifest: %w", err)
	}
	if m.Schema > manifestSchema {
		return nil, fault.New(fault.Configuration, "the manifest has the schema %d; this program knows %d", m.Schema, manifestSchema).WithHint("update dispatcher")
	}
	if err := m.check(); err != nil {
		return nil, fault.New(fault.Permanent, "it is not a manifest: %w", err)
	}
	return m, nil
}

func parseJSON(data []byte, v any) error {
	if len(data) > maxManifest {
		return fmt.Errorf("it is longer than %d MiB", maxManifest>>20)
	}
	return json.Unmarshal(data, v)
}

func (m *Manifest) check() error {
	switch {
	case m.Schema != manifestSchema:
		return fmt.Errorf("its schema is %d", m.Schema)
	case recipe.CheckName(m.Name) != nil:
		return fmt.Errorf("its name is %.40q", m.Name)
	case m.InputsSHA256 != m.Inputs.Hash():
		return fmt.Errorf("inputs_sha256 is not the hash of the inputs")
	case m.Version != m.Inputs.Version():
		return fmt.Errorf("its version is not the beginning of inputs_sha256")
	case m.Container == nil && m.Disk == nil:
		return fmt.Errorf("it names neither a container nor a disk")
	}
	if d := m.Disk; d != nil && (d.Format != "qcow2" || d.Size <= 0 || d.VirtualSize <= 0 || !sha256Form.MatchString(d.SHA256) || !objectForm.MatchString(d.Object)) {
		return fmt.Errorf("what it says of the disk cannot be used")
	}
	if c := m.Container; c != nil && c.Repository+c.Digest != "" && (recipe.CheckRepository(c.Repository) != nil || !digestForm.MatchString(c.Digest)) {
		return fmt.Errorf("what it says of the container cannot be used")
	}
	return nil
}
