// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// texts say in one line each what became of resources, temporary folders left out.
func (b *bed) texts(list []Cleaned) []string {
	lines := []string{}
	for _, c := range list {
		text := c.Resource.String() + ": " + c.Did
		if c.Err != nil {
			text += c.Err.Error()
		}
		lines = append(lines, strings.ReplaceAll(text, b.root, ""))
	}
	return lines
}

// TestClean: what was recorded goes, in an order that works.
func TestClean(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.lease("job 1")
	folder := filepath.Join(b.root, "work")
	if err := os.MkdirAll(folder+"/mnt/deep", 0o755); err != nil {
		t.Fatal(err)
	}
	b.record(l, MountKind, folder+"/mnt") // in a bad order: the mount is in the folder
	b.record(l, PathKind, folder)
	b.record(l, HugepagesKind, DefaultHugepages)
	b.kernel("/sys/block/loop3/loop/backing_file", folder+"/disk.img (deleted)")
	b.record(l, LoopKind, "/dev/loop3")
	b.record(l, PathKind, b.root+"/never-made")
	b.mount(folder+"/mnt", folder+`/mnt/with\040blank`)
	b.kernel(DefaultHugepages, "1024")

	b.kernel("/proc/sys/kernel/random/boot_id", "boot-1") // the same boot; the job died
	b.clock.Sleep(t.Context(), 2*time.Hour)
	s, err := b.Status()
	if err != nil || s.State != Free || len(s.Left) != 5 {
		t.Errorf("status: got %+v, %v; want 5 left", s, err)
	}
	_, list, err := b.Lease(t.Context(), Request{Owner: "job 2", For: time.Hour})
	if err != nil {
		t.Fatal(err)
	}
	want := []string{
		"path /never-made: ",
		"loop /dev/loop3: detached from " + "/work/disk.img",
		"hugepages /proc/sys/vm/nr_hugepages: set from 1024 to 0",
		"mount /work/mnt: unmounted",
		"path /work: deleted",
	}
	if diff := cmp.Diff(want, b.texts(list)); diff != "" {
		t.Errorf("cleaned (-want +got):\n%s", diff)
	}
	if got := []string{folder + "/mnt/with blank", folder + "/mnt"}; !slices.Equal(b.unmounted, got) {
		t.Errorf("unmounted %q, want %q", b.unmounted, got)
	}
	if _, err := os.Stat(folder); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("the folder is there: %v", err)
	}
	if list, _, err := b.Clean(t.Context(), "", false); err != nil || len(list) != 0 {
		t.Errorf("again: got %v, %v", list, err)
	}
}

// TestNotOurs: what is not what was recorded is left alone.
func TestNotOurs(t *testing.T) {
	t.Parallel()
	for name, do := range map[string]func(b *bed){
		"after a restart":   func(b *bed) { b.kernel("/proc/sys/kernel/random/boot_id", "boot-2") },
		"other file":        func(b *bed) { b.kernel("/sys/block/loop3/loop/backing_file", "/of/somebody/else") },
		"already detached":  func(b *bed) { os.Remove(b.root + "/sys/block/loop3/loop/backing_file") },
		"already unmounted": func(b *bed) { b.drop("/mnt/job") },
	} {
		b := newBed(t)
		l := b.lease("job")
		b.kernel("/sys/block/loop3/loop/backing_file", "/of/the/job")
		b.record(l, LoopKind, "/dev/loop3")
		b.record(l, MountKind, "/mnt/job")
		b.mount("/mnt/job")
		do(b)
		if _, err := b.Release(t.Context(), l.ID, Outcome{}); err != nil {
			t.Fatal(err)
		}
		wantMount, wantLoop := name == "other file" || name == "already detached", name == "already unmounted"
		if (len(b.unmounted) > 0) != wantMount || (len(b.detached) > 0) != wantLoop {
			t.Errorf("%s: unmounted %q, detached %q", name, b.unmounted, b.detached)
		}
	}
}

