// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/publish"
)

// TestJobLogs reads logs from servers that answer in all ways.
func TestJobLogs(t *testing.T) {
	t.Parallel()
	blobs := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		switch {
		case r.Header.Get("Authorization") != "" || r.Header.Get("Referer") != "":
			t.Errorf("the server of logs was told %v", r.Header)
		case strings.HasSuffix(r.URL.Path, "/gone"):
			http.Error(w, "gone", http.StatusNotFound)
		case strings.HasSuffix(r.URL.Path, "/again"):
			http.Redirect(w, r, "http://example.org/", http.StatusFound)
		default:
			io.WriteString(w, "a log")
		}
	}))
	t.Cleanup(blobs.Close)
	to := func(address string) http.HandlerFunc {
		return func(w http.ResponseWriter, r *http.Request) {
			if r.Header.Get("Authorization") != "Bearer "+token || r.URL.Path != "/repos/o/ci/actions/jobs/7/logs" {
				t.Errorf("got %s with %v", r.URL, r.Header)
			}
			w.Header().Set("Location", address)
			w.WriteHeader(http.StatusFound)
		}
	}
	status := func(code int) http.HandlerFunc {
		return func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(code) }
	}
	for name, c := range map[string]struct {
		answer http.HandlerFunc
		kind   fault.Kind
		gone   bool
	}{
		"good":            {to(blobs.URL + "/log?sig=secret"), 0, false},
		"gone":            {to(blobs.URL + "/gone?sig=secret"), 0, true},
		"no log":          {status(404), 0, true},
		"too old":         {status(410), 0, true},
		"no right":        {status(403), fault.Configuration, false},
		"down":            {status(502), fault.Transient, false},
		"a page":          {status(200), fault.Transient, false},
		"a detour":        {to(blobs.URL + "/again?sig=secret"), fault.Transient, false},
		"to plain text":   {to("http://example.org/log?sig=secret"), fault.Permanent, false},
		"with a password": {to("https://a:b@example.org/"), fault.Permanent, false},
		"to a file":       {to("file:///etc/passwd"), fault.Permanent, false},
		"nowhere":         {to(""), fault.Permanent, false},
	} {
		api := httptest.NewServer(c.answer)
		logs := jobLogs{api: api.URL, rt: http.DefaultTransport, token: func(context.Context) (string, error) { return token, nil }}
		r, err := logs.open(t.Context(), "o/ci", 7)
		api.Close()
		if errors.Is(err, publish.ErrGone) != c.gone || !c.gone && fault.KindOf(err) != c.kind && (err != nil || c.kind != 0) {
			t.Errorf("%s: got %v (%v)", name, err, fault.KindOf(err))
		}
		if err != nil && (strings.Contains(err.Error(), "secret") || strings.Contains(err.Error(), token)) {
			t.Errorf("%s: a secret is shown: %v", name, err)
		}
		if err == nil {
			text, _ := io.ReadAll(r)
			r.Close()
			if string(text) != "a log" || name != "good" {
				t.Errorf("%s: got %q", name, text)
			}
		}
	}
}

func TestMayFollow(t *testing.T) {
	t.Parallel()
	for to, want := range map[string]bool{
		"https://blob.example.org/x": true, "http://127.0.0.1:1/x": false, "http://blob.example.org/x": false, "https://u@blob.example.org/x": false, "https:///x": false,
	} {
		from, _ := url.Parse("https://api.github.com/")
		at, err := url.Parse(to)
		if err != nil || mayFollow(from, at) != want {
			t.Errorf("%s: got %v, want %v", to, !want, want)
		}
	}
}
