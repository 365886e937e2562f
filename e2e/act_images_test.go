// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"io"
	"log"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// imageHub is where images go: a registry with a base image, and a storage.
type imageHub struct{ registry, store string }

func newImageHub(t *testing.T) imageHub {
	t.Helper()
	hub := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(hub.Close)
	return imageHub{registry: strings.TrimPrefix(hub.URL, "http://"), store: startBuckets(t).endpoint}
}

// testImages has build_images make, test and publish a container.
func (b *actBed) testImages(t *testing.T) {
	t.Parallel()
	host := b.images.registry
	base := host + "/base:bookworm"
	must(t, docker("tag", imageBase, base))
	t.Cleanup(func() { must(t, docker("rmi", base)) })
	must(t, docker("push", "--quiet", base))
	files := map[string]string{}
	for _, name := range []string{"recipe.yml", "Dockerfile", "smoke.sh"} {
		files["images/small/"+name] = strings.ReplaceAll(readFile(t, "testdata/act/ci/images/small/"+name), "example.org", host)
	}
	b.hub.Repository(rig.CIRepository).Commit("main", files)

	id := b.dispatch(t, rig.CIRepository, "build_images.yml", nil)
	run := b.await(t, id)
	b.show(t, id)
	if run.Conclusion != "success" {
		t.Errorf("the run is %s", run.Conclusion)
	}
	resp, err := http.Get("http://" + host + "/v2/ci/small/manifests/latest")
	must(t, err)
	resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		t.Errorf("latest of the container: got %s", resp.Status)
	}
	signed := false
	for _, j := range b.hub.Jobs(id, 1) {
		for _, s := range j.Steps {
			signed = signed || strings.Contains(s.Log, "Attestation created for "+host+"/ci/small@sha256:")
		}
	}
	if !signed {
		t.Error("nobody was asked to sign the container's provenance")
	}
}
