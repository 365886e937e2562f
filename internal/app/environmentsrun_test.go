// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/standin/engine"
	"github.com/spdk-community-ci/dispatcher/internal/standin/qemu"
)

// cellBench is a machine with docker and QEMU of the stand-ins, and a source to
// test. Tests with it may not run beside others: PATH is the process's, and so are
// the processes that are ended.
type cellBench struct {
	*testing.T
	dir, bin, results string
	minute            time.Duration
	command           string
	keep              []string
	env               map[string]string
	stdout, stderr    string
	output            string
	ctx               context.Context
	sleep             func(context.Context, time.Duration) error
}

func newCellBench(t *testing.T, behaviour ...string) *cellBench {
	t.Helper()
	dir, err := os.MkdirTemp("", "c") // t.TempDir may be too long for sockets
	if err != nil {
		t.Fatal(err)
	}
	t.Cleanup(func() { os.RemoveAll(dir) })
	b := &cellBench{T: t, dir: dir, bin: filepath.Join(dir, "bin"), results: filepath.Join(dir, "results"), keep: []string{"../output"}, ctx: context.WithoutCancel(t.Context()), sleep: sleep}
	b.write("source/autorun.sh", "#!/bin/sh\nexit 0\n")
	b.write("base.qcow2", "QFI\xfb the base")
	emulator, img, err := qemu.Programs(dir, behaviour...)
	self, selfErr := os.Executable()
	err = errors.Join(err, selfErr, os.MkdirAll(b.bin, 0o755), os.Symlink(self, filepath.Join(b.bin, "docker")),
		os.Symlink(emulator, filepath.Join(b.bin, "qemu-system-x86_64")), os.Symlink(img, filepath.Join(b.bin, "qemu-img")))
	if err != nil {
		t.Fatal(err)
	}
	t.Setenv("PATH", b.bin+":"+os.Getenv("PATH"))
	return b
}

func (b *cellBench) write(name, text string) {
	b.Helper()
	path := filepath.Join(b.dir, name)
	if err := errors.Join(os.MkdirAll(filepath.Dir(path), 0o755), os.WriteFile(path, []byte(text), 0o755)); err != nil {
		b.Fatal(err)
	}
}

// run runs a cell and returns the status.
func (b *cellBench) run(kind environments.Kind) int {
	b.Helper()
	source := filepath.Join(b.dir, "source.tar.gz")
	if out, err := exec.Command("tar", "-czf", source, "-C", b.dir, "source").CombinedOutput(); err != nil {
		b.Fatalf("%v: %s", err, out)
	}
	cell := environments.Cell{
		ID: "nvme+2of3", Name: "nvme (2/3)", Environment: "nvme", Kind: kind, Image: "debian", Command: b.command, Minutes: 1, Shard: 2, Shards: 3, Machine: "{}",
		Optional: true, Conf: "GREETING='it is $(id)'\n", Results: b.keep,
	}
	text, err := json.Marshal(cell)
	if err != nil {
		b.Fatal(err)
	}
	output := filepath.Join(b.dir, "outputs")
	os.Remove(output) // it may not be there
	b.env = map[string]string{
		"CELL": string(text), "RUNNER_TEMP": b.dir, "PATH": os.Getenv("PATH"), "GITHUB_TOKEN": token, "GITHUB_ACTIONS": "true", "GITHUB_OUTPUT": output,
	}
	var out, errOut strings.Builder
	a := &App{
		Stdin: strings.NewReader(""), Stdout: &out, Stderr: &errOut, Getenv: func(name string) string { return b.env[name] }, ReadFile: os.ReadFile,
		Now: time.Now, Sleep: b.sleep, minute: b.minute,
	}
	status := a.Main(b.ctx, []string{"environments", "run", "--source", source, "--results", b.results, "--image", filepath.Join(b.dir, "base.qcow2")})
	b.stdout, b.stderr = out.String(), errOut.String()
	written, _ := os.ReadFile(output) // none is no output
	_, rest, _ := strings.Cut(string(written), "rig-failed<<")
	_, rest, _ = strings.Cut(rest, "\n")
	b.output, _, _ = strings.Cut(rest, "\n")
	return status
}

