// SPDX-License-Identifier: BSD-3-Clause

package soak

import (
	"net/http"
	"net/url"
	"strconv"
	"strings"
)

// addressed is R18: a request to Gerrit about a change names it as project~number,
// and there is such a change. Where a run reports itself it has a number alone, and
// each project is asked for it.
func (w *world) addressed(r *http.Request) {
	_, rest, about := strings.Cut(r.URL.EscapedPath(), "/a/changes/")
	if !about || rest == "" || r.URL.Host == w.net.mirror {
		return
	}
	id, _, _ := strings.Cut(rest, "/")
	name, err := url.PathUnescape(id)
	i := strings.LastIndex(name, "~")
	number, _ := strconv.Atoi(name[i+1:])
	w.mu.Lock()
	defer w.mu.Unlock()
	for _, s := range w.sites {
		if err == nil && i > 0 && s.name == name[:i] && (w.numbered(s, number) != nil || w.reporting) {
			return
		}
	}
	w.violates("R18", "%s %s is about no change of a project", r.Method, r.URL.EscapedPath())
}
