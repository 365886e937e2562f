// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"os"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
	"github.com/spdk-community-ci/dispatcher/internal/store"
)

// story is a run with everything that may happen to its results.
func story(t *testing.T) (hub, Batch) {
	h := hub{
		logs: map[int64]string{
			11: "\ufeff2026-01-05T07:00:00Z \x1b[36;1mmake\x1b[0m\r\n2026-01-05T07:00:01Z done\r\n",
			13: "##[error]assert\n",
		},
		artifacts: map[int64]string{
			21: zipOf(t,
				packed{name: "report.html", text: "<script>alert(1)</script>"}, packed{name: "unit/nvme.xml", text: "<testsuite/>"},
				packed{name: "unit/", mode: os.ModeDir | 0o755}, packed{name: "core", text: "\x7fELF\x00\x00"},
				packed{name: "passwd", text: "/etc/passwd", mode: os.ModeSymlink | 0o777}, packed{name: "../../index.html", text: "x"}),
			22: zipOf(t, packed{name: "coverage.json", text: "{}"}),
			23: "just one file\n",
		},
	}
	b := testBatch()
	b.Jobs = []change.Job{
		{ID: 11, Name: "build (ubuntu, gcc)", Conclusion: "success"},
		{ID: 12, Name: "lost", Conclusion: "cancelled"},
		{ID: 13, Name: "<img src=x onerror=alert(1)>", Conclusion: "timed_out"},
	}
	b.Artifacts = []change.Artifact{
		{ID: 21, Name: "results & more", Size: 1000}, {ID: 22, Name: "coverage", Size: 200}, {ID: 23, Name: "notes.txt", Size: 14},
		{ID: 24, Name: "old", Size: 5, Expired: true}, {ID: 25, Name: "deleted", Size: 5}, {ID: 26, Name: "image.qcow2", Size: 9 << 30},
	}
	return h, b
}

func TestStory(t *testing.T) {
	t.Parallel()
	h, b := story(t)
	st := &memory{}
	p := newPublisher(st, h)
	p.TempDir = t.TempDir()
	var said []string
	p.Log = func(_ string, args ...any) { said = append(said, args[0].(string)) }
	out, err := p.Publish(t.Context(), b)
	if err != nil {
		t.Fatal(err)
	}
	golden.Compare(t, "testdata/story.html", st.files[testFolder+"index.html"])

	types := map[string]string{}
	for name, contentType := range st.types {
		types[strings.TrimPrefix(name, testFolder)] = contentType
	}
	wantTypes := map[string]string{
		"logs/build-ubuntu-gcc.txt": textType, "logs/img-src-x-onerror-alert-1.txt": textType,
		"artifacts/results-more/report.html": textType, "artifacts/results-more/unit/nvme.xml": textType, "artifacts/results-more/core": binaryType,
		"artifacts/coverage/coverage.json": "application/json", "artifacts/notes.txt/notes.txt": textType,
		"index.html": "text/html; charset=utf-8",
	}
	if diff := cmp.Diff(wantTypes, types); diff != "" {
		t.Errorf("types (-want +got):\n%s", diff)
	}
	if got, want := st.files[testFolder+"logs/build-ubuntu-gcc.txt"], "2026-01-05T07:00:00Z make\n2026-01-05T07:00:01Z done\n"; got != want {
		t.Errorf("the log: got %q, want %q", got, want)
	}
	at := "https://results.example.org/ci/" + testFolder
	wantLinks := []Link{
		{"all results of autorun.yml (7 files, 127 bytes)", at + "index.html"},
		{"results & more (3 files, 43 bytes)", at + "index.html#artifact-21"},
		{"coverage (2 bytes)", at + "artifacts/coverage/coverage.json"},
		{"notes.txt (14 bytes)", at + "artifacts/notes.txt/notes.txt"},
	}
	if diff := cmp.Diff(wantLinks, out.Links()); diff != "" {
		t.Errorf("links (-want +got):\n%s", diff)
	}
	wantProblems := []string{
		"lost: not copied: GitHub does not have it any more",
		"results & more: 2 of 5 files were not copied (passwd: it is a symbolic link)",
		"old: not copied: it has expired, and GitHub has deleted it",
		"deleted: not copied: it has expired, or was deleted at GitHub",
		"image.qcow2: not copied: it has 9.7 GB, and at most 4.3 GB are copied",
	}
	if diff := cmp.Diff(wantProblems, out.Problems()); diff != "" {
		t.Errorf("problems (-want +got):\n%s", diff)
	}
	if len(said) != 7 || said[0] != "copying the log of build (ubuntu, gcc)" {
		t.Errorf("said %q", said)
	}
	if left, _ := os.ReadDir(p.TempDir); len(left) != 0 {
		t.Errorf("temporary files are left: %v", left)
	}
}

