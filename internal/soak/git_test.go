// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"bytes"
	"fmt"
	"io"
	"maps"
	"net/http"
	"slices"
	"strconv"
	"strings"
	"sync"
)

// memory is both git servers without git: names and object ids, no objects. It
// answers ls-refs and fetch of gitprotocol-v2(5) and the push of
// gitprotocol-pack(5), whose conditions it checks ref by ref. Nearly all of a
// pass's time would go into processes of git otherwise. Some histories run with
// C git all the same.
type memory struct {
	mu   sync.Mutex
	refs map[string]string // of the mirror
	// source lists Gerrit's branches, may says whether an object can be wanted.
	source func() map[string]string
	may    func(oid string) bool

	site *site
	// mood is what is wrong with the mirror, for so many pushes where left is not 0.
	mood string
	left int
	// protected is a branch that nobody may push to, refused as Gitea does if gitea.
	protected string
	gitea     bool
}

const zero = "0000000000000000000000000000000000000000"

// serve answers a git request, or reports that it is none.
func (m *memory) serve(r *http.Request, mirror bool) (*http.Response, bool) {
	push := strings.HasSuffix(r.URL.Path, "/git-receive-pack")
	if !push && !strings.HasSuffix(r.URL.Path, "/git-upload-pack") {
		return nil, false
	}
	body, err := io.ReadAll(r.Body)
	if err != nil {
		return answer(r, http.StatusBadRequest, "", err.Error()), true
	}
	lines := packets(body)
	m.mu.Lock()
	defer m.mu.Unlock()
	switch {
	case push && mirror && moods[m.mood].status != 0:
		now, _ := m.upsets()
		return answer(r, now.status, "text/plain", http.StatusText(now.status)), true
	case push && mirror:
		return answer(r, http.StatusOK, "application/x-git-receive-pack-result", m.push(lines)), true
	case push:
		return answer(r, http.StatusNotFound, "", "Not Found"), true
	case len(lines) > 0 && strings.HasPrefix(lines[0], "command=fetch"):
		return answer(r, http.StatusOK, "application/x-git-upload-pack-result", m.fetch(lines)), true
	}
	refs := m.refs
	if !mirror {
		refs = m.source()
	}
	return answer(r, http.StatusOK, "application/x-git-upload-pack-result", list(refs, lines)), true
}

// packets cuts a request into pkt-lines, up to the second flush or the pack.
func packets(body []byte) []string {
	var lines []string
	for len(body) >= 4 {
		n, err := strconv.ParseUint(string(body[:4]), 16, 16)
		switch {
		case err != nil || int(n) > len(body):
			return lines
		case n < 4:
			body = body[4:]
		default:
			lines, body = append(lines, strings.TrimSuffix(string(body[4:n]), "\n")), body[n:]
		}
	}
	return lines
}

func packet(b *bytes.Buffer, format string, args ...any) {
	text := fmt.Sprintf(format, args...)
	fmt.Fprintf(b, "%04x%s", len(text)+4, text)
}

// list answers ls-refs.
func list(refs map[string]string, lines []string) string {
	var prefixes []string
	for _, l := range lines {
		if p, ok := strings.CutPrefix(l, "ref-prefix "); ok {
			prefixes = append(prefixes, p)
		}
	}
	var b bytes.Buffer
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		if len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(p string) bool { return strings.HasPrefix(name, p) }) {
			packet(&b, "%s %s\n", refs[name], name)
		}
	}
	b.WriteString("0000")
	return b.String()
}

// emptyPack is a pack without objects.
const emptyPack = "PACK\x00\x00\x00\x02\x00\x00\x00\x00\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e"

// fetch answers with an empty pack, or refuses what is not to be seen, in the
// words of C git.
func (m *memory) fetch(lines []string) string {
	var b bytes.Buffer
	for _, l := range lines {
		if oid, ok := strings.CutPrefix(l, "want "); ok && !m.may(oid) {
			packet(&b, "ERR upload-pack: not our ref %s", oid)
			return b.String()
		}
	}
	packet(&b, "packfile\n")
	packet(&b, "\x01%s", emptyPack)
	b.WriteString("0000")
	return b.String()
}

// answer makes a response out of nothing.
func answer(r *http.Request, status int, kind, body string) *http.Response {
	return &http.Response{
		StatusCode: status, Status: strconv.Itoa(status) + " " + http.StatusText(status), Proto: "HTTP/1.1", ProtoMajor: 1, ProtoMinor: 1,
		Header: http.Header{"Content-Type": {kind}}, Body: io.NopCloser(strings.NewReader(body)), ContentLength: int64(len(body)), Request: r,
	}
}
