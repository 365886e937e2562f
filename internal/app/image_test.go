// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"context"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/spdk-community-ci/dispatcher/internal/image"
	"github.com/spdk-community-ci/dispatcher/internal/standin/engine"
	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
)

// imageBed runs dispatcher image against an S3 server, a registry and a stand-in
// for Docker.
type imageBed struct {
	t      *testing.T
	dir    string
	env    map[string]string
	bucket *s3.Server
	now    time.Time
	// hub is the registry, which passes for GitHub's.
	hub string
}

func newImageBed(t *testing.T, change ...func(*s3.Options)) *imageBed {
	t.Helper()
	o := s3.Options{Key: "key", Secret: "the-secret-of-the-store", Buckets: []string{"images"}}
	for _, do := range change {
		do(&o)
	}
	hub := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(hub.Close)
	bucket, endpoint := s3.Serve(t, o)
	b := &imageBed{t: t, dir: t.TempDir(), bucket: bucket, now: time.Now(), hub: strings.TrimPrefix(hub.URL, "http://")}
	bin := filepath.Join(b.dir, "bin")
	b.file("images/x/recipe.yml", "description: a test\nbase: debian:12\ncontainer: {repository: "+strings.TrimPrefix(hub.URL, "http://")+"/ci/x}\nsmoke: {script: smoke.sh}\n")
	b.file("images/x/Dockerfile", "ARG BASE\nFROM ${BASE}\n")
	b.file("images/x/smoke.sh", "true\n")
	if err := os.MkdirAll(bin, 0o755); err != nil {
		t.Fatal(err)
	}
	if err := engine.Install(bin); err != nil {
		t.Fatal(err)
	}
	b.env = map[string]string{
		"PATH": bin, "S3_ENDPOINT_URL": endpoint, "S3_BUCKET": "images", "S3_KEY": "key", "S3_SECRET": "the-secret-of-the-store",
		"DISPATCHER_CACHE": filepath.Join(b.dir, "cache"),
	}
	return b
}

func (b *imageBed) file(name, text string) {
	b.t.Helper()
	name = filepath.Join(b.dir, name)
	if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
		b.t.Fatal(err)
	}
	if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
		b.t.Fatal(err)
	}
}

// run returns what both streams got; folders are those of the bed.
func (b *imageBed) run(status int, args ...string) string {
	b.t.Helper()
	if len(args) > 0 && (args[0] == "build" || args[0] == "verify" || args[0] == "push" || args[0] == "promote") {
		args = append(args, "--recipes", filepath.Join(b.dir, "images"), "--out", filepath.Join(b.dir, "out"))
	}
	var out bytes.Buffer
	a := &App{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &out, Getenv: func(name string) string { return b.env[name] }, ReadFile: os.ReadFile,
		Now: func() time.Time { return b.now }, Sleep: func(ctx context.Context, _ time.Duration) error { return ctx.Err() },
		githubRegistry: b.hub,
	}
	if got := a.Main(b.t.Context(), append([]string{"image"}, args...)); got != status {
		b.t.Errorf("image %q: got status %d, want %d:\n%s", args, got, status, out.String())
	}
	if strings.Contains(out.String(), "the-secret") {
		b.t.Errorf("image %q shows the secret:\n%s", args, out.String())
	}
	return strings.ReplaceAll(out.String(), b.dir, "DIR")
}

// base makes the stand-in have a base image, as if it was pulled before.
func (b *imageBed) base(name string) {
	b.t.Helper()
	b.file("empty/file", "")
	cmd := exec.CommandContext(b.t.Context(), filepath.Join(b.dir, "bin/docker"), "build", "--tag", name, filepath.Join(b.dir, "empty"))
	if out, err := cmd.CombinedOutput(); err != nil {
		b.t.Fatalf("%v: %s", err, out)
	}
}