// TestRealStore: the whole way to an S3 server, twice, and its end.
func TestRealStore(t *testing.T) {
	t.Parallel()
	server, endpoint := s3.Serve(t, s3.Options{Key: "k", Secret: "s", Buckets: []string{"results"}})
	st, err := store.Open(store.Options{Endpoint: endpoint, Key: "k", Secret: "s", Bucket: "results", Prefix: "ci", Now: time.Now})
	if err != nil {
		t.Fatal(err)
	}
	h, b := story(t)
	p := newPublisher(st, h)
	p.TempDir = t.TempDir()
	for range 2 {
		out, err := p.Publish(t.Context(), b)
		if err != nil || out.Index != endpoint+"/results/ci/"+testFolder+"index.html" {
			t.Fatalf("got %q, %v", out.Index, err)
		}
	}
	if n := len(server.Objects("results")); n != 8 {
		t.Errorf("got %d objects, want 8", n)
	}
	if o, _ := server.Object("results", "ci/"+testFolder+"artifacts/results-more/report.html"); o.ContentType != textType {
		t.Errorf("got %+v, want plain text", o)
	}
	server.Age("results", "ci/"+testFolder+"index.html", 48*time.Hour)
	n, bytes, err := Expire(t.Context(), st, "spdk/spdk", time.Now(), 24*time.Hour)
	if n != 1 || bytes < 1000 || err != nil {
		t.Errorf("got %d files of %d bytes, %v; want the page", n, bytes, err)
	}
}

func TestExpireRefuses(t *testing.T) {
	t.Parallel()
	for project, keep := range map[string]time.Duration{"": time.Hour, "spdk/spdk": 0, "x": -time.Hour} {
		if _, _, err := Expire(t.Context(), nil, project, time.Now(), keep); err == nil {
			t.Errorf("%q for %v: got no error", project, keep)
		}
	}
}

// TestStoreFails: a store that cannot be used ends it at once; one that only
// fails now and then does not.
func TestStoreFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name  string
		fail  func(name string) error
		kind  fault.Kind
		tries int
	}{
		{"wrong secret", func(string) error { return fault.New(fault.Configuration, "403") }, fault.Configuration, 1},
		{"down", func(string) error { return fault.New(fault.Transient, "503") }, fault.Transient, maxFailures},
		{"some names", func(name string) error {
			if strings.Contains(name, "core") {
				return fault.New(fault.Permanent, "cannot name an object")
			}
			return nil
		}, fault.Unknown, 8},
		{"page only", func(name string) error {
			if strings.HasSuffix(name, "index.html") {
				return fault.New(fault.Transient, "503")
			}
			return nil
		}, fault.Transient, 8},
	} {
		h, b := story(t)
		st := &memory{fail: c.fail}
		p := newPublisher(st, h)
		p.TempDir = t.TempDir()
		out, err := p.Publish(t.Context(), b)
		if fault.KindOf(err) != c.kind || (err == nil) != (c.kind == fault.Unknown) || (out.Index == "") != (err != nil) || (out.Links() == nil) != (err != nil) {
			t.Errorf("%s: got %q, %v (%v), want %v", c.name, out.Index, err, fault.KindOf(err), c.kind)
		}
		// Files under way at the same time may be tried, too.
		if st.puts < c.tries || st.puts >= c.tries+workers {
			t.Errorf("%s: got %d tries, want %d", c.name, st.puts, c.tries)
		}
	}
}

