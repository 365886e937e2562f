// SPDX-License-Identifier: BSD-3-Clause

// Package githttp serves true git repositories over git's smart HTTP protocol,
// with C git's own http-backend, for the stand-ins and for tests. It does not
// check credentials and creates no repositories.
package githttp

import (
	"fmt"
	"io"
	"log"
	"net/http"
	"net/http/cgi"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"sync"
)

// Handler serves the repositories below a folder. Request paths are relative to
// the folder: /spdk/spdk.git/info/refs.
type Handler struct {
	// Root is the folder that holds bare repositories.
	Root string
	// Env holds extra KEY=VALUE pairs for git (GIT_CONFIG_COUNT and so on).
	Env []string
	// User is told to git as the pusher; without one receive-pack refuses,
	// unless the repository sets http.receivepack.
	User string
	// Log gets what git writes to its standard error, one write at a time; nil
	// drops it. Much of it never reaches a client, who sees an empty answer.
	Log io.Writer

	logging sync.Mutex
}

// ServeHTTP runs one request. Go's CGI host refuses chunked bodies, so those
// are spooled to a file first; nginx does the same for a real server.
func (h *Handler) ServeHTTP(w http.ResponseWriter, r *http.Request) {
	backend, err := backendPath()
	if err != nil {
		http.Error(w, err.Error(), http.StatusInternalServerError)
		return
	}
	body, err := spool(r)
	if err != nil {
		http.Error(w, err.Error(), http.StatusBadRequest)
		return
	}
	defer body.Close()
	stderr := logWriter{h}
	c := &cgi.Handler{
		Path: backend,
		Dir:  h.Root,
		Env: append([]string{
			"GIT_PROJECT_ROOT=" + h.Root, "GIT_HTTP_EXPORT_ALL=1", "REMOTE_USER=" + h.User,
			"GIT_PROTOCOL=" + r.Header.Get("Git-Protocol"),
			"GIT_CONFIG_NOSYSTEM=1", "HOME=" + h.Root, "LC_ALL=C",
		}, h.Env...),
		InheritEnv: []string{"PATH"},
		Logger:     log.New(stderr, "", 0),
		Stderr:     stderr,
	}
	c.ServeHTTP(w, r)
}

// logWriter lets requests that run at the same time share a log.
type logWriter struct{ h *Handler }

func (l logWriter) Write(p []byte) (int, error) {
	if l.h.Log == nil {
		return len(p), nil
	}
	l.h.logging.Lock()
	defer l.h.logging.Unlock()
	return l.h.Log.Write(p)
}

// spool replaces a body of unknown length by a temporary file of known length.
func spool(r *http.Request) (io.Closer, error) {
	if r.ContentLength >= 0 {
		return r.Body, nil
	}
	f, err := os.CreateTemp("", "githttp-*")
	if err != nil {
		return nil, err
	}
	os.Remove(f.Name()) // the open file stays usable
	n, err := io.Copy(f, r.Body)
	if err == nil {
		_, err = f.Seek(0, io.SeekStart)
	}
	if err != nil {
		f.Close()
		return nil, err
	}
	r.Body, r.ContentLength, r.TransferEncoding = f, n, nil
	return f, nil
}

// backendPath asks git where its programs are, once: handlers are made for single
// requests, and thousands of those are served in a test.
var backendPath = sync.OnceValues(func() (string, error) {
	out, err := exec.Command("git", "--exec-path").Output()
	if err != nil {
		return "", fmt.Errorf("failed to find git's programs: %w", err)
	}
	return filepath.Join(strings.TrimSpace(string(out)), "git-http-backend"), nil
})
