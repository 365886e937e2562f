// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// account is an ordinary user as whom steps of workflows run, with a folder like a
// runner's, in which jobs come one after the other.
type account struct {
	*testing.T
	name, dir, program string
}

// newAccount makes an account: with sudo, as on GitHub's runners, or without, as
// that of a service on a lab's host.
func newAccount(t *testing.T, name string, sudo bool) account {
	t.Helper()
	if os.Getuid() != 0 {
		t.Skip("only root can make accounts")
	}
	// Not t.TempDir: other accounts cannot enter it.
	dir, err := os.MkdirTemp("", "account-*")
	must(t, err)
	a := account{T: t, name: name, dir: dir, program: filepath.Join(dir, "bin/dispatcher")}
	run := func(args ...string) {
		t.Helper()
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%s: %v: %s", args[0], err, out)
		}
	}
	exec.Command("userdel", name).Run() // one that a killed run left
	run("useradd", "--no-create-home", "--home-dir", dir, "--shell", "/bin/bash", name)
	rules := "/etc/sudoers.d/" + name
	t.Cleanup(func() {
		run("userdel", name)
		must(t, os.RemoveAll(rules))
		must(t, os.RemoveAll(dir))
	})
	if sudo {
		must(t, os.WriteFile(rules, []byte(name+" ALL=(ALL) NOPASSWD: ALL\n"), 0o440))
	}
	must(t, os.Chmod(dir, 0o755))
	for _, name := range []string{"bin", "temp", "state", "work"} {
		must(t, os.Mkdir(filepath.Join(dir, name), 0o755))
	}
	run("cp", world.bin, a.program)
	run("chown", "-R", name+":", dir)
	return a
}

// sh runs a script in the job's folder as a step of a workflow.
func (a account) sh(env []string, script string) rig.Result {
	a.Helper()
	all := append([]string{
		"PATH=" + filepath.Dir(a.program) + ":/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin", "HOME=" + a.dir, "RUNNER_TEMP=" + filepath.Join(a.dir, "temp"),
		"GITHUB_ACTIONS=true", "GITHUB_OUTPUT=" + filepath.Join(a.dir, "work/output.txt"), "DISPATCHER_STATE=" + filepath.Join(a.dir, "state"),
	}, env...)
	r, err := rig.Run(a.Context(), "/usr/bin/setpriv", all, nil, "--reuid="+a.name, "--regid="+a.name, "--init-groups",
		"sh", "-c", "cd '"+filepath.Join(a.dir, "work")+"' && "+script)
	must(a.T, err)
	return r
}

var leaseOutput = regexp.MustCompile(`(?m)^lease<<\S+\n(\S+)$`)

// metal is the job "metal" of autorun.yml: lease, test, release. It returns the
// files of the results.
func (a account) metal(command string) map[string]string {
	a.Helper()
	must(a.T, os.RemoveAll(filepath.Join(a.dir, "work/output.txt")))
	if r := a.sh(nil, "mkdir -p source && tar --create --gzip --file source.tar.gz source && dispatcher host lease --pid 0 --for 1h"); r.Code != 0 {
		a.Fatalf("the host has no lease for the job: %s", r)
	}
	lease := leaseOutput.FindStringSubmatch(readFile(a.T, filepath.Join(a.dir, "work/output.txt")))
	if lease == nil {
		a.Fatal("there is no output lease")
	}
	cell, err := json.Marshal(map[string]any{
		"id": "m", "name": "m", "environment": "m", "kind": "metal", "command": command, "conf": "", "minutes": 1,
		"results": []string{"../output"}, "shard": 1, "shards": 1, "machine": "null",
	})
	must(a.T, err)
	env := []string{"CELL=" + string(cell), "DISPATCHER_LEASE=" + lease[1]}
	if r := a.sh(env, "dispatcher environments run --source source.tar.gz --results results"); r.Code != 0 || strings.Contains(r.Stderr, "failed to") {
		a.Errorf("the test: %s", r)
	}
	if r := a.sh(nil, "dispatcher host release --lease "+lease[1]+" --failed ''"); r.Code != 0 {
		a.Errorf("the release: %s", r)
	}
	if r := a.sh(nil, "dispatcher host status"); r.Code != 0 || strings.Contains(r.Stdout, "left behind") {
		a.Errorf("the host after the job: %s", r)
	}
	if left, _ := os.ReadDir(filepath.Join(a.dir, "temp")); len(left) > 0 {
		a.Errorf("the job left %v", left)
	}
	files := map[string]string{}
	r := a.sh(nil, "find results -type f -printf '%P ' -exec cat {} \\; -exec echo \\;")
	for line := range strings.Lines(r.Stdout) {
		if name, text, ok := strings.Cut(strings.TrimSpace(line), " "); ok && strings.HasPrefix(name, "output/") {
			files[name] = text
		}
	}
	if r.Stderr != "" {
		a.Errorf("the account cannot read all results: %s", r.Stderr)
	}
	return files
}

// TestUserMetal: jobs on a lab's host leave what they may, one after the other in
// one folder, and each finds the host, and uploads its own results.
func TestUserMetal(t *testing.T) {
	for _, tc := range []struct {
		name, command string
		sudo          bool
		want          string // the results
	}{
		{"plain", "mkdir ../output; echo one >../output/a", false, "map[output/a:one]"},
		{"folders that are shut", "mkdir -p ../output d/e/f; echo two >../output/b; chmod 555 d/e; chmod 0 d", false, "map[output/b:two]"},
		{"what belongs to root", "sudo sh -c 'umask 77; mkdir -p ../output build; echo three >../output/c; echo x >build/obj.o'", true, "map[output/c:three]"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			a := newAccount(t, "dispatcher-e2e", tc.sudo)
			a.metal("mkdir ../output; echo old >../output/old")
			if got := fmt.Sprint(a.metal(tc.command)); got != tc.want {
				t.Errorf("got the results %s, want %s", got, tc.want)
			}
			if got := fmt.Sprint(a.metal("mkdir ../output; echo next >../output/next")); got != "map[output/next:next]" {
				t.Errorf("got the next job's results %s", got)
			}
		})
	}
}
