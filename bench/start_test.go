// SPDX-License-Identifier: BSD-3-Clause

//go:build bench && linux

package bench

import (
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"regexp"
	"strconv"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// measureStart runs the program so often and returns how long after its start
// the first request came in.
func (w *world) measureStart(t *testing.T, times int) sample {
	t.Helper()
	first := make(chan time.Time, 1)
	ts := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		select {
		case first <- time.Now():
		default: // not the first
		}
		http.Error(w, "no", http.StatusForbidden)
	}))
	defer ts.Close()
	file, env, err := rig.Config{
		GerritURL: ts.URL, Project: gerritProject, Mirror: "owner/x", MirrorURL: ts.URL + "/x.git", APIURL: ts.URL,
	}.Write(t.TempDir())
	must(t, err)
	var s sample
	for range times {
		begin := time.Now()
		if _, err := rig.Run(t.Context(), w.bin, env, nil, "sync", "--config", file); err != nil {
			t.Fatal(err)
		}
		s = append(s, (<-first).Sub(begin))
	}
	return s
}

// binarySize returns the size of the program as the container action has it:
// without debugging tables, and without what a container cannot do.
func binarySize(t *testing.T) int64 {
	t.Helper()
	out := t.TempDir() + "/dispatcher"
	cmd := exec.CommandContext(t.Context(), "go", "build", "-trimpath", "-tags=action", "-ldflags=-s -w", "-o", out, "github.com/spdk-community-ci/dispatcher")
	cmd.Env = append(os.Environ(), "CGO_ENABLED=0")
	if text, err := cmd.CombinedOutput(); err != nil {
		t.Fatalf("failed to build: %v\n%s", err, text)
	}
	info, err := os.Stat(out)
	must(t, err)
	return info.Size()
}

// measurePlan runs the planner's own benchmarks: the plan, and the list of refs
// sorted in.
func measurePlan(t *testing.T) (plan, index time.Duration) {
	t.Helper()
	out, err := exec.CommandContext(t.Context(), "go", "test", "-run=^$", "-bench=^Benchmark(Make|Index)$",
		"github.com/spdk-community-ci/dispatcher/internal/plan").CombinedOutput()
	if err != nil {
		t.Fatalf("failed to run the planner's benchmarks: %v\n%s", err, out)
	}
	read := func(name string) time.Duration {
		m := regexp.MustCompile(name + `/changes=10000\S*\s+\d+\s+(\d+) ns/op`).FindSubmatch(out)
		if m == nil {
			t.Fatalf("no result of %s:\n%s", name, out)
		}
		ns, _ := strconv.ParseInt(string(m[1]), 10, 64) // the pattern bounds it
		return time.Duration(ns)
	}
	return read("BenchmarkMake"), read("BenchmarkIndex")
}