// TestSourceFails: a download that breaks is not the store's failure.
func TestSourceFails(t *testing.T) {
	t.Parallel()
	b := testBatch()
	for id := range int64(2 * maxFailures) {
		b.Jobs = append(b.Jobs, change.Job{ID: id, Name: "job"})
	}
	b.Artifacts = []change.Artifact{{ID: 1, Name: "x"}}
	p := newPublisher(&memory{}, hub{err: fault.New(fault.Configuration, "the token may not read it").WithHint("give it %s", "actions: read")})
	out, err := p.Publish(t.Context(), b)
	if err != nil || len(out.Problems()) != 2*maxFailures+1 || out.Problems()[0] != "job: not copied: the token may not read it (give it actions: read)" {
		t.Errorf("got %v, %q", err, out.Problems())
	}
	p.Source = hub{logs: map[int64]string{0: strings.Repeat("x", 100), 1: "short"}}
	p.Limits.Log = 50
	if out, err = p.Publish(t.Context(), b); err != nil || out.Logs[0].Note != "not copied: the log is longer than 50 bytes" || out.Logs[1].Note != "" {
		t.Errorf("got %v, %+v", err, out.Logs[:2])
	}
}

func TestPublishEnds(t *testing.T) {
	t.Parallel()
	h, b := story(t)
	ctx, cancel := context.WithCancel(t.Context())
	st := &memory{fail: func(string) error { cancel(); return nil }}
	p := newPublisher(st, h)
	if _, err := p.Publish(ctx, b); !errors.Is(err, context.Canceled) || st.puts != 1 {
		t.Errorf("got %v after %d files, want that it ends after the first", err, st.puts)
	}
}

func TestBadBatch(t *testing.T) {
	t.Parallel()
	p := newPublisher(&memory{}, hub{})
	for name, change := range map[string]func(*Batch){
		"no project": func(b *Batch) { b.Project = "" }, "no change": func(b *Batch) { b.Key.Change = 0 },
		"workflow": func(b *Batch) { b.Key.Workflow = "../x" }, "server": func(b *Batch) { b.Key.Server = "../x" },
	} {
		b := testBatch()
		change(&b)
		if _, err := p.Publish(t.Context(), b); !errors.Is(err, fault.Permanent) {
			t.Errorf("%s: got %v", name, err)
		}
	}
}

// TestTimeIsUp: what is copied stays, the rest is named, and the page is written
// all the same.
func TestTimeIsUp(t *testing.T) {
	t.Parallel()
	store := &memory{}
	logs := hub{logs: map[int64]string{1: "first", 2: "second"}, artifacts: map[int64]string{3: zipOf(t, packed{name: "a", text: "x"})}}
	p := newPublisher(store, slow{logs, 2})
	p.Time, p.TempDir = 200*time.Millisecond, t.TempDir()
	b := testBatch()
	b.Jobs = []change.Job{{ID: 1, Name: "one"}, {ID: 2, Name: "two"}}
	b.Artifacts = []change.Artifact{{ID: 3, Name: "results"}}
	out, err := p.Publish(t.Context(), b)
	want := []string{"two: not copied: there was no time left to copy it", "results: not copied: there was no time left to copy it"}
	if diff := cmp.Diff(want, out.Problems()); diff != "" || err != nil || out.Index == "" || len(out.Links()) != 1 {
		t.Errorf("got %v, the page %q (-want +got):\n%s", err, out.Index, diff)
	}
	if diff := cmp.Diff([]string{"index.html", "logs/one.txt"}, store.names()); diff != "" {
		t.Errorf("stored (-want +got):\n%s", diff)
	}
}

// slow is a source that never gives one of the logs.
type slow struct {
	hub
	never int64
}

func (s slow) Log(ctx context.Context, repository string, id int64) (io.ReadCloser, error) {
	if id == s.never {
		<-ctx.Done()
		return nil, ctx.Err()
	}
	return s.hub.Log(ctx, repository, id)
}

// TestOpenArchive: others may read a zip that was downloaded, within the same bounds.
func TestOpenArchive(t *testing.T) {
	t.Parallel()
	data := zipOf(t, packed{name: "a", text: "hello"})
	a, err := OpenArchive(strings.NewReader(data), t.TempDir(), int64(len(data)))
	if err != nil {
		t.Fatal(err)
	}
	text, err := fs.ReadFile(a, "a")
	if err != nil || string(text) != "hello" || a.Close() != nil {
		t.Errorf("got %q, %v", text, err)
	}
	for _, c := range []struct {
		data  string
		limit int64
		says  string
	}{{data, int64(len(data)) - 1, "it is larger than"}, {"hello", 99, "it is no zip file"}} {
		if _, err := OpenArchive(strings.NewReader(c.data), t.TempDir(), c.limit); err == nil || !strings.Contains(err.Error(), c.says) {
			t.Errorf("got %v, want %q", err, c.says)
		}
	}
}
