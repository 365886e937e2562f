// SPDX-License-Identifier: BSD-3-Clause

// Package golden compares what tests get with files, and rewrites the files
// under -update. Only tests import it: it adds that flag to their program.
//
// It knows no format; what a test compares is text.
package golden

import (
	"flag"
	"os"
	"testing"

	"github.com/google/go-cmp/cmp"
)

var update = flag.Bool("update", false, "rewrite the golden files, and what of the documentation tests write")

// Update reports whether files are to be rewritten.
func Update() bool { return *update }

// Compare fails the test if the file holds another text.
func Compare(t testing.TB, file, got string) {
	t.Helper()
	if *update {
		if err := os.WriteFile(file, []byte(got), 0o644); err != nil {
			t.Fatal(err)
		}
	}
	want, err := os.ReadFile(file)
	if err != nil {
		t.Fatal(err)
	}
	if diff := cmp.Diff(string(want), got); diff != "" {
		t.Errorf("%s (-want +got); -update rewrites it:\n%s", file, diff)
	}
}
