// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"os"
	"path/filepath"
	"slices"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/environments"
)

// TestFresh: nothing of an earlier job, of whatever environment, is among the
// results, and nothing goes that is no result.
func TestFresh(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		files  []string // in the folder
		source string
		want   []string
	}{
		"new":               {nil, "source.tar.gz", nil},
		"after a job":       {[]string{"result.json", "log.txt", "old/f"}, "source.tar.gz", nil},
		"after one killed":  {[]string{"log.txt", "old/f"}, "source.tar.gz", nil},
		"a person's":        {[]string{"mine", "output/f"}, "source.tar.gz", []string{"mine"}},
		"beside the source": {[]string{"log.txt", "mine", "source.tar.gz", "output/f"}, "results/source.tar.gz", []string{"mine", "source.tar.gz"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			r := cellRun{results: filepath.Join(dir, "results"), source: filepath.Join(dir, c.source), cell: environments.Cell{Results: []string{"../output"}}}
			for _, f := range c.files {
				file := filepath.Join(r.results, f)
				if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(file, nil, 0o644); err != nil {
					t.Fatal(err)
				}
			}
			if err := r.fresh(); err != nil {
				t.Fatal(err)
			}
			entries, err := os.ReadDir(r.results)
			if err != nil {
				t.Fatal(err)
			}
			var got []string
			for _, e := range entries {
				got = append(got, e.Name())
			}
			if !slices.Equal(got, c.want) {
				t.Errorf("got %q, want %q", got, c.want)
			}
		})
	}
}
