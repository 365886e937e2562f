// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"bufio"
	"bytes"
	"context"
	"crypto/sha256"
	"encoding/hex"
	"errors"
	"io"
	"log"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-containerregistry/pkg/registry"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// imageBed is a folder with recipes, a store, a registry and Docker.
type imageBed struct {
	t        *testing.T
	dir      string
	env      []string
	registry string
}

const imageBase = "dispatcher-e2e/base:bookworm"

// TestImage makes images of two kinds with real programs, boots them, and
// publishes them to real servers. Most of its time goes by in emulated guests.
func TestImage(t *testing.T) {
	if os.Getuid() != 0 {
		t.Fatal("this test starts dockerd and makes files of many owners: run it as root")
	}
	startDocker(t)
	makeBase(t)
	b := newImageBed(t)

	first := b.run(0, "build", "tiny", "--base", imageBase, "--source", "source")
	version := regexp.MustCompile(`tiny@([0-9a-f]{16})\n`).FindStringSubmatch(first)
	if version == nil {
		t.Fatalf("no version in %q", first)
	}
	if again := b.run(0, "build", "tiny", "--base", imageBase, "--source", "source"); !strings.Contains(again, "is here: nothing to build") {
		t.Errorf("again: got %q", again)
	}
	b.run(0, "push", "tiny")
	if refused := b.run(2, "promote", "tiny"); !strings.Contains(refused, "was not tested") {
		t.Errorf("promote: got %q", refused)
	}
	b.run(0, "verify", "tiny", "--accel", "tcg")
	b.run(0, "push", "tiny") // adds the result
	b.run(0, "promote", "tiny")
	if list := b.run(0, "list"); !regexp.MustCompile(version[1] + ` .* tested +latest\n`).MatchString(list) {
		t.Errorf("list: got %q", list)
	}
	pulled := filepath.Join(b.dir, "pulled.qcow2")
	b.run(0, "pull", "tiny", "--to", pulled)
	built := filepath.Join(b.dir, "build/images/tiny", version[1], "disk.qcow2")
	if sumOf(t, pulled) != sumOf(t, built) {
		t.Error("what was pulled is not what was built")
	}
	raw := filepath.Join(b.dir, "pulled.raw")
	b.run(0, "pull", "tiny:latest", "--to", raw, "--raw")

	ctx, cancel := context.WithTimeout(t.Context(), 6*time.Minute)
	defer cancel()
	uefi := make(chan error, 1)
	go func() { uefi <- bootUEFI(ctx, raw) }()
	b.inGuest(built)
	if err := <-uefi; err != nil {
		t.Errorf("the raw disk under UEFI: %v", err)
	}
	b.prune(version[1])
}

// inGuest takes the first image's disk for a distribution's cloud image.
func (b *imageBed) inGuest(cloud string) {
	b.t.Helper()
	b.edit("tiny-guest/recipe.yml", strings.Repeat("0", 64), sumOf(b.t, cloud))
	b.run(0, "build", "tiny-guest", "--cloud-image", cloud, "--accel", "tcg")
	b.run(0, "verify", "tiny-guest", "--accel", "tcg")
	b.run(0, "push", "tiny-guest")
}

// prune deletes the image that no alias stands for, and not the other one.
func (b *imageBed) prune(kept string) {
	b.t.Helper()
	for _, args := range [][]string{{"--dry-run"}, {}} {
		text := b.run(0, append([]string{"prune", "--keep", "0", "--older", "0d"}, args...)...)
		if !regexp.MustCompile(`keep +`+kept+` .* latest stands for it\n`).MatchString(text) || !strings.Contains(text, "tiny-guest\n  delete ") {
			b.t.Errorf("prune %q: got %q", args, text)
		}
	}
	if list := b.run(0, "list"); strings.Contains(list, "tiny-guest") || !strings.Contains(list, kept) {
		b.t.Errorf("after prune: %q", list)
	}
}

