// SPDX-License-Identifier: BSD-3-Clause

package environments

import (
	"os"
	"regexp"
	"testing"
)

// TestLeftOut: a pattern is seen from the source's folder, as results are.
func TestLeftOut(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		pattern, kept, name string
		want                bool
	}{
		{"../output/ut_coverage", "../output", "ut_coverage", true},
		{"../output/ut_coverage", "../output/", "ut_coverage", true},
		{"../output/ut_coverage/", "../output", "ut_coverage", true},
		{"../output/ut_coverage", "../output", ".", false},
		{"../output/ut_coverage", "../output", "ut_coverage2", false},
		{"../output/ut_coverage", "../output", "deep/ut_coverage", false},
		{"../output/ut_coverage", "../output2", "ut_coverage", false},
		{"../output/ut_coverage", "output", "ut_coverage", false},
		{"../output/**/*.html", "../output", "a.html", true},
		{"../output/**/*.html", "../output", "a/b/c.html", true},
		{"../output/*.html", "../output", "a/b.html", false},
		{"../output/**", "../output", ".", true},
		{"../output/\\*", "../output", "*", true},
		{"../output/\\*", "../output", "x", false},
		{"build/../log/x", "log", "x", true},
		{"./build/x", "build", "x", true},
		{"build", ".", "build", true},
		{"../output", ".", "output", false},
		{"../output", "..", "output", true},
		{"build", "..", "source/build", true},
		{"build", "..", "build", false},
	} {
		results := []string{c.kept, without + c.pattern}
		if got := LeftOut(results, c.kept, c.name); got != c.want {
			t.Errorf("%s in %s: %s: got %t", c.pattern, c.kept, c.name, got)
		}
		if kept := Kept(results); len(kept) != 1 || kept[0] != c.kept {
			t.Errorf("got %q", kept)
		}
	}
}

// TestPages: the lists in the pages can be read.
func TestPages(t *testing.T) {
	t.Parallel()
	for _, page := range []string{"README.md", "docs/workflows.md"} {
		text, err := os.ReadFile("../../" + page)
		if err != nil {
			t.Fatal(err)
		}
		lists := regexp.MustCompile("(?s)```yaml\n(environments:.*?)```").FindAllSubmatch(text, -1)
		if len(lists) == 0 {
			t.Errorf("%s: there is no list", page)
		}
		for _, list := range lists {
			if _, err := Read(page, list[1]); err != nil {
				t.Error(err)
			}
		}
	}
}
