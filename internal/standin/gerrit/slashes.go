// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"net/http"
	"net/url"
	"strings"
)

// Slashes is what a proxy before the server makes of %2F in a path.
type Slashes int

const (
	// SlashesPass: they come through.
	SlashesPass Slashes = iota
	// SlashesRefused: Apache httpd's AllowEncodedSlashes Off, its default.
	SlashesRefused
	// SlashesDecoded: AllowEncodedSlashes On, or nginx with a path in proxy_pass.
	SlashesDecoded
)

// notFoundPage is what Apache httpd 2.4 answers.
const notFoundPage = `<!DOCTYPE HTML PUBLIC "-//IETF//DTD HTML 2.0//EN">
<html><head>
<title>404 Not Found</title>
</head><body>
<h1>Not Found</h1>
<p>The requested URL was not found on this server.</p>
</body></html>
`

// proxy stands before a server.
func (s Slashes) proxy(next http.Handler) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		path := r.URL.EscapedPath()
		switch {
		case s == SlashesPass || !strings.Contains(strings.ToUpper(path), "%2F"):
		case s == SlashesRefused:
			w.Header().Set("Content-Type", "text/html; charset=iso-8859-1")
			w.WriteHeader(http.StatusNotFound)
			w.Write([]byte(notFoundPage))
			return
		default:
			r = r.Clone(r.Context())
			r.URL.RawPath = strings.NewReplacer("%2F", "/", "%2f", "/").Replace(path)
			if plain, err := url.PathUnescape(r.URL.RawPath); err == nil {
				r.URL.Path = plain
			}
		}
		next.ServeHTTP(w, r)
	})
}
