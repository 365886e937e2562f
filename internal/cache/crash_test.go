// SPDX-License-Identifier: BSD-3-Clause

package cache

import (
	"context"
	"errors"
	"os"
	"os/exec"
	"strings"
	"syscall"
	"testing"
	"time"
)

// crashing is the variable that makes the test binary a process that kills
// itself in a Get: "DIR POINT".
const crashing = "CACHE_TEST_CRASH"

func TestMain(m *testing.M) {
	if what := os.Getenv(crashing); what != "" {
		dir, point, _ := strings.Cut(what, " ")
		die(dir, point)
		os.Exit(1)
	}
	os.Exit(m.Run())
}

const text = "hello, world"

// points are where a process dies.
var points = []string{"room", "begin", "half", "whole", "accepted", "used"}

func die(dir, point string) {
	now := func(here string) {
		if here == point {
			syscall.Kill(os.Getpid(), syscall.SIGKILL)
		}
	}
	looks := 0
	c, err := Open(dir, Options{Sleep: yield, Now: func() time.Time {
		if looks++; looks == 1 {
			now("accepted")
		} else {
			now("used")
		}
		return time.Now()
	}})
	if err != nil {
		return
	}
	c.free = func(string) (int64, error) { now("room"); return 1 << 40, nil }
	// An older entry makes it look for room.
	os.MkdirAll(dir+"/"+sum("older"), 0o755)
	c.Get(context.Background(), "image", sum(text), int64(len(text)), func(_ context.Context, path string) error {
		now("begin")
		if point == "hang" {
			os.Stdout.WriteString(".")
			os.Stdin.Read(make([]byte, 1))
		}
		os.WriteFile(path+".part", []byte(text[:5]), 0o644)
		now("half")
		err := os.WriteFile(path, []byte(text), 0o644)
		now("whole")
		return err
	})
}

// TestKilled: wherever a process dies, the next one gets the file.
func TestKilled(t *testing.T) {
	t.Parallel()
	for _, point := range points {
		b := newBed(t)
		cmd := exec.Command(os.Args[0])
		cmd.Env = append(os.Environ(), crashing+"="+b.dir+" "+point)
		err := cmd.Run()
		exit, ok := errors.AsType[*exec.ExitError](err)
		if !ok || exit.Sys().(syscall.WaitStatus).Signal() != syscall.SIGKILL {
			t.Errorf("%s: got %v, want that it was killed", point, err)
			continue
		}
		var s source
		b.get(&s, text)()
		want := 1
		if point == "whole" || point == "accepted" || point == "used" {
			want = 0
		}
		if s.fetches[text] != want {
			t.Errorf("%s: got %d fetches, want %d", point, s.fetches[text], want)
		}
		if list, _ := os.ReadDir(b.dir + "/" + sum(text)); len(list) != 2 {
			t.Errorf("%s: left: %v", point, list)
		}
	}
}

// TestTwoProcesses: the second one waits for the first, and takes over when
// that is killed.
func TestTwoProcesses(t *testing.T) {
	t.Parallel()
	waiting := make(chan struct{})
	b := newBed(t, func(o *Options) { o.Waiting = func(string) { close(waiting) } })
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashing+"="+b.dir+" hang")
	in, err := cmd.StdinPipe()
	if err != nil {
		t.Fatal(err)
	}
	defer in.Close()
	out, err := cmd.StdoutPipe()
	if err != nil {
		t.Fatal(err)
	}
	if err := cmd.Start(); err != nil {
		t.Fatal(err)
	}
	if _, err := out.Read(make([]byte, 1)); err != nil { // it holds the lock
		t.Fatal(err)
	}
	go func() {
		<-waiting
		cmd.Process.Kill()
		cmd.Wait()
	}()
	var s source
	b.get(&s, text)()
	if s.fetches[text] != 1 {
		t.Errorf("got %d fetches, want 1", s.fetches[text])
	}
}
