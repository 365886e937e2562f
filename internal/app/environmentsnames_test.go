// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"
)

// TestManyNamesBecomeOne: a test can make as many such names as it likes, and long
// ones; the end of its job must not wait for them for long.
func TestManyNamesBecomeOne(t *testing.T) {
	t.Parallel()
	dir := t.TempDir()
	long := strings.Repeat("x", 250)
	names := []string{long + ".txt:", long + ".txt?", long + ".txt*", strings.Repeat("é", 127) + ":", strings.Repeat("é", 127) + "?", "." + strings.Repeat("y", 253) + ":", "." + strings.Repeat("y", 253) + "?"}
	for i := range 4000 {
		var name strings.Builder
		for digits := i; name.Len() < 6; digits /= 8 {
			name.WriteByte(`":<>|*?_`[digits%8])
		}
		names = append(names, name.String())
	}
	var moved []string
	for _, name := range names {
		path := filepath.Join(dir, name)
		if err := os.WriteFile(path, nil, 0o644); err != nil {
			t.Fatal(err)
		}
		if name != uploadable(name) {
			moved = append(moved, path)
		}
	}
	next, begun := map[string]int{}, time.Now()
	for _, path := range moved {
		if _, err := moveBeside(path, next); err != nil {
			t.Fatal(err)
		}
	}
	if took := time.Since(begun); took > 5*time.Second {
		t.Errorf("it took %v", took)
	}
	entries, err := os.ReadDir(dir)
	if err != nil || len(entries) != len(names) {
		t.Errorf("got %d files of %d, %v", len(entries), len(names), err)
	}
	for _, e := range entries {
		if e.Name() != uploadable(e.Name()) {
			t.Errorf("got %q", e.Name())
		}
	}
}
