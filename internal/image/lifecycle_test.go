// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"errors"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// TestLifecycle: build, verify, push, promote, pull, and what each leaves.
func TestLifecycle(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	ctx := t.Context()
	built, err := b.build()
	must(t, err)
	m := built.Manifest
	if built.Found != "" || m.Verified() || m.Disk == nil || m.Container == nil || m.Tools["docker"] != "99.0" || m.Tools["qemu-img"] != "99.0" {
		t.Errorf("got %+v", built)
	}
	for _, want := range []string{
		"--build-arg A=one --build-arg BASE=debian@sha256:abab", "--build-arg IMAGE=dispatcher/x:" + m.Version, "docker export", "docker rm --force", "qemu-img convert -c -f raw -O qcow2",
	} {
		if !strings.Contains(b.calls(), want) {
			t.Errorf("%q was not asked:\n%s", want, b.calls())
		}
	}
	text, err := os.ReadFile(filepath.Join(built.Dir, "disk.qcow2"))
	if want := "IMAGE=dispatcher/x:" + m.Version + "x" + m.Version + "#cloud-config\n"; string(text) != want || err != nil {
		t.Errorf("the disk: got %q, %v", text, err)
	}
	if _, err := b.Push(ctx, Target{Name: "x"}); err != nil {
		t.Fatal(err)
	}
	if _, err := b.Promote(ctx, "x", m.Version, "latest"); !errors.Is(err, fault.Configuration) || !strings.Contains(err.Error(), "was not tested, so no alias moves") {
		t.Errorf("promoting what was not tested: got %v", err)
	}
	m, err = b.Verify(ctx, Target{Name: "x", Version: m.Version})
	must(t, err)
	if !m.Verified() || m.Smoke.Disk.Output != "said the guest" {
		t.Errorf("got %+v", m.Smoke)
	}
	want := []string{"boot disk.qcow2 memory=2048 cpus=2 keep=false", "run " + strings.Join(settled, " "), "run sh -c true", "end"}
	if diff := cmp.Diff(want, b.guests.calls); diff != "" {
		t.Errorf("the guest (-want +got):\n%s", diff)
	}
	pushed, err := b.Push(ctx, Target{Name: "x"}) // again, for the result of the test
	if err != nil || !pushed.Found || !pushed.Manifest.Verified() {
		t.Errorf("got %+v, %v", pushed, err)
	}
	wantLog := []string{"put images/x/" + m.Version + "/" + m.Disk.Object, "put " + manifestName("x", m.Version), "put " + manifestName("x", m.Version)}
	if diff := cmp.Diff(wantLog, b.store.log); diff != "" {
		t.Errorf("writes (-want +got):\n%s", diff)
	}
	a, err := b.Promote(ctx, "x", m.Version, "latest")
	if err != nil || a.Version != m.Version || a.Previous != "" {
		t.Errorf("got %+v, %v", a, err)
	}
	if b.tags["ghcr.io/o/p:latest"] != pushed.Manifest.Container.Digest || b.tags["ghcr.io/o/p:"+m.Version] == "" {
		t.Errorf("tags: %v", b.tags)
	}
	to := filepath.Join(t.TempDir(), "mine.qcow2")
	pulled, err := b.Pull(ctx, Target{Name: "x"}, PullOptions{To: to})
	if got, _ := os.ReadFile(to); err != nil || pulled.File != to || string(got) != string(text) {
		t.Errorf("got %+v, %v", pulled, err)
	}
	again, err := b.build()
	if err != nil || again.Found != "here" {
		t.Errorf("again: got %+v, %v", again, err)
	}
	must(t, os.RemoveAll(b.Out))
	elsewhere, err := b.build()
	if err != nil || elsewhere.Found != "in the store" || elsewhere.Manifest.Version != m.Version {
		t.Errorf("on another host: got %+v, %v", elsewhere, err)
	}
}

