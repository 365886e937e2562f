// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// blobs are the downloads' paths.
var blobs = regexp.MustCompile("^/blobs/")

// failingJob is a job whose test step failed, among a lint step that may fail
// and a step that ran always and failed, too.
func failingJob(begin time.Time) standin.Job {
	at := func(s int) time.Time { return begin.Add(time.Duration(s) * time.Second) }
	return standin.Job{Name: "test", Conclusion: "failure", Started: begin, Completed: at(30), Steps: []standin.Step{
		{Name: "Lint", Started: at(0), Completed: at(5), Log: "##[group]Run lint\nW1\n##[error]Process completed with exit code 1."},
		{Name: "Test", Started: at(5), Completed: at(9), Conclusion: "failure", Log: "##[group]Run test\nok 1\nnot ok 2\n##[error]Process completed with exit code 2."},
		{Name: "Collect", Started: at(11), Completed: at(12), Conclusion: "failure", Log: "##[group]Run collect\n##[error]No files."},
	}}
}

func TestJobLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	id := w.run(
		failingJob(w.now()),
		standin.Job{Name: "fine", Conclusion: "success", Steps: []standin.Step{{Name: "x", Log: "a\nb\nc"}}},
		standin.Job{Name: "lost", Conclusion: "failure", NoLog: true, Steps: []standin.Step{{Name: "x"}}},
		standin.Job{Name: "running", Status: "in_progress", Steps: []standin.Step{{Name: "x", Log: "a"}}},
	)
	jobs, err := w.client.Jobs(t.Context(), "org/ci", id, 1)
	if err != nil {
		t.Fatal(err)
	}
	for i, want := range [][2]string{{"Run test", "ok 1 | not ok 2 | ##[error]Process completed with exit code 2."}, {"", "a | b | c"}, {}, {}} {
		log, err := w.client.JobLog(t.Context(), "org/ci", jobs[i], 3)
		if log.Run != want[0] || strings.Join(log.Tail, " | ") != want[1] || err != nil {
			t.Errorf("%s: got %+v, %v; want %q", jobs[i].Name, log, err, want)
		}
	}
	if log, err := w.client.JobLog(t.Context(), "org/ci", change.Job{ID: 1}, 3); log.Tail != nil || err != nil {
		t.Errorf("no such job: got %q, %v; want nothing", log.Tail, err)
	}
	_, err = w.client.JobLog(t.Context(), "org/gone", change.Job{ID: 1}, 3)
	checkFailure(t, err, fault.Configuration, "check that org/gone is right")
	for _, r := range w.server.Downloads() {
		if r.Token != "" {
			t.Errorf("the token went to the server of logs: %s", r.Path)
		}
	}
}

// TestOpenLog reads logs whole, and tells which there are.
func TestOpenLog(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	id := w.run(
		standin.Job{Name: "fine", Conclusion: "success", Steps: []standin.Step{{Name: "x", Log: "a\nb\nc"}}},
		standin.Job{Name: "lost", Conclusion: "failure", NoLog: true, Steps: []standin.Step{{Name: "x"}}},
	)
	jobs := w.server.Jobs(id, 1)
	r, err := w.client.OpenLog(t.Context(), "org/ci", jobs[0].ID)
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	if text, err := io.ReadAll(r); err != nil || strings.Count(string(text), "\n") < 3 || !strings.Contains(string(text), "Z b\n") {
		t.Errorf("got %q, %v; want the whole log with its times", text, err)
	}
	for _, job := range []int64{jobs[1].ID, 1} {
		if _, err := w.client.OpenLog(t.Context(), "org/ci", job); !errors.Is(err, ErrGone) {
			t.Errorf("job %d: got %v, want ErrGone", job, err)
		}
	}
	for _, r := range w.server.Downloads() {
		if r.Token != "" {
			t.Errorf("the token went to the server of logs: %s", r.Path)
		}
	}
}