// mark returns the one that a runner understands, however it reads.
func (b *cellBench) mark() map[string]any {
	b.Helper()
	var marks []map[string]any
	for _, r := range []*ghRunner{{}, {withoutWidth: true}} {
		found := 0
		for _, c := range r.read(b.stdout) {
			var m map[string]any
			switch {
			case c.title == environments.MarkTitle && json.Unmarshal([]byte(c.text), &m) == nil && (c.name == "error") == (m["by"] == "rig"):
				found++
				marks = append(marks, m)
			case c.title != "" || c.name != "error" && c.name != "warning" && c.name != "notice":
				b.Errorf("the runner obeyed %+v", c)
			}
		}
		if found != 1 {
			b.Fatalf("a runner found %d marks in\n%.2000q", found, b.stdout)
		}
		for _, c := range new(ghRunner).read(b.stderr) {
			b.Errorf("the other stream has the command %+v", c)
		}
	}
	if diff := cmp.Diff(marks[0], marks[1]); diff != "" {
		b.Errorf("two runners read two marks:\n%s", diff)
	}
	return marks[0]
}

// byTest fails the test unless the cell's own test ended with this status, and all
// that tells of it says so.
func (b *cellBench) byTest(got, status int, timedOut bool) {
	b.Helper()
	want := map[string]any{
		"v": 1.0, "by": "test", "environment": "nvme", "shard": 2.0, "shards": 3.0, "optional": true, "exit": float64(status), "timed_out": timedOut,
	}
	if diff := cmp.Diff(want, b.mark()); diff != "" || got != status || b.output != "" {
		b.Errorf("got the status %d, rig-failed %q, want %d; mark (-want +got):\n%s\n%.3000s%.1000s", got, b.output, status, diff, b.stdout, b.stderr)
	}
	if r := b.result(); r.Status != status || r.TimedOut != timedOut || r.RigFailed != "" || !r.Optional {
		b.Errorf("got the result %+v", r)
	}
}

// byRig fails the test unless the rig failed for this reason.
func (b *cellBench) byRig(got int, why string) {
	b.Helper()
	m := b.mark()
	reason, _ := m["why"].(string)
	if m["by"] != "rig" || m["exit"] != float64(got) || got < exitRig || !strings.Contains(reason, why) {
		b.Errorf("got the status %d and the mark %v, want %q\n%.3000s%.1000s", got, m, why, b.stdout, b.stderr)
	}
	if r := b.result(); r.Status != got || r.RigFailed == "" {
		b.Errorf("got the result %+v", r)
	}
}

func (b *cellBench) result() (r environments.Result) {
	b.Helper()
	name := filepath.Join(b.results, environments.ResultFile)
	info, err := os.Lstat(name)
	if err != nil || !info.Mode().IsRegular() {
		b.Fatalf("got %v, %v", info, err)
	}
	text, err := os.ReadFile(name)
	if err == nil {
		err = json.Unmarshal(text, &r)
	}
	if err != nil {
		b.Error(err)
	}
	return r
}

// TestEnvironmentRun tests in a container, in a guest and on the host: the same
// command ends the same way, and what it left is kept, but for links.
func TestEnvironmentRun(t *testing.T) {
	b := newCellBench(t)
	b.keep = []string{"../output", "none"}
	b.write("source/autorun.sh", `#!/bin/sh
. "$1"
echo "::error::conf $GREETING, shard $DISPATCHER_SHARD of $DISPATCHER_SHARDS, runner ${GITHUB_TOKEN-unknown}"
mkdir -p ../output && echo "<testsuite/>" >../output/junit.xml && ln -s /etc/passwd ../output/link
exit 3
`)
	b.command = "./autorun.sh ../auto.conf"
	for _, kind := range environments.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			b := *b
			b.T = t
			b.byTest(b.run(kind), 3, false)
			if !strings.Contains(b.stdout, "conf it is $(id), shard 2 of 3, runner unknown") || !strings.HasPrefix(b.stdout, "::stop-commands::") {
				t.Errorf("got %s", b.stdout)
			}
			for _, name := range []string{"output/junit.xml", "log.txt"} {
				if info, err := os.Lstat(filepath.Join(b.results, name)); err != nil || !info.Mode().IsRegular() {
					t.Errorf("%s: got %v, %v", name, info, err)
				}
			}
			if _, err := os.Lstat(filepath.Join(b.results, "output/link")); err == nil {
				t.Error("a link was kept")
			}
			if left, _ := filepath.Glob(filepath.Join(b.bin, "containers/*")); len(left) > 0 {
				t.Errorf("left are %q", left)
			}
		})
	}
}

