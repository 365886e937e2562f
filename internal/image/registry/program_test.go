// SPDX-License-Identifier: BSD-3-Clause

package registry

import (
	"archive/tar"
	"encoding/base64"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/name"
	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/remote"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// TestPushContainer: what is pulled for a platform is its program, and the same
// input has the same digest each time.
func TestPushContainer(t *testing.T) {
	t.Parallel()
	host := serve(t, nil)
	p := Program{
		Name: "dispatcher", Certificates: []byte("authorities"), Labels: map[string]string{"a": "b"},
		Platforms: []Platform{{"amd64", []byte("for amd64")}, {"arm64", []byte("for arm64")}},
	}
	one, err := Assemble(p)
	if err != nil {
		t.Fatal(err)
	}
	two, err := Assemble(p)
	if err != nil || one.Digest != two.Digest || !strings.HasPrefix(one.Digest, "sha256:") {
		t.Errorf("got %s and %s, %v; want one digest", one.Digest, two.Digest, err)
	}
	p.Platforms[1].Data = []byte("another")
	if other, err := Assemble(p); err != nil || other.Digest == one.Digest {
		t.Errorf("another program has the same digest, %v", err)
	}
	c := client(nil)
	if _, err := c.Digest(t.Context(), host+"/dispatcher@"+one.Digest); !errors.Is(err, ErrNotFound) {
		t.Errorf("before: %v", err)
	}
	for range 2 {
		if err := c.PushContainer(t.Context(), one, host+"/dispatcher:v1.0.0"); err != nil {
			t.Fatal(err)
		}
	}
	for _, reference := range []string{":v1.0.0", "@" + one.Digest} {
		if got, err := c.Digest(t.Context(), host+"/dispatcher"+reference); got != one.Digest || err != nil {
			t.Errorf("%s: got %s, %v; want %s", reference, got, err, one.Digest)
		}
	}
	want := "etc/ 755\netc/ssl/ 755\netc/ssl/certs/ 755\netc/ssl/certs/ca-certificates.crt 644 authorities\ndispatcher 755 for ARCH\ntmp/ 1777\n"
	for _, arch := range []string{"amd64", "arm64"} {
		got, config := pull(t, host+"/dispatcher@"+one.Digest, arch)
		if diff := cmp.Diff(strings.ReplaceAll(want, "ARCH", arch), got); diff != "" {
			t.Errorf("%s (-want +got):\n%s", arch, diff)
		}
		if config.Architecture != arch || fmt.Sprint(config.Config.Entrypoint) != "[/dispatcher]" || config.Config.Labels["a"] != "b" {
			t.Errorf("%s: got %+v", arch, config)
		}
	}
}

// pull lists what an image has for an architecture, with modes and contents.
func pull(t *testing.T, reference, arch string) (string, *v1.ConfigFile) {
	t.Helper()
	ref, err := name.ParseReference(reference)
	if err != nil {
		t.Fatal(err)
	}
	image, err := remote.Image(ref, remote.WithPlatform(v1.Platform{OS: "linux", Architecture: arch}))
	if err != nil {
		t.Fatal(err)
	}
	config, err := image.ConfigFile()
	if err != nil {
		t.Fatal(err)
	}
	layers, err := image.Layers()
	if err != nil || len(layers) != 1 {
		t.Fatalf("%d layers, %v", len(layers), err)
	}
	r, err := layers[0].Uncompressed()
	if err != nil {
		t.Fatal(err)
	}
	defer r.Close()
	var list strings.Builder
	for files := tar.NewReader(r); ; {
		h, err := files.Next()
		if errors.Is(err, io.EOF) {
			return list.String(), config
		}
		if err != nil {
			t.Fatal(err)
		}
		data, err := io.ReadAll(files)
		if err != nil {
			t.Fatal(err)
		}
		fmt.Fprintln(&list, strings.TrimSpace(fmt.Sprintf("%s %o %s", h.Name, h.Mode, data)))
	}
}

// TestAnonymous: what only an account may pull is not found without one.
func TestAnonymous(t *testing.T) {
	t.Setenv("DOCKER_CONFIG", t.TempDir())
	host := serve(t, func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if _, password, _ := r.BasicAuth(); password != "hush" {
				w.Header().Set("WWW-Authenticate", `Basic realm="r"`)
				w.WriteHeader(http.StatusUnauthorized)
				return
			}
			next.ServeHTTP(w, r)
		})
	})
	login := base64.StdEncoding.EncodeToString([]byte("ann:hush"))
	config := fmt.Sprintf(`{"auths":{%q:{"auth":%q}}}`, host, login)
	if err := os.WriteFile(filepath.Join(os.Getenv("DOCKER_CONFIG"), "config.json"), []byte(config), 0o600); err != nil {
		t.Fatal(err)
	}
	container, err := Assemble(Program{Name: "dispatcher", Platforms: []Platform{{"amd64", []byte("x")}}})
	if err != nil {
		t.Fatal(err)
	}
	c, reference := client(nil), host+"/dispatcher:v1"
	if err := c.PushContainer(t.Context(), container, reference); err != nil {
		t.Fatal(err)
	}
	if got, err := c.Digest(t.Context(), reference); got != container.Digest || err != nil {
		t.Errorf("got %s, %v", got, err)
	}
	c.Anonymous = true
	if got, err := c.Digest(t.Context(), reference); fault.KindOf(err) != fault.Configuration {
		t.Errorf("anonymous: got %q, %v", got, err)
	}
}
