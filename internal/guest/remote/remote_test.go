// SPDX-License-Identifier: BSD-3-Clause

package remote

import (
	"bufio"
	"bytes"
	"errors"
	"io"
	"io/fs"
	"net"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// entry is one thing that a hostile guest says it has.
type entry struct {
	name, link, text string
	mode             fs.FileMode
}

func (e entry) Name() string       { return e.name }
func (e entry) Size() int64        { return int64(len(e.text)) }
func (e entry) Mode() fs.FileMode  { return e.mode }
func (e entry) ModTime() time.Time { return time.Unix(0, 0) }
func (e entry) IsDir() bool        { return e.mode.IsDir() }
func (e entry) Sys() any           { return nil }

// guestFiles answers SFTP requests with made-up folders.
type guestFiles map[string][]entry

type list []fs.FileInfo

func (l list) ListAt(to []fs.FileInfo, offset int64) (int, error) {
	if offset >= int64(len(l)) {
		return 0, io.EOF
	}
	return copy(to, l[offset:]), nil
}

func (g guestFiles) find(path string) (entry, bool) {
	dir, name := filepath.Split(path)
	if path == "/" {
		return entry{name: "/", mode: fs.ModeDir | 0o755}, true
	}
	i := slices.IndexFunc(g[filepath.Clean(dir)], func(e entry) bool { return e.name == name })
	if i < 0 {
		return entry{}, false
	}
	return g[filepath.Clean(dir)][i], true
}

func (g guestFiles) Filelist(r *sftp.Request) (sftp.ListerAt, error) {
	e, ok := g.find(r.Filepath)
	switch {
	case !ok:
		return nil, fs.ErrNotExist
	case r.Method == "List":
		var all list
		for _, e := range g[r.Filepath] {
			all = append(all, e)
		}
		return all, nil
	case r.Method == "Readlink":
		return list{entry{name: e.link}}, nil
	}
	return list{e}, nil
}

func (g guestFiles) Fileread(r *sftp.Request) (io.ReaderAt, error) {
	e, ok := g.find(r.Filepath)
	if !ok {
		return nil, fs.ErrNotExist
	}
	return strings.NewReader(e.text), nil
}

// hostile returns a client of a guest with these files.
func hostile(t *testing.T, files guestFiles) *Client {
	t.Helper()
	ours, theirs := net.Pipe()
	server := sftp.NewRequestServer(theirs, sftp.Handlers{FileGet: files, FileList: files})
	go server.Serve()
	client, err := sftp.NewClientPipe(ours, ours)
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() {
		server.Close()
		client.Close()
	})
	return &Client{files: client}
}

// TestFetchHostile: whatever a guest says that it has, nothing is written
// outside of the folder, and no link leads out of it.
func TestFetchHostile(t *testing.T) {
	t.Parallel()
	const dir, file, link = fs.ModeDir | 0o755, fs.FileMode(0o644), fs.ModeSymlink | 0o777
	c := hostile(t, guestFiles{
		"/": {{name: "results", mode: dir}},
		"/results": {
			{name: "../escaped", mode: file, text: "x"}, {name: "..", mode: dir}, {name: "", mode: file}, {name: "a//", mode: file}, {name: "///", mode: file},
			{name: "good", mode: file | fs.ModeSetuid, text: "good\n"}, {name: "sub", mode: dir},
			{name: "shadow", mode: link, link: "/etc/shadow"}, {name: "up", mode: link, link: "../up"}, {name: "local", mode: link, link: "sub/deeper"},
			{name: "tricky", mode: link, link: "sub/root/../../x"}, {name: "fifo", mode: fs.ModeNamedPipe},
			{name: "twice", mode: link, link: "sub"}, {name: "twice", mode: dir},
		},
		"/results/sub": {{name: "root", mode: link, link: "../"}, {name: "back", mode: link, link: "../good"}, {name: "out", mode: link, link: "../../good"}},
	})
	target := filepath.Join(t.TempDir(), "out")
	leftOut, err := c.Fetch(t.Context(), "/results", target, DefaultLimits)
	if err == nil || !errors.Is(err, fault.Ours) || !strings.Contains(err.Error(), "twice") {
		t.Errorf("a name that is a link and a folder: got %v", err)
	}
	text := strings.Join(leftOut, "\n")
	for _, want := range []string{
		`/results/escaped was left out`, `impossible name "."`, `impossible name "/"`, "/results/a was left out", "/results/shadow was left out",
		"/results/up was left out", "/results/tricky was left out", "/results/fifo was left out", "/results/sub/out was left out", "/results/sub/root was left out",
	} {
		if !strings.Contains(text, want) {
			t.Errorf("%q is not among what was left out:\n%s", want, text)
		}
	}
	var got []string
	filepath.WalkDir(filepath.Dir(target), func(path string, _ fs.DirEntry, err error) error {
		got = append(got, strings.TrimPrefix(path, filepath.Dir(target)))
		return err
	})
	want := []string{"/out", "/out/good", "/out/local", "/out/sub", "/out/sub/back", "/out/twice"}
	if !slices.Equal(got[1:], want) {
		t.Errorf("got %q, want %q", got, want)
	}
	if info, err := os.Stat(filepath.Join(target, "good")); err != nil || info.Mode() != 0o644 {
		t.Errorf("got %v, %v, want no set-user-id bit", info.Mode(), err)
	}
}