// TestLeftOutOfResults: patterns leave out files and folders, and no link leads
// them out of the results.
func TestLeftOutOfResults(t *testing.T) {
	b := newCellBench(t)
	b.keep = []string{"../output", "!../output/coverage", "!../output/**/*.html", "!../output/link/*", "none", "!none/x"}
	b.write("outside/precious", "")
	b.command = "mkdir -p ../output/coverage/deep ../output/log; cd ../output; ln -s " + b.dir + "/outside link; " +
		"touch coverage/a coverage/deep/b log/c.html log/d log/coverage; chmod 500 coverage/deep"
	for _, kind := range environments.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			b := *b
			b.T = t
			b.byTest(b.run(kind), 0, false)
			for name, want := range map[string]bool{
				"output/coverage": false, "output/log/c.html": false, "output/log/d": true, "output/log/coverage": true, "../outside/precious": true,
			} {
				if _, err := os.Lstat(filepath.Join(b.results, name)); (err == nil) != want {
					t.Errorf("%s: got %v", name, err)
				}
			}
			if strings.Contains(b.stdout, "not complete") {
				t.Errorf("got %s", b.stdout)
			}
		})
	}
}

// TestNamesOfResults: upload-artifact takes no artifact in which one name has a
// colon, as PCI addresses have, or another of nine characters
// (path-and-artifact-name-validation.ts).
func TestNamesOfResults(t *testing.T) {
	b := newCellBench(t)
	b.command = `mkdir -p ../output/0000:00:04.0; cd ../output; touch nvme-0000:00:04.0.log nvme-0000_00_04.0.log 0000:00:04.0/'a"<>|*?b' plain; ` +
		`printf x >"$(printf 'two\nlines')"; touch "$(printf 'latin\344')"; mkdir many; for n in 1 2 3 4 5 6 7 8 9 0; do touch many/$n:; done`
	b.byTest(b.run(environments.Metal), 0, false)
	got := map[string]bool{}
	err := filepath.WalkDir(filepath.Join(b.results, "output"), func(path string, _ fs.DirEntry, err error) error {
		if name, _ := filepath.Rel(b.results, path); !strings.HasPrefix(name, "output/many/") {
			got[name] = true
		}
		return err
	})
	want := map[string]bool{
		"output": true, "output/many": true, "output/plain": true, "output/nvme-0000_00_04.0.log": true, "output/nvme-0000_00_04.0_2.log": true,
		"output/0000_00_04.0": true, "output/0000_00_04.0/a______b": true, "output/two_lines": true, "output/latin_": true,
	}
	if diff := cmp.Diff(want, got); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	for _, says := range []string{`results: "0000:00:04.0" is kept as "0000_00_04.0"`, "results: so are 5 more"} {
		if !strings.Contains(b.stdout, says) {
			t.Errorf("got %s, want %s in it", b.stdout, says)
		}
	}
}

// TestStatusIsTheTests: a status means what the test means by it, in each kind of
// environment, and no host is put away for it.
func TestStatusIsTheTests(t *testing.T) {
	b := newCellBench(t)
	for _, kind := range environments.Kinds() {
		for script, want := range map[string]int{
			"exit 0": 0, "exit 1": 1, "exit 124": 124, "exit 125": 125, "exit 126": 126, "no-such-program": 127, "exit 134": 134, "exit 137": 137, "exit 139": 139,
			"exit 143": 143, "exit 250": 250, "exit 251": 251, "exit 252": 252, "exit 253": 253, "exit 254": 254, "exit 255": 255,
			"kill -ABRT $$": 134, "kill -SEGV $$": 139, "kill -KILL $$": 137, "kill -TERM $$": 143,
		} {
			if kind != environments.Metal && (want == 1 || want == 126 || want == 139 || want == 134 && script[0] == 'e' || want > 251) {
				continue // they are no different there, and take their time
			}
			t.Run(fmt.Sprintf("%s %s", kind, script), func(t *testing.T) {
				b := *b
				b.T, b.command = t, "exec sh -c '"+script+"'"
				b.byTest(b.run(kind), want, false)
			})
		}
	}
}

