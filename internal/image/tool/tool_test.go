// SPDX-License-Identifier: BSD-3-Clause

package tool

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// TestMain is also the program that the tests run.
func TestMain(m *testing.M) {
	switch os.Getenv("TOOL_TEST") {
	case "":
		os.Exit(m.Run())
	case "echo":
		fmt.Print(strings.Join(os.Args[1:], "|"))
	case "fail":
		fmt.Fprint(os.Stderr, strings.Repeat("early\n", 1000)+"\x1b[31mthe reason\x1b[0m\n::error::x\n")
		os.Exit(3)
	case "full":
		fmt.Fprintln(os.Stderr, "write error: No space left on device")
		os.Exit(1)
	case "hang":
		fmt.Println("up")
		select {}
	case "long":
		for range 5000 {
			fmt.Print(strings.Repeat("x", 1024))
		}
	}
}

func command(mode string, args ...string) Command {
	return Command{Doing: "test", Name: "prog", Args: args, Env: []string{"TOOL_TEST=" + mode}}
}

func tools(t *testing.T) Tools {
	t.Helper()
	self, err := os.Executable()
	if err != nil {
		t.Fatal(err)
	}
	return Tools{Path: func(name string) (string, error) {
		if name != "prog" {
			return "", os.ErrNotExist
		}
		return self, nil
	}}
}

func TestRun(t *testing.T) {
	t.Parallel()
	x := tools(t)
	if got, err := x.Output(t.Context(), command("echo", "a b", "$(id)", ";")); got != "a b|$(id)|;" || err != nil {
		t.Errorf("got %q, %v", got, err)
	}
	err := x.Run(t.Context(), command("fail"))
	exit, ok := errors.AsType[*ExitError](err)
	if !ok || exit.Status != 3 || !strings.HasSuffix(exit.Tail, "the reason[0m\n::error::x") || strings.ContainsRune(exit.Tail, 0x1b) || len(exit.Tail) > maxTail {
		t.Errorf("got %q", err)
	}
	if !errors.Is(err, fault.Ours) || !strings.HasPrefix(err.Error(), "failed to test: prog ended with status 3:\n") {
		t.Errorf("got %q", err)
	}
	if err := x.Run(t.Context(), command("full")); !strings.Contains(fault.HintOf(err), "make room") {
		t.Errorf("a full disk: got %v (%q)", err, fault.HintOf(err))
	}
	if _, err := x.Output(t.Context(), command("long")); err == nil {
		t.Error("an endless output was taken")
	}
	missing := Command{Doing: "test", Name: "other"}
	if err := x.Run(t.Context(), missing); !errors.Is(err, fault.Configuration) || !strings.Contains(err.Error(), "other was not found") {
		t.Errorf("a missing program: got %v", err)
	}
}

// TestCancel: a program ends with its context, and the cause is told.
func TestCancel(t *testing.T) {
	t.Parallel()
	ctx, cancel := context.WithCancelCause(t.Context())
	c := command("hang")
	c.Stdout = writer(func() { cancel(errors.New("the time is over")) })
	err := tools(t).Run(ctx, c)
	if err == nil || !strings.Contains(err.Error(), "the time is over") || fault.KindOf(err) != fault.Unknown {
		t.Errorf("got %v", err)
	}
}

// writer calls a function when something is written.
type writer func()

func (w writer) Write(p []byte) (int, error) { w(); return len(p), nil }

func TestClean(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		in   string
		max  int
		want string
	}{
		{"a\nb\n", 100, "a\nb"}, {"one\ntwo", 5, "two"}, {"\x1b[1mx\r\u202e\n", 100, "[1mx"}, {"", 10, ""}, {"\xff\xfeok", 10, "ok"},
	} {
		if got := Clean(c.in, c.max); got != c.want {
			t.Errorf("%q: got %q, want %q", c.in, got, c.want)
		}
	}
}
