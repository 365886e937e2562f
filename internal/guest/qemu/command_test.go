// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package qemu

import (
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/guest/machine"
	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

// TestArgs: the whole command line, one argument with its value a line, for
// each description.
func TestArgs(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		accel string
		flags [][2]string
		edit  func(*Command)
	}{
		"plain-kvm": {accel: KVM},
		"plain-tcg": {accel: TCG},
		"pc":        {accel: KVM, flags: [][2]string{{"machine-type", "pc-i440fx-7.2"}, {"cpu", "qemu64"}, {"nvme", "1G"}}},
		"hugepages": {accel: KVM, flags: [][2]string{{"hugepages", "1G"}, {"memory", "4G"}}},
		"no-seed":   {accel: KVM, edit: func(c *Command) { c.Seed = "" }},
		"extra":     {accel: TCG, flags: [][2]string{{"qemu-arg", "-device"}, {"qemu-arg", "edu,id=it's"}}},
		"commas":    {accel: TCG, edit: func(c *Command) { c.Disk, c.Monitor = "/a,b/disk", "/a,b/monitor" }},
		"nvme":      {accel: KVM, flags: [][2]string{{"nvme", "1G+512M/4K"}, {"nvme", "1M,controllers=2,nqn=x"}}},
		"spdk-tcg":  {accel: TCG}, "spdk-kvm": {accel: KVM},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			file, data := "", []byte(nil)
			if strings.HasPrefix(name, "spdk") {
				var err error
				file = "../machine/testdata/good/spdk.yml"
				if data, err = os.ReadFile(file); err != nil {
					t.Fatal(err)
				}
			}
			r := machine.NewReader(file, data)
			for _, f := range c.flags {
				r.Set(f[0], f[1])
			}
			m, err := r.Machine()
			if err != nil {
				t.Fatal(err)
			}
			cmd := Command{
				Program: "qemu-system-x86_64", Machine: m, Accel: c.accel, Disk: "/run/disk.qcow2", Format: "qcow2", Seed: "/run/seed.iso",
				Monitor: "/run/monitor", Port: 40022,
			}
			for _, s := range m.NVMe {
				for range s.Namespaces {
					cmd.Namespaces = append(cmd.Namespaces, "/run/ns"+string(rune('a'+len(cmd.Namespaces))))
				}
			}
			if c.edit != nil {
				c.edit(&cmd)
			}
			got := strings.ReplaceAll(strings.Join(cmd.Args(), " "), " -", "\n-") + "\n"
			golden.Compare(t, filepath.Join("testdata", name+".txt"), got)
			out, err := exec.Command("sh", "-c", "printf '%s\\0' "+cmd.Line()).Output()
			if want := strings.Join(append([]string{cmd.Program}, cmd.Args()...), "\x00") + "\x00"; err != nil || string(out) != want {
				t.Errorf("a shell makes %q of the line, %v", out, err)
			}
		})
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	var p tail
	for range 1000 {
		p.Write([]byte("qemu: warning: host doesn't support requested feature: x\n::error::bad\x1b[31m thing\n"))
	}
	if got := p.lines(); len(got) > 1100 || strings.Contains(got, "warning") || !strings.HasPrefix(got, ": :error::bad [31m thing; ") {
		t.Errorf("got %d bytes: %.100q", len(got), got)
	}
}