// TestImage is the whole life of an image, as a newcomer types it.
func TestImage(t *testing.T) {
	t.Parallel()
	b := newImageBed(t)
	b.base("local/base:1")
	build := b.run(0, "build", "x", "--base", "local/base:1")
	version := regexp.MustCompile(`x@([0-9a-f]{16})\n`).FindStringSubmatch(build)[1]
	for _, step := range []struct {
		status int
		args   string
		want   string
	}{
		{0, "build x --base local/base:1", "x@" + version + " is here: nothing to build\n"},
		{2, "promote x", "hint: 'dispatcher image list x' shows what there is\n"},
		{0, "push x", "x@" + version + " is published\n"},
		{2, "promote x", "was not tested, so no alias moves to it\n    hint: dispatcher image verify x@" + version + "\n"},
		{0, "list", "not tested\n"},
		{0, "verify x", "x@" + version + " passed in the container, in 0.0 s\n"},
		{0, "push x", "was published before: nothing to push\n"},
		{0, "promote x", "x:latest is " + version + " now\n"},
		{0, "promote --alias stable x@" + version, "x:stable is " + version + " now\n"},
		{2, "promote x --back", "the alias latest of x stood for no version before\n"},
		{0, "list x", "tested      latest, stable\n"},
		{0, "list --json", "\"verified\": true,\n        \"aliases\": [\n          \"latest\",\n          \"stable\"\n        ],\n        \"manifest\": {\n"},
		{0, "pull x", "/ci/x@sha256:"},
		{0, "prune --keep 0 --older 0h --dry-run", "keep    " + version},
		{0, "prune x", "0 bytes freed\n"},
	} {
		if got := b.run(step.status, strings.Fields(step.args)...); !strings.Contains(got, step.want) {
			t.Errorf("image %s: got\n%swant %q", step.args, got, step.want)
		}
	}
}

// TestImagePruneFrees: prune says what is freed, and what is not, where the bucket
// keeps versions.
func TestImagePruneFrees(t *testing.T) {
	t.Parallel()
	rule := "<LifecycleConfiguration><Rule><Filter><Prefix>images/</Prefix></Filter><Status>Enabled</Status>" +
		"<NoncurrentVersionExpiration><NoncurrentDays>1</NoncurrentDays></NoncurrentVersionExpiration></Rule></LifecycleConfiguration>"
	denied := []string{"DeleteObjectVersion"}
	for _, c := range []struct {
		name, dialect, lifecycle string
		deny                     []string
		status                   int
		args                     string
		want                     string
		left                     int
	}{
		{"no versions", "amazon", "", nil, 0, "prune", "\n7 bytes freed\n", 0},
		{"no word of versions", "r2", "", nil, 0, "prune x", "\n7 bytes freed\n", 0},
		{"versions", "backblaze", "", nil, 0, "prune x", "delete  1 hidden versions of replaced or deleted objects, 5 bytes\n12 bytes freed\n", 0},
		{"a dry run", "backblaze", "", nil, 0, "prune --dry-run", "12 bytes would be freed; nothing was deleted (dry run)\n", 3},
		{"a right is missing", "backblaze", "", denied, 2, "prune", "2 deleted or replaced object(s) (0.0 MB) still stored, hidden: the bucket images keeps versions, and no lifecycle rule deletes them: failed to delete a version", 4},
		{"a rule instead", "backblaze", rule, denied, 0, "prune", "its lifecycle rule deletes them 1 day(s) after that\n", 4},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			b := newImageBed(t, s3.Dialects[c.dialect], func(o *s3.Options) { o.Lifecycle, o.Deny = c.lifecycle, c.deny })
			for name, text := range map[string]string{"0123456789abcdef/disk-1.qcow2": "a disk.", "0000000000000001/disk-2.qcow2": "older"} {
				b.bucket.AddObject("images", "images/x/"+name, text)
				b.bucket.Age("images", "images/x/"+name, 40*24*time.Hour)
			}
			b.bucket.DeleteObject("images", "images/x/0000000000000001/disk-2.qcow2")
			if got := b.run(c.status, strings.Fields(c.args)...); !strings.Contains(got, c.want) || c.status != 0 && !strings.Contains(got, "hint: allow S3_KEY to list and delete versions") {
				t.Errorf("got\n%swant %q", got, c.want)
			}
			if got := b.bucket.Stored("images"); len(got) != c.left {
				t.Errorf("left: %+v, want %d", got, c.left)
			}
		})
	}
}

