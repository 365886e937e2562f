// SPDX-License-Identifier: BSD-3-Clause

package durable

import (
	"bytes"
	"errors"
	"os"
	"path/filepath"
	"runtime"
	"sync"
	"sync/atomic"
	"syscall"
	"testing"
)

// TestWriteFile: a file that cannot be replaced stays, and nothing is left
// beside it.
func TestWriteFile(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	path := filepath.Join(dir, "state")
	for _, text := range []string{"old", "new"} {
		if err := WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
	}
	if err := os.Mkdir(filepath.Join(dir, "folder"), 0o755); err != nil {
		t.Fatal(err)
	}
	if err := os.WriteFile(filepath.Join(dir, "folder", "x"), nil, 0o644); err != nil {
		t.Fatal(err)
	}
	if err := WriteFile(filepath.Join(dir, "folder"), nil); err == nil {
		t.Error("a folder was replaced")
	}
	if data, _ := os.ReadFile(path); !bytes.Equal(data, []byte("new")) {
		t.Errorf("got %q", data)
	}
	if list, _ := os.ReadDir(dir); len(list) != 2 {
		t.Errorf("left: %v", list)
	}
}

func TestReadFile(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "x")
	if _, err := ReadFile(path, 5); !errors.Is(err, os.ErrNotExist) {
		t.Errorf("got %v", err)
	}
	for text, want := range map[string]error{"": nil, "hello": nil, "hello!": ErrTooLong} {
		if err := WriteFile(path, []byte(text)); err != nil {
			t.Fatal(err)
		}
		if data, err := ReadFile(path, 5); !errors.Is(err, want) || err == nil && string(data) != text {
			t.Errorf("%q: got %q, %v", text, data, err)
		}
	}
}

func TestTryLock(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "entry", "lock")
	take := func(how int, want bool) *Lock {
		t.Helper()
		file, err := TryLock(path, how)
		if err != nil || (file != nil) != want {
			t.Fatalf("got %v, %v; want %t", file, err, want)
		}
		return file
	}
	one := take(syscall.LOCK_SH, true)
	two := take(syscall.LOCK_SH, true)
	take(syscall.LOCK_EX, false)
	one.Close()
	take(syscall.LOCK_EX, false)
	two.Close()
	three := take(syscall.LOCK_EX, true)
	take(syscall.LOCK_SH, false)
	take(syscall.LOCK_EX, false)
	three.Close()
	if _, err := TryLock(filepath.Join(t.TempDir(), "no", "such", "folder"), syscall.LOCK_EX); err == nil {
		t.Error("a lock without a folder to make it in")
	}
}

// TestLockIsNotForked: a lock is given back although a child that was just forked has
// its file open.
func TestLockIsNotForked(t *testing.T) {
	t.Parallel()
	path := filepath.Join(t.TempDir(), "lock")
	held, err := TryLock(path, syscall.LOCK_EX)
	if err != nil {
		t.Fatal(err)
	}
	child, err := syscall.Dup(int(held.file.Fd()))
	if err != nil {
		t.Fatal(err)
	}
	defer syscall.Close(child)
	if again, err := TryLock(path, syscall.LOCK_EX); again != nil || err != nil {
		t.Errorf("got %v, %v while it is held", again, err)
	}
	if err := held.Close(); err != nil {
		t.Error(err)
	}
	again, err := TryLock(path, syscall.LOCK_EX)
	if again == nil || err != nil {
		t.Fatalf("got %v, %v after it was given back", again, err)
	}
	again.Close()
}

// TestDeletedLocks: only one holds a lock, although its file is deleted by whoever
// held it.
func TestDeletedLocks(t *testing.T) {
	t.Parallel()
	dir := filepath.Join(t.TempDir(), "entry")
	path := filepath.Join(dir, "lock")
	var group sync.WaitGroup
	var holders, held atomic.Int32
	for range 4 {
		group.Go(func() {
			for held.Load() < 200 {
				file, err := TryLock(path, syscall.LOCK_EX)
				if err != nil {
					t.Error(err)
					return
				}
				if file == nil {
					runtime.Gosched()
					continue
				}
				if holders.Add(1) != 1 {
					t.Error("two hold it")
				}
				held.Add(1)
				holders.Add(-1)
				os.Remove(path)
				os.Remove(dir)
				file.Close()
			}
		})
	}
	group.Wait()
}