// TestAliasMoves: in one write, with the way back.
func TestAliasMoves(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	ctx := t.Context()
	var versions []string
	for _, serial := range []string{"1", "2"} {
		built, err := b.build(func(o *BuildOptions) { o.Serial = serial })
		must(t, err)
		v := built.Manifest.Version
		versions = append(versions, v)
		_, err = b.Verify(ctx, Target{Name: "x", Version: v})
		must(t, err)
		_, err = b.Push(ctx, Target{Name: "x", Version: v})
		must(t, err)
		_, err = b.Promote(ctx, "x", v, "stable")
		must(t, err)
	}
	writes := len(b.store.log)
	a, err := b.Promote(ctx, "x", versions[1], "stable")
	if err != nil || a.Version != versions[1] || a.Previous != versions[0] || len(b.store.log) != writes {
		t.Errorf("again: got %+v, %v, writes %q", a, err, b.store.log[writes:])
	}
	back, err := b.Previous(ctx, "x", "stable")
	must(t, err)
	a, err = b.Promote(ctx, "x", back, "stable")
	if err != nil || a.Version != versions[0] || a.Previous != versions[1] || len(b.store.log) != writes+1 {
		t.Errorf("back: got %+v, %v", a, err)
	}
	if _, err := b.Previous(ctx, "x", "latest"); !errors.Is(err, fault.Configuration) {
		t.Errorf("no such alias: got %v", err)
	}
}

// TestSmokeFails: the result is noted, and no alias moves.
func TestSmokeFails(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	ctx := t.Context()
	built, err := b.build()
	must(t, err)
	b.guests.status = 7
	m, err := b.Verify(ctx, Target{Name: "x"})
	if !errors.Is(err, fault.Guest) || !errors.Is(err, errSmoke) || !strings.Contains(err.Error(), "status 7:\nsaid the guest") || m.Verified() {
		t.Errorf("got %v, %+v", err, m)
	}
	pushed, err := b.Push(ctx, Target{Name: "x"})
	if err != nil || pushed.Manifest.Smoke.Disk.Status != 7 {
		t.Errorf("got %+v, %v", pushed, err)
	}
	if _, err := b.Promote(ctx, "x", built.Manifest.Version, "latest"); err == nil || !strings.Contains(err.Error(), "failed its smoke test in the disk") {
		t.Errorf("got %v", err)
	}
	if _, err := b.alias(ctx, "x", "latest"); !errors.Is(err, ErrNotFound) {
		t.Errorf("the alias moved: %v", err)
	}
	b.guests.status = 0
	b.says("smoke-status", "3")
	if _, err := b.Verify(ctx, Target{Name: "x"}); err == nil || !strings.Contains(err.Error(), "in the container of x@") {
		t.Errorf("got %v", err)
	}
	b.recipes["x/smoke.sh"].Data = []byte("exit 0\n")
	if _, err := b.Verify(ctx, Target{Name: "x"}); err == nil || !strings.Contains(err.Error(), "is not the smoke test that x@") {
		t.Errorf("another smoke test: got %v", err)
	}
}

// TestTwoBuilds: the second one to publish finds the first one's and uses it.
func TestTwoBuilds(t *testing.T) {
	t.Parallel()
	winner, loser := newBed(t), newBed(t)
	ctx := t.Context()
	_, err := winner.build()
	must(t, err)
	built, err := loser.build()
	must(t, err)
	// Builds differ in what is no input, such as the time.
	must(t, os.WriteFile(filepath.Join(built.Dir, "disk.qcow2"), []byte("other bytes"), 0o644))
	m := built.Manifest
	m.Disk, err = describeDisk(ctx, loser.Tools, filepath.Join(built.Dir, "disk.qcow2"))
	must(t, err)
	must(t, loser.saveLocal(m))

	loser.Images.Store, loser.store = winner.store, winner.store
	winner.store.before = func() {
		winner.store.before = nil
		_, err := winner.Push(ctx, Target{Name: "x"})
		must(t, err)
	}
	pushed, err := loser.Push(ctx, Target{Name: "x"})
	if err != nil || !pushed.Found || pushed.Manifest.Disk.SHA256 == m.Disk.SHA256 {
		t.Errorf("got %+v, %v", pushed, err)
	}
	if _, left := winner.store.objects[diskName(m)]; left {
		t.Error("the loser's disk stays")
	}
	if !slices.ContainsFunc(loser.lines, func(l string) bool { return strings.Contains(l, "published meanwhile") }) {
		t.Errorf("nobody was told: %q", loser.lines)
	}
	if _, err := winner.Pull(ctx, Target{Name: "x", Version: m.Version}, PullOptions{}); err != nil {
		t.Errorf("the winner's disk: %v", err)
	}
}