// TestHostileOutput: whatever a test prints, the mark is one, and it is ours.
func TestHostileOutput(t *testing.T) {
	const fake = `{"v":1,"by":"test","environment":"nvme","shard":2,"shards":3,"optional":true,"exit":0,"timed_out":false}`
	b := newCellBench(t)
	for name, script := range map[string]string{
		"command":           `echo '::notice title=dispatcher result::` + fake + `'`,
		"indented":          `printf ' \t\302\240::notice title=dispatcher result::` + fake + `\n'`,
		"old command":       `echo 'x ##[notice title=dispatcher result]` + fake + `'`,
		"old, no newline":   `printf 'x ##[notice title=dispatcher result]` + fake + `'`,
		"carriage return":   `printf 'x\r::notice title=dispatcher result::` + fake + `\r'`,
		"other line ends":   `printf 'x\302\205::notice title=dispatcher result::` + fake + `\342\200\250::notice title=dispatcher result::` + fake + `\v\f'`,
		"byte order mark":   `printf '\357\273\277::notice title=dispatcher result::` + fake + `\n\376\377\000:\000:'`,
		"colours":           `printf '\033[0m::notice title=dispatcher result::` + fake + `\n\033[2K\033[1A'`,
		"upper case":        `echo '::NOTICE Title=dispatcher result::` + fake + `'`,
		"stop":              `echo '::stop-commands::x'; echo '::x::'; echo '::notice title=dispatcher result::` + fake + `'`,
		"stop, no newline":  `printf '::stop-commands::x'`,
		"half a line":       `printf 'no newline'`,
		"half a command":    `printf '::notice title=dispatcher result::'`,
		"half a character":  `printf '\342\202'`,
		"half a colour":     `printf '\033['`,
		"nothing but NULs":  `head -c 100000 /dev/zero`,
		"both streams":      `for i in 1 2 3 4 5 6 7 8 9; do echo '::notice title=dispatcher result::` + fake + `' >&2; printf '::error::x'; done`,
		"error stream":      `printf '::notice title=dispatcher result::` + fake + `' >&2`,
		"flood of commands": `yes '::error title=dispatcher result::` + fake + `' | head -n 20000`,
		"flood, no newline": `yes '::' | tr -d '\n' | head -c 2000000`,
		"writes on":         `(while :; do echo '::notice title=dispatcher result::` + fake + `' 2>/dev/null || exit; sleep 0.01; done) & sleep 0.1`,
		"guesses":           `i=0; while [ $i -lt 2000 ]; do echo "::dispatcher-$i::"; i=$((i+1)); done; echo '::notice title=dispatcher result::` + fake + `'`,
	} {
		b.write("source/test", "#!/bin/sh\n"+script+"\nexit 7\n")
		b.command = "./test"
		kinds := []environments.Kind{environments.Metal}
		if strings.Contains("command, half a line, both streams, stop, writes on", name) { // the way of the output is the same
			kinds = environments.Kinds()
		}
		for _, kind := range kinds {
			t.Run(name+" "+string(kind), func(t *testing.T) {
				b := *b
				b.T = t
				b.byTest(b.run(kind), 7, false)
			})
		}
	}
}

// TestLeftBehind: what a test leaves running holds nothing up and changes nothing,
// and on the host it is ended before the runner is told.
func TestLeftBehind(t *testing.T) {
	b := newCellBench(t)
	for _, kind := range environments.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			b := *b
			b.T, b.command = t, "(exec sleep 100) & exit 0"
			begin := time.Now()
			b.byTest(b.run(kind), 0, false)
			if took := time.Since(begin); took > 40*time.Second {
				t.Errorf("it took %v", took)
			}
		})
	}
	pid := filepath.Join(b.dir, "pid")
	b.command = "setsid sh -c 'trap \"\" TERM; echo $$ >" + pid + "; while :; do sleep 0.1; done' >/dev/null 2>&1 </dev/null & sleep 0.5; exit 4"
	b.byTest(b.run(environments.Metal), 4, false)
	text, err := os.ReadFile(pid)
	if err != nil {
		t.Fatal(err)
	}
	if _, err := os.Stat("/proc/" + strings.TrimSpace(string(text))); err == nil {
		t.Error("a daemon of the test is left")
	}
}

