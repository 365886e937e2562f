// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// withResults runs the command, and sees to it that results are there: "guest
// run" takes it for a failure if they are not.
const withResults = `sh -c "$1"; status=$?; shift; for f; do [ -e "$f" ] || mkdir -p "./$f"; done; exit $status`

// inGuest tests in a QEMU guest.
func (r *cellRun) inGuest(ctx context.Context) (int, error) {
	dir, err := os.MkdirTemp(r.app.Getenv("RUNNER_TEMP"), "guest-")
	if err != nil {
		return exitRig, err
	}
	defer os.RemoveAll(dir)
	conf, machine := filepath.Join(dir, "auto.conf"), filepath.Join(dir, "machine.json")
	err = errors.Join(os.WriteFile(conf, []byte(r.cell.Conf), 0o644), os.WriteFile(machine, []byte(r.cell.Machine), 0o644))
	if err != nil {
		return exitRig, err
	}
	args := []string{"--image", r.image, "--machine", machine, "--timeout", fmt.Sprintf("%dm", r.cell.Minutes),
		"--console", filepath.Join(r.results, "console.txt"), "--temp-dir", dir,
		"--copy-in", r.source + ":dispatcher", "--copy-in", conf + ":dispatcher/auto.conf", "--dir", "dispatcher/source"}
	for _, path := range r.cell.Results {
		args = append(args, "--copy-out", path+":"+r.kept(path))
	}
	for _, v := range r.variables() {
		args = append(args, "--env", v)
	}
	inner := *r.app
	inner.Stdout, inner.Stderr, inner.ReadFile = r.said, r.errs, os.ReadFile
	args = append(args, "--", "sh", "-c", withResults, "sh", r.cell.Command)
	status := inner.guestRun(ctx, append(args, r.cell.Results...))
	switch {
	case status == exitGuestTimeout:
		return exitTooLong, nil
	case status == exitGuestSetting || status >= exitGuestHost:
		return status, nil
	}
	return ownStatus(status), nil
}

// onHost tests on the host itself. What the command finds in its environment is
// what a login would give it, and nothing of the runner's.
func (r *cellRun) onHost(ctx context.Context) (int, error) {
	dir, err := os.MkdirTemp(r.app.Getenv("RUNNER_TEMP"), "host-")
	if err != nil {
		return exitRig, err
	}
	defer os.RemoveAll(dir)
	if r.app.Getenv("DISPATCHER_LEASE") != "" {
		if status := r.app.host(ctx, []string{"record", "path", dir}); status != ExitDone {
			return exitRig, fault.New(fault.Ours, "the host did not take note of the folder %s", dir)
		}
	}
	var tools tool.Tools
	err = tools.Run(ctx, tool.Command{Doing: "unpack the source", Name: "tar", Args: []string{"--extract", "--file", r.source, "--directory", dir, "--no-same-owner"}})
	if err == nil {
		err = os.WriteFile(filepath.Join(dir, "auto.conf"), []byte(r.cell.Conf), 0o644)
	}
	if err != nil {
		return exitRig, err
	}
	env := r.variables()
	for _, name := range []string{"PATH", "HOME", "USER", "LANG", "TMPDIR"} {
		env = append(env, name+"="+r.app.Getenv(name))
	}
	work := filepath.Join(dir, "source")
	limited, cancel := r.limit(ctx)
	defer cancel()
	tools.Env, tools.Log = env, r.errs
	status, err := r.status(limited, tools.Run(limited, tool.Command{
		Doing: "run the test", Name: "sh", Args: []string{"-c", r.cell.Command}, Dir: work, Stdout: r.said,
	}))
	for _, path := range r.cell.Results {
		from := filepath.Join(work, path)
		if _, statErr := os.Lstat(from); statErr != nil {
			fmt.Fprintf(r.app.Stderr, "  %s is not there, and so not kept\n", printable(path))
			continue
		}
		tools.Log = nil
		err = errors.Join(err, tools.Run(context.WithoutCancel(ctx), tool.Command{
			Doing: "keep " + path, Name: "cp", Args: []string{"--recursive", "--no-dereference", "--", from, r.kept(path)},
		}))
	}
	return status, err
}
