// SPDX-License-Identifier: BSD-3-Clause

package githttp

import (
	"bytes"
	"compress/gzip"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
	"testing"
)

// lsRefs is a protocol v2 request for all refs.
const lsRefs = "0014command=ls-refs\n" + "0001" + "0000"

// journal is a log that may be read while git writes it.
type journal struct {
	mu   sync.Mutex
	text strings.Builder
}

func (j *journal) Write(p []byte) (int, error) {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.Write(p)
}

func (j *journal) String() string {
	j.mu.Lock()
	defer j.mu.Unlock()
	return j.text.String()
}

// serve returns the address of a repository with one commit on master, and the
// log of its server.
func serve(t *testing.T, user string) (repository string, log *journal) {
	t.Helper()
	root := t.TempDir()
	dir := filepath.Join(root, "a", "b.git")
	git(t, "", "init", "--quiet", "--bare", "--initial-branch=master", dir)
	git(t, "commit refs/heads/master\ncommitter A <a@example.com> 1700000000 +0000\ndata 0\n\n", "--git-dir", dir, "fast-import", "--quiet")
	log = &journal{}
	srv := httptest.NewServer(&Handler{Root: root, User: user, Log: log})
	t.Cleanup(srv.Close)
	return srv.URL + "/a/b.git", log
}

func git(t *testing.T, input string, args ...string) {
	t.Helper()
	cmd := exec.Command("git", args...)
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C")
	cmd.Stdin = strings.NewReader(input)
	if out, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
}

// ask sends a request and returns status and body. The headers are pairs.
func ask(t *testing.T, method, url string, body io.Reader, header ...string) (int, string) {
	t.Helper()
	req, err := http.NewRequestWithContext(t.Context(), method, url, body)
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
	b, err := io.ReadAll(resp.Body)
	if err != nil {
		t.Fatal(err)
	}
	return resp.StatusCode, string(b)
}

func TestProtocolVersionReachesGit(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, "")
	url += "/info/refs?service=git-upload-pack"
	if status, body := ask(t, "GET", url, nil, "Git-Protocol", "version=2"); status != 200 || !strings.Contains(body, "version 2") {
		t.Errorf("with Git-Protocol: got %d %q, want version 2", status, body)
	}
	if status, body := ask(t, "GET", url, nil); status != 200 || !strings.Contains(body, "refs/heads/master") {
		t.Errorf("without: got %d %q, want the refs", status, body)
	}
}

func TestRequestBodies(t *testing.T) {
	t.Parallel()
	url, log := serve(t, "")
	var zipped bytes.Buffer
	zw := gzip.NewWriter(&zipped)
	io.WriteString(zw, lsRefs)
	zw.Close()
	cases := map[string]struct {
		body   io.Reader
		header []string
	}{
		"plain":   {strings.NewReader(lsRefs), nil},
		"chunked": {io.MultiReader(strings.NewReader(lsRefs)), nil}, // hides the length
		"gzip":    {&zipped, []string{"Content-Encoding", "gzip"}},
	}
	for name, c := range cases {
		header := append(c.header, "Git-Protocol", "version=2", "Content-Type", "application/x-git-upload-pack-request")
		status, body := ask(t, "POST", url+"/git-upload-pack", c.body, header...)
		if status != 200 || !strings.HasSuffix(body, " refs/heads/master\n0000") {
			t.Errorf("%s: got %d %q, want the refs; log: %s", name, status, body, log)
		}
	}
}

func TestErrorsOfGitAreLogged(t *testing.T) {
	t.Parallel()
	url, log := serve(t, "")
	// Nobody said who pushes, so receive-pack is not enabled.
	status, _ := ask(t, "GET", url+"/info/refs?service=git-receive-pack", nil)
	if status != 403 || !strings.Contains(log.String(), "Service not enabled") {
		t.Errorf("push without a user: got %d and log %q, want 403 and the reason", status, log)
	}
	status, body := ask(t, "POST", url+"/git-upload-pack", strings.NewReader("0009what\n"), "Content-Type", "application/x-git-upload-pack-request")
	if status != 200 || body != "" || !strings.Contains(log.String(), "protocol error") {
		t.Errorf("nonsense: got %d %q and log %q, want an empty answer and the reason", status, body, log)
	}
}

func TestPusherAndMissingRepository(t *testing.T) {
	t.Parallel()
	url, _ := serve(t, "someone")
	if status, body := ask(t, "GET", url+"/info/refs?service=git-receive-pack", nil); status != 200 || !strings.Contains(body, "report-status") {
		t.Errorf("with a user: got %d %q, want receive-pack's advertisement", status, body)
	}
	if status, _ := ask(t, "GET", url+"x/info/refs?service=git-upload-pack", nil); status != 404 {
		t.Errorf("missing repository: got %d, want 404", status)
	}
}
