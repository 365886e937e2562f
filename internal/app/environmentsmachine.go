// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"syscall"

	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/host"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
	"github.com/spdk-community-ci/dispatcher/internal/proctree"
)

// withResults runs the command, and sees to it that results are there: "guest
// run" takes it for a failure if they are not.
const withResults = `sh -c "$1"; status=$?; shift; for f; do [ -e "$f" ] || mkdir -p "./$f"; done; exit $status`

// inGuest tests in a QEMU guest, which is gone in the end.
func (r *cellRun) inGuest(ctx context.Context) ending {
	dir, err := os.MkdirTemp(r.app.Getenv("RUNNER_TEMP"), "guest-")
	if err != nil {
		return ending{status: exitRig, rig: err}
	}
	defer os.RemoveAll(dir)
	conf, machine := filepath.Join(dir, "auto.conf"), filepath.Join(dir, "machine.json")
	err = errors.Join(os.WriteFile(conf, []byte(r.cell.Conf), 0o644), os.WriteFile(machine, []byte(r.cell.Machine), 0o644))
	if err != nil {
		return ending{status: exitRig, rig: err}
	}
	args := []string{"--image", r.image, "--machine", machine, "--timeout", r.time().String(),
		"--console", r.kept(consoleFile), "--temp-dir", dir,
		"--copy-in", r.source + ":dispatcher", "--copy-in", conf + ":dispatcher/auto.conf", "--dir", "dispatcher/source"}
	kept := environments.Kept(r.cell.Results)
	for _, path := range kept {
		args = append(args, "--copy-out", path+":"+r.kept(path))
	}
	for _, v := range r.variables() {
		args = append(args, "--env", v)
	}
	inner := *r.app
	inner.Stdout, inner.Stderr, inner.ReadFile = r.said, r.errs, os.ReadFile
	args = append(args, "--", "sh", "-c", withResults, "sh", r.cell.Command)
	flags, err := inner.parseGuest(append(args, kept...))
	if err != nil {
		return ending{status: exitGuestSetting, rig: err}
	}
	end := guestRun{app: &inner, out: r.out, flags: flags, lenient: true}.run(ctx)
	if end.timedOut {
		end.status = exitTooLong
	}
	end.told = true
	return end
}

// onHost tests on the host itself. What the command finds in its environment is
// what a login would give it, and nothing of the runner's but the mark by which
// the runner finds what a job left.
func (r *cellRun) onHost(ctx context.Context) ending {
	dir, err := os.MkdirTemp(r.app.Getenv("RUNNER_TEMP"), "host-")
	if err != nil {
		return ending{status: exitRig, rig: err}
	}
	defer r.removeFolder(context.WithoutCancel(ctx), dir)
	if err = r.bring(ctx, dir); err == nil {
		err = executes(dir)
	}
	if err != nil {
		return ending{status: exitRig, rig: err}
	}
	env := append(r.variables(), "LC_ALL=C.UTF-8")
	for _, name := range []string{"PATH", "HOME", "USER", "LANG", "TMPDIR"} {
		env = append(env, name+"="+r.app.Getenv(name))
	}
	if id := r.app.Getenv("RUNNER_TRACKING_ID"); id != "" {
		env = append(env, "RUNNER_TRACKING_ID="+id)
	}
	shell, err := exec.LookPath("sh")
	if err != nil {
		return ending{status: exitRig, rig: err}
	}
	work := filepath.Join(dir, "source")
	limited, cancel := r.limit(ctx)
	defer cancel()
	end, err := proctree.Run(limited, proctree.Command{
		Path: shell, Args: []string{"-c", r.cell.Command}, Dir: work, Env: env, Stdout: r.said, Stderr: r.errs, Sleep: r.app.Sleep,
	})
	if err != nil {
		return ending{status: exitRig, rig: fault.New(fault.Ours, "failed to run the test: %w", err)}
	}
	r.tellLeft(end)
	keeping, stop := context.WithTimeoutCause(context.WithoutCancel(ctx), keepLimit, fault.New(fault.Ours, "it took longer than %v", keepLimit))
	defer stop()
	for _, path := range environments.Kept(r.cell.Results) {
		r.keepFrom(keeping, filepath.Join(work, path), path)
	}
	switch {
	case end.Stopped && ctx.Err() != nil:
		return interrupted()
	case end.Stopped:
		return ending{status: exitTooLong, timedOut: true}
	}
	return ending{status: end.Status}
}

