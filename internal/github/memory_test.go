// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"io"
	"runtime"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestMemoryDoesNotGrow reads a log and an artifact of 200 MB each. It is not
// parallel, so that only its own allocations count, those of the server too.
func TestMemoryDoesNotGrow(t *testing.T) {
	const size, limit = 200 << 20, 2 << 20
	w := newWorld(t, standin.Options{})
	id := w.run(standin.Job{Name: "test", Conclusion: "failure", Steps: []standin.Step{
		{Name: "Build", Filler: size, Log: "##[group]Run test\nnot ok\n##[error]Process completed with exit code 1."},
	}})
	job := w.server.Jobs(id, 1)[0].ID
	artifact := w.server.AddArtifact(id, standin.Artifact{Name: "image", Filler: size})
	for name, read := range map[string]func() error{
		"log": func() error {
			log, err := w.client.JobLog(t.Context(), "org/ci", change.Job{ID: job}, 50)
			if got, want := strings.Join(log.Tail, " "), "##[group]Run test not ok ##[error]Process completed with exit code 1."; got != want {
				t.Errorf("got lines %q, want %q", got, want)
			}
			return err
		},
		"artifact": func() error {
			body, told, err := w.client.OpenArtifact(t.Context(), "org/ci", artifact)
			if err != nil {
				return err
			}
			defer body.Close()
			n, err := io.Copy(io.Discard, body)
			if n != told || n < size {
				t.Errorf("got %d bytes of %d, want more than %d", n, told, size)
			}
			return err
		},
	} {
		var before, after runtime.MemStats
		runtime.ReadMemStats(&before)
		if err := read(); err != nil {
			t.Fatal(err)
		}
		runtime.ReadMemStats(&after)
		if got := after.TotalAlloc - before.TotalAlloc; got > limit {
			t.Errorf("%s: 200 MB made %d bytes of allocations, want at most %d", name, got, limit)
		}
	}
}
