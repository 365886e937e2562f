// SPDX-License-Identifier: BSD-3-Clause

// Package app is the program: its commands, one file each, and the wiring of
// the packages that do the work. It decides nothing itself.
package app

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/url"
	"os"
	"time"

	"golang.org/x/term"

	"github.com/spdk-community-ci/dispatcher/internal/guest"
)

// The exit statuses, as the README documents them.
const (
	ExitDone          = 0
	ExitFailed        = 1 // something failed for some change; the others went on
	ExitConfiguration = 2 // a setting or a right must be changed by a person
)

// App is the whole program with its ways to the outside.
type App struct {
	Stdin          io.Reader
	Stdout, Stderr io.Writer
	Getenv         func(string) string
	ReadFile       func(string) ([]byte, error)
	Now            func() time.Time
	Sleep          func(context.Context, time.Duration) error
	// Transport, if not nil, carries all requests instead of real connections.
	Transport http.RoundTripper
	// Proxy names the proxy for a request; nil uses none.
	Proxy func(*http.Request) (*url.URL, error)
	// Idle is how long a git server may stand still; 0 is gitwire's own limit.
	Idle time.Duration
	// Terminal says that a person watches Stderr; Colour that Stdout shows colours.
	Terminal, Colour bool
	// Version is what "dispatcher version" prints.
	Version string
	// minute is how long a minute of a test's time limit is; 0 is a minute.
	minute time.Duration
	// githubRegistry is the host of GitHub's registry; empty is the real one's.
	githubRegistry string
	// kvm is what guests have found out about this host; nil remembers nothing.
	kvm *guest.Findings
}

// New returns the program as it runs on this machine.
func New() *App {
	return &App{
		Stdin: os.Stdin, Stdout: os.Stdout, Stderr: os.Stderr,
		Getenv: os.Getenv, ReadFile: os.ReadFile,
		Now: time.Now, Sleep: sleep, Proxy: http.ProxyFromEnvironment,
		Terminal: term.IsTerminal(int(os.Stderr.Fd())),
		Colour:   term.IsTerminal(int(os.Stdout.Fd())) && os.Getenv("NO_COLOR") == "",
		Version:  buildVersion(),
		kvm:      new(guest.Findings),
	}
}

// sleep waits for d or for the end of ctx.
func sleep(ctx context.Context, d time.Duration) error {
	timer := time.NewTimer(d)
	defer timer.Stop()
	select {
	case <-timer.C:
		return nil
	case <-ctx.Done():
		return ctx.Err()
	}
}

// command is one thing that the program does.
type command struct {
	name, synopsis string
	run            func(a *App, ctx context.Context, args []string) int
}

// commands are all of them, in the order of the help text.
func commands() []command {
	list := []command{
		{"sync", "one pass: relay new patchsets and start their workflows", (*App).sync},
		{"report", "tell Gerrit what became of a run: in the last job of a workflow", (*App).report},
	}
	list = append(list, hostCommands()...)
	return append(list, []command{
		{"demo", "the same against servers of its own, on this machine, to look at", (*App).demo},
		{"schema", "print the JSON Schema of the configuration file", (*App).schema},
		{"version", "print the version", (*App).version},
		{"help", "print this text", (*App).help},
	}...)
}

// Main runs the program with its arguments, the name left out, and returns its
// exit status. Without a command the input "command" decides, as in an action.
func (a *App) Main(ctx context.Context, args []string) int {
	name := a.Getenv("INPUT_COMMAND")
	if len(args) > 0 && (args[0] == "-h" || args[0] == "--help") {
		name, args = "help", nil
	} else if len(args) > 0 && args[0] != "" && args[0][0] != '-' {
		name, args = args[0], args[1:]
	}
	if name == "" {
		if a.Getenv("GITHUB_ACTIONS") != "true" && len(args) == 0 {
			a.help(ctx, nil)
			return ExitConfiguration
		}
		name = "sync"
	}
	a.sayBuilt()
	for _, c := range commands() {
		if c.name == name {
			return c.perform(ctx, a, args)
		}
	}
	fmt.Fprintf(a.Stderr, "dispatcher: there is no command %q; dispatcher help lists them\n", name)
	return ExitConfiguration
}

func (a *App) help(context.Context, []string) int {
	fmt.Fprint(a.Stdout, "dispatcher gives projects that review on Gerrit their CI on GitHub Actions.\n\nUsage: dispatcher COMMAND [flags]\n\n")
	for _, c := range commands() {
		fmt.Fprintf(a.Stdout, "  %-12s  %s\n", c.name, c.synopsis)
	}
	fmt.Fprint(a.Stdout, "\ndispatcher COMMAND --help explains a command. Exit status: 0 done, 1 something\nfailed for some change (the others went on), 2 the configuration must be changed.\n")
	return ExitDone
}