func TestJobLogWithoutAToken(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	id := w.run(failingJob(w.now()))
	w.client.token = nil
	_, err := w.client.JobLog(t.Context(), "org/ci", change.Job{ID: w.server.Jobs(id, 1)[0].ID}, 3)
	checkFailure(t, err, fault.Configuration, "give a token: GitHub wants one for this even where the repository is public")
}

func TestArtifacts(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	id := w.run()
	gone := w.server.AddArtifact(id, standin.Artifact{Name: "old"})
	w.server.ExpireArtifact(gone)
	w.server.AddArtifact(id, standin.Artifact{Name: "results"}) // of the attempt before
	kept := w.server.AddArtifact(id, standin.Artifact{Name: "results", Files: map[string]string{"junit.xml": "<testsuite/>"}})
	got, err := w.client.Artifacts(t.Context(), "org/ci", id)
	if err != nil || len(got) != 2 {
		t.Fatalf("got %v, %v; want two artifacts", got, err)
	}
	page := fmt.Sprintf("%s/org/ci/actions/runs/%d/artifacts/", w.server.URL(), id)
	want := []change.Artifact{
		{ID: kept, Name: "results", Size: got[0].Size, URL: page + fmt.Sprint(kept)},
		{ID: gone, Name: "old", Size: got[1].Size, Expired: true, URL: page + fmt.Sprint(gone)},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("artifacts (-want +got):\n%s", diff)
	}
	body, size, err := w.client.OpenArtifact(t.Context(), "org/ci", kept)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	data, err := io.ReadAll(body)
	if err != nil || size != got[0].Size || int64(len(data)) != size {
		t.Errorf("got %d bytes of %d, %v; want %d", len(data), size, err, got[0].Size)
	}
	z, err := zip.NewReader(bytes.NewReader(data), size)
	if err != nil || z.File[0].Name != "junit.xml" {
		t.Errorf("the zip file is damaged: %v", err)
	}
	if d := w.server.Downloads(); len(d) != 1 || d[0].Token != "" {
		t.Errorf("got downloads %v, want one without a token", d)
	}
	if _, _, err := w.client.OpenArtifact(t.Context(), "org/ci", gone); !errors.Is(err, ErrGone) {
		t.Errorf("expired: got %v, want ErrGone", err)
	}
}

