// SPDX-License-Identifier: BSD-3-Clause

// Package seed makes the small disk that tells cloud-init in a guest what to do
// on the first boot: who may log in and which host key to answer with (the
// NoCloud data source of cloud-init).
//
// It makes no keys and installs nothing: what else a guest needs is in its
// image.
package seed

import (
	"bytes"
	"encoding/json"
	"io"
	"strings"

	"github.com/kdomanski/iso9660"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Seed is what a guest is told.
type Seed struct {
	// Instance is another one for each boot that should be a first one.
	Instance string
	// Hostname is the guest's name.
	Hostname string
	// User may log in with AuthorizedKey (in the format of authorized_keys) and
	// become root without a password.
	User, AuthorizedKey string
	// HostKey is the private key in PEM form that the guest's SSH server must
	// use, HostPublicKey the other half in the format of authorized_keys.
	HostKey, HostPublicKey string
}

type account struct {
	Name           string   `json:"name"`
	AuthorizedKeys []string `json:"ssh_authorized_keys"`
	Sudo           string   `json:"sudo,omitempty"`
	Shell          string   `json:"shell,omitempty"`
	LockPassword   bool     `json:"lock_passwd"`
}

type userData struct {
	Users       []account         `json:"users"`
	DisableRoot bool              `json:"disable_root"`
	PasswordSSH bool              `json:"ssh_pwauth"`
	DeleteKeys  bool              `json:"ssh_deletekeys"`
	Keys        map[string]string `json:"ssh_keys"`
	// Packages and growing: the image decides about the first, the disk may be
	// larger than the image's.
	PackageUpdate  bool           `json:"package_update"`
	PackageUpgrade bool           `json:"package_upgrade"`
	GrowPart       map[string]any `json:"growpart"`
	ResizeRoot     bool           `json:"resize_rootfs"`
}

// UserData returns the text of the file user-data. JSON is YAML, and needs no
// escaping of our own.
func (s Seed) UserData() string {
	a := account{Name: s.User, AuthorizedKeys: []string{s.AuthorizedKey}}
	if s.User != "root" {
		a.Sudo, a.Shell, a.LockPassword = "ALL=(ALL) NOPASSWD:ALL", "/bin/bash", true
	}
	text := encode(userData{
		Users: []account{a}, DeleteKeys: true,
		Keys:     map[string]string{"ed25519_private": s.HostKey, "ed25519_public": strings.TrimSpace(s.HostPublicKey)},
		GrowPart: map[string]any{"mode": "auto", "devices": []string{"/"}}, ResizeRoot: true,
	})
	return "#cloud-config\n" + text
}

// MetaData returns the text of the file meta-data.
func (s Seed) MetaData() string {
	return encode(map[string]string{"instance-id": s.Instance, "local-hostname": s.Hostname})
}

func encode(v any) string {
	var b bytes.Buffer
	e := json.NewEncoder(&b)
	e.SetEscapeHTML(false)
	e.SetIndent("", "  ")
	if err := e.Encode(v); err != nil {
		panic(err) // these types can always be encoded
	}
	return b.String()
}

// WriteImage writes the disk: an ISO 9660 file system with the label that
// cloud-init looks for.
func (s Seed) WriteImage(w io.Writer) error {
	image, err := iso9660.NewWriter()
	if err != nil {
		return fault.New(fault.Ours, "failed to make the guest's seed: %w", err)
	}
	defer image.Cleanup() // of files that hold this run's keys only
	for _, f := range []struct{ name, text string }{
		{"user-data", s.UserData()}, {"meta-data", s.MetaData()}, {"vendor-data", "{}\n"},
	} {
		if err := image.AddFile(strings.NewReader(f.text), f.name); err != nil {
			return fault.New(fault.Ours, "failed to make the guest's seed: %w", err)
		}
	}
	if err := image.WriteTo(w, "cidata"); err != nil {
		return fault.New(fault.Ours, "failed to write the guest's seed: %w", err)
	}
	return nil
}