// TestImageRefuses: what is wrong, and what to do, before anything is touched.
func TestImageRefuses(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name   string
		set    func(b *imageBed)
		status int
		args   string
		want   string
	}{
		{"no verb", nil, 2, "", "build NAME"},
		{"help", nil, 0, "--help", "promote NAME"},
		{"help of a verb", nil, 0, "prune --help", "-dry-run"},
		{"another verb", nil, 2, "biuld", "there is no verb \"biuld\""},
		{"no name", nil, 2, "build", "there is no name of an image"},
		{"two names", nil, 2, "build x y", "one name too many"},
		{"a version", nil, 2, "build x:latest", "takes no version"},
		{"a flag", nil, 2, "build x --what", "flag provided but not defined: -what\n    hint: dispatcher image build --help"},
		{"a time", nil, 2, "verify x --boot-timeout -5m", "a time cannot be negative"},
		{"how long a boot may take", nil, 0, "verify --help", "-boot-timeout long"},
		{"an age", nil, 2, "prune --older 3w", "\"3w\" is not an age"},
		{"another recipe", nil, 2, "build y", "hint: the recipes in DIR/images are x"},
		{"no docker", func(b *imageBed) { os.Remove(filepath.Join(b.dir, "bin/docker")) }, 2, "build x", "neither docker nor podman was found"},
		{"a typo", func(b *imageBed) { b.file("images/x/recipe.yml", "descripton: x\nsmok: {}\n") }, 2, "build x", "recipe.yml:2:1: there is no key \"smok\" here\n    hint: did you mean smoke?\n"},
		{"no storage", func(b *imageBed) { clear(b.env) }, 2, "list", "no storage is configured\n    hint: set S3_ENDPOINT_URL"},
		{"half of it", func(b *imageBed) { delete(b.env, "S3_BUCKET") }, 2, "list", "hint: set S3_BUCKET"},
		{"a wrong secret", func(b *imageBed) { b.env["S3_SECRET"] = "wrong" }, 2, "list", "S3_SECRET does not belong to S3_KEY"},
		{"no bucket", func(b *imageBed) { b.env["S3_BUCKET"] = "gone" }, 2, "pull x", "create the bucket gone"},
		{"nobody there", func(b *imageBed) { b.env["S3_ENDPOINT_URL"] = "http://127.0.0.1:1" }, 1, "list", "connection refused"},
		{"nothing there", nil, 2, "pull x", "the store has no alias latest of an image x"},
		{"nothing at all", nil, 0, "list", "The store has no images.\n"},
		{"nothing as JSON", nil, 0, "list --json", "[]\n"},
		{"no version as JSON", nil, 0, "list x --json", "\"name\": \"x\",\n    \"versions\": []\n"},
		{"no build", nil, 2, "push x", "hint: dispatcher image build x"},
		{"raw without a place", nil, 2, "pull x --raw", "--raw needs a place to write to\n    hint: add --to FILE"},
	} {
		b := newImageBed(t)
		if c.set != nil {
			c.set(b)
		}
		if got := b.run(c.status, strings.Fields(c.args)...); !strings.Contains(got, c.want) {
			t.Errorf("%s: got\n%swant %q", c.name, got, c.want)
		}
	}
}

// TestImageListJSON: what is left over or cannot be read has no manifest, and
// says so.
func TestImageListJSON(t *testing.T) {
	t.Parallel()
	at := time.Date(2026, 11, 20, 12, 0, 0, 0, time.UTC)
	got := jsonImageOf(&image.Contents{Name: "x", Entries: []image.Entry{
		{Version: "0", Created: at, Bytes: 1, Manifest: &image.Manifest{Name: "x", Container: &image.Container{}}},
		{Version: "1", Created: at, Bytes: 2, Problem: "it is not a manifest", Aliases: []string{"latest"}},
		{Version: "2", Bytes: 3},
	}})
	want := jsonImage{Name: "x", Versions: []jsonImageVersion{
		{Version: "0", Created: &at, Bytes: 1, Aliases: []string{}, Manifest: &image.Manifest{Name: "x", Container: &image.Container{}}},
		{Version: "1", Created: &at, Bytes: 2, Aliases: []string{"latest"}, Problem: "it is not a manifest"},
		{Version: "2", Bytes: 3, Aliases: []string{}, Problem: noManifest},
	}}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
}
