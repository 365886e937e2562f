// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"encoding/json"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/recipe"
)

// manifest is a good one.
func manifest() *Manifest {
	m := &Manifest{
		Schema: 1, Name: "x", Description: "a test", Created: start,
		Inputs: recipe.Inputs{Settings: map[string]string{"smoke.script": "smoke.sh"}, Files: []recipe.File{{Path: "smoke.sh", Mode: "100644", SHA256: strings.Repeat("ab", 32)}}},
		Tools:  map[string]string{"docker": "1"},
		Container: &Container{
			ID: "sha256:1", Repository: "ghcr.io/o/p", Digest: "sha256:" + strings.Repeat("cd", 32), Size: 5,
		},
		Disk:  &Disk{Object: "disk-" + strings.Repeat("ef", 8) + ".qcow2", Format: "qcow2", Size: 1, VirtualSize: 2, SHA256: strings.Repeat("ef", 32)},
		Smoke: Smoke{Disk: &Result{Passed: true, At: start, Seconds: 1.5, Output: "ok"}},
	}
	m.InputsSHA256, m.Version = m.Inputs.Hash(), m.Inputs.Version()
	return m
}

func TestManifestRoundTrip(t *testing.T) {
	t.Parallel()
	m := manifest()
	got, err := ParseManifest(m.Encode())
	if diff := cmp.Diff(m, got); diff != "" || err != nil {
		t.Errorf("%v (-want +got):\n%s", err, diff)
	}
	if m.Verified() {
		t.Error("a container without a test is not verified")
	}
	m.Smoke.Container = &Result{Passed: true}
	if !m.Verified() {
		t.Error("both passed")
	}
	m.Smoke.Disk.Passed = false
	if m.Verified() {
		t.Error("the disk failed")
	}
}

func TestParseManifestRefuses(t *testing.T) {
	t.Parallel()
	for name, change := range map[string]func(*Manifest){
		"no schema":           func(m *Manifest) { m.Schema = 0 },
		"a name":              func(m *Manifest) { m.Name = "../x" },
		"another version":     func(m *Manifest) { m.Version = strings.Repeat("0", 16) },
		"another hash":        func(m *Manifest) { m.InputsSHA256 = strings.Repeat("0", 64) },
		"changed inputs":      func(m *Manifest) { m.Inputs.Serial = "x" },
		"nothing in it":       func(m *Manifest) { m.Disk, m.Container = nil, nil },
		"an object elsewhere": func(m *Manifest) { m.Disk.Object = "../../y/disk.qcow2" },
		"no checksum":         func(m *Manifest) { m.Disk.SHA256 = "" },
		"no size":             func(m *Manifest) { m.Disk.Size = -1 },
		"a repository":        func(m *Manifest) { m.Container.Repository = "--x" },
		"a digest":            func(m *Manifest) { m.Container.Digest = "latest" },
	} {
		m := manifest()
		change(m)
		if _, err := ParseManifest(m.Encode()); !errors.Is(err, fault.Permanent) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	m := manifest()
	m.Schema = 2
	if _, err := ParseManifest(m.Encode()); !errors.Is(err, fault.Configuration) || fault.HintOf(err) != "update dispatcher" {
		t.Errorf("a newer schema: got %v", err)
	}
	for _, text := range []string{"", "null", "[]", "{", strings.Repeat(" ", maxManifest+1)} {
		if _, err := ParseManifest([]byte(text)); err == nil {
			t.Errorf("%.10q was taken", text)
		}
	}
}

func TestTarget(t *testing.T) {
	t.Parallel()
	v := "0123456789abcdef"
	for text, want := range map[string]Target{
		"x": {Name: "x"}, "a.b-c:stable": {Name: "a.b-c", Alias: "stable"}, "x@" + v: {Name: "x", Version: v},
	} {
		got, err := ParseTarget(text)
		if got != want || err != nil || got.String() != text {
			t.Errorf("%s: got %+v, %v", text, got, err)
		}
	}
	for _, text := range []string{"", "X", "../x", "x:", "x@", "x@latest", "x:Latest", "x:" + strings.Repeat("a", 16), "x@" + v + "0", "-x", "x y", "x:a:b"} {
		if got, err := ParseTarget(text); !errors.Is(err, fault.Configuration) {
			t.Errorf("%q: got %+v, %v", text, got, err)
		}
	}
}

// FuzzManifest: what is taken can be written and read again, the same, and names
// no object outside of its own folder.
func FuzzManifest(f *testing.F) {
	f.Add(manifest().Encode())
	f.Add([]byte(`{"schema":1}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := ParseManifest(data)
		if err != nil {
			return
		}
		again, err := ParseManifest(m.Encode())
		if err != nil || string(again.Encode()) != string(m.Encode()) {
			t.Errorf("got %v", err)
		}
		if m.Disk != nil && (strings.Contains(diskName(m), "..") || strings.Count(diskName(m), "/") != 3) {
			t.Errorf("the object is %q", diskName(m))
		}
	})
}

// FuzzAlias: what is taken can be written and read again, the same.
func FuzzAlias(f *testing.F) {
	f.Add([]byte(`{"schema":1,"alias":"latest","version":"0123456789abcdef","previous":"0123456789abcdee","moved":"2026-11-25T12:00:00Z"}`))
	f.Add([]byte(`{"schema":1,"alias":"../x","version":"0123456789abcdef"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		a, err := ParseAlias(data)
		if err != nil {
			return
		}
		text, err := json.Marshal(a)
		if err != nil {
			t.Fatal(err)
		}
		again, err := ParseAlias(text)
		if err != nil || *again != *a || strings.ContainsAny(a.Alias, "./") {
			t.Errorf("got %+v, %v; want %+v", again, err, a)
		}
	})
}
