// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"bytes"
	"encoding/binary"
	"errors"
	"io"
	"io/fs"
	"runtime"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// TestHostilePaths: nothing leaves the artifact's folder, and the rest goes on.
func TestHostilePaths(t *testing.T) {
	t.Parallel()
	var files []packed
	bad := []string{"../x", "a/../../x", "..", "/etc/passwd", `a\..\x`, "a//b", "./x", "a\nb", "a\u202eb", "\xff", "", strings.Repeat("x/", 400) + "x"}
	for _, name := range bad {
		files = append(files, packed{name: name, text: "x"})
	}
	files = append(files, packed{name: "link", text: "/etc/passwd", mode: fs.ModeSymlink | 0o777}, packed{name: "pipe", mode: fs.ModeNamedPipe | 0o644},
		packed{name: "good", text: "1"}, packed{name: "good", text: "2"}, packed{name: "dir/", mode: fs.ModeDir | 0o755}, packed{name: "..good/x", text: "x"})
	store, item := publishZip(t, zipOf(t, files...))
	if diff := cmp.Diff([]string{"artifacts/results/..good/x", "artifacts/results/good", "index.html"}, store.names()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if got := store.files[testFolder+"artifacts/results/good"]; got != "1" {
		t.Errorf("got %q, want the first file of that name", got)
	}
	if n, _ := item.Copied(); n != 2 || len(item.Files) != len(bad)+5 {
		t.Errorf("got %d of %d files, want 2 of %d", n, len(item.Files), len(bad)+5)
	}
	for _, f := range item.Files {
		if (f.URL == "") == (f.Problem == "") {
			t.Errorf("%q: got the address %q and the problem %q, want one of them", f.Path, f.URL, f.Problem)
		}
	}
}

// TestBombs: what would be too much unpacked is kept as it is, or not at all.
func TestBombs(t *testing.T) {
	t.Parallel()
	bomb := zipOf(t, packed{name: "zeros", text: strings.Repeat("\x00", 1<<20)}, packed{name: "more", text: strings.Repeat("\x00", 1<<20)})
	store, item := publishZip(t, bomb, func(p *Publisher) { p.Limits.Total = 1<<20 + 5000 })
	if diff := cmp.Diff([]string{"artifacts/results/results.zip", "index.html"}, store.names()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
	if item.Note != "kept as a zip file, because unpacked it would have 2.1 MB" || store.files[testFolder+"artifacts/results/results.zip"] != bomb ||
		store.types[testFolder+"artifacts/results/results.zip"] != "application/zip" {
		t.Errorf("got %q, %v", item.Note, store.types)
	}
	_, item = publishZip(t, bomb, func(p *Publisher) { p.Limits.Files = 1 })
	if n, _ := item.Copied(); n != 1 || item.Note != "kept as a zip file, because it has 2 files" {
		t.Errorf("got %d files, %q", n, item.Note)
	}
	store, item = publishZip(t, bomb, func(p *Publisher) { p.Limits.Total = 1000 })
	if n, _ := item.Copied(); n != 0 || item.Note != "not copied: the run has more results than may be kept" || len(store.files) != 1 {
		t.Errorf("got %d files, %q", n, item.Note)
	}
	_, item = publishZip(t, bomb, func(p *Publisher) { p.Limits.Archive = int64(len(bomb)) - 1 })
	if !strings.HasPrefix(item.Note, "not copied: it has ") {
		t.Errorf("got %q", item.Note)
	}
	if _, item = publishZip(t, bomb, func(p *Publisher) { p.Limits.Archive = int64(len(bomb)) }); item.Note != "" {
		t.Errorf("got %q, want that what is just allowed is copied", item.Note)
	}
}

// TestLyingSize: GitHub's word about the size is not needed to stop a download.
func TestLyingSize(t *testing.T) {
	t.Parallel()
	p := newPublisher(&memory{}, hub{artifacts: map[int64]string{1: strings.Repeat("x", 100)}})
	p.TempDir, p.Limits.Archive = t.TempDir(), 99
	b := testBatch()
	b.Artifacts = []change.Artifact{{ID: 1, Name: "x", Size: 10}}
	if out, err := p.Publish(t.Context(), b); err != nil || out.Artifacts[0].Note != "not copied: it is larger than 99 bytes" {
		t.Errorf("got %v, %+v", err, out.Artifacts)
	}
}

// TestDamaged: each file that cannot be unpacked is told of, and a zip that
// cannot be read at all.
func TestDamaged(t *testing.T) {
	t.Parallel()
	whole := zipOf(t, packed{name: "a", text: "first"}, packed{name: "b", text: strings.Repeat("second", 9)})
	damage := func(at int, with ...byte) string {
		data := []byte(whole)
		copy(data[at:], with)
		return string(data)
	}
	directory := strings.Index(whole, "PK\x01\x02")
	for _, c := range []struct {
		name, data, note, problem string
		copied                    int
	}{
		{"cut", whole[:len(whole)-30], "not copied: its zip is damaged: it is no zip file", "", 0},
		{"wrong checksum", damage(directory+16, 1, 2, 3, 4), "", "zip: checksum error", 1},
		{"more than announced", damage(directory+24, 4, 0, 0, 0), "", "zip: not a valid zip file", 1},
		{"less than announced", damage(directory+24, 6, 0, 0, 0), "", "unexpected EOF", 1},
		{"unknown method", damage(directory+10, 99), "", "zip: unsupported compression algorithm", 1},
		{"data elsewhere", damage(directory+42, 0xff, 0xff, 0, 0), "", "it cannot be unpacked", 1},
		{"no directory", damage(directory, 0), "not copied: its zip is damaged: zip: not a valid zip file", "", 0},
		{"empty", "", "", "", 1},
		{"empty zip", zipOf(t), "", "", 0},
		{"no zip", "hello", "", "", 1},
	} {
		_, item := publishZip(t, c.data)
		n, _ := item.Copied()
		problem := ""
		for _, f := range item.Files {
			problem += f.Problem
		}
		if n != c.copied || item.Note != c.note || !strings.Contains(problem, c.problem) || (problem == "") != (c.problem == "") {
			t.Errorf("%s: got %d files, %q, %q; want %d, %q, %q", c.name, n, item.Note, problem, c.copied, c.note, c.problem)
		}
	}
}

// sparse is a file of zeros with something at its end.
type sparse struct {
	size int64
	tail []byte
}

func (s sparse) ReadAt(p []byte, at int64) (int, error) {
	clear(p)
	n := min(int64(len(p)), s.size-at)
	if from := s.size - int64(len(s.tail)); at+n > from {
		for i := range n {
			if at+i >= from {
				p[i] = s.tail[at+i-from]
			}
		}
	}
	if n < int64(len(p)) {
		return int(n), io.EOF
	}
	return int(n), nil
}

// endOf makes the end of a zip with that many entries, which says that its
// directory begins at its beginning.
func endOf(entries uint64, wide bool) []byte {
	end := make([]byte, 22)
	copy(end, "PK\x05\x06")
	binary.LittleEndian.PutUint16(end[8:], uint16(min(entries, 0xffff)))
	binary.LittleEndian.PutUint16(end[10:], uint16(min(entries, 0xffff)))
	if !wide {
		return end
	}
	end64 := make([]byte, 56+20)
	copy(end64, "PK\x06\x06")
	binary.LittleEndian.PutUint64(end64[4:], 44)
	binary.LittleEndian.PutUint64(end64[24:], entries)
	binary.LittleEndian.PutUint64(end64[32:], entries)
	copy(end64[56:], "PK\x06\x07")
	binary.LittleEndian.PutUint64(end64[56+8:], 2<<30-22-76)
	binary.LittleEndian.PutUint32(end64[56+16:], 1)
	return append(end64, end...)
}

// TestHugeDirectory: neither a directory that is long, nor one that is said to
// be, takes memory.
func TestHugeDirectory(t *testing.T) {
	var many bytes.Buffer
	for range 300_000 {
		head := make([]byte, 46)
		copy(head, "PK\x01\x02")
		many.Write(head)
	}
	size := int64(many.Len())
	many.Write(endOf(1, false))
	binary.LittleEndian.PutUint32(many.Bytes()[size+12:], uint32(size))
	for name, c := range map[string]struct {
		r    io.ReaderAt
		size int64
	}{
		"said to be":    {sparse{2 << 30, endOf(60_000_000, true)}, 2 << 30},
		"many entries":  {sparse{2 << 30, endOf(60_000, false)}, 2 << 30},
		"really long":   {bytes.NewReader(many.Bytes()), int64(many.Len())},
		"nothing there": {sparse{2 << 30, endOf(5, false)}, 2 << 30},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		_, err := openZip(c.r, c.size)
		runtime.ReadMemStats(&after)
		if grown := (after.TotalAlloc - before.TotalAlloc) >> 20; err == nil || grown > 64 {
			t.Errorf("%s: got %v and %d MiB", name, err, grown)
		} else if name != "nothing there" && !errors.Is(err, errManyFile) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// FuzzOpenZip: a zip of any content makes no trouble, and what is planned of it
// stays below its folder.
func FuzzOpenZip(f *testing.F) {
	f.Add([]byte(zipOf(f, packed{name: "a/b", text: "x"}, packed{name: "../x", text: "y"})))
	f.Add(endOf(1, true))
	f.Fuzz(func(t *testing.T, data []byte) {
		z, err := openZip(bytes.NewReader(data), int64(len(data)))
		if err != nil {
			return
		}
		var item Item
		entries, _ := plan(z, &item)
		for _, e := range entries {
			if item.Files[e.index].Path != e.Name || checkPath(e.Name) != nil || strings.Contains("/"+e.Name+"/", "/../") {
				t.Errorf("%q is to be unpacked", e.Name)
			}
			if r, err := e.Open(); err == nil {
				io.Copy(io.Discard, io.LimitReader(r, 1<<20))
				r.Close()
			}
		}
		if len(item.Files) < len(entries) {
			t.Errorf("got %d entries of %d files", len(entries), len(item.Files))
		}
	})
}