func newImageBed(t *testing.T) *imageBed {
	t.Helper()
	hub := httptest.NewServer(registry.New(registry.Logger(log.New(io.Discard, "", 0))))
	t.Cleanup(hub.Close)
	store := startBuckets(t)
	b := &imageBed{t: t, dir: t.TempDir(), registry: strings.TrimPrefix(hub.URL, "http://")}
	must(t, os.CopyFS(filepath.Join(b.dir, "images"), os.DirFS("testdata/images")))
	must(t, os.MkdirAll(filepath.Join(b.dir, "source/scripts"), 0o755))
	must(t, os.WriteFile(filepath.Join(b.dir, "source/scripts/pkgdep.sh"), []byte("#!/bin/sh\ntest \"$1\" = --all && touch /etc/pkgdep-was-here\n"), 0o755))
	b.edit("tiny/recipe.yml", "container:\n", "container:\n  repository: "+b.registry+"/ci/tiny\n")
	b.env = append(os.Environ(), "S3_ENDPOINT_URL="+store.endpoint, "S3_BUCKET=results", "S3_KEY="+s3Key, "S3_SECRET="+s3Secret,
		"DISPATCHER_CACHE="+filepath.Join(b.dir, "cache"), "GITHUB_ACTIONS=", "GITHUB_OUTPUT=")
	return b
}

// edit replaces a text in a recipe's file.
func (b *imageBed) edit(name, old, replaced string) {
	b.t.Helper()
	name = filepath.Join(b.dir, "images", name)
	text := readFile(b.t, name)
	if !strings.Contains(text, old) {
		b.t.Fatalf("%s has no %q", name, old)
	}
	must(b.t, os.WriteFile(name, []byte(strings.Replace(text, old, replaced, 1)), 0o644))
}

// run runs dispatcher image in the bed's folder and returns what it printed.
func (b *imageBed) run(status int, args ...string) string {
	b.t.Helper()
	ctx, cancel := context.WithTimeout(b.t.Context(), 12*time.Minute)
	defer cancel()
	cmd := exec.CommandContext(ctx, world.bin, append([]string{"image"}, args...)...)
	cmd.Dir, cmd.Env = b.dir, b.env
	var out bytes.Buffer
	all := &together{}
	cmd.Stdout, cmd.Stderr = io.MultiWriter(&out, all), all
	begin := time.Now()
	err := cmd.Run()
	b.t.Logf("image %s (%.0f s)\n%s", strings.Join(args, " "), time.Since(begin).Seconds(), all.String())
	if exit := cmd.ProcessState.ExitCode(); exit != status {
		b.t.Fatalf("image %q ended with status %d (%v), want %d", args, exit, err, status)
	}
	if status != 0 {
		return all.String()
	}
	return out.String()
}

// together gathers both streams of a program.
type together struct {
	mu   sync.Mutex
	text strings.Builder
}

func (s *together) Write(p []byte) (int, error) {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.text.Write(p)
}

func (s *together) String() string { return s.text.String() }

func sumOf(t *testing.T, name string) string {
	t.Helper()
	f, err := os.Open(name)
	must(t, err)
	defer f.Close()
	h := sha256.New()
	_, err = io.Copy(h, f)
	must(t, err)
	return hex.EncodeToString(h.Sum(nil))
}

// startDocker starts a daemon unless one runs, and ends the one that it started.
func startDocker(t *testing.T) {
	t.Helper()
	stop, err := rig.StartDocker(t.Context())
	must(t, err)
	t.Cleanup(stop)
}

// makeBase makes a Debian from its packages: no registry can be asked here.
func makeBase(t *testing.T) {
	t.Helper()
	must(t, rig.MakeBase(t.Context(), imageBase))
}

// bootUEFI boots a raw disk as a machine without a BIOS would, until it asks who
// logs in.
func bootUEFI(ctx context.Context, raw string) error {
	ctx, cancel := context.WithCancel(ctx)
	defer cancel()
	cmd := exec.CommandContext(ctx, "qemu-system-x86_64", "-machine", "q35", "-accel", "tcg", "-m", "1G", "-display", "none", "-nic", "none",
		"-bios", "/usr/share/ovmf/OVMF.fd", "-serial", "stdio", "-snapshot", "-drive", "format=raw,if=virtio,file="+raw)
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	var last string
	if err := cmd.Start(); err != nil {
		return err
	}
	defer cmd.Wait()
	defer cancel()
	lines := bufio.NewReader(out)
	for {
		b, err := lines.ReadByte()
		if err != nil {
			return errors.New("it did not boot; it said last: " + last)
		}
		if last += string(b); strings.HasSuffix(last, "tiny login:") {
			return nil
		}
		last = last[max(0, len(last)-2000):]
	}
}