// TestDownloadFaults lets either server fail in each way. The address, which is
// a secret, is in no error.
func TestDownloadFaults(t *testing.T) {
	t.Parallel()
	api := regexp.MustCompile("/(zip|logs)$")
	elsewhere := func(at string) func(http.Handler) http.Handler {
		return faults.Answer(302, "", "Location", at+"?sig=s3cr3t")
	}
	for _, tc := range []struct {
		name  string
		rule  faults.Rule
		kind  fault.Kind // Unknown: it works in the end
		part  string
		asked int // downloads
	}{
		{"address once 502", faults.Rule{Path: api, Times: 1, Do: faults.Answer(502, "")}, fault.Unknown, "", 1},
		{"address lost once", faults.Rule{Path: api, Times: 1, Do: faults.LoseReply()}, fault.Unknown, "", 1},
		{"no address", faults.Rule{Path: api, Do: faults.Answer(302, "")}, fault.Transient, "GitHub gave no address", 0},
		{"content at once", faults.Rule{Path: api, Do: faults.Answer(200, "")}, fault.Transient, "not what GitHub's REST API describes", 0},
		{"403", faults.Rule{Path: api, Do: faults.Answer(403, `{"message":"no"}`)}, fault.Configuration, "GitHub answered 403: no", 0},
		{"not encrypted", faults.Rule{Path: api, Do: elsewhere("http://blobs.example.org/x")}, fault.Configuration, "on blobs.example.org, does not begin with https", 0},
		{"not even http", faults.Rule{Path: api, Do: elsewhere("file:///etc/passwd")}, fault.Configuration, "does not begin with https", 0},
		{"with a password", faults.Rule{Path: api, Do: elsewhere("https://u:p@blobs.example.org/x")}, fault.Configuration, "does not begin with https", 0},
		{"nobody there", faults.Rule{Path: api, Do: elsewhere("http://127.0.0.1:1/x")}, fault.Transient, "from 127.0.0.1:1: dial tcp", 0},
		{"too late once", faults.Rule{Path: blobs, Times: 1, Do: faults.Answer(403, "<Error/>")}, fault.Unknown, "", 2},
		{"download 403", faults.Rule{Path: blobs, Do: faults.Answer(403, "<Error/>")}, fault.Transient, "answered 403", 3},
		{"download 503", faults.Rule{Path: blobs, Do: faults.Answer(503, "")}, fault.Transient, "answered 503", 3},
		{"download gone", faults.Rule{Path: blobs, Do: faults.Answer(404, "")}, fault.Permanent, "it is not there", 1},
		{"no limit of the API's", faults.Rule{Path: blobs, Times: 1, Do: faults.Answer(429, "", "Retry-After", "3600")}, fault.Unknown, "", 2},
		{"lost once", faults.Rule{Path: blobs, Times: 1, Do: faults.LoseReply()}, fault.Unknown, "", 2},
		{"lost", faults.Rule{Path: blobs, Do: faults.LoseReply()}, fault.Transient, "EOF", 3},
		{"in a circle", faults.Rule{Path: blobs, Do: faults.Answer(302, "", "Location", "/blobs/1/x")}, fault.Transient, "answered 302", 3 * (maxRedirects + 1)},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			w := newWorld(t, standin.Options{})
			id := w.run(failingJob(w.now()))
			artifact := w.server.AddArtifact(id, standin.Artifact{Name: "out"})
			jobs, err := w.client.Jobs(t.Context(), "org/ci", id, 1)
			if err != nil {
				t.Fatal(err)
			}
			check := func(what string, err error) {
				t.Helper()
				switch {
				case tc.kind == fault.Unknown && err != nil:
					t.Errorf("%s: %v", what, err)
				case tc.kind != fault.Unknown:
					checkFailure(t, err, tc.kind, tc.part)
				}
				if err != nil && strings.Contains(err.Error(), "s3cr3t") {
					t.Errorf("%s: the error shows the address: %v", what, err)
				}
				if got := len(w.server.Downloads()); got != tc.asked {
					t.Errorf("%s: asked for %d downloads, want %d", what, got, tc.asked)
				}
				w.server.Faults.Clear()
			}
			w.server.Faults.Add(tc.rule)
			body, _, err := w.client.OpenArtifact(t.Context(), "org/ci", artifact)
			if err == nil {
				body.Close()
			}
			check("artifact", err)
			w.server.Faults.Add(tc.rule)
			log, err := w.client.JobLog(t.Context(), "org/ci", jobs[0], 9)
			if tc.kind == fault.Permanent { // a log that is gone is none
				err = errors.Join(err, fault.New(fault.Permanent, "it is not there"))
			}
			if (err == nil) != (len(log.Tail) == 4) {
				t.Errorf("got lines %q, %v", log.Tail, err)
			}
			check("log", err)
		})
	}
}

// TestWholeLogIsRead: what failed stands far before the end of a log, and what other
// steps say does not count: neither one that failed without harm before, nor one
// that ended in the same second, nor the script that the runner shows.
func TestWholeLogIsRead(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	at := func(s int) time.Time { return w.now().Add(time.Duration(s) * time.Second) }
	noise := strings.Repeat("lib/bdev/bdev.c: *ERROR*: as expected\n", 5000)
	id := w.run(standin.Job{Name: "unit", Conclusion: "failure", Started: at(0), Completed: at(12), Steps: []standin.Step{
		{Name: "Lint", Started: at(0), Completed: at(5), Log: "##[group]Run lint\nnot ok 1 lint\n##[error]Process completed with exit code 1."},
		{Name: "Test", Started: at(5), Completed: at(9), Conclusion: "failure", Log: "##[group]Run test\n\x1b[36;1mnot ok 9 script\x1b[0m\n##[endgroup]\n" +
			"not ok 2 far\n" + noise + "##[error]Process completed with exit code 2."},
		{Name: "Collect", Started: at(11), Completed: at(12), Conclusion: "failure", Log: "##[group]Run collect\nnot ok 3 collect\n##[error]No files."},
	}})
	jobs, err := w.client.Jobs(t.Context(), "org/ci", id, 1)
	if err != nil {
		t.Fatal(err)
	}
	log, err := w.client.JobLog(t.Context(), "org/ci", jobs[0], 9)
	if len(log.Told.Failures) != 1 || log.Told.Failures[0].Test != "far" || err != nil {
		t.Errorf("got %+v, %v; want the test far", log.Told, err)
	}
}

