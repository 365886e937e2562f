// SPDX-License-Identifier: BSD-3-Clause

package action

import (
	"bytes"
	"errors"
	"fmt"
	"strings"
	"sync"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// start returns an Action in a step with the given environment, and its log.
func start(pairs ...string) (*Action, *bytes.Buffer) {
	env := map[string]string{}
	for _, p := range pairs {
		name, value, _ := strings.Cut(p, "=")
		env[name] = value
	}
	log := new(bytes.Buffer)
	return New(func(name string) string { return env[name] }, log), log
}

// inRunner is a step in a runner without any of its files.
func inRunner() (*Action, *bytes.Buffer) { return start("GITHUB_ACTIONS=true") }

func want(t *testing.T, log *bytes.Buffer, text string) {
	t.Helper()
	if got := log.String(); got != text {
		t.Errorf("got:\n%s\nwant:\n%s", got, text)
	}
}

func TestMask(t *testing.T) {
	t.Parallel()
	a, log := inRunner()
	a.Mask("tok%en", "", "  ", "-----BEGIN KEY-----\r\nabc\n\n  def  \n", "\n")
	want(t, log, "::add-mask::tok%25en\n::add-mask::-----BEGIN KEY-----\n::add-mask::abc\n::add-mask::def\n")

	a, log = start()
	a.Mask("token")
	want(t, log, "") // nobody would mask it
}

func TestPrintln(t *testing.T) {
	t.Parallel()
	for _, run := range []func() (*Action, *bytes.Buffer){inRunner, func() (*Action, *bytes.Buffer) { return start() }} {
		a, log := run()
		a.Println("plain")
		a.Println("::error::x\n::error::y")
		a.Println("    ::error::indented")
		a.Println("##[group]x")
		a.Println("text\r and 7")
		a.Println("")
		want(t, log, "plain\n: :error::x ::error::y\n    : :error::indented\n## [group]x\ntext  and 7\n\n")
	}
}

func TestGroup(t *testing.T) {
	t.Parallel()
	a, log := inRunner()
	a.Group("one\n::error::x")
	a.EndGroup()
	want(t, log, "::group::one ::error::x\n::endgroup::\n")

	a, log = start()
	a.Group("one")
	a.EndGroup()
	want(t, log, "one\n")
}

func TestAnnotations(t *testing.T) {
	t.Parallel()
	a, log := inRunner()
	a.Notice("100%\nsure")
	a.Warning("::error::x")
	a.Error("failed to push")
	a.Close()
	want(t, log, "::notice::100%25 sure\n::warning::: :error::x\n::error::failed to push\n")

	a, log = start()
	a.Warning("slow\nserver")
	a.Close()
	want(t, log, "warning: slow server\n")
}

// TestAnnotationCap: the runner shows ten of a kind; the rest is counted.
func TestAnnotationCap(t *testing.T) {
	t.Parallel()
	for _, n := range []int{9, 10, 11, 25} {
		a, log := inRunner()
		for i := range n {
			a.Error(fmt.Sprintf("number %d", i+1))
		}
		a.Notice("once")
		a.Close()
		if got := strings.Count(log.String(), "::error::"); got != min(n, maxMarks) {
			t.Errorf("%d errors: got %d annotations", n, got)
		}
		for i := range n {
			if !strings.Contains(log.String(), fmt.Sprintf("number %d\n", i+1)) {
				t.Errorf("%d errors: number %d is not told", n, i+1)
			}
		}
		if rest := fmt.Sprintf("::error::%d more of this kind", n-9); strings.Contains(log.String(), rest) != (n > 10) {
			t.Errorf("%d errors: the rest is not counted right:\n%s", n, log)
		}
		if strings.Count(log.String(), "::notice::once\n") != 1 {
			t.Errorf("%d errors: the notice is lost", n)
		}
	}
}

// TestTitled: a result for programs is among the ten that the runner takes,
// however many others came before or come after it.
func TestTitled(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ before, after int }{{0, 0}, {9, 0}, {10, 0}, {25, 3}, {0, 9}, {0, 10}, {4, 30}} {
		a, log := inRunner()
		for range c.before {
			a.Error("x")
		}
		a.Titled(true, "a: result, of 100%", `{"why":"50% \u003a:"}`)
		for range c.after {
			a.Error("x")
		}
		a.Close()
		const line = "::error title=a%3A result%2C of 100%25::{\"why\":\"50%25 \\u003a:\"}\n"
		if got := strings.Count(log.String(), "::error"); strings.Count(log.String(), line) != 1 || got != min(c.before+c.after+1, maxMarks) {
			t.Errorf("%+v: got %d annotations:\n%s", c, got, log)
		}
	}
	a, log := inRunner()
	a.Titled(false, "result", "{}")
	want(t, log, "::notice title=result::{}\n")
	a, log = start()
	a.Titled(false, "result", "{}")
	want(t, log, "") // nobody would understand it
}

func TestLongAnnotation(t *testing.T) {
	t.Parallel()
	a, log := inRunner()
	a.Error(strings.Repeat("\u00e4", 5000))
	if n := log.Len(); n > 4096 || n < 3900 {
		t.Errorf("got %d bytes, want a little less than 4096", n)
	}
}

func TestInput(t *testing.T) {
	t.Parallel()
	a, _ := start("INPUT_GERRIT-URL= https://x \n")
	if got := a.Input("gerrit-url"); got != "https://x" {
		t.Errorf("got %q", got)
	}
}

// broken is a log that nothing can be written to.
type broken struct{}

func (broken) Write([]byte) (int, error) { return 0, errors.New("disk full") }

func TestBrokenLog(t *testing.T) {
	t.Parallel()
	a := New(func(string) string { return "true" }, broken{})
	if err := a.Err(); err != nil {
		t.Fatal(err)
	}
	a.Mask("x")
	a.Group("x")
	a.Error("x")
	a.Println("x")
	if err := a.Err(); !errors.Is(err, fault.Ours) || !strings.Contains(err.Error(), "disk full") {
		t.Errorf("got %v, want the disk's error", err)
	}
}

func TestConcurrentUse(t *testing.T) {
	t.Parallel()
	a, log := inRunner()
	var wg sync.WaitGroup
	for range 8 {
		wg.Go(func() {
			for range 20 {
				a.Println("line")
				a.Warning("careful")
				a.Mask("secret")
			}
		})
	}
	wg.Wait()
	a.Close()
	if got, want := strings.Count(log.String(), "\n"), 8*20*3+1; got != want {
		t.Errorf("got %d lines, want %d", got, want)
	}
}
