// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"context"
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
	"github.com/spdk-community-ci/dispatcher/internal/standin/qemu"
)

// lab is a folder with an image and programs that play QEMU; what a user sees
// is written down and compared with testdata/guest in the end.
type lab struct {
	*testing.T
	dir        string
	env        map[string]string
	files      map[string]string
	transcript strings.Builder
}

func newLab(t *testing.T, behaviour ...string) *lab {
	t.Helper()
	dir, err := os.MkdirTemp("", "g") // t.TempDir may be too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	l := &lab{T: t, dir: dir, env: map[string]string{}, files: map[string]string{}}
	if _, _, err := qemu.Programs(dir, behaviour...); err != nil {
		t.Fatal(err)
	}
	l.write("base.qcow2", "QFI\xfb the base")
	return l
}

func (l *lab) write(name, text string) {
	l.Helper()
	path := filepath.Join(l.dir, name)
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		l.Fatal(err)
	}
	if err := os.WriteFile(path, []byte(text), 0o755); err != nil {
		l.Fatal(err)
	}
}

// run is dispatcher guest run with the lab's image and programs; DIR in the
// arguments is the lab's folder.
func (l *lab) run(want int, args ...string) (stdout, stderr string) {
	l.Helper()
	all := []string{"run", "--image", "DIR/base.qcow2", "--qemu", "DIR/qemu", "--qemu-img", "DIR/img", "--accel", "tcg", "--temp-dir", "DIR"}
	return l.dispatcher(want, append(all, args...)...)
}

func (l *lab) dispatcher(want int, args ...string) (stdout, stderr string) {
	l.Helper()
	var out, errOut bytes.Buffer
	a := &App{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errOut,
		Getenv: func(name string) string { return l.env[name] },
		ReadFile: func(name string) ([]byte, error) {
			text, ok := l.files[name]
			if !ok {
				return nil, &fs.PathError{Op: "open", Path: name, Err: fs.ErrNotExist}
			}
			return []byte(text), nil
		},
		Now: func() time.Time { return time.Unix(0, 0) },
		Sleep: func(ctx context.Context, d time.Duration) error {
			return sleep(ctx, min(d, 5*time.Millisecond))
		},
	}
	full := append([]string{"guest"}, args...)
	for i, arg := range full {
		full[i] = strings.ReplaceAll(arg, "DIR", l.dir)
	}
	status := a.Main(l.Context(), full)
	if status != want {
		l.Errorf("%q: got status %d, want %d\n%s%s", args, status, want, &out, &errOut)
	}
	shown := strings.Join(args, " ")
	shown = strings.Replace(shown, "run --image DIR/base.qcow2 --qemu DIR/qemu --qemu-img DIR/img --accel tcg --temp-dir DIR", "run --image base.qcow2", 1)
	fmt.Fprintf(&l.transcript, "$ dispatcher guest %s\n%s", shown, l.plain(out.String()))
	if errOut.Len() > 0 {
		fmt.Fprintf(&l.transcript, "--- stderr\n%s", l.plain(errOut.String()))
	}
	fmt.Fprintf(&l.transcript, "exit status %d\n\n", status)
	if left, _ := filepath.Glob(filepath.Join(l.dir, "dispatcher-guest-*")); len(left) > 0 {
		l.Errorf("%q: left behind: %q", args, left)
	}
	return out.String(), errOut.String()
}

// plain takes out what is another one in each run.
func (l *lab) plain(text string) string {
	text = strings.ReplaceAll(text, l.dir, "DIR")
	for pattern, with := range map[string]string{
		`dispatcher-guest-[0-9]+`: "dispatcher-guest-N", `127\.0\.0\.1:[0-9]+`: "127.0.0.1:PORT", `dispatcher-[A-Z2-7]{26}`: "TOKEN",
	} {
		text = regexp.MustCompile(pattern).ReplaceAllString(text, with)
	}
	return text
}

func (l *lab) end(name string) {
	l.Helper()
	golden.Compare(l.T, filepath.Join("testdata/guest", name+".txt"), l.transcript.String())
}

