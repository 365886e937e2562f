// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"maps"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// memory is a store in this process.
type memory struct {
	mu    sync.Mutex
	files map[string]string
	types map[string]string
	// fail, if not nil, may fail a Put before or after it was read.
	fail func(name string) error
	puts int
}

func (m *memory) Put(_ context.Context, name string, r io.Reader, size int64, contentType string) error {
	m.mu.Lock()
	m.puts++
	m.mu.Unlock()
	data, err := io.ReadAll(r)
	if err != nil {
		return err
	}
	if size >= 0 && int64(len(data)) != size {
		return errors.New("the size is wrong")
	}
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.fail != nil {
		if err := m.fail(name); err != nil {
			return err
		}
	}
	if m.files == nil {
		m.files, m.types = map[string]string{}, map[string]string{}
	}
	m.files[name], m.types[name] = string(data), contentType
	return nil
}

func (m *memory) URL(name string) string { return "https://results.example.org/ci/" + name }

// names are those of the stored files without the folder.
func (m *memory) names() []string {
	list := []string{}
	for _, name := range slices.Sorted(maps.Keys(m.files)) {
		list = append(list, strings.TrimPrefix(name, testFolder))
	}
	return list
}

// hub is GitHub as far as downloads go.
type hub struct {
	artifacts map[int64]string // what Artifact gives
	logs      map[int64]string
	err       error // of everything that is not there; nil is ErrGone
}

func (h hub) Artifact(_ context.Context, repository string, id int64) (io.ReadCloser, error) {
	return h.open(h.artifacts, repository, id)
}

func (h hub) Log(_ context.Context, repository string, id int64) (io.ReadCloser, error) {
	return h.open(h.logs, repository, id)
}

func (h hub) open(from map[int64]string, repository string, id int64) (io.ReadCloser, error) {
	text, ok := from[id]
	switch {
	case repository != "spdk/ci":
		return nil, errors.New("wrong repository")
	case ok:
		return io.NopCloser(strings.NewReader(text)), nil
	case h.err != nil:
		return nil, h.err
	}
	return nil, ErrGone
}

const testFolder = "spdk/spdk/21042/7/autorun.yml/2/"

func testBatch() Batch {
	return Batch{
		Project: "spdk/spdk", ChangeURL: "https://review.example.org/c/spdk/spdk/+/21042", Subject: "bdev: fix <b>everything</b>",
		Key:        change.Key{ID: change.ID{Change: 21042, Patchset: 7}, Workflow: "autorun.yml", Attempt: 2},
		Repository: "spdk/ci", Run: change.Run{URL: "https://github.com/spdk/ci/actions/runs/1/attempts/1", Conclusion: "failure"}, Attempt: 1,
	}
}

func newPublisher(store Store, source Source) *Publisher {
	return &Publisher{
		Store: store, Source: source, Keep: 30 * 24 * time.Hour,
		Now: func() time.Time { return time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC) },
	}
}

// packed is one file to be put into a zip.
type packed struct {
	name, text string
	mode       fs.FileMode
}

// zipOf makes a zip file.
func zipOf(t testing.TB, files ...packed) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for _, f := range files {
		h := &zip.FileHeader{Name: f.name, Method: zip.Deflate}
		h.SetMode(f.mode)
		if f.mode == 0 {
			h.SetMode(0o644)
		}
		w, err := z.CreateHeader(h)
		if err == nil {
			_, err = io.WriteString(w, f.text)
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

// publishZip publishes one artifact and returns what became of it.
func publishZip(t *testing.T, data string, change_ ...func(*Publisher)) (*memory, Item) {
	t.Helper()
	store := &memory{}
	p := newPublisher(store, hub{artifacts: map[int64]string{1: data}})
	p.TempDir = t.TempDir()
	for _, do := range change_ {
		do(p)
	}
	b := testBatch()
	b.Artifacts = []change.Artifact{{ID: 1, Name: "results", Size: int64(len(data))}}
	out, err := p.Publish(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	return store, out.Artifacts[0]
}
