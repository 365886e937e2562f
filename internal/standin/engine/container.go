// SPDX-License-Identifier: BSD-3-Clause

package engine

import (
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"syscall"
	"time"
)

// Files beside the programs that say what a container's life is like.
const (
	// StartError is why "docker start" fails: the container never runs, its state
	// keeps the text as Error, and 127 as its ExitCode; the program ends with 1
	// (containerStart and setExitCodeFromError in moby's daemon, RunStart in
	// docker/cli's cli/command/container/start.go).
	StartError = "start-error"
	// CannotExec is what an image says that can run nothing: the container starts, and
	// its first process ends with 1 (255 with newer ones) before it is sh, which the
	// state does not tell from a command's own end (runc's init_linux.go).
	CannotExec = "cannot-exec"
	// LostWhileRunning makes "docker start --attach" lose the daemon while the
	// container goes on: it ends with 1 and says "unexpected EOF".
	LostWhileRunning = "lost-while-running"
	// LostAtEnd makes it fail to learn how the container ended: 125
	// (waitExitOrRemoved in docker/cli's utils.go), where the state says 255 as after
	// a restart of the daemon (restore in moby's daemon/daemon.go).
	LostAtEnd = "lost-at-end"
	// EndError is an error that comes with the end of a container
	// (handleContainerExit in moby's daemon/monitor.go).
	EndError = "end-error"
	// OutOfMemory is how the kernel ends a container that takes too much of it: 137,
	// and OOMKilled in the state.
	OutOfMemory = "out-of-memory"
)

// state is what "docker inspect" prints as .State (daemon/container/state.go in
// moby).
type state struct {
	Status     string
	Running    bool
	OOMKilled  bool
	Pid        int
	ExitCode   int
	Error      string
	StartedAt  time.Time
	FinishedAt time.Time
}

// container is a folder: what is in it, what it runs, and its state.
type container string

func (c container) file(name string) string { return filepath.Join(string(c), name) }

func (p program) container(id string) container {
	return container(filepath.Join(p.dir, "containers", filepath.Base(id)))
}

func (c container) state() (s state, err error) {
	text, err := os.ReadFile(c.file("state"))
	if err != nil {
		return s, fmt.Errorf("error: no such container: %s", filepath.Base(string(c)))
	}
	return s, json.Unmarshal(text, &s)
}

func (c container) setState(s state) error {
	text, err := json.Marshal(s)
	if err != nil {
		return err
	}
	return os.WriteFile(c.file("state"), text, 0o644)
}

// create makes a container of "create FLAGS --entrypoint sh IMAGE -c COMMAND" and
// prints its id.
func (p program) create() error {
	dir, err := os.MkdirTemp(p.dir, "containers-")
	if err != nil {
		return err
	}
	id := strings.TrimPrefix(filepath.Base(dir), "containers-")
	c := p.container(id)
	if err := errors.Join(os.MkdirAll(filepath.Dir(string(c)), 0o755), os.Rename(dir, string(c)), os.MkdirAll(c.file("root/dispatcher/source"), 0o755)); err != nil {
		return err
	}
	var env []string
	for i, a := range p.args[:len(p.args)-2] {
		if a == "--env" {
			env = append(env, p.args[i+1])
		}
	}
	text, err := json.Marshal(struct{ Env, Args []string }{env, append([]string{p.flag("--entrypoint")}, p.args[len(p.args)-2:]...)})
	fmt.Println(id)
	return errors.Join(err, os.WriteFile(c.file("config"), text, 0o644), c.setState(state{Status: "created"}))
}

// probe is "run --entrypoint sh IMAGE -c COMMAND", with the failures of a start.
func (p program) probe() error {
	if text, ok := p.behaves(StartError); ok {
		return daemonSaid("%s", text)
	}
	if text, ok := p.behaves(CannotExec); ok {
		return errors.New(text)
	}
	return nil
}

