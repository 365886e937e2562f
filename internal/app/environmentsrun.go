// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"sync"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// The exit statuses of run that are not the command's own. A command may end with
// them, too: the mark and result.json say which it was.
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

// prepare is "environments prepare". Where it fails no test will run, so it says
// how that ended.
func (c *environmentsCommand) prepare(ctx context.Context) (int, error) {
	if err := c.parse(flag.NewFlagSet("prepare", flag.ContinueOnError), 0); err != nil {
		return 0, err
	}
	cell, err := c.cell()
	status := ExitDone
	switch {
	case err != nil:
	case cell.Kind == environments.Docker:
		err = c.pull(ctx, cell.Image)
	case cell.Kind == environments.Guest && filepath.IsAbs(cell.Image):
		err = c.out.SetOutput("file", cell.Image)
	case cell.Kind == environments.Guest:
		// It tells by itself, and sets the output.
		if status = c.app.image(ctx, []string{"pull", cell.Image}); status != ExitDone {
			ending{status: status, rig: fault.New(fault.Ours, "the disk image %s could not be fetched", cell.Image)}.mark(c.out, cell)
		}
	}
	if err != nil {
		status = c.end(ExitDone, err)
		ending{status: status, rig: err}.mark(c.out, cell)
	}
	return status, nil
}

// run is "environments run".
func (c *environmentsCommand) run(ctx context.Context) (int, error) {
	r := cellRun{environmentsCommand: c}
	set := flag.NewFlagSet("run", flag.ContinueOnError)
	set.StringVar(&r.source, "source", "source.tar.gz", "tarball of the source, in a folder source")
	set.StringVar(&r.results, "results", "results", "folder for the results")
	set.StringVar(&r.image, "image", "", "disk of a guest")
	err := c.parse(set, 0)
	if errors.Is(err, flag.ErrHelp) {
		return ExitDone, err
	}
	if err == nil {
		r.cell, err = c.cell()
	}
	if err == nil {
		_, err = os.Stat(r.source)
	}
	if err == nil {
		err = r.fresh()
	}
	end := ending{status: exitRig, rig: err}
	if err == nil {
		end = r.test(ctx)
	}
	if end.rig != nil && !end.told {
		c.app.tell(c.out, asConfigProblems(end.rig))
	}
	end.mark(c.out, r.cell)
	return end.status, nil
}

// Files beside the results.
const (
	logFile     = environments.LogFile
	consoleFile = environments.ConsoleFile
)

// test runs the command, and keeps what it left whatever became of it. When it
// returns nothing of the test runs any more, and the runner obeys again.
func (r *cellRun) test(ctx context.Context) ending {
	begin := r.app.Now()
	log, err := os.OpenFile(filepath.Join(r.results, logFile), os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return ending{status: exitRig, rig: err}
	}
	kept := &copyOf{file: log}
	// "guest run" stops the runner's commands by itself, and around the test alone.
	pass := newPassage(r.app.Stdout, r.app.Stderr, r.out.InActions() && r.cell.Kind != environments.Guest)
	r.said, r.errs = io.MultiWriter(pass.stdout(), kept), io.MultiWriter(pass.stderr(), kept)
	end := r.kind()(ctx)
	pass.end()
	if end.rig != nil {
		fmt.Fprintln(kept, "dispatcher: the rig failed:", end.why())
	}
	result := environments.Result{
		ID: r.cell.ID, Name: r.cell.Name, Kind: r.cell.Kind, Optional: r.cell.Optional, Status: end.status,
		Seconds: r.app.Now().Sub(begin).Round(time.Second / 10).Seconds(), TimedOut: end.timedOut, RigFailed: end.why(),
	}
	if end.remark != "" {
		r.out.Warning(end.remark)
	}
	if result.TimedOut {
		r.out.Error(fmt.Sprintf("the test took longer than its limit of %d minutes", r.cell.Minutes))
	}
	// A run that somebody stopped says nothing about the host.
	failed := result.RigFailed
	if end.interrupted {
		failed = ""
	}
	// The test is over: what cannot be kept of it does not change how it ended.
	if err := errors.Join(kept.close(), r.keep(result), r.out.SetOutput("rig-failed", failed)); err != nil {
		r.out.Warning("the results are not complete: " + err.Error())
	}
	return end
}

func (r *cellRun) kind() func(context.Context) ending {
	switch r.cell.Kind {
	case environments.Docker:
		return r.inContainer
	case environments.Guest:
		return r.inGuest
	}
	return r.onHost
}

// copyOf is a file that gets what is written as long as it can. It never fails:
// a test does not end for want of space for its log.
type copyOf struct {
	mu   sync.Mutex
	file *os.File
	err  error
}

// Write never fails.
func (c *copyOf) Write(p []byte) (int, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.err == nil {
		_, c.err = c.file.Write(p)
	}
	return len(p), nil
}

func (c *copyOf) close() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	err := errors.Join(c.err, c.file.Close())
	c.err = os.ErrClosed
	return err
}

// limit is the context of the command itself.
func (r *cellRun) limit(ctx context.Context) (context.Context, context.CancelFunc) {
	return context.WithTimeout(ctx, r.time())
}

// time is how long the command may take.
func (r *cellRun) time() time.Duration {
	return time.Duration(r.cell.Minutes) * cmp.Or(r.app.minute, time.Minute)
}

// variables are what the command is told beside auto.conf.
func (r *cellRun) variables() []string {
	return []string{
		"CI=true", "DISPATCHER_ENVIRONMENT=" + r.cell.Environment,
		fmt.Sprintf("DISPATCHER_SHARD=%d", r.cell.Shard), fmt.Sprintf("DISPATCHER_SHARDS=%d", r.cell.Shards),
	}
}