// TestCutDownloads breaks the connection in the middle: a log is read again, and
// who reads an artifact is told.
func TestCutDownloads(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	id := w.run(failingJob(w.now()))
	artifact := w.server.AddArtifact(id, standin.Artifact{Name: "out", Filler: 100_000})
	w.server.Faults.Add(faults.Rule{Path: blobs, Times: 2, Do: faults.Cut(100)})
	body, _, err := w.client.OpenArtifact(t.Context(), "org/ci", artifact)
	if err != nil {
		t.Fatal(err)
	}
	n, err := io.Copy(io.Discard, body)
	checkFailure(t, err, fault.Transient, fmt.Sprintf("failed to download artifact %d of org/ci: from 127.0.0.1", artifact))
	body.Close()
	if n > 100 {
		t.Errorf("got %d bytes, want at most 100", n)
	}
	log, err := w.client.JobLog(t.Context(), "org/ci", change.Job{ID: w.server.Jobs(id, 1)[0].ID}, 2)
	if len(log.Tail) != 2 || err != nil || len(w.slept) != 1 {
		t.Errorf("got %q, %v after %d waits; want two lines after one", log.Tail, err, len(w.slept))
	}
}

// TestSilentDownload covers a server that stops sending, one that takes too long
// as a whole, and a reader that is slow, which is no fault of the server's.
func TestSilentDownload(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	artifact := w.server.AddArtifact(w.run(), standin.Artifact{Name: "out", Files: map[string]string{"a": "b"}})
	w.client.idle = 10 * time.Millisecond
	w.server.Faults.Add(faults.Rule{Path: blobs, Do: faults.Hang()})
	_, _, err := w.client.OpenArtifact(t.Context(), "org/ci", artifact)
	checkFailure(t, err, fault.Transient, "the server sent nothing for 10ms")

	late := newDownload(t.Context(), time.Hour, time.Nanosecond)
	<-late.ctx.Done()
	checkFailure(t, late.explain(late.ctx.Err()), fault.Transient, "it was not there as a whole within 1ns")
	late.end()

	w.client.idle = time.Hour
	w.server.Faults.Clear()
	body, _, err := w.client.OpenArtifact(t.Context(), "org/ci", artifact)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if _, err := body.Read(make([]byte, 1)); err != nil || body.(*download).timer.Stop() {
		t.Errorf("the clock runs while nobody reads, or %v", err)
	}
}

// TestDownloadGivenUp covers a caller that stops waiting.
func TestDownloadGivenUp(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	artifact := w.server.AddArtifact(w.run(), standin.Artifact{Name: "out", Filler: 10 << 20})
	ctx, cancel := context.WithCancel(t.Context())
	body, _, err := w.client.OpenArtifact(ctx, "org/ci", artifact)
	if err != nil {
		t.Fatal(err)
	}
	cancel()
	_, err = io.Copy(io.Discard, body)
	if !errors.Is(err, context.Canceled) || fault.KindOf(err) != fault.Unknown {
		t.Errorf("got %v (%s), want nobody's failure", err, fault.KindOf(err))
	}
	if err := body.Close(); err != nil {
		t.Error(err)
	}
}

