// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"archive/zip"
	"context"
	"errors"
	"io"
	"os"
	"runtime"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// drain is a store that keeps nothing but the most memory that there was.
type drain struct{ bytes, most uint64 }

func (d *drain) URL(name string) string { return "https://x.example/" + name }

func (d *drain) Put(_ context.Context, _ string, r io.Reader, _ int64, _ string) error {
	buf := make([]byte, 1<<20)
	for {
		n, err := r.Read(buf)
		d.bytes += uint64(n)
		if err == io.EOF {
			return nil
		}
		if err != nil {
			return err
		}
		if d.bytes>>22 != (d.bytes-uint64(n))>>22 {
			var m runtime.MemStats
			runtime.ReadMemStats(&m)
			d.most = max(d.most, m.HeapInuse)
		}
	}
}

// TestMemoryIsFlat: a large file in an artifact passes through.
func TestMemoryIsFlat(t *testing.T) {
	const size = 32 << 20
	path := t.TempDir() + "/a.zip"
	file, err := os.Create(path)
	if err != nil {
		t.Fatal(err)
	}
	z := zip.NewWriter(file)
	w, err := z.Create("disk.img")
	if err == nil {
		_, err = w.Write(make([]byte, size))
	}
	if err = errors.Join(err, z.Close(), file.Close()); err != nil {
		t.Fatal(err)
	}
	data, err := os.ReadFile(path) // deflate leaves 32 kB of it
	if err != nil {
		t.Fatal(err)
	}
	var d drain
	p := newPublisher(&d, hub{artifacts: map[int64]string{1: string(data)}})
	p.TempDir = t.TempDir()
	b := testBatch()
	b.Artifacts = []change.Artifact{{ID: 1, Name: "disk"}}
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	out, err := p.Publish(t.Context(), b)
	if err != nil || d.bytes < size {
		t.Fatalf("got %d bytes, %v, %q", d.bytes, err, out.Problems())
	}
	if grown := int64(d.most-m.HeapInuse) >> 20; grown > 12 {
		t.Errorf("the heap grew by %d MiB", grown)
	}
}
