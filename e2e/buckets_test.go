// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"context"
	"errors"
	"net/http"
	"os"
	"path/filepath"
	"regexp"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/store"
)

// services are the two S3 servers, each with a bucket "plain" and one
// "versions" that keeps them.
func services(t *testing.T) map[string]*rig.Buckets {
	t.Helper()
	gateway, err := rig.StartBuckets(t.Context(), "plain", "versions")
	must(t, err)
	t.Cleanup(gateway.Stop)
	moto, err := rig.StartMoto(t.Context())
	must(t, err)
	t.Cleanup(moto.Stop)
	for _, bucket := range []string{"/plain", "/versions"} {
		_, err := moto.Do(t.Context(), "PUT", bucket, "")
		must(t, err)
	}
	all := map[string]*rig.Buckets{"versitygw": gateway, "moto": moto}
	for _, b := range all {
		_, err := b.Do(t.Context(), "PUT", "/versions?versioning=", "<VersioningConfiguration><Status>Enabled</Status></VersioningConfiguration>")
		must(t, err)
	}
	return all
}

// keys returns what a bucket keeps, versions and delete markers included.
func keys(t *testing.T, b *rig.Buckets, bucket string) []string {
	t.Helper()
	text, err := b.Do(t.Context(), "GET", "/"+bucket+"?versions=", "")
	must(t, err)
	return regexp.MustCompile("<Key>[^<]*</Key>").FindAllString(text, -1)
}

// TestServices: what is deleted is gone with two servers, whether the bucket keeps
// versions or not, with a region or without, and however the bucket is named.
func TestServices(t *testing.T) {
	t.Parallel()
	for name, b := range services(t) {
		for _, bucket := range []string{"plain", "versions"} {
			for _, region := range []string{"", "us-east-1"} {
				for _, style := range []store.PathStyle{store.Auto, store.Path} {
					t.Run(strings.Join([]string{name, bucket, region, string(style)}, "/"), func(t *testing.T) {
						st, err := store.Open(store.Options{
							Endpoint: "http://" + b.Address, Key: rig.BucketsKey, Secret: rig.BucketsSecret, Bucket: bucket, Region: region,
							PathStyle: style, Prefix: "ci", Now: time.Now, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
						})
						must(t, err)
						storeAndDelete(t, st)
						if left := keys(t, b, bucket); len(left) > 0 {
							t.Errorf("left: %q", left)
						}
					})
				}
			}
		}
	}
}

// storeAndDelete does all that a store can do, each thing twice, and deletes it.
func storeAndDelete(t *testing.T, st *store.Store) {
	t.Helper()
	ctx := t.Context()
	file := filepath.Join(t.TempDir(), "disk")
	must(t, os.WriteFile(file, []byte(strings.Repeat("0123456789", 1<<20)), 0o644)) // two parts
	for _, text := range []string{"one", "another"} {
		must(t, st.Put(ctx, "p/a", strings.NewReader(text), -1, "text/plain"))
		must(t, st.Put(ctx, "p/ab", strings.NewReader(text), int64(len(text)), "text/plain"))
		must(t, st.Upload(ctx, "p/disk", file, store.UploadOptions{}))
		must(t, st.Copy(ctx, "p/disk", "p/copy"))
	}
	must(t, st.Download(ctx, "p/copy", file+".back", store.DownloadOptions{}))
	must(t, st.PutNew(ctx, "p/new", []byte("x"), "text/plain"))
	if err := st.PutNew(ctx, "p/new", []byte("y"), "text/plain"); !errors.Is(err, store.ErrExists) {
		t.Errorf("got %v, want that it exists", err)
	}
	for range 12 { // more versions than are listed at once
		must(t, st.Put(ctx, "p/a", strings.NewReader("again"), -1, "text/plain"))
	}
	must(t, st.Delete(ctx, "p/a"))
	n, bytes, err := st.DeleteOlder(ctx, "p/", time.Now().Add(time.Hour), func(name string) bool { return name == "p/new" })
	if n != 3 || bytes < 20<<20 || err != nil {
		t.Errorf("got %d objects of %d bytes, %v (%s); want 3", n, bytes, err, fault.HintOf(err))
	}
	if o, err := st.Stat(ctx, "p/new"); err != nil || o.Size != 1 {
		t.Errorf("what was to stay: got %+v, %v", o, err)
	}
	must(t, st.Delete(ctx, "p/new"))
	if _, err := st.DropUploads(ctx, "", time.Now().Add(time.Hour)); err != nil {
		t.Error(err)
	}
	if note, err := st.Remains(ctx, ""); note != "" || err != nil {
		t.Errorf("remains: %q, %v", note, err)
	}
}

// TestBucketPolicy: with the policy that docs/publishing.md has to paste, everybody
// reads results, and nothing else.
func TestBucketPolicy(t *testing.T) {
	t.Parallel()
	b, err := rig.StartBuckets(t.Context(), "spdk-ci-results")
	must(t, err)
	t.Cleanup(b.Stop)
	doc, err := os.ReadFile("../docs/publishing.md")
	must(t, err)
	_, policy, _ := strings.Cut(string(doc), "<!-- bucket policy -->\n```json\n")
	policy, _, _ = strings.Cut(policy, "```")
	for _, name := range []string{"ci/a/index.html", "other/secret.txt"} {
		_, err := b.Do(t.Context(), "PUT", "/spdk-ci-results/"+name, "text")
		must(t, err)
	}
	statuses := func() (got []int) {
		for _, path := range []string{"/ci/a/index.html", "/other/secret.txt", "?list-type=2&prefix=ci/"} {
			req, err := http.NewRequestWithContext(t.Context(), "GET", "http://"+b.Address+"/spdk-ci-results"+path, nil)
			must(t, err)
			resp, err := http.DefaultClient.Do(req)
			must(t, err)
			resp.Body.Close()
			got = append(got, resp.StatusCode)
		}
		return got
	}
	if got := statuses(); !slices.Equal(got, []int{403, 403, 403}) {
		t.Errorf("without a policy: got %v", got)
	}
	_, err = b.Do(t.Context(), "PUT", "/spdk-ci-results?policy=", policy)
	must(t, err)
	if got := statuses(); !slices.Equal(got, []int{200, 403, 403}) {
		t.Errorf("with it: got %v", got)
	}
}
