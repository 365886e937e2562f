// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// inGuest builds some of SPDK's programs, and runs them on two namespaces in the
// booted disk.
func (b *spdkBed) inGuest(t *testing.T) {
	list := strings.NewReplacer("CONTAINER", spdkImage, "DISK", b.disk).Replace(readFile(t, "testdata/spdk/guest.yml"))
	built := b.environment(t, list, "programs", b.source)
	results := b.environment(t, list, "nvme", filepath.Join(built, "source.tar.gz"), "--image", b.disk)
	log := readFile(t, filepath.Join(results, "log.txt"))
	for _, want := range []string{"nvme -> vfio-pci", "Hello world!", "vfio-pci -> nvme", "QEMU NVMe Ctrl"} {
		if !strings.Contains(log, want) {
			t.Errorf("the log of the guest does not say %q", want)
		}
	}
}

// environment runs one environment of a list as a job does, and returns the folder
// of its results.
func (b *spdkBed) environment(t *testing.T, list, name, source string, args ...string) string {
	t.Helper()
	outputs, results := filepath.Join(t.TempDir(), "outputs"), filepath.Join(t.TempDir(), "results")
	must(t, os.WriteFile(outputs, nil, 0o644))
	env := append(os.Environ(), "GITHUB_ACTIONS=true", "GITHUB_OUTPUT="+outputs, "GITHUB_REPOSITORY="+rig.CIRepository,
		"REVISION="+b.base, "PROJECT="+actProject, "ENVIRONMENTS="+list, "CELL="+name)
	r, err := rig.Run(t.Context(), world.bin, env, nil, "environments", "plan")
	must(t, err)
	quoted := regexp.MustCompile(`(?m)^plan<<.*\n(".*")$`).FindStringSubmatch(readFile(t, outputs))
	if r.Code != 0 || quoted == nil {
		t.Fatalf("environments plan: %s", r)
	}
	var plan string
	must(t, json.Unmarshal([]byte(quoted[1]), &plan))
	r, err = rig.Run(t.Context(), world.bin, append(env, "PLAN="+plan), nil,
		append([]string{"environments", "run", "--source", source, "--results", results}, args...)...)
	must(t, err)
	t.Logf("%s took %s", name, r.Wall.Round(time.Second))
	if r.Code != 0 {
		t.Fatalf("%s: %s", name, r)
	}
	return results
}