// TestLeft: what cannot be cleaned up is told, keeps the next job away, and is
// tried again.
func TestLeft(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.lease("job 1")
	b.record(l, MountKind, "/mnt/job")
	b.mount("/mnt/job")
	real := b.unmount
	b.unmount = func(string) error { return syscall.EBUSY }
	done, err := b.Release(t.Context(), l.ID, Outcome{})
	if err != nil || !done.Held || !errors.Is(done.Cleaned[0].Err, syscall.EBUSY) {
		t.Fatalf("got %+v, %v", done, err)
	}
	_, _, err = b.Lease(t.Context(), Request{Owner: "job 2", For: time.Hour})
	unavailable(t, "left", err, Unhealthy, "mount /mnt/job: failed to unmount /mnt/job: device or resource busy")
	b.unmount = real
	b.lease("job 2")
	if !slices.Equal(b.unmounted, []string{"/mnt/job"}) {
		t.Errorf("unmounted %q", b.unmounted)
	}
}

// TestMountedFolder: a folder in which something is mounted is not deleted, with
// whatever that holds.
func TestMountedFolder(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.lease("job")
	folder := filepath.Join(b.root, "work")
	if err := os.MkdirAll(folder+"/data", 0o755); err != nil {
		t.Fatal(err)
	}
	link := filepath.Join(b.root, "link")
	if err := os.Symlink(b.root, link); err != nil {
		t.Fatal(err)
	}
	b.record(l, PathKind, link+"/work")
	b.mount(folder + "/data")
	list, _, err := b.Clean(t.Context(), l.ID, false)
	if err != nil || len(list) != 1 || list[0].Err == nil || !strings.Contains(list[0].Err.Error(), "is mounted there") {
		t.Errorf("got %v, %v", list, err)
	}
	if _, err := os.Stat(folder + "/data"); err != nil {
		t.Error(err)
	}
}

func TestDescribeRefuses(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.mount("/mnt/there")
	for _, c := range []struct {
		kind       Kind
		name, text string
	}{
		{PathKind, "relative", "absolute path"},
		{PathKind, "/a/../etc", "absolute path"},
		{PathKind, "/a/b/", "absolute path"},
		{PathKind, "/", "at the top"},
		{PathKind, "/home", "at the top"},
		{PathKind, "/etc/passwd", "the system's"},
		{PathKind, "/proc/1", "the system's"},
		{PathKind, filepath.Dir(b.o.Dir), "the state of the host"},
		{PathKind, b.o.Dir + "/resources", "the state of the host"},
		{MountKind, "/mnt/there", "mounted there already"},
		{LoopKind, "/dev/loop9", "no loop device"},
		{LoopKind, "/dev/sda", "no loop device"},
		{HugepagesKind, "/proc/sys/kernel/panic", "no such file"},
		{HugepagesKind, "/proc/sys/kernel/random/boot_id", "no file of the kernel"},
		{ProcessKind, "one", "no number"},
		{ProcessKind, "4000000", "no process"},
		{"other", "/a/b", "no kind"},
	} {
		if _, err := b.Describe(c.kind, c.name); !errors.Is(err, fault.Configuration) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s %s: got %v, want %q", c.kind, c.name, err, c.text)
		}
	}
	b.process(1, 1)
	if _, err := b.Describe(ProcessKind, "1"); err == nil {
		t.Error("the first process of a host was recorded")
	}
	r, err := b.Describe(PathKind, "/tmp/x")
	if err != nil {
		t.Fatal(err)
	}
	l := b.lease("job")
	if _, err := b.Release(t.Context(), l.ID, Outcome{}); err != nil {
		t.Fatal(err)
	}
	if err := b.Record(t.Context(), l.ID, r); !errors.Is(err, fault.Configuration) || !strings.Contains(err.Error(), "not held any more") {
		t.Errorf("a lease that ended: got %v", err)
	}
	if err := b.Record(t.Context(), l.ID, Resource{Kind: PathKind, Path: "/etc"}); !errors.Is(err, fault.Configuration) {
		t.Errorf("made by hand: got %v", err)
	}
}

