// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"crypto/sha256"
	"fmt"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestImagePruneTags: containers of versions that the store has lost go, and only
// where the token may.
func TestImagePruneTags(t *testing.T) {
	t.Parallel()
	b := newImageBed(t)
	b.base("local/base:1")
	version := regexp.MustCompile(`x@([0-9a-f]{16})\n`).FindStringSubmatch(b.run(0, "build", "x", "--base", "local/base:1"))[1]
	b.run(0, "verify", "x")
	pushed := regexp.MustCompile(`ci/x@(sha256:[0-9a-f]{64})`).FindStringSubmatch(b.run(0, "push", "x"))[1]
	b.run(0, "promote", "x")

	server := github.Serve(t, github.Options{Now: func() time.Time { return b.now }, Tokens: map[string]github.Access{
		"the-secret-job": {User: "github-actions[bot]", Packages: github.Write, App: true}, "the-secret-weak": {User: "github-actions[bot]", Packages: github.Read, App: true},
	}})
	b.env["GITHUB_API_URL"] = server.URL()
	old := b.now.AddDate(0, 0, -90)
	none := "sha256:" + strings.Repeat("0", 63)
	edge, young := b.index(t, "edge"), b.index(t, "young")
	server.AddPackage("ci", "x", false, []github.PackageVersion{
		{ID: 1, Digest: pushed, Tags: []string{version, "latest"}, Created: old}, {ID: 2, Digest: none + "2", Tags: []string{"0123456789abcdef"}, Created: old},
		{ID: 3, Digest: none + "3", Created: old}, {ID: 4, Digest: edge, Tags: []string{"edge"}, Created: old}, {ID: 5, Digest: young, Created: b.now},
	}...)
	for _, step := range []struct {
		token, args string
		status      int
		want        []string
		left        int
	}{
		{"", "prune --keep 1", 0, []string{b.hub + "/ci/x: no container is deleted without GITHUB_TOKEN or GHPA_TOKEN\n"}, 5},
		{"the-secret-job", "prune --keep 1 --dry-run", 0, []string{
			b.hub + "/ci/x\n", "  keep    " + version + ", latest  the store has this version\n", "  delete  0123456789abcdef  it is 90 days old, and the store has no such version\n",
			"  delete  " + none + "3  it is 90 days old, has no tag, and no image that stays refers to it\n", "  keep    edge  the tag edge stands for it\n", young + "  it is 0 hours old, less than 30 days\n",
		}, 5},
		{"the-secret-weak", "prune --keep 1", 2, []string{"failed to delete 2 containers", "hint:", "packages: write"}, 5},
		{"the-secret-job", "prune --keep 1 x", 0, []string{"  delete  0123456789abcdef"}, 3},
		{"the-secret-job", "prune --keep 1", 0, []string{"  keep    edge"}, 3},
	} {
		b.env["GITHUB_TOKEN"] = step.token
		got := b.run(step.status, strings.Fields(step.args)...)
		for _, want := range step.want {
			if !strings.Contains(got, want) {
				t.Errorf("%s: got\n%swant %q", step.args, got, want)
			}
		}
		if left := server.Package("ci", "x", false); len(left) != step.left {
			t.Errorf("%s: left are %+v, want %d", step.args, left, step.left)
		}
	}
}

// index puts an index of nothing into the registry, and returns its digest.
func (b *imageBed) index(t *testing.T, tag string) string {
	t.Helper()
	body := fmt.Sprintf(`{"schemaVersion": 2, "mediaType": "application/vnd.oci.image.index.v1+json", "manifests": [], "annotations": {"of": %q}}`, tag)
	req, err := http.NewRequestWithContext(t.Context(), http.MethodPut, "http://"+b.hub+"/v2/ci/x/manifests/"+tag, strings.NewReader(body))
	if err != nil {
		t.Fatal(err)
	}
	req.Header.Set("Content-Type", "application/vnd.oci.image.index.v1+json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		t.Fatal(err)
	}
	resp.Body.Close()
	if resp.StatusCode != http.StatusCreated {
		t.Fatalf("got %s", resp.Status)
	}
	return fmt.Sprintf("sha256:%x", sha256.Sum256([]byte(body)))
}