// TestFetchDeep: folders without an end are given up.
func TestFetchDeep(t *testing.T) {
	t.Parallel()
	files := guestFiles{"/": {{name: "d", mode: fs.ModeDir | 0o755}}}
	path := "/d"
	for range maxDepth + 2 {
		files[path] = []entry{{name: "d", mode: fs.ModeDir | 0o755}}
		path += "/d"
	}
	_, err := hostile(t, files).Fetch(t.Context(), "/d", t.TempDir(), DefaultLimits)
	if !errors.Is(err, fault.Guest) || !strings.Contains(err.Error(), "nested more than 64 deep") {
		t.Errorf("got %v", err)
	}
}

func TestTarOption(t *testing.T) {
	t.Parallel()
	ustar := make([]byte, 512)
	copy(ustar[257:], "ustar\x00")
	for text, want := range map[string]struct {
		option  string
		archive bool
	}{
		"": {}, "hello": {}, strings.Repeat("x", 600): {}, string(ustar): {"", true}, string(ustar[:400]): {},
		"\x1f\x8b\x08": {"-z", true}, "\xfd7zXZ\x00": {"-J", true}, "BZh9": {"-j", true}, "\x28\xb5\x2f\xfd": {"--zstd", true},
	} {
		option, archive := tarOption(bufio.NewReaderSize(strings.NewReader(text), 1<<10))
		if option != want.option || archive != want.archive {
			t.Errorf("%.20q: got %q, %t, want %+v", text, option, archive, want)
		}
	}
}

// TestKeys: two runs have nothing in common, and the guest's key can be read by
// an SSH server.
func TestKeys(t *testing.T) {
	t.Parallel()
	a, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	b, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	if a.AuthorizedKey == b.AuthorizedKey || a.HostKey == b.HostKey || a.HostPublicKey == b.HostPublicKey {
		t.Error("two runs have the same keys")
	}
	signer, err := ssh.ParsePrivateKey([]byte(a.HostKey))
	if err != nil {
		t.Fatal(err)
	}
	public, _, _, _, err := ssh.ParseAuthorizedKey([]byte(a.HostPublicKey))
	if err != nil || !bytes.Equal(public.Marshal(), signer.PublicKey().Marshal()) {
		t.Errorf("the two halves do not fit: %v", err)
	}
}

// TestHead keeps the beginning only.
func TestHead(t *testing.T) {
	t.Parallel()
	var h head
	for range 1000 {
		if n, err := h.Write([]byte("0123456789")); n != 10 || err != nil {
			t.Fatalf("got %d, %v", n, err)
		}
	}
	if len(h) != maxHead {
		t.Errorf("got %d bytes, want %d", len(h), maxHead)
	}
}

// TestGate: nothing is written after the end.
func TestGate(t *testing.T) {
	t.Parallel()
	var b bytes.Buffer
	g := &gate{w: &b}
	io.WriteString(g, "one")
	g.close()
	if n, err := io.WriteString(g, "two"); n != 3 || err != nil || b.String() != "one" {
		t.Errorf("got %d, %v, %q", n, err, b.String())
	}
}