// TestGuestRun: a run ends with the command's own status, and files travel both
// ways also after a failure.
func TestGuestRun(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.env["TOKEN"] = "s3cret"
	l.write("src/autorun.sh", "#!/bin/sh\nmkdir -p ../output && echo log >../output/log && exit $1\n")
	l.run(0, "--", "echo", "hello", "$HOME")
	l.run(3, "--", "sh", "-c", "echo out; echo err >&2; exit 3")
	l.run(7, "--copy-in", "DIR/src", "--copy-out", "../output:DIR/results", "--", "./autorun.sh", "7")
	if data, err := os.ReadFile(filepath.Join(l.dir, "results/log")); err != nil || string(data) != "log\n" {
		t.Errorf("the results: got %q, %v", data, err)
	}
	l.run(0, "--env", "TOKEN", "--env", "MODE=a b", "--env", "UNSET", "--", "sh", "-c", `test "$TOKEN" = s3cret && test "$MODE" = "a b" && test -z "$UNSET"`)
	if strings.Contains(l.transcript.String()[strings.Index(l.transcript.String(), "--env TOKEN"):], "s3cret\n") {
		t.Error("the secret was printed")
	}
	l.run(252, "--timeout", "200ms", "--copy-in", "DIR/src", "--copy-out", "autorun.sh:DIR/back.sh", "--", "sh", "-c", "exec sleep 20")
	if _, err := os.Stat(filepath.Join(l.dir, "back.sh")); err != nil {
		t.Errorf("nothing was copied out after the time was up: %v", err)
	}
	l.run(253, "--copy-out", "none", "--", "true")
	l.run(4, "--copy-out", "none", "--", "sh", "-c", "exit 4")
	l.run(125, "--copy-in", "DIR/none", "--", "true")
	l.run(251, "--copy-out", "results", "--", "sh", "-c", "kill -USR1 $QEMU_PID; exec sleep 20")
	l.end("run")
}

// TestGuestFails: what goes wrong around the command has its own statuses.
func TestGuestFails(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		behaviour string
		want      int
	}{
		{qemu.Silent, 251}, {qemu.Unbootable, 251}, {qemu.Broken, 250}, {qemu.Truncated, 125},
	} {
		t.Run(c.behaviour, func(t *testing.T) {
			t.Parallel()
			l := newLab(t, c.behaviour)
			l.run(c.want, "--boot-timeout", "500ms", "--", "true")
			l.end(c.behaviour)
		})
	}
}

// TestGuestMistakes: what a person must change is told before anything starts.
func TestGuestMistakes(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.files["m.yml"] = "cpus: lots\nnvme:\n  - namespaces:\n      - {size: 1000001}\n"
	l.dispatcher(125)
	l.dispatcher(0, "run", "--help")
	l.dispatcher(125, "walk")
	l.run(125)
	l.dispatcher(125, "run", "--", "true")
	l.run(125, "--no-such-flag", "--", "true")
	l.run(125, "--machine", "none.yml", "--", "true")
	l.run(125, "--machine", "m.yml", "--nvme", "1G/520", "--memory", "3", "--", "true")
	l.run(125, "--accel", "hax", "--", "true")
	l.run(125, "--env", "A-B=1", "--", "true")
	l.run(125, "--timeout", "-1s", "--", "true")
	l.run(125, "--copy-in", ":x", "--", "true")
	l.run(125, "--disk-size", "1K", "--", "true")
	l.dispatcher(125, "run", "--image", "DIR/base.qcow2", "--qemu", "no-such-qemu", "--", "true")
	l.dispatcher(125, "run", "--image", "DIR/none.qcow2", "--qemu", "DIR/qemu", "--qemu-img", "DIR/img", "--", "true")
	l.end("mistakes")
}

