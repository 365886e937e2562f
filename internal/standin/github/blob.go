// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"io"
	"net/http"
	"strconv"
	"time"
)

// blobLife is how long the address of a download is good for.
const blobLife = time.Minute

// blob is a text or file that is downloaded from a server of its own, without
// credentials: the address holds a signature.
type blob struct {
	name, contentType string
	size              int64 // 0 if it is not told
	write             func(io.Writer) error
	expires           time.Time
}

// redirect answers with the address of a blob. Its query is as good as a
// password for as long as it lasts.
func (s *Server) redirect(c call, b blob) {
	b.expires = s.now().Add(blobLife)
	s.blobs = append(s.blobs, b)
	key := len(s.blobs)
	c.w.Header().Set("Location", fmt.Sprintf("%s/blobs/%d/%s?se=%d&sig=%s", s.blobURL, key, b.name, b.expires.Unix(), signature(key)))
	c.w.Header().Set("Content-Type", "text/html;charset=utf-8") // as api.github.com does
	c.w.WriteHeader(http.StatusFound)
}

func signature(key int) string { return fmt.Sprintf("s3cr3t%d", key) }

// blobHandler is the server of downloads. Faults apply to it, too: its paths
// begin with /blobs/.
func (s *Server) blobHandler() http.Handler {
	mux := http.NewServeMux()
	mux.HandleFunc("GET /blobs/{key}/{name}", s.serveBlob)
	inner := s.Faults.Wrap(mux)
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		s.downloads = append(s.downloads, newRequest(r))
		s.mu.Unlock()
		inner.ServeHTTP(w, r)
	})
}

// Downloads returns what the server of logs and artifacts was asked since the
// last call, oldest first.
func (s *Server) Downloads() []Request {
	s.mu.Lock()
	defer s.mu.Unlock()
	list := s.downloads
	s.downloads = nil
	return list
}

// BlobURL returns the address of the server of logs and artifacts.
func (s *Server) BlobURL() string {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.blobURL
}

// serveBlob answers as Azure's storage does: it has no use for credentials
// besides the signature and refuses them.
func (s *Server) serveBlob(w http.ResponseWriter, r *http.Request) {
	s.mu.Lock()
	key, _ := strconv.Atoi(r.PathValue("key"))
	found := key >= 1 && key <= len(s.blobs)
	var b blob
	if found {
		b = s.blobs[key-1]
	}
	expired := s.now().After(b.expires)
	s.mu.Unlock()
	switch {
	case r.Header.Get("Authorization") != "" || r.Header.Get("Cookie") != "":
		refuseBlob(w, http.StatusUnauthorized, "InvalidAuthenticationInfo")
	case !found || b.name != r.PathValue("name"):
		refuseBlob(w, http.StatusNotFound, "BlobNotFound")
	case expired || r.URL.Query().Get("sig") != signature(key):
		refuseBlob(w, http.StatusForbidden, "AuthenticationFailed")
	default:
		w.Header().Set("Content-Type", b.contentType)
		if b.size > 0 {
			w.Header().Set("Content-Length", strconv.FormatInt(b.size, 10))
		}
		if b.write(w) != nil {
			panic(http.ErrAbortHandler) // the client went away
		}
	}
}

func refuseBlob(w http.ResponseWriter, status int, code string) {
	w.Header().Set("Content-Type", "application/xml")
	w.WriteHeader(status)
	fmt.Fprintf(w, "<?xml version=\"1.0\" encoding=\"utf-8\"?><Error><Code>%s</Code></Error>", code)
}