// executes finds out whether programs in a folder may be started. Where they may
// not, each test would fail with 126.
func executes(dir string) error {
	const noExec = 0x8 // ST_NOEXEC of Linux's statfs(2)
	var fs syscall.Statfs_t
	if err := syscall.Statfs(dir, &fs); err == nil && runtime.GOOS == "linux" && fs.Flags&noExec != 0 {
		return fault.New(fault.Ours, "no program may be started in %s: its file system is mounted with noexec", dir).
			WithHint("put the work folder of this runner on another file system")
	}
	return nil
}

// bring unpacks what the command finds in its folder.
func (r *cellRun) bring(ctx context.Context, dir string) error {
	if r.app.Getenv("DISPATCHER_LEASE") != "" {
		if status := r.app.host(ctx, []string{"record", "path", dir}); status != ExitDone {
			return fault.New(fault.Ours, "the host did not take note of the folder %s", dir)
		}
	}
	var tools tool.Tools
	err := tools.Run(ctx, tool.Command{Doing: "unpack the source", Name: "tar", Args: []string{"--extract", "--file", r.source, "--directory", dir, "--no-same-owner"}})
	if err != nil {
		return err
	}
	return os.WriteFile(filepath.Join(dir, "auto.conf"), []byte(r.cell.Conf), 0o644)
}

// tellLeft says what the test did not end by itself.
func (r *cellRun) tellLeft(end proctree.End) {
	if end.Ended > 0 {
		fmt.Fprintf(r.errs, "dispatcher: %d processes that the test left were ended\n", end.Ended)
	}
	if len(end.Left) > 0 {
		fmt.Fprintf(r.errs, "dispatcher: processes of the test are left and cannot be ended by this account: %v\n", end.Left)
	}
}

// keepFrom copies one of the results. What cannot be copied was made by the test,
// and says nothing about the host. What a test made with sudo may be readable for
// root alone: it is copied with the same right.
func (r *cellRun) keepFrom(ctx context.Context, from, path string) {
	if _, err := os.Lstat(from); err != nil {
		fmt.Fprintf(r.app.Stderr, "  %s is not there, and so not kept\n", printable(path))
		return
	}
	kept := r.kept(path)
	// A thousand links to a file are one file, or they could fill the disk.
	args := []string{"--recursive", "--no-dereference", "--preserve=links", "--", from, kept}
	var tools tool.Tools
	err := tools.Run(ctx, tool.Command{Doing: "keep " + path, Name: "cp", Args: args})
	if err != nil && os.Geteuid() != 0 && host.Sudo(ctx, "true") == nil {
		err = os.RemoveAll(kept) // the part that was copied
		if err == nil {
			err = host.Sudo(ctx, "cp", args...)
		}
		if err == nil {
			err = host.Sudo(ctx, "chown", "--recursive", "--no-dereference", fmt.Sprintf("%d:%d", os.Geteuid(), os.Getegid()), "--", kept)
		}
	}
	if err != nil {
		fmt.Fprintf(r.errs, "dispatcher: %s\n", printable(err.Error()))
	}
}

// removeFolder removes what the test had. Where it does not succeed, the release of
// the host tries again, and says why it cannot.
func (r *cellRun) removeFolder(ctx context.Context, dir string) {
	if err := host.Remove(ctx, dir); err != nil {
		fmt.Fprintf(r.app.Stderr, "  %s\n", printable("failed to remove the test's folder: "+err.Error()))
	}
}

// interrupted is the end of a test that somebody stopped, who knows why.
func interrupted() ending {
	return ending{status: exitRig, rig: fault.New(fault.Unknown, "the test was interrupted"), interrupted: true}
}
