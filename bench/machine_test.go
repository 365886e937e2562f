// SPDX-License-Identifier: BSD-3-Clause

//go:build bench && linux

package bench

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"runtime"
	"strconv"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// describeMachine says in one sentence what the numbers were measured on.
func describeMachine(t *testing.T) string {
	t.Helper()
	git, err := rig.Git{}.Run(t.Context(), "version")
	must(t, err)
	kB, err := strconv.ParseInt(strings.TrimSuffix(after(t, "/proc/meminfo", "MemTotal"), " kB"), 10, 64)
	must(t, err)
	return fmt.Sprintf("%s, %d cores, %d GB of memory, Linux %s; %s, %s, Gerrit %s",
		after(t, "/proc/cpuinfo", "model name"), runtime.NumCPU(), kB>>20,
		strings.TrimSpace(read(t, "/proc/sys/kernel/osrelease")), runtime.Version(), git, rig.GerritVersion())
}

// after returns what follows a name and a colon in one of the kernel's files.
func after(t *testing.T, file, name string) string {
	t.Helper()
	_, rest, _ := strings.Cut(read(t, file), name)
	line, _, _ := strings.Cut(rest, "\n")
	return strings.TrimSpace(strings.TrimPrefix(strings.TrimSpace(line), ":"))
}

func read(t *testing.T, file string) string {
	t.Helper()
	data, err := os.ReadFile(file)
	must(t, err)
	return string(bytes.ToValidUTF8(data, nil))
}

// packBytes returns the size of a repository's packs.
func packBytes(t *testing.T, dir string) int64 {
	t.Helper()
	packs, err := filepath.Glob(filepath.Join(dir, "objects/pack/*.pack"))
	must(t, err)
	var size int64
	for _, pack := range packs {
		info, err := os.Stat(pack)
		must(t, err)
		size += info.Size()
	}
	return size
}
