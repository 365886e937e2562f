// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"bytes"
	"encoding/json"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
)

// TestImageContainers runs cells of a matrix in real containers: what an image or an
// engine is to blame for is no failed test, and no test passes without having run.
func TestImageContainers(t *testing.T) {
	if os.Getuid() != 0 {
		t.Fatal("this test starts dockerd: run it as root")
	}
	startDocker(t)
	makeBase(t)
	for name, lines := range map[string]string{
		// The machine of an ELF file is at its byte 18; 183 is AArch64.
		"processor": `RUN cp /bin/dash /bin/other && printf '\267' | dd of=/bin/other bs=1 seek=18 conv=notrunc && mv /bin/other /bin/sh`,
		"loader":    `RUN rm /lib64/ld-linux-x86-64.so.2`,
		"entry":     `ENTRYPOINT ["/bin/echo"]`,
		"user":      `USER nobody`,
	} {
		cmd := exec.CommandContext(t.Context(), "docker", "build", "--quiet", "--network", "none", "--tag", "dispatcher-e2e/"+name, "-")
		cmd.Stdin = strings.NewReader("FROM " + imageBase + "\n" + lines + "\n")
		if out, err := cmd.CombinedOutput(); err != nil {
			t.Fatalf("%s: %v\n%s", name, err, out)
		}
	}
	empty := exec.CommandContext(t.Context(), "docker", "import", "-", "dispatcher-e2e/empty")
	empty.Stdin = bytes.NewReader(make([]byte, 1024)) // the end of a tar file
	if out, err := empty.CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	for _, c := range []struct {
		image, command string
		options        []string
		status         int
		rig            string
	}{
		{image: "processor", command: "true", rig: "exec format error"},
		{image: "loader", command: "true", rig: "no such file"},
		{image: "empty", command: "true", rig: "executable file not found"},
		{image: "none", command: "true", rig: "none"},
		{image: "entry", command: "exit 7", status: 7},
		{image: "user", command: "touch ../output", status: 0},
		{image: "base:bookworm", command: "mount -t tmpfs x /mnt", status: 32},
		{image: "base:bookworm", command: "echo 1 >/sys/bus/pci/rescan", status: 2},
		{image: "base:bookworm", command: "echo 1 >/sys/bus/pci/rescan", options: []string{"null-pci-rescan", "apparmor-unconfined"}},
		{image: "base:bookworm", command: "mount -t tmpfs x /mnt", options: []string{"sys-admin", "apparmor-unconfined"}},
		{image: "base:bookworm", command: "grep -q '^Seccomp:.*0' /proc/self/status", options: []string{"seccomp-unconfined"}},
		{image: "base:bookworm", command: "true", options: []string{"sysadmin"}, rig: "there is no docker option"},
	} {
		t.Run(c.image+" "+c.command+" "+strings.Join(c.options, " "), func(t *testing.T) {
			got := runCell(t, map[string]any{
				"id": "unit", "name": "unit", "environment": "unit", "kind": "docker", "image": "dispatcher-e2e/" + c.image, "command": c.command,
				"minutes": 1, "shard": 1, "shards": 1, "results": []string{"../output"}, "docker-options": c.options, "machine": "{}",
			})
			if (got.RigFailed != "") != (c.rig != "") || !strings.Contains(got.RigFailed, c.rig) || c.rig == "" && got.Status != c.status {
				t.Errorf("got %+v, want the status %d, %q", got, c.status, c.rig)
			}
		})
	}
}

// cellResult is result.json.
type cellResult struct {
	Status    int    `json:"status"`
	RigFailed string `json:"rig_failed"`
}

// runCell runs a cell of a matrix with an empty source.
func runCell(t *testing.T, cell map[string]any) (result cellResult) {
	t.Helper()
	dir := t.TempDir()
	text, err := json.Marshal(cell)
	must(t, err)
	must(t, os.Mkdir(filepath.Join(dir, "source"), 0o755))
	if out, err := exec.Command("tar", "-czf", filepath.Join(dir, "source.tar.gz"), "-C", dir, "source").CombinedOutput(); err != nil {
		t.Fatalf("%v\n%s", err, out)
	}
	cmd := exec.CommandContext(t.Context(), world.bin, "environments", "run", "--source", "source.tar.gz", "--results", "results")
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CELL="+string(text))
	out, _ := cmd.CombinedOutput() // the status is the test's
	t.Logf("%s", out)
	text, err = os.ReadFile(filepath.Join(dir, "results", "result.json"))
	must(t, err)
	must(t, json.Unmarshal(text, &result))
	return result
}