// TestGuestInAJob: a command cannot speak to GitHub's runner.
func TestGuestInAJob(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.env["GITHUB_ACTIONS"] = "true"
	_, stderr := l.run(0, "--", "sh", "-c", "echo '::set-env name=A::b' >&2")
	stdout, _ := l.run(5, "--", "sh", "-c", "echo '::error::forged'; printf unfinished; exit 5")
	begin, rest, ok := strings.Cut(stdout, "\n")
	token, isStop := strings.CutPrefix(begin, "::stop-commands::")
	if !ok || !isStop || !strings.Contains(rest, "unfinished\n::"+token+"::\n::notice title=dispatcher result::") || !strings.Contains(rest, "::error::forged") {
		t.Errorf("got %q", stdout)
	}
	if strings.Contains(stderr, "::set-env") {
		t.Errorf("a line of the guest is on the stream that is not guarded: %q", stderr)
	}
	l.end("job")
}

// TestGuestMark: a job's annotations say who decided, and a status alone does not.
func TestGuestMark(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	l.env["GITHUB_ACTIONS"] = "true"
	for _, c := range []struct {
		status int
		by     string
		args   []string
		why    string
	}{
		{0, "test", []string{"--", "true"}, ""},
		{125, "test", []string{"--", "sh", "-c", "exit 125"}, ""},
		{251, "test", []string{"--", "sh", "-c", "exit 251"}, ""},
		{137, "test", []string{"--", "sh", "-c", "kill -9 $$"}, ""},
		{252, "test", []string{"--timeout", "200ms", "--", "sh", "-c", "exec sleep 20"}, ""},
		{125, "rig", []string{"--accel", "x", "--", "true"}, `no accelerator "x"`},
		{125, "rig", []string{"--dir", "/none", "--", "true"}, "no folder /none"},
		{251, "rig", []string{"--", "sh", "-c", "kill -USR1 $QEMU_PID; exec sleep 20"}, "panic"},
		{250, "rig", []string{"--", "sh", "-c", "kill -KILL $QEMU_PID; exec sleep 20"}, "QEMU ended"},
		{253, "rig", []string{"--copy-out", "none", "--", "true"}, "none"},
	} {
		stdout, _ := l.run(c.status, c.args...)
		var marks []environments.Mark
		for _, r := range new(ghRunner).read(stdout) {
			var m environments.Mark
			if r.title == environments.MarkTitle && json.Unmarshal([]byte(r.text), &m) == nil && (r.name == "error") == (m.By == "rig") {
				marks = append(marks, m)
			}
		}
		if len(marks) != 1 || marks[0].By != c.by || marks[0].Exit != c.status || !strings.Contains(marks[0].Why, c.why) || (marks[0].Why != "") != (c.by == "rig") {
			t.Errorf("%q: got %+v, want %s and %q", c.args, marks, c.by, c.why)
		}
	}
	l.env["GITHUB_ACTIONS"] = ""
	if stdout, stderr := l.run(0, "--", "true"); strings.Contains(stdout+stderr, environments.MarkTitle) {
		t.Errorf("away from Actions: got %s%s", stdout, stderr)
	}
}

// TestGuestInterrupted: a run that somebody stops says so.
func TestGuestInterrupted(t *testing.T) {
	t.Parallel()
	l := newLab(t)
	ctx, cancel := context.WithCancel(t.Context())
	var errOut bytes.Buffer
	a := &App{
		Stdout: stopper{cancel}, Stderr: &errOut, Getenv: func(string) string { return "" }, Now: time.Now, Sleep: sleep,
	}
	status := a.Main(ctx, []string{
		"guest", "run", "--image", l.dir + "/base.qcow2", "--qemu", l.dir + "/qemu", "--qemu-img", l.dir + "/img", "--accel", "tcg",
		"--temp-dir", l.dir, "--copy-out", "x", "--", "sh", "-c", "echo begun; exec sleep 20",
	})
	if status != 254 || !strings.Contains(errOut.String(), "x was not copied out") {
		t.Errorf("got status %d\n%s", status, &errOut)
	}
}

// stopper cancels when something is written to it.
type stopper struct{ cancel func() }

func (s stopper) Write(p []byte) (int, error) {
	s.cancel()
	return len(p), nil
}
