// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"archive/zip"
	"bytes"
	"fmt"
	"io"
	"net/http"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

// locate returns the address that a request is redirected to.
func locate(t *testing.T, s *Server, path string) string {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", s.URL()+path, nil)
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Authorization", "Bearer full")
	resp, err := http.DefaultTransport.RoundTrip(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusFound {
		t.Fatalf("%s: got %d, want 302", path, resp.StatusCode)
	}
	return resp.Header.Get("Location")
}

// download returns the status and body of an address.
func download(t *testing.T, url string, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), "GET", url, nil)
	if err != nil {
		t.Fatal(err)
	}
	for i := 0; i+1 < len(header); i += 2 {
		req.Header.Set(header[i], header[i+1])
	}
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	body, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(body)
}

func TestLog(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	id, _ := startRun(s)
	at := time.Date(2026, 1, 5, 8, 1, 2, 0, time.UTC)
	s.SetJobs(id,
		Job{Name: "test", Conclusion: "failure", Started: at, Completed: at.Add(time.Minute), Steps: []Step{
			{Name: "Build", Log: "one\n\ntwo"}, {Name: "Never", Conclusion: "skipped", Log: "no"}, {Name: "Silent"},
			{Name: "Test", Conclusion: "failure", Log: "##[error]three\n", Filler: 1},
		}},
		Job{Name: "lost", Conclusion: "failure", NoLog: true, Steps: []Step{{Name: "x"}}},
		Job{Name: "skipped", Conclusion: "skipped"},
		Job{Name: "running", Status: "in_progress", Steps: []Step{{Name: "x"}}},
	)
	var paths []string
	for _, j := range s.Jobs(id, 1) {
		paths = append(paths, fmt.Sprintf("/repos/org/ci/actions/jobs/%d/logs", j.ID))
	}
	url := locate(t, s, paths[0])
	status, body := download(t, url)
	filled := strings.Count(body, fillerLine)
	want := "\ufeff2026-01-05T08:01:02.0000000Z one\n2026-01-05T08:01:02.0000000Z \n2026-01-05T08:02:02.0000000Z two\n" +
		strings.Repeat("2026-01-05T08:01:02.0000000Z "+fillerLine, filled) + "2026-01-05T08:02:02.0000000Z ##[error]three\n"
	if status != 200 || filled == 0 || body != want {
		t.Errorf("got %d, %d filler lines: %.400q", status, filled, body)
	}
	for _, path := range append(paths[1:], "/repos/org/ci/actions/jobs/1/logs") {
		if a := ask(t, s, "GET", path, nil); a.status != 404 {
			t.Errorf("%s: got %d, want 404", path, a.status)
		}
	}
	if a := ask(t, s, "GET", paths[0], nil, "X-None", ""); a.status != 403 {
		t.Errorf("without a token: got %d, want 403", a.status)
	}
}

// TestBlobs holds who gets a download: whoever has the address, for a minute.
func TestBlobs(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	id, _ := startRun(s)
	artifact := s.AddArtifact(id, Artifact{Name: "out", Files: map[string]string{"a": "b"}})
	url := locate(t, s, fmt.Sprintf("/repos/org/ci/actions/artifacts/%d/zip", artifact))
	if strings.HasPrefix(url, s.URL()) || !strings.HasPrefix(url, s.BlobURL()) {
		t.Errorf("%s is not on a server of its own", url)
	}
	for _, tc := range []struct {
		url    string
		header []string
		status int
	}{
		{url, nil, 200},
		{url, []string{"Authorization", "Bearer full"}, 401},
		{url, []string{"Cookie", "a=b"}, 401},
		{strings.Replace(url, "sig=", "sig=x", 1), nil, 403},
		{strings.Replace(url, "/out.zip", "/in.zip", 1), nil, 404},
		{strings.Replace(url, "/blobs/1/", "/blobs/9/", 1), nil, 404},
	} {
		if status, body := download(t, tc.url, tc.header...); status != tc.status {
			t.Errorf("%s %q: got %d %.100q, want %d", tc.url, tc.header, status, body, tc.status)
		}
	}
	s.Advance(61 * time.Second)
	if status, _ := download(t, url); status != 403 {
		t.Errorf("after a minute: got %d, want 403", status)
	}
	var tokens []string
	for _, r := range s.Downloads() {
		tokens = append(tokens, r.Token)
	}
	if diff := cmp.Diff([]string{"", "full", "", "", "", "", ""}, tokens); diff != "" {
		t.Errorf("tokens of the downloads (-want +got):\n%s", diff)
	}
}

func TestArtifacts(t *testing.T) {
	t.Parallel()
	s := serve(t, Options{})
	id, path := startRun(s)
	small := s.AddArtifact(id, Artifact{Name: "logs", Files: map[string]string{"b/c.txt": "text", "a": ""}, Filler: 100_000})
	gone := s.AddArtifact(id, Artifact{Name: "gone"})
	s.ExpireArtifact(gone)
	a := ask(t, s, "GET", path+"/artifacts", nil)
	list := decode[struct {
		Artifacts []struct {
			ID      int64
			Size    int64 `json:"size_in_bytes"`
			Expired bool
		}
	}](t, a).Artifacts
	if len(list) != 2 || list[0].ID != gone || !list[0].Expired || list[1].ID != small || list[1].Expired {
		t.Fatalf("got %s", a.body)
	}
	_, body := download(t, locate(t, s, fmt.Sprintf("/repos/org/ci/actions/artifacts/%d/zip", small)))
	if int64(len(body)) != list[1].Size {
		t.Errorf("got %d bytes, want the %d that the list says", len(body), list[1].Size)
	}
	z, err := zip.NewReader(bytes.NewReader([]byte(body)), int64(len(body)))
	if err != nil {
		t.Fatal(err)
	}
	var names []string
	for _, f := range z.File {
		names = append(names, f.Name)
	}
	if diff := cmp.Diff([]string{"a", "b/c.txt", "filler.bin"}, names); diff != "" || z.File[2].UncompressedSize64 < 100_000 {
		t.Errorf("files (-want +got):\n%s", diff)
	}
	for path, want := range map[string]int{fmt.Sprint(gone, "/zip"): 410, "1/zip": 404, fmt.Sprint(small, "/tar"): 404} {
		if a := ask(t, s, "GET", "/repos/org/ci/actions/artifacts/"+path, nil); a.status != want {
			t.Errorf("%s: got %d, want %d", path, a.status, want)
		}
	}
	s.Advance(artifactLife)
	if a := ask(t, s, "GET", fmt.Sprintf("/repos/org/ci/actions/artifacts/%d/zip", small), nil); a.status != 410 {
		t.Errorf("after 90 days: got %d, want 410", a.status)
	}
}
