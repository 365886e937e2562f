// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Checks are what a host must have before a job gets it. The zero value asks for
// nothing.
type Checks struct {
	// Disk is the least free space in bytes where DiskPath is.
	Disk     int64
	DiskPath string
	// Memory is the least available memory in bytes.
	Memory int64
	// KVM asks for a /dev/kvm that this account can open.
	KVM bool
	// Command is a program with its arguments that must end with status 0 within
	// Timeout. It is run without a shell.
	Command []string
	Timeout time.Duration
}

// Check returns what is wrong with the host, one text for each problem.
func (h *Host) Check(ctx context.Context, c Checks) ([]string, error) {
	var wrong []string
	if c.Disk > 0 {
		free, err := freeBytes(c.DiskPath)
		switch {
		case err != nil:
			wrong = append(wrong, fmt.Sprintf("the disk of %s cannot be measured: %v", c.DiskPath, err))
		case free < c.Disk:
			wrong = append(wrong, fmt.Sprintf("the disk of %s has %s free, %s are needed", c.DiskPath, gigas(free), gigas(c.Disk)))
		}
	}
	if c.Memory > 0 {
		free, err := parseMemory(h.text("/proc/meminfo"))
		switch {
		case err != nil:
			wrong = append(wrong, err.Error())
		case free < c.Memory:
			wrong = append(wrong, fmt.Sprintf("%s of memory are available, %s are needed", gigas(free), gigas(c.Memory)))
		}
	}
	if c.KVM {
		file, err := os.OpenFile(h.system("/dev/kvm"), os.O_RDWR, 0)
		if err != nil {
			wrong = append(wrong, fmt.Sprintf("KVM cannot be used: %v", err))
		} else {
			file.Close()
		}
	}
	if len(c.Command) > 0 {
		if text := runCheck(ctx, c); text != "" {
			wrong = append(wrong, text)
		}
	}
	if ctx.Err() != nil {
		return nil, fault.New(fault.Unknown, "failed to check the host: %w", context.Cause(ctx))
	}
	return wrong, nil
}

// freeBytes is what an ordinary user may write to the disk of a folder.
func freeBytes(dir string) (int64, error) {
	var st syscall.Statfs_t
	if err := syscall.Statfs(dir, &st); err != nil {
		return 0, err
	}
	return int64(st.Bavail) * int64(st.Bsize), nil
}

// parseMemory finds MemAvailable in proc(5)'s meminfo.
func parseMemory(text string) (int64, error) {
	for line := range strings.Lines(text) {
		fields := strings.Fields(line)
		if len(fields) != 3 || fields[0] != "MemAvailable:" || fields[2] != "kB" {
			continue
		}
		if n, err := strconv.ParseInt(fields[1], 10, 50); err == nil && n >= 0 {
			return n << 10, nil
		}
	}
	return 0, errors.New("the available memory cannot be measured")
}

func gigas(n int64) string { return fmt.Sprintf("%.1f GiB", float64(n)/(1<<30)) }

// runCheck says why a user's check failed; empty if it did not. What it started is
// ended with it.
func runCheck(ctx context.Context, c Checks) string {
	name := change.Clip(change.OneLine(strings.Join(c.Command, " ")), 100)
	ctx, cancel := context.WithTimeout(ctx, c.Timeout)
	defer cancel()
	cmd := exec.CommandContext(ctx, c.Command[0], c.Command[1:]...)
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	cmd.Cancel = func() error { return syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) }
	cmd.WaitDelay = 2 * time.Second
	var out tail
	cmd.Stdout, cmd.Stderr = &out, &out
	err := cmd.Run()
	switch {
	case err == nil:
		return ""
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return fmt.Sprintf("the check %q did not end within %v%s", name, c.Timeout, out.last())
	}
	return fmt.Sprintf("the check %q failed: %v%s", name, err, out.last())
}

// tail keeps the end of what a program prints.
type tail struct{ data []byte }

const maxTail = 4 << 10

func (t *tail) Write(p []byte) (int, error) {
	t.data = append(t.data, p...)
	if len(t.data) > 2*maxTail {
		t.data = append(t.data[:0], t.data[len(t.data)-maxTail:]...)
	}
	return len(p), nil
}

// last is the last line that says something, to stand behind an error.
func (t *tail) last() string {
	lines := bytes.Split(bytes.TrimSpace(t.data), []byte("\n"))
	if text := change.OneLine(string(lines[len(lines)-1])); text != "" {
		return ": " + change.Clip(text, maxReason)
	}
	return ""
}
