// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"encoding/json"
	"errors"
	"flag"
	"fmt"
	"io"
	"io/fs"
	"os"
	"path/filepath"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// The exit statuses of run that are not the command's own. From exitRig on the
// verdict is that there is none (docs/verdicts.md).
const (
	exitTooLong = 124 // as timeout(1) has it
	exitRig     = 125
)

// cellRun is one run of a cell.
type cellRun struct {
	*environmentsCommand
	cell environments.Cell
	// source is the tarball, results the folder to fill, image a guest's disk.
	source, results, image string
	// said and errs are where the command's output goes.
	said, errs io.Writer
}

// prepare is "environments prepare".
func (c *environmentsCommand) prepare(ctx context.Context) (int, error) {
	if err := c.parse(flag.NewFlagSet("prepare", flag.ContinueOnError), 0); err != nil {
		return 0, err
	}
	cell, err := environments.ParseCell(c.app.Getenv("CELL"))
	switch {
	case err != nil:
		return 0, err
	case cell.Kind == environments.Docker:
		return 0, c.pull(ctx, cell.Image)
	case cell.Kind == environments.Guest && filepath.IsAbs(cell.Image):
		return 0, c.out.SetOutput("file", cell.Image)
	case cell.Kind == environments.Guest:
		return c.app.image(ctx, []string{"pull", cell.Image}), nil // it tells by itself, and sets the output
	}
	return 0, nil
}

// run is "environments run".
func (c *environmentsCommand) run(ctx context.Context) (int, error) {
	r := cellRun{environmentsCommand: c}
	set := flag.NewFlagSet("run", flag.ContinueOnError)
	set.StringVar(&r.source, "source", "source.tar.gz", "tarball of the source, in a folder source")
	set.StringVar(&r.results, "results", "results", "folder for the results")
	set.StringVar(&r.image, "image", "", "disk of a guest")
	err := c.parse(set, 0)
	if err == nil {
		r.cell, err = environments.ParseCell(c.app.Getenv("CELL"))
	}
	if err == nil {
		_, err = os.Stat(r.source)
	}
	if err == nil {
		err = os.MkdirAll(r.results, 0o755)
	}
	if err != nil {
		return exitRig, err
	}
	return r.test(ctx)
}

// test runs the command, and keeps what it left whatever became of it.
func (r *cellRun) test(ctx context.Context) (int, error) {
	begin := r.app.Now()
	log, err := os.Create(filepath.Join(r.results, "log.txt"))
	if err != nil {
		return exitRig, err
	}
	defer log.Close()
	// "guest run" stops the runner's commands by itself, and around the test alone.
	pass := newPassage(r.app.Stdout, r.app.Stderr, r.out.InActions() && r.cell.Kind != environments.Guest)
	r.said, r.errs = io.MultiWriter(pass.stdout(), log), io.MultiWriter(pass.stderr(), log)
	status, err := r.kind()(ctx)
	pass.end()
	result := environments.Result{
		ID: r.cell.ID, Name: r.cell.Name, Kind: r.cell.Kind, Optional: r.cell.Optional, Status: status,
		Seconds: r.app.Now().Sub(begin).Round(time.Second / 10).Seconds(), TimedOut: status == exitTooLong,
	}
	if err != nil {
		status, result.RigFailed = max(status, exitRig), change.OneLine(change.Clip(err.Error(), 500))
	} else if status >= exitRig {
		result.RigFailed = fmt.Sprintf("the rig ended with status %d", status)
	}
	if result.TimedOut {
		r.out.Error(fmt.Sprintf("the test took longer than its limit of %d minutes", r.cell.Minutes))
	}
	return status, errors.Join(err, r.keep(result), r.out.SetOutput("rig-failed", result.RigFailed))
}

func (r *cellRun) kind() func(context.Context) (int, error) {
	switch r.cell.Kind {
	case environments.Docker:
		return r.inContainer
	case environments.Guest:
		return r.inGuest
	}
	return r.onHost
}

// keep writes the result beside the results, of which only files and folders
// stay: a link could lead whoever uploads them anywhere.
func (r *cellRun) keep(result environments.Result) error {
	err := filepath.WalkDir(r.results, func(path string, d fs.DirEntry, err error) error {
		if err == nil && !d.IsDir() && !d.Type().IsRegular() {
			err = os.Remove(path)
		}
		return err
	})
	text, marshalErr := json.MarshalIndent(result, "", "  ")
	return errors.Join(err, marshalErr, os.WriteFile(filepath.Join(r.results, environments.ResultFile), append(text, '\n'), 0o644))
}

// kept is where one of the cell's results goes.
func (r *cellRun) kept(path string) string { return filepath.Join(r.results, filepath.Base(path)) }

// limit is the context of the command itself.
func (r *cellRun) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, time.Duration(r.cell.Minutes)*time.Minute)
}

// variables are what the command is told beside auto.conf.
func (r *cellRun) variables() []string {
	return []string{
		"CI=true", "DISPATCHER_ENVIRONMENT=" + r.cell.Environment,
		fmt.Sprintf("DISPATCHER_SHARD=%d", r.cell.Shard), fmt.Sprintf("DISPATCHER_SHARDS=%d", r.cell.Shards),
	}
}

// status reads how a program ended: its own status, or the failure to run it.
// A crash (128 and a signal's number) is the test's failure. What somebody else
// may have killed (SIGINT, SIGKILL, SIGTERM) stays as it is: nobody knows why.
func (r *cellRun) status(ctx context.Context, err error) (int, error) {
	exit, ended := errors.AsType[*tool.ExitError](err)
	switch {
	case err == nil:
		return 0, nil
	case errors.Is(ctx.Err(), context.DeadlineExceeded):
		return exitTooLong, nil
	case ctx.Err() != nil:
		return exitRig, fault.New(fault.Unknown, "the test was interrupted")
	case !ended:
		return exitRig, err
	}
	return ownStatus(exit.Status), nil
}

func ownStatus(status int) int {
	switch {
	case status < 0: // ended by a signal
		return 137
	case status == 130 || status == 137 || status == 143 || status < exitTooLong:
		return status
	}
	return 1
}

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