// TestTooLong: a test that took too long has failed, and is no failure of the rig.
func TestTooLong(t *testing.T) {
	b := newCellBench(t)
	b.write("source/test", "#!/bin/sh\ntrap 'exit 0' TERM\nwhile :; do sleep 0.05; done\n")
	b.command = "./test"
	for _, kind := range environments.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			b := *b
			b.T = t
			b.minute = 1500 * time.Millisecond
			b.byTest(b.run(kind), exitTooLong, true)
		})
	}
}

// TestRigFails: what is wrong around a test has no vote, and says what it was.
func TestRigFails(t *testing.T) {
	for _, c := range []struct {
		name string
		kind environments.Kind
		// file is one of the engine's, with text in it.
		file, text string
		behaviour  string
		want       string
	}{
		{name: "no container", kind: environments.Docker, file: "fail-create", text: "Error response from daemon: No such image: debian", want: "No such image"},
		{name: "no copy", kind: environments.Docker, file: "fail-cp", text: "no space left on device", want: "bring the source into the container"},
		{name: "no start", kind: environments.Docker, file: engine.StartError, text: `exec: "sh": executable file not found in $PATH`, want: `run sh in a container of debian: exec: "sh"`},
		{name: "another processor", kind: environments.Docker, file: engine.CannotExec, text: "exec /bin/sh: exec format error", want: "exec format error"},
		{name: "lost", kind: environments.Docker, file: engine.LostWhileRunning, want: "which still ran"},
		{name: "lost at the end", kind: environments.Docker, file: engine.LostAtEnd, want: "(status 125), which ended with status 255"},
		{name: "a bad end", kind: environments.Docker, file: engine.EndError, text: "failed to delete task", want: "failed to delete task"},
		{name: "nobody knows", kind: environments.Docker, file: "fail-inspect", text: "Cannot connect to the Docker daemon", want: "Cannot connect"},
		{name: "a silent guest", kind: environments.Guest, behaviour: qemu.Broken, want: "QEMU"},
		{name: "an unbootable guest", kind: environments.Guest, behaviour: qemu.Unbootable, want: "found nothing to boot"},
	} {
		t.Run(c.name, func(t *testing.T) {
			b := newCellBench(t, strings.Fields(c.behaviour)...)
			b.command = "exit 125"
			if c.file != "" {
				b.write("bin/"+c.file, c.text)
			}
			b.byRig(b.run(c.kind), c.want)
		})
	}
	t.Run("a guest that goes away", func(t *testing.T) {
		b := newCellBench(t)
		b.command = "kill -KILL $QEMU_PID; sleep 5"
		b.byRig(b.run(environments.Guest), "")
	})
	t.Run("killed for want of memory", func(t *testing.T) { // the test's own doing
		b := newCellBench(t)
		b.write("bin/"+engine.OutOfMemory, "")
		b.command = "exit 0"
		b.byTest(b.run(environments.Docker), 137, false)
		if !strings.Contains(b.stdout, "::warning::the kernel ended a process of the test since the memory was used up") {
			b.Errorf("got %s", b.stdout)
		}
	})
}

// TestInterruptedRun: who stops a run gets no result, and no host is put away.
func TestInterruptedRun(t *testing.T) {
	b := newCellBench(t)
	for _, kind := range environments.Kinds() {
		t.Run(string(kind), func(t *testing.T) {
			b := *b
			b.T = t
			ctx, cancel := context.WithCancel(b.ctx)
			defer cancel()
			b.ctx, b.command = ctx, "touch "+b.dir+"/begun; sleep 60"
			os.Remove(b.dir + "/begun")
			go func() {
				for ctx.Err() == nil {
					if _, err := os.Stat(b.dir + "/begun"); err == nil {
						cancel()
					}
					time.Sleep(10 * time.Millisecond)
				}
			}()
			status := b.run(kind)
			if m := b.mark(); m["by"] != "rig" || status < exitRig || b.output != "" {
				t.Errorf("got %d, %v, rig-failed %q", status, m, b.output)
			}
		})
	}
}

