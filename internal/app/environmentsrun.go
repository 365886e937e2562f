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