// TestBadInput: clear errors, and nothing is left behind.
func TestBadInput(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name       string
		set        func(b *bed, o *BuildOptions)
		text, hint string
	}{
		{"a typo", func(b *bed, _ *BuildOptions) { b.recipes["x/recipe.yml"].Data = []byte("descripton: x\n") }, "images/x/recipe.yml:1:1: there is no key", ""},
		{"no docker", func(b *bed, _ *BuildOptions) { os.Remove(filepath.Join(b.bin, "docker")) }, "neither docker nor podman was found", "apt-get install docker.io"},
		{"no daemon", func(b *bed, _ *BuildOptions) { b.says("fail-version", "Cannot connect to the Docker daemon") }, "docker does not answer", "systemctl start docker"},
		{"no base", func(b *bed, _ *BuildOptions) { delete(b.tags, "debian:12") }, "the base image: failed to find debian:12", "--base takes an image that docker has"},
		{"a bad base", func(_ *bed, o *BuildOptions) { o.Base = "--privileged" }, "--base: \"--privileged\" is not a container image", "docker pull"},
		{"no path", func(_ *bed, o *BuildOptions) { o.SourceDir = os.TempDir() + "/none" }, "there is no scripts", "another revision"},
		{"a failing build", func(b *bed, _ *BuildOptions) { b.says("fail-build", "E: Unable to locate package nvme") }, "Unable to locate package nvme", "which instruction failed"},
		{"a full disk", func(b *bed, _ *BuildOptions) { b.says("fail-build", "write /x: no space left on device") }, "no space left", "make room"},
		{"a missing FROM", func(b *bed, _ *BuildOptions) { b.says("fail-build", "pull access denied for x") }, "pull access denied", "a FROM line was not found"},
		{"no grub", func(b *bed, _ *BuildOptions) {
			b.Assembler = assembler{fault.New(fault.Configuration, "no GRUB").WithHint("install it")}
		}, "no GRUB", "install it"},
		{"a broken export", func(b *bed, _ *BuildOptions) { b.says("fail-export", "no such container") }, "failed to", ""},
		{"a bad URL", func(_ *bed, o *BuildOptions) { o.SourceDir, o.SourceURL = "", "ext::sh -c id" }, "not an address to fetch a git repository from", "--source-url"},
		{"a bad revision", func(_ *bed, o *BuildOptions) { o.SourceDir, o.Revision = "", "--upload-pack=id" }, "is not a git revision", "--revision"},
		{"no store", func(b *bed, _ *BuildOptions) {
			b.store.fail["Get"] = fault.New(fault.Configuration, "404 NoSuchBucket").WithHint("create the bucket")
		}, "NoSuchBucket", "create the bucket"},
	} {
		b := newBed(t)
		o := BuildOptions{Name: "x", SourceDir: b.source()}
		c.set(b, &o)
		if c.name == "no store" {
			built, err := newBed(t).build()
			must(t, err)
			b.store.objects[manifestName("x", built.Manifest.Version)] = nil
		}
		_, err := b.Build(t.Context(), o)
		if err == nil || !strings.Contains(err.Error(), c.text) || !strings.Contains(fault.HintOf(err), c.hint) {
			t.Errorf("%s: got %v (hint %q), want %q (%q)", c.name, err, fault.HintOf(err), c.text, c.hint)
		}
		left, _ := fs.Glob(os.DirFS(b.Out), "x/*")
		if hidden, _ := fs.Glob(os.DirFS(b.Out), "x/.*"); len(left)+len(hidden) > 0 {
			t.Errorf("%s: left behind: %q %q", c.name, left, hidden)
		}
	}
}

