// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestPackages: versions of a package are listed and deleted, whoever its owner is.
func TestPackages(t *testing.T) {
	t.Parallel()
	for _, person := range []bool{false, true} {
		w := newWorld(t, standin.Options{})
		day := time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)
		versions := []standin.PackageVersion{
			{ID: 1, Digest: "sha256:a", Tags: []string{"v1", "latest"}, Created: day}, {ID: 2, Digest: "sha256:b", Created: day},
			{ID: 3, Digest: "sha256:c", Tags: []string{"v0"}, Created: day, Downloads: 6000},
		}
		for i := range 150 { // more than a page
			versions = append(versions, standin.PackageVersion{ID: int64(10 + i), Digest: fmt.Sprint("sha256:", i), Created: day})
		}
		w.server.AddPackage("spdk", "ci/image", person, versions...)
		got, err := w.client.PackageVersions(t.Context(), "spdk/ci/image")
		if err != nil || len(got) != len(versions) {
			t.Fatalf("got %d, %v", len(got), err)
		}
		want := PackageVersion{ID: 1, Digest: "sha256:a", Tags: []string{"v1", "latest"}, Created: day}
		if diff := cmp.Diff(want, got[0]); diff != "" {
			t.Errorf("-want +got:\n%s", diff)
		}
		for range 2 { // the second time it is gone, which is fine
			if err := w.client.DeletePackageVersion(t.Context(), "spdk/ci/image", 2); err != nil {
				t.Error(err)
			}
		}
		if err := w.client.DeletePackageVersion(t.Context(), "spdk/ci/image", 3); err == nil {
			t.Error("GitHub keeps what many have downloaded")
		}
		if left := w.server.Package("spdk", "ci/image", person); len(left) != len(versions)-1 {
			t.Errorf("%d versions are left", len(left))
		}
		if _, err := w.client.PackageVersions(t.Context(), "spdk/none"); !errors.Is(err, ErrGone) || fault.HintOf(err) == "" {
			t.Errorf("got %v, want ErrGone and a hint", err)
		}
	}
	w := newWorld(t, standin.Options{})
	for _, bad := range []string{"", "spdk", "spdk/", "../x", "a b/c"} {
		if _, err := w.client.PackageVersions(t.Context(), bad); !errors.Is(err, fault.Configuration) {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}