// TestTornRecord: half a line is nobody's; what somebody else wrote is told.
func TestTornRecord(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	l := b.lease("job")
	b.record(l, PathKind, "/tmp/dispatcher-test-one")
	tear := func(text string) {
		f, err := os.OpenFile(b.recordPath(l.ID), os.O_WRONLY|os.O_APPEND, 0)
		if err == nil {
			_, err = f.WriteString(text)
			f.Close()
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	tear(`{"kind":"path","pa`)
	b.record(l, PathKind, "/tmp/dispatcher-test-two")
	tear("\x00\x00\x00")
	if s, err := b.Status(); err != nil || len(s.Left) != 0 {
		t.Errorf("held: got %+v, %v", s, err)
	}
	list, _, err := b.Clean(t.Context(), l.ID, false)
	if want := []string{"path /tmp/dispatcher-test-two: ", "path /tmp/dispatcher-test-one: "}; err != nil || !slices.Equal(b.texts(list), want) {
		t.Errorf("got %q, %v; want %q", b.texts(list), err, want)
	}
	b.record(l, PathKind, "/tmp/dispatcher-test-one")
	tear("what is this\n")
	for range 2 { // it stays until somebody looks
		list, _, err = b.Clean(t.Context(), l.ID, false)
		if err != nil || len(list) != 2 || list[1].Err == nil || !strings.Contains(list[1].Err.Error(), "1 lines of") {
			t.Errorf("got %v, %v", list, err)
		}
	}
}

// TestEndProcess ends real processes, the stubborn one too, and no other.
func TestEndProcess(t *testing.T) {
	t.Parallel()
	clock := &clock{now: time.Now()}
	// A process takes real time to end, the longer the busier the machine is.
	sleep := func(ctx context.Context, d time.Duration) error {
		time.Sleep(20 * time.Millisecond)
		return clock.Sleep(ctx, d)
	}
	h, err := Open(Options{Dir: t.TempDir(), Now: clock.Now, Sleep: sleep})
	if err != nil {
		t.Fatal(err)
	}
	if h.boot() == "" {
		t.Skip("there is no /proc here")
	}
	start := func() (pid int, ended chan error) {
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashing+"=ignore -")
		out, err := cmd.StdoutPipe()
		if err != nil {
			t.Fatal(err)
		}
		if err := cmd.Start(); err != nil {
			t.Fatal(err)
		}
		if _, err := out.Read(make([]byte, 1)); err != nil {
			t.Fatal(err)
		}
		ended = make(chan error, 1)
		go func() { ended <- cmd.Wait() }()
		t.Cleanup(func() { cmd.Process.Kill() })
		return cmd.Process.Pid, ended
	}
	pid, ended := start()
	p, err := h.Process(pid)
	if err != nil {
		t.Fatal(err)
	}
	for name, change := range map[string]func(*Process){
		"other start":     func(p *Process) { p.Start++ },
		"other boot":      func(p *Process) { p.Boot = "another" },
		"other namespace": func(p *Process) { p.Namespace = "pid:[1]" },
	} {
		other := p
		change(&other)
		if did, err := h.endProcess(t.Context(), Resource{Kind: ProcessKind, Process: &other}); did != "" || err != nil {
			t.Errorf("%s: got %q, %v", name, did, err)
		}
	}
	select {
	case err := <-ended:
		t.Fatalf("it ended: %v", err)
	default:
	}
	did, err := h.endProcess(t.Context(), Resource{Kind: ProcessKind, Process: &p})
	if did != "killed" || err != nil { // it does not mind SIGTERM
		t.Errorf("got %q, %v; want killed", did, err)
	}
	<-ended
	if did, err := h.endProcess(t.Context(), Resource{Kind: ProcessKind, Process: &p}); did != "" || err != nil {
		t.Errorf("again: got %q, %v", did, err)
	}
}