// copy is "cp - ID:DIR", "cp ID:PATH FILE" and "cp ID:PATH -".
func (p program) copy() error {
	from, to := p.args[1], p.args[2]
	if from == "-" {
		id, dir, _ := strings.Cut(to, ":")
		cmd := exec.Command("sh", "-c", `gzip -dcf | tar -x -f - -C "$0"`, p.container(id).file("root"+dir))
		cmd.Stdin, cmd.Stderr = os.Stdin, os.Stderr
		return cmd.Run()
	}
	id, path, _ := strings.Cut(from, ":")
	if _, err := os.Lstat(p.container(id).file("root" + path)); err != nil {
		return daemonSaid("Could not find the file %s in container %s", path, id)
	}
	file := p.container(id).file("root" + path)
	if to == "-" {
		cmd := exec.Command("tar", "-c", "-f", "-", "-C", filepath.Dir(file), filepath.Base(file))
		cmd.Stdout, cmd.Stderr = os.Stdout, os.Stderr
		return cmd.Run()
	}
	return exec.Command("cp", "-R", file, to).Run()
}

// start is "start --attach ID". What a container's first process leaves ends with
// it, as in a PID namespace (pid_namespaces(7)).
func (p program) start(id string) error {
	c := p.container(id)
	s, err := c.state()
	if err != nil {
		return err
	}
	if text, ok := p.behaves(StartError); ok {
		s.Error, s.ExitCode = text, 127
		return errors.Join(c.setState(s), daemonSaid("%s", text))
	}
	if text, ok := p.behaves(CannotExec); ok {
		s.Status, s.ExitCode, s.StartedAt = "exited", 1, time.Now()
		return errors.Join(c.setState(s), errors.New(text))
	}
	text, err := os.ReadFile(c.file("config"))
	if err != nil {
		return err
	}
	var config struct{ Env, Args []string }
	if err := json.Unmarshal(text, &config); err != nil {
		return err
	}
	cmd := exec.Command(config.Args[0], config.Args[1:]...)
	cmd.Dir, cmd.Env = c.file("root/dispatcher/source"), append(config.Env, "PATH="+os.Getenv("PATH"))
	cmd.SysProcAttr = &syscall.SysProcAttr{Setpgid: true}
	out, err := cmd.StdoutPipe()
	if err != nil {
		return err
	}
	cmd.Stderr = cmd.Stdout
	if err := cmd.Start(); err != nil {
		return err
	}
	s.Status, s.Running, s.Pid, s.StartedAt = "running", true, cmd.Process.Pid, time.Now()
	if err := c.setState(s); err != nil {
		return err
	}
	if _, ok := p.behaves(LostWhileRunning); ok {
		return errors.New("unexpected EOF")
	}
	copied := make(chan struct{})
	go func() {
		io.Copy(os.Stdout, out)
		close(copied)
	}()
	first, err := cmd.Process.Wait()
	if err != nil {
		return err
	}
	syscall.Kill(-cmd.Process.Pid, syscall.SIGKILL) // none is fine
	<-copied
	return p.ended(c, s, first)
}

// ended notes how a container ended, and ends the program with its status.
func (p program) ended(c container, s state, first *os.ProcessState) error {
	s.Status, s.Running, s.Pid, s.FinishedAt, s.ExitCode = "exited", false, 0, time.Now(), first.ExitCode()
	if w, ok := first.Sys().(syscall.WaitStatus); ok && w.Signaled() {
		s.ExitCode = 128 + int(w.Signal())
	}
	says := s.ExitCode
	if _, ok := p.behaves(OutOfMemory); ok {
		s.OOMKilled, s.ExitCode, says = true, 137, 137
	}
	if _, ok := p.behaves(LostAtEnd); ok {
		fmt.Fprintln(os.Stderr, "error waiting for container: unexpected EOF")
		s.ExitCode, says = 255, 125
	}
	s.Error, _ = p.behaves(EndError)
	if err := c.setState(s); err != nil {
		return err
	}
	os.Exit(says)
	return nil
}

// kill is "kill ID".
func (p program) kill(id string) error {
	s, err := p.container(id).state()
	if err != nil {
		return err
	}
	if !s.Running {
		return daemonSaid("container %s is not running", id)
	}
	syscall.Kill(-s.Pid, syscall.SIGKILL)
	return nil
}

// daemonSaid is an error as docker prints it.
func daemonSaid(format string, args ...any) error {
	return fmt.Errorf("%s", "Error response from daemon: "+fmt.Sprintf(format, args...))
}

// behaves returns the text of one of the files that say what is to happen.
func (p program) behaves(name string) (string, bool) {
	text, err := os.ReadFile(filepath.Join(p.dir, name))
	return strings.TrimSpace(string(text)), err == nil
}
