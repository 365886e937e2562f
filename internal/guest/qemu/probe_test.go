// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package qemu

import (
	"encoding/hex"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

// TestProbeProgram: the probe's disk is one that a BIOS starts, and its steps are
// those that have names.
func TestProbeProgram(t *testing.T) {
	t.Parallel()
	program, err := probeProgram()
	if err != nil {
		t.Fatal(err)
	}
	const sectors = 8
	if len(program) < 512 {
		t.Fatalf("got %d bytes", len(program))
	}
	if len(program) > sectors*512 || program[510] != 0x55 || program[511] != 0xaa {
		t.Errorf("got %d bytes that end a sector in %x", len(program), program[510:512])
	}
	source, err := os.ReadFile("testdata/probe.asm")
	if err != nil {
		t.Fatal(err)
	}
	if got := strings.Count(string(source), "\tstep\t'"); got != len(probeSteps) {
		t.Errorf("the probe has %d steps, and %d have names", got, len(probeSteps))
	}
}

// TestProbeAssembled: probe.hex is what an assembler makes of probe.asm; -update
// rewrites it.
func TestProbeAssembled(t *testing.T) {
	t.Parallel()
	object, binary := filepath.Join(t.TempDir(), "probe.o"), filepath.Join(t.TempDir(), "probe.bin")
	for _, args := range [][]string{
		{"as", "--64", "-o", object, "testdata/probe.asm"},
		{"ld", "-m", "elf_x86_64", "-Ttext", "0x7c00", "--oformat", "binary", "-o", binary, object},
	} {
		if _, err := exec.LookPath(args[0]); err != nil || runtime.GOARCH != "amd64" {
			t.Skipf("needs %s for amd64 (here: %s, %v)", args[0], runtime.GOARCH, err)
		}
		if out, err := exec.Command(args[0], args[1:]...).CombinedOutput(); err != nil {
			t.Fatalf("%v: %s", err, out)
		}
	}
	program, err := os.ReadFile(binary)
	if err != nil {
		t.Fatal(err)
	}
	var text strings.Builder
	for ; len(program) > 0; program = program[min(32, len(program)):] {
		text.WriteString(hex.EncodeToString(program[:min(32, len(program))]) + "\n")
	}
	golden.Compare(t, "testdata/probe.hex", text.String())
}

// TestReached: the step that a probe did not get past is named.
func TestReached(t *testing.T) {
	t.Parallel()
	for done, want := range map[string]string{"": "its firmware", "fdts": "protected mode", "fdtsplmuix": "accesses to devices"} {
		if got := reached(done); got != want {
			t.Errorf("%q: got %s, want %s", done, got, want)
		}
	}
}
