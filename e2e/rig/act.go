// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"syscall"
	"time"

	"go.yaml.in/yaml/v3"

	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// actLabel marks what is left in Docker, so that it can be found again.
const actLabel = "dispatcher-e2e=act"

// Act executes runs of a GitHub stand-in: nektos/act runs their jobs in Docker,
// on the host's network, and what becomes of them flows back while they run. A
// rerun runs all jobs again.
type Act struct {
	Hub *github.Server
	// Dir is a folder for checkouts, artifacts and logs.
	Dir string
	// Image is what jobs run in on GitHub's labels.
	Image string
	// Labs are the images of self-hosted runners, by a label of theirs. No runner
	// takes a job with other labels.
	Labs map[string]string
	// Binary is the dispatcher's program, which jobs find by DISPATCHER_BINARY: the
	// image sets that, as a runner's file .env does.
	Binary string
	// Actions are folders that stand in for repositories, by OWNER/NAME@REF.
	Actions map[string]string
	// Secrets and Variables are those of every repository; GITHUB_TOKEN is the
	// job's own token.
	Secrets, Variables map[string]string
	// Volumes are more mounts of jobs, FROM:TO.
	Volumes []string
	// Log is told what act itself has to say.
	Log func(format string, args ...any)
}

// Start checks that act and Docker are here, removes what an earlier run left,
// and has the stand-in's runs executed until ctx ends. What it returns waits
// until nothing runs.
func (a *Act) Start(ctx context.Context) (idle func(), err error) {
	if _, err := actProgram(); err != nil {
		return nil, err
	}
	if err := a.Clean(ctx); err != nil {
		return nil, err
	}
	return a.Hub.RunWith(ctx, func(ctx context.Context, run github.Run) {
		if err := a.execute(ctx, run); err != nil {
			a.Log("act: %v", err)
			a.Hub.SetRunState(run.ID, "completed", "startup_failure")
		}
	}), nil
}

// Clean removes the containers that jobs ran in, and what builds of other days
// left without a name.
func (a *Act) Clean(ctx context.Context) error {
	list, err := docker(ctx, "ps", "--all", "--quiet", "--filter", "label="+actLabel)
	if err == nil && list != "" {
		_, err = docker(ctx, append([]string{"rm", "--force", "--volumes"}, strings.Fields(list)...)...)
	}
	_, pruneErr := docker(ctx, "image", "prune", "--force", "--filter", "label="+actLabel, "--filter", "until=24h")
	return errors.Join(err, pruneErr)
}

func actProgram() (string, error) {
	act, err := exec.LookPath("act")
	if err != nil {
		home, _ := os.UserHomeDir() // without one the next line finds nothing
		act = filepath.Join(home, "go/bin/act")
		if _, err := os.Stat(act); err != nil {
			return "", fmt.Errorf("failed to find act: %w (%s)", err, installHint)
		}
	}
	return act, nil
}

// execute runs one attempt from its checkout to its end.
func (a *Act) execute(ctx context.Context, run github.Run) error {
	dir := filepath.Join(a.Dir, fmt.Sprintf("%d-%d", run.ID, run.Attempt))
	work, artifacts := filepath.Join(dir, filepath.Base(run.Repository)), a.artifactDir(run.ID)
	if err := os.MkdirAll(artifacts, 0o777); err != nil {
		return err
	}
	if err := os.Chmod(artifacts, 0o777); err != nil { // jobs are not root
		return err
	}
	git := Git{Dir: a.Dir}
	if _, err := git.Run(ctx, "clone", "-q", "--no-checkout", a.Hub.Repository(run.Repository).Dir(), work); err != nil {
		return err
	}
	if _, err := (Git{Dir: work}).Run(ctx, "checkout", "-q", "--detach", run.Head); err != nil {
		return err
	}
	file := filepath.Join(".github/workflows", run.Workflow)
	callers, err := callingJobs(filepath.Join(work, file))
	if err != nil {
		return err
	}
	args, err := a.arguments(run, dir, artifacts)
	if err != nil {
		return err
	}
	kept := keeper{hub: a.Hub, run: run.ID, dir: artifacts, seen: map[string]bool{}}
	return a.run(ctx, run, &actLog{workflow: run.Name, callers: callers}, kept, work, append(args, "-W", file))
}

// callingJobs are the jobs of a workflow that call another one.
func callingJobs(file string) ([]string, error) {
	data, err := os.ReadFile(file)
	if err != nil {
		return nil, err
	}
	var content struct {
		Jobs map[string]struct{ Uses, Name string }
	}
	if err := yaml.Unmarshal(data, &content); err != nil {
		return nil, err
	}
	var callers []string
	for _, id := range slices.Sorted(maps.Keys(content.Jobs)) {
		if j := content.Jobs[id]; j.Uses != "" && j.Name != "" {
			callers = append(callers, j.Name)
		} else if j.Uses != "" {
			callers = append(callers, id)
		}
	}
	return callers, nil
}

// run starts act and passes on what it says.
func (a *Act) run(ctx context.Context, run github.Run, log *actLog, kept keeper, work string, args []string) error {
	act, err := actProgram()
	if err != nil {
		return err
	}
	said, err := os.Create(filepath.Join(filepath.Dir(work), "act.log"))
	if err != nil {
		return err
	}
	defer said.Close()
	cmd := exec.CommandContext(ctx, act, args...)
	cmd.Dir, cmd.Stderr = work, said
	cmd.Env = []string{"PATH=" + os.Getenv("PATH"), "HOME=" + filepath.Dir(work)}
	if host := os.Getenv("DOCKER_HOST"); host != "" {
		cmd.Env = append(cmd.Env, "DOCKER_HOST="+host) // the daemon that all else here speaks to
	}
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true, Pdeathsig: syscall.SIGKILL}
	cmd.Cancel = func() error { return cmd.Process.Signal(syscall.SIGTERM) }
	cmd.WaitDelay = time.Minute
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	runtime.LockOSThread() // the death signal is that of the thread
	defer runtime.UnlockOSThread()
	if err := cmd.Start(); err != nil {
		return err
	}
	lines := bufio.NewReader(io.TeeReader(out, said))
	for {
		line, err := lines.ReadBytes('\n')
		if log.take(line) {
			if err := kept.keep(); err != nil {
				a.Log("act: %v", err) // the next try may find it whole
			}
			a.Hub.Progress(run, false, log.list()...)
		}
		if err != nil {
			break
		}
	}
	err = errors.Join(cmd.Wait(), kept.keep())
	if len(log.jobs) == 0 {
		tail, _ := os.ReadFile(said.Name()) // the failure is told anyway
		return fmt.Errorf("%s ran no job: %w\n%s", run.Workflow, errors.Join(err, ctx.Err()), tail[max(0, len(tail)-4<<10):])
	}
	a.Hub.Progress(run, true, log.finish(time.Now().UTC())...)
	return nil
}