// TestResultIsOurs: what a test puts in the place of our files is replaced, and so
// is what an earlier job left there.
func TestResultIsOurs(t *testing.T) {
	b := newCellBench(t)
	b.write("results/output/old.xml", "<testsuite/>")
	b.write("results/result.json", `{"status": 0, "name": "of another job"}`)
	outside := filepath.Join(b.dir, "outside")
	for name, script := range map[string]string{
		"file":    `echo '{"status":0}' >../result.json`,
		"link":    "ln -s " + outside + " ../result.json",
		"folder":  "mkdir -p ../result.json/deep; chmod 0 ../result.json",
		"in use":  "exec 3>>" + b.results + "/result.json; (while :; do echo x >&3; done) >/dev/null 2>&1 & sleep 0.1",
		"in ours": "rm -rf " + b.results + "/result.json; ln -s " + outside + " " + b.results + "/result.json; mkdir -p ../output/d; chmod 555 ../output/d",
	} {
		t.Run(name, func(t *testing.T) {
			b := *b
			b.T, b.keep = t, []string{"../result.json", "../output"}
			b.command = "mkdir -p ../output; " + script + "; exit 5"
			b.byTest(b.run(environments.Metal), 5, false)
			for _, path := range []string{outside, filepath.Join(b.results, "output/old.xml"), filepath.Join(b.results, "output/output")} {
				if _, err := os.Lstat(path); err == nil {
					t.Errorf("%s is there", path)
				}
			}
		})
	}
}

// TestNoQuarantine: tests that end badly do not put the host away.
func TestNoQuarantine(t *testing.T) {
	b := newCellBench(t)
	h := newHostBench(t)
	for _, command := range []string{"exit 137", "kill -9 $$", "(exec sleep 100 >/dev/null 2>&1) & exit 0", "exit 251"} {
		id := h.lease()
		b.command = command
		b.run(environments.Metal)
		h.run(ExitDone, "release", "--lease", id, "--failed", b.output, "--quarantine-after", "1")
	}
	h.lease()
}

// TestMarkWithoutTest: what goes wrong before a test is told as well.
func TestMarkWithoutTest(t *testing.T) {
	b := newCellBench(t)
	cell := `{"id": "a", "environment": "a", "kind": "docker", "image": "debian", "command": "true", "minutes": 1, "optional": true, "shard": 1, "shards": 1}`
	b.write("bin/fail-pull", "Error response from daemon: manifest unknown")
	for _, c := range []struct{ args, cell, env, want string }{
		{"run", "", "", "the variable CELL names no cell of the plan"}, {"run --source none.tar.gz", cell, "a", "none.tar.gz"}, {"run --what", cell, "", "flag provided but not defined"},
		{"prepare", "", "", "the variable CELL names no cell of the plan"}, {"prepare", cell, "a", "manifest unknown"},
	} {
		s := inWorkflow(t, "CELL="+c.cell)
		status := s.run(s.Context(), append([]string{"environments"}, strings.Fields(c.args)...)...)
		b.stdout, b.stderr = s.stdout, s.stderr
		m := b.mark()
		why, _ := m["why"].(string)
		if status == 0 || m["by"] != "rig" || m["environment"] != c.env || !strings.Contains(why, c.want) || c.args[:3] == "run" && status != exitRig {
			t.Errorf("%s: got %d, %v, want %q", c.args, status, m, c.want)
		}
	}
	s := inWorkflow(t, "GITHUB_ACTIONS=")
	if s.run(s.Context(), "environments", "run"); strings.Contains(s.stdout+s.stderr, environments.MarkTitle) {
		t.Errorf("away from Actions: got %s%s", s.stdout, s.stderr)
	}
	if status := s.run(s.Context(), "environments", "run", "--help"); status != ExitDone {
		t.Errorf("got %d, %s", status, s.stdout)
	}
}