// TestBrokenImages: a disk that was cut is neither published nor taken.
func TestBrokenImages(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	ctx := t.Context()
	built, err := b.build()
	must(t, err)
	file := filepath.Join(built.Dir, "disk.qcow2")
	whole, err := os.ReadFile(file)
	must(t, err)
	must(t, os.Truncate(file, 5))
	if _, err := b.Push(ctx, Target{Name: "x"}); !errors.Is(err, fault.Ours) || !strings.Contains(err.Error(), "has 5 bytes and the SHA-256") {
		t.Errorf("push: got %v", err)
	}
	if _, err := b.Verify(ctx, Target{Name: "x"}); !errors.Is(err, fault.Ours) || len(b.guests.calls) > 0 {
		t.Errorf("verify: got %v, %q", err, b.guests.calls)
	}
	must(t, os.WriteFile(file, whole, 0o644))
	_, err = b.Push(ctx, Target{Name: "x"})
	must(t, err)
	m := built.Manifest
	to := filepath.Join(t.TempDir(), "x")
	b.store.objects[diskName(m)] = []byte("something else")
	if _, err := b.Pull(ctx, Target{Name: "x", Version: m.Version}, PullOptions{To: to}); err == nil || !strings.Contains(err.Error(), "another checksum") {
		t.Errorf("a wrong checksum: got %v", err)
	}
	delete(b.store.objects, diskName(m))
	if _, err := b.Pull(ctx, Target{Name: "x", Version: m.Version}, PullOptions{To: to}); !errors.Is(err, fault.Permanent) || !strings.Contains(err.Error(), "its disk is gone") {
		t.Errorf("no disk: got %v", err)
	}
	if _, err := os.Stat(to); !errors.Is(err, fs.ErrNotExist) {
		t.Errorf("a file was made: %v", err)
	}
	b.store.objects[manifestName("x", m.Version)] = []byte("{}")
	if _, err := b.Pull(ctx, Target{Name: "x", Version: m.Version}, PullOptions{}); !errors.Is(err, fault.Permanent) {
		t.Errorf("a broken manifest: got %v", err)
	}
}

// TestInGuest: a cloud image is provisioned, and the disk below it stays.
func TestInGuest(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	cloud := filepath.Join(t.TempDir(), "cloud.qcow2")
	must(t, os.WriteFile(cloud, []byte("a cloud image"), 0o644))
	sum, _, err := hashFile(cloud)
	must(t, err)
	b.recipes["x/provision.sh"] = b.recipes["x/smoke.sh"]
	b.recipes["x/recipe.yml"].Data = []byte("description: d\ndisk:\n  cloud-image: {url: \"https://x.example.org/c.qcow2\", sha256: " + sum +
		"}\n  provision: [provision.sh]\n  user-data: user-data\nsmoke: {script: smoke.sh}\n")
	built, err := b.Build(t.Context(), BuildOptions{Name: "x", CloudImage: cloud})
	must(t, err)
	want := []string{
		"boot overlay.qcow2 memory=2048 cpus=2 keep=true", "copy context /root/image", "run " + strings.Join(settled, " "),
		"run chmod +x /root/image/provision.sh", "run env --chdir=/root/image /root/image/provision.sh",
		"copy user-data /etc/cloud/cloud.cfg.d/90-image.cfg", "run sh -e -c rm -rf /root/image /etc/ssh/ssh_host_*_key*", "power down", "end",
	}
	if diff := cmp.Diff(want, b.guests.calls); diff != "" {
		t.Errorf("the guest (-want +got):\n%s", diff)
	}
	if m := built.Manifest; m.Container != nil || m.Disk.SHA256 != sum {
		t.Errorf("got %+v", m)
	}
	b.guests.status = 1
	_, err = b.Build(t.Context(), BuildOptions{Name: "x", CloudImage: cloud, Serial: "2"})
	if !errors.Is(err, fault.Guest) || !strings.Contains(err.Error(), "said the guest") {
		t.Errorf("a failing script: got %v", err)
	}
	must(t, os.WriteFile(cloud, []byte("cut"), 0o644))
	if _, err = b.Build(t.Context(), BuildOptions{Name: "x", CloudImage: cloud, Serial: "3"}); !errors.Is(err, fault.Configuration) || !strings.Contains(err.Error(), "has the SHA-256") {
		t.Errorf("a wrong checksum: got %v", err)
	}
}
