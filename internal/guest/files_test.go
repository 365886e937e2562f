// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package guest

import (
	"errors"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/guest/machine"
	"github.com/spdk-community-ci/dispatcher/internal/guest/remote"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/qemu"
)

// tree writes a source tree with everything that must survive.
func (b *bed) tree() string {
	b.Helper()
	b.write("src/configure", "#!/bin/sh\necho configured\n")
	b.write("src/lib/nvme/it's here.c", "int x;\n")
	for _, err := range []error{
		os.Chmod(filepath.Join(b.dir, "src/configure"), 0o755),
		os.Chmod(filepath.Join(b.dir, "src/lib/nvme/it's here.c"), 0o640),
		os.Symlink("lib/nvme", filepath.Join(b.dir, "src/link")),
		os.Symlink("/no/where", filepath.Join(b.dir, "src/dangling")),
		os.Mkdir(filepath.Join(b.dir, "src/empty"), 0o750),
	} {
		if err != nil {
			b.Fatal(err)
		}
	}
	return filepath.Join(b.dir, "src")
}

// listing shows what is in a folder: modes, names, links and contents.
func listing(t *testing.T, root string) []string {
	t.Helper()
	var all []string
	err := filepath.WalkDir(root, func(path string, d fs.DirEntry, err error) error {
		if err != nil || path == root {
			return err
		}
		info, err := d.Info()
		if err != nil {
			return err
		}
		line := info.Mode().String() + " " + strings.TrimPrefix(path, root+"/")
		switch {
		case info.Mode()&fs.ModeSymlink != 0:
			to, err := os.Readlink(path)
			line = "link " + strings.TrimPrefix(path, root+"/") + " to " + to
			if err != nil {
				return err
			}
		case info.Mode().IsRegular():
			text, err := os.ReadFile(path)
			if err != nil {
				return err
			}
			line += " " + string(text)
		}
		all = append(all, line)
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	return all
}

// TestCopy: trees and tarballs arrive, and come back, as they were.
func TestCopy(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	g := b.start()
	src := b.tree()
	want := listing(t, src)
	for name, flag := range map[string]string{"plain.tar": "-c", "zipped.tar.gz": "-cz"} {
		if out, err := exec.Command("tar", flag, "-C", src, "-f", filepath.Join(b.dir, name), ".").CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	for i, source := range []string{"src", "plain.tar", "zipped.tar.gz"} {
		target := "work/copy " + source
		if err := g.CopyIn(t.Context(), filepath.Join(b.dir, source), target); err != nil {
			t.Fatalf("%s: %v", source, err)
		}
		if got := listing(t, filepath.Join(b.dir, "home", target)); !slices.Equal(got, want) {
			t.Errorf("%s: got\n%s\nwant\n%s", source, strings.Join(got, "\n"), strings.Join(want, "\n"))
		}
		back := filepath.Join(b.dir, "back", source)
		leftOut, err := g.CopyOut(t.Context(), target, back, remote.DefaultLimits)
		if err != nil || len(leftOut) != 1 || !strings.Contains(leftOut[0], "dangling was left out: it is a link that leads elsewhere") {
			t.Errorf("%s: got %q, %v", source, leftOut, err)
		}
		wantBack := slices.DeleteFunc(slices.Clone(want), func(l string) bool { return strings.Contains(l, "dangling") })
		if got := listing(t, back); !slices.Equal(got, wantBack) {
			t.Errorf("%s came back: got\n%s\nwant\n%s", source, strings.Join(got, "\n"), strings.Join(wantBack, "\n"))
		}
		if i == 0 { // again over what is there
			if _, err := g.CopyOut(t.Context(), target, back, remote.DefaultLimits); err != nil {
				t.Errorf("the second time: %v", err)
			}
		}
	}
	if err := g.CopyIn(t.Context(), b.write("one file", "text\n"), "in/other name"); err != nil {
		t.Error(err)
	}
	if _, err := g.CopyOut(t.Context(), "in/other name", filepath.Join(b.dir, "deep/down/file"), remote.DefaultLimits); err != nil || b.read("deep/down/file") != "text\n" {
		t.Errorf("got %v", err)
	}
}

func TestCopyFails(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	g := b.start()
	b.write("home/many/a", "12345")
	b.write("home/many/b", "12345")
	b.write("home/file", "x")
	for name, c := range map[string]struct {
		do   func() error
		kind fault.Kind
		text string
	}{
		"no source":    {func() error { return g.CopyIn(t.Context(), "/no/source", "x") }, fault.Configuration, "failed to copy /no/source into the guest: stat /no/source: no such file"},
		"over a file":  {func() error { return g.CopyIn(t.Context(), b.dir, "file/x") }, fault.Guest, "into the guest: it ended with status 1: mkdir: "},
		"no result":    {func() error { _, err := g.CopyOut(t.Context(), "none", b.dir, remote.DefaultLimits); return err }, fault.Guest, "failed to copy none out of the guest: file does not exist"},
		"too many":     {func() error { return b.out(g, remote.Limits{Files: 2, Bytes: 100}) }, fault.Guest, "there are too many files"},
		"too large":    {func() error { return b.out(g, remote.Limits{Files: 9, Bytes: 9}) }, fault.Guest, "it is too large"},
		"fits exactly": {func() error { return b.out(g, remote.Limits{Files: 3, Bytes: 10}) }, fault.Unknown, ""},
	} {
		err := c.do()
		if c.text == "" && err != nil || c.text != "" && (!errors.Is(err, c.kind) || !strings.Contains(err.Error(), c.text)) {
			t.Errorf("%s: got %v (%v), want %s", name, err, fault.KindOf(err), c.text)
		}
	}
}

func (b *bed) out(g *Guest, limits remote.Limits) error {
	_, err := g.CopyOut(b.Context(), "many", filepath.Join(b.dir, "out"), limits)
	return err
}

// TestManyGuests: guests on one host do not get in each other's way.
func TestManyGuests(t *testing.T) {
	t.Parallel()
	b := newBed(t, standin.KVMWorks)
	var wg sync.WaitGroup
	for i := range 6 {
		wg.Go(func() {
			g, err := Start(t.Context(), b.o)
			if err != nil {
				t.Error(err)
				return
			}
			defer g.Close()
			if status, _, _, err := b.sh(g, "exit "+string(rune('0'+i))); status != i || err != nil {
				t.Errorf("got %d, %v, want %d", status, err, i)
			}
		})
	}
	wg.Wait()
	if left := b.folders(); len(left) > 0 {
		t.Errorf("left behind: %q", left)
	}
}

// TestPortTaken: another port is tried.
func TestPortTaken(t *testing.T) {
	t.Parallel()
	b := newBed(t, standin.PortTaken)
	g := b.start()
	if status, _, _, err := b.sh(g, "true"); status != 0 || err != nil {
		t.Errorf("got %d, %v", status, err)
	}
	if !slices.ContainsFunc(b.log, func(s string) bool { return strings.HasSuffix(s, "was taken meanwhile, trying another one") }) {
		t.Errorf("got the log %q", b.log)
	}
}

// TestLeftovers: what a killed run left is removed by the next one; what is in
// use, and what a person kept, stays.
func TestLeftovers(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.write(folderPrefix+"1/lock", "")
	b.write(folderPrefix+"1/disk.qcow2", "large")
	used, err := newFolder(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	kept, err := newFolder(b.dir)
	if err != nil {
		t.Fatal(err)
	}
	kept.keep()
	sweep(b.dir)
	left := b.folders()
	want := []string{used.path, kept.path}
	slices.Sort(want)
	if !slices.Equal(left, want) {
		t.Errorf("got %q, want %q", left, want)
	}
	if err := errors.Join(used.remove(), os.RemoveAll(kept.path)); err != nil {
		t.Error(err)
	}
}

// TestOptions: what the caller asks for reaches QEMU and qemu-img.
func TestOptions(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	r := machine.NewReader("", nil)
	r.Set("nvme", "1G/4K+2M,controllers=2")
	var err error
	if b.o.Machine, err = r.Machine(); err != nil {
		t.Fatal(err)
	}
	b.o.DiskSize, b.o.User, b.o.Keep, b.o.Console = 40*machine.GiB, "tester", true, filepath.Join(b.dir, "console.log")
	g := b.start()
	folder := g.Folder()
	b.Cleanup(func() { os.RemoveAll(folder) })
	create, err := os.ReadFile(filepath.Join(folder, "disk.qcow2"))
	if want := "create -q -f qcow2 -F qcow2 -b " + b.o.Image + " " + folder + "/disk.qcow2 40G"; string(create) != want || err != nil {
		t.Errorf("got %s, %v, want %s", create, err, want)
	}
	for name, want := range map[string]int64{"nvme0-1.raw": 1 << 30, "nvme0-2.raw": 2 << 20} {
		if info, err := os.Stat(filepath.Join(folder, name)); err != nil || info.Size() != want {
			t.Errorf("%s: got %v, %v", name, info, err)
		}
	}
	if status, _, _, err := b.sh(g, "true"); status != 0 || err != nil {
		t.Errorf("got %d, %v", status, err)
	}
	if err := g.Close(); err != nil {
		t.Error(err)
	}
	if !strings.Contains(b.read("console.log"), "Linux version") {
		t.Error("the console's log does not hold what the guest printed")
	}
	if _, err := os.Stat(folder); err != nil {
		t.Error("the folder was not kept")
	}
	if got := b.read("base.qcow2"); got != "QFI\xfb the base" {
		t.Errorf("the base changed: %q", got)
	}
}

// TestPowerDown: a guest that may write to its image ends in an orderly way.
func TestPowerDown(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.o.Writable = true
	g := b.start()
	if starts := b.read("starts"); !strings.Contains(starts, "format=qcow2,file="+b.o.Image+" ") {
		t.Errorf("it does not start from the image itself: %s", starts)
	}
	if err := g.PowerDown(t.Context()); err != nil {
		t.Error(err)
	}
}

// TestKilled: when we are killed with the worst signal, so is QEMU, and the next
// run removes the folder.
func TestKilled(t *testing.T) {
	if dir := os.Getenv("GUEST_TO_BE_KILLED"); dir != "" {
		// This is the process that will be killed.
		b := &bed{T: t, dir: dir}
		m, err := machine.NewReader("", nil).Machine()
		if err != nil {
			t.Fatal(err)
		}
		o := Options{
			Image: filepath.Join(dir, "base.qcow2"), Machine: m, QEMU: filepath.Join(dir, "qemu"), QEMUImg: filepath.Join(dir, "img"),
			TempDir: dir, KVMDevice: "/no/kvm", Now: time.Now, Sleep: sleep,
		}
		g, err := Start(t.Context(), o)
		if err != nil {
			t.Fatal(err)
		}
		b.sh(g, "echo $QEMU_PID >pid; kill -KILL $(ps -o ppid= -p $QEMU_PID); exec sleep 20")
		return
	}
	t.Parallel()
	b := newBed(t)
	cmd := exec.Command(os.Args[0], "-test.run=^TestKilled$")
	cmd.Env = append(os.Environ(), "GUEST_TO_BE_KILLED="+b.dir)
	out, err := cmd.CombinedOutput()
	if err == nil || !strings.Contains(err.Error(), "killed") {
		t.Fatalf("got %v\n%s", err, out)
	}
	pid := strings.TrimSpace(b.read("home/pid"))
	for range 500 { // the kernel needs a moment to end it
		if state, err := os.ReadFile("/proc/" + pid + "/stat"); err != nil || strings.Contains(string(state), ") Z ") {
			break
		}
		sleep(t.Context(), 10*time.Millisecond)
	}
	if state, err := os.ReadFile("/proc/" + pid + "/stat"); err == nil && !strings.Contains(string(state), ") Z ") {
		t.Errorf("QEMU outlived us: %s", state)
	}
	if left := b.folders(); len(left) != 1 {
		t.Errorf("got the folders %q, want the one of the killed run", left)
	}
	b.start() // and checks that no folder is left in the end
}