// TestDetour follows a redirect of the server of downloads, without telling the
// next one the address of the first.
func TestDetour(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	artifact := w.server.AddArtifact(w.run(), standin.Artifact{Name: "out"})
	var header http.Header
	other := httptest.NewServer(http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
		header = r.Header
		io.WriteString(rw, "content")
	}))
	t.Cleanup(other.Close)
	w.server.Faults.Add(faults.Rule{Path: blobs, Do: faults.Answer(307, "", "Location", other.URL+"/y")})
	body, size, err := w.client.OpenArtifact(t.Context(), "org/ci", artifact)
	if err != nil {
		t.Fatal(err)
	}
	defer body.Close()
	if data, err := io.ReadAll(body); string(data) != "content" || size != 7 || err != nil {
		t.Errorf("got %q (%d), %v", data, size, err)
	}
	if header.Get("Authorization") != "" || header.Get("Referer") != "" {
		t.Errorf("the next server got %v", header)
	}
}

// TestDownloadFromTheSameHost does not take a 302 for a repository that moved.
func TestDownloadFromTheSameHost(t *testing.T) {
	t.Parallel()
	w := newWorld(t, standin.Options{})
	id := w.run(failingJob(w.now()))
	var tokens []string
	w.server.Faults.Add(faults.Rule{Path: regexp.MustCompile("/logs$"), Do: faults.Answer(302, "", "Location", "/blobs/here")})
	w.server.Faults.Add(faults.Rule{Path: regexp.MustCompile("^/blobs/here$"), Do: func(http.Handler) http.Handler {
		return http.HandlerFunc(func(rw http.ResponseWriter, r *http.Request) {
			tokens = append(tokens, r.Header.Get("Authorization"))
			io.WriteString(rw, "a\nb\n")
		})
	}})
	log, err := w.client.JobLog(t.Context(), "org/ci", change.Job{ID: w.server.Jobs(id, 1)[0].ID}, 9)
	if diff := cmp.Diff([]string{"a", "b"}, log.Tail); diff != "" || err != nil {
		t.Errorf("lines (-want +got), %v:\n%s", err, diff)
	}
	if diff := cmp.Diff([]string{""}, tokens); diff != "" {
		t.Errorf("tokens (-want +got):\n%s", diff)
	}
}

func TestMayDownload(t *testing.T) {
	t.Parallel()
	for pair, want := range map[[2]string]bool{
		{"https://api.github.com/", "https://x.blob.core.windows.net/y?sig=z"}: true,
		{"https://api.github.com/", "http://x.blob.core.windows.net/y"}:        false,
		{"https://api.github.com/", "http://127.0.0.1/y"}:                      false,
		{"http://ghe.example.org/", "http://127.0.0.1/y"}:                      false,
		{"http://127.0.0.1:1/", "http://[::1]:2/y"}:                            true,
		{"http://localhost:1/", "http://127.9.9.9:2/y"}:                        true,
		{"http://127.0.0.1:1/", "http://10.0.0.1/y"}:                           false,
		{"http://127.0.0.1:1/", "https:///y"}:                                  false,
	} {
		from, _ := url.Parse(pair[0])
		to, _ := url.Parse(pair[1])
		if got := mayDownload(from, to); got != want {
			t.Errorf("from %s to %s: got %v, want %v", from, to, got, want)
		}
	}
}

func TestWebURL(t *testing.T) {
	t.Parallel()
	for api, want := range map[string]string{
		"https://api.github.com/":        "https://github.com",
		"https://api.acme.ghe.com/":      "https://acme.ghe.com",
		"https://ghe.example.org/api/v3": "https://ghe.example.org",
		"https://api.example.org/api/v3": "https://api.example.org",
		"http://127.0.0.1:8080/":         "http://127.0.0.1:8080",
	} {
		u, _ := url.Parse(api)
		if got := webURL(u); got != want {
			t.Errorf("webURL(%s): got %s, want %s", api, got, want)
		}
	}
}
