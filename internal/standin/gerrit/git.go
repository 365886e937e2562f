// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"io"
	"net/http"
	"regexp"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/standin/githttp"
)

// maxGitRequest bounds a fetch request; ten thousand haves take half a MiB.
const maxGitRequest = 16 << 20

// gitPath splits PROJECT/info/refs and PROJECT/git-upload-pack.
func gitPath(parts []string) (project, rest string, ok bool) {
	for _, tail := range [][]string{{"info", "refs"}, {"git-upload-pack"}} {
		if n := len(parts) - len(tail); n > 0 && slices.Equal(parts[n:], tail) {
			return strings.TrimSuffix(strings.Join(parts[:n], "/"), ".git"), strings.Join(tail, "/"), true
		}
	}
	return "", "", false
}

// serveGit answers a git request with C git, within what Gerrit would show: a
// private change's refs are hidden, and an object can be wanted only if it is
// reachable from a visible ref. C git itself lets any object be wanted in
// protocol v2, so that check is made here. The server is locked when this
// begins and ends, but not while git works.
func (s *Server) serveGit(c call, project, rest string) {
	p := s.projects[project]
	if p == nil || c.r.URL.Query().Get("service") == "git-receive-pack" {
		c.fail(http.StatusNotFound, "Not Found")
		return
	}
	if err := p.repo.flush(); err != nil {
		c.fail(http.StatusInternalServerError, "%s", err)
		return
	}
	v := p.view(c.viewer)
	s.mu.Unlock()
	defer s.mu.Lock()
	body, err := readBody(c.r)
	if err != nil {
		c.fail(http.StatusBadRequest, "%s", err)
		return
	}
	if bad := p.firstBadWant(body, v); bad != "" {
		c.w.Header().Set("Content-Type", "application/x-git-upload-pack-result")
		message := "ERR want " + bad + " not valid"
		fmt.Fprintf(c.w, "%04x%s", len(message)+4, message)
		return
	}
	r := c.r.Clone(c.r.Context())
	r.Body, r.ContentLength = io.NopCloser(bytes.NewReader(body)), int64(len(body))
	r.Header.Del("Content-Encoding")
	r.URL.Path, r.URL.RawPath = "/"+project+".git/"+rest, ""
	(&githttp.Handler{Root: s.dir, Env: gitConfig(v.hidden)}).ServeHTTP(c.w, r)
}

// readBody reads a request's body, unzipped.
func readBody(r *http.Request) ([]byte, error) {
	var in io.Reader = r.Body
	if r.Header.Get("Content-Encoding") == "gzip" {
		zipped, err := gzip.NewReader(in)
		if err != nil {
			return nil, err
		}
		in = zipped
	}
	return io.ReadAll(io.LimitReader(in, maxGitRequest))
}

// view is what an account may see of a project's refs.
type view struct {
	tips   map[string]bool // what the visible refs point at
	hidden []string        // prefixes of all other refs, with a final slash
}

func (p *Project) view(viewer *Account) view {
	v := view{tips: map[string]bool{}}
	for _, revision := range p.branches {
		v.tips[revision] = true
	}
	for _, c := range p.srv.changes {
		if c.project != p {
			continue
		}
		if !c.visible(viewer) {
			ref := change.CustomRefs.Ref(change.ID{Change: c.number, Patchset: 1})
			v.hidden = append(v.hidden, strings.TrimSuffix(ref, "1"))
			continue
		}
		for _, ps := range c.patchsets {
			v.tips[ps.revision] = true
		}
	}
	return v
}

// gitConfig makes a configuration in environment variables.
func gitConfig(hidden []string) []string {
	settings := [][2]string{{"uploadpack.allowReachableSHA1InWant", "true"}}
	for _, prefix := range hidden {
		settings = append(settings, [2]string{"uploadpack.hideRefs", strings.TrimSuffix(prefix, "/")})
	}
	env := []string{fmt.Sprintf("GIT_CONFIG_COUNT=%d", len(settings)), "GIT_CONFIG_GLOBAL=/dev/null"}
	for i, pair := range settings {
		env = append(env, fmt.Sprintf("GIT_CONFIG_KEY_%d=%s", i, pair[0]), fmt.Sprintf("GIT_CONFIG_VALUE_%d=%s", i, pair[1]))
	}
	return env
}

var wantPattern = regexp.MustCompile(`[0-9a-f]{4}want ([0-9a-f]{40})`)

// firstBadWant returns the first wanted object that no visible ref reaches.
func (p *Project) firstBadWant(body []byte, v view) string {
	for _, m := range wantPattern.FindAllSubmatch(body, -1) {
		if want := string(m[1]); !v.tips[want] && !p.reachable(want, v) {
			return want
		}
	}
	return ""
}

// reachable asks git which refs contain a commit.
func (p *Project) reachable(revision string, v view) bool {
	out, err := runGit(p.repo.dir, "for-each-ref", "--format=%(refname)", "--contains="+revision)
	if err != nil { // git does not know it as a commit, but what a tag is at may be had (JGit UploadPack.java: advertised)
		tags, err := runGit(p.repo.dir, "for-each-ref", "--format=%(objectname)", "refs/tags")
		return err == nil && slices.Contains(strings.Fields(tags), revision)
	}
	for ref := range strings.FieldsSeq(out) {
		if !slices.ContainsFunc(v.hidden, func(prefix string) bool { return strings.HasPrefix(ref, prefix) }) {
			return true
		}
	}
	return false
}
