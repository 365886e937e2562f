// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"errors"
	"net/http"
	"net/http/httptest"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

func TestWeb(t *testing.T) {
	t.Parallel()
	mux := http.NewServeMux()
	mux.HandleFunc("/c.qcow2", func(w http.ResponseWriter, r *http.Request) {
		http.ServeContent(w, r, "", start, strings.NewReader("a cloud image"))
	})
	mux.Handle("/moved", http.RedirectHandler("/c.qcow2", http.StatusFound))
	mux.HandleFunc("/broken", func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) })
	mux.HandleFunc("/cut", func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Length", "13")
		w.Write([]byte("a cl"))
	})
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	web, file := HTTP{UserAgent: "test/1"}, filepath.Join(t.TempDir(), "c")
	for _, path := range []string{"/c.qcow2", "/moved"} {
		n, err := web.Size(t.Context(), server.URL+path)
		if n != 13 || err != nil {
			t.Errorf("%s: got %d, %v", path, n, err)
		}
		must(t, web.Download(t.Context(), server.URL+path, file, n))
		if got, _ := os.ReadFile(file); string(got) != "a cloud image" {
			t.Errorf("%s: got %q", path, got)
		}
	}
	for path, kind := range map[string]fault.Kind{"/missing": fault.Configuration, "/broken": fault.Transient, "/cut": fault.Transient} {
		if err := web.Download(t.Context(), server.URL+path, file, 13); !errors.Is(err, kind) {
			t.Errorf("%s: got %v (%v), want %v", path, err, fault.KindOf(err), kind)
		}
	}
	if err := web.Download(t.Context(), server.URL+"/c.qcow2", file, 5); !errors.Is(err, fault.Transient) {
		t.Errorf("more than it said: got %v", err)
	}
}
