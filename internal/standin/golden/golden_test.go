// SPDX-License-Identifier: BSD-3-Clause

package golden

import (
	"os"
	"path/filepath"
	"testing"
)

// failing notes that a test failed, and goes on.
type failing struct {
	testing.TB
	failed bool
}

func (f *failing) Errorf(string, ...any) { f.failed = true }

// TestCompare is not parallel: it sets the flag.
func TestCompare(t *testing.T) {
	defer func(was bool) { *update = was }(*update)
	file := filepath.Join(t.TempDir(), "f")
	if err := os.WriteFile(file, []byte("old\n"), 0o644); err != nil {
		t.Fatal(err)
	}
	for _, c := range []struct {
		update      bool
		got, file   string
		fails, says bool
	}{
		{false, "old\n", "old\n", false, false},
		{false, "new\n", "old\n", true, false},
		{true, "new\n", "new\n", false, true},
	} {
		*update = c.update
		f := &failing{TB: t}
		Compare(f, file, c.got)
		text, err := os.ReadFile(file)
		if err != nil || string(text) != c.file || f.failed != c.fails || Update() != c.says {
			t.Errorf("update %v, %q: the file holds %q (%v), failed %v, Update %v", c.update, c.got, text, err, f.failed, Update())
		}
	}
}
