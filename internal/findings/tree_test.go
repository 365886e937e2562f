// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"strings"
	"testing"
)

// tree is a patchset's.
var tree = NewTree([]string{"lib/nvme/nvme.c", "lib/bdev/bdev.c", "module/bdev/bdev.c", "Makefile", "lib/Makefile", "lib/nvme/Makefile", "top.c", "test/unit/lib/util/string.c/string_ut.c", "src/main/java/com/acme/FooTest.java", "a/x.c", "b/a/x.c"})

func first(file string, _ Match) string { return file }

func TestFind(t *testing.T) {
	t.Parallel()
	const ambiguous = "?"
	for _, tt := range []struct{ path, want string }{
		{"lib/nvme/nvme.c", "lib/nvme/nvme.c"},
		// Where machines have a checkout (GitHub's documentation of GITHUB_WORKSPACE,
		// actions/runner, actions/checkout's path, Gitea, GitLab, Jenkins).
		{"source/lib/nvme/nvme.c", "lib/nvme/nvme.c"},
		{"/home/runner/work/ci/ci/lib/nvme/nvme.c", "lib/nvme/nvme.c"},
		{"/home/runner/work/ci/ci/source/lib/nvme/nvme.c", "lib/nvme/nvme.c"},
		{"/home/runner/work/ci/ci/some/folder/lib/nvme/nvme.c", "lib/nvme/nvme.c"},
		{"/__w/ci/ci/lib/nvme/nvme.c", "lib/nvme/nvme.c"},
		{"/github/workspace/lib/nvme/nvme.c", "lib/nvme/nvme.c"},
		{"/opt/actions-runner/_work/ci/ci/lib/nvme/nvme.c", "lib/nvme/nvme.c"},
		{"/Users/runner/work/ci/ci/lib/nvme/nvme.c", "lib/nvme/nvme.c"},
		{"/a/ci/ci/lib/nvme/nvme.c", "lib/nvme/nvme.c"}, // D:\a\ci\ci
		{"/root/spdk/lib/nvme/nvme.c", "lib/nvme/nvme.c"},
		{"/builds/group/project/lib/nvme/nvme.c", "lib/nvme/nvme.c"},
		{"/lib/nvme/nvme.c", "lib/nvme/nvme.c"},
		// Tools that were started in a folder below.
		{"nvme/nvme.c", "lib/nvme/nvme.c"}, {"nvme.c", "lib/nvme/nvme.c"}, {"/nvme.c", "lib/nvme/nvme.c"},
		{"com/acme/FooTest.java", "src/main/java/com/acme/FooTest.java"}, {"string_ut.c", "test/unit/lib/util/string.c/string_ut.c"},
		// The longest end, and the very path before a longer one.
		{"/x/lib/bdev/bdev.c", "lib/bdev/bdev.c"}, {"/x/module/bdev/bdev.c", "module/bdev/bdev.c"},
		{"a/x.c", "a/x.c"}, {"/w/b/a/x.c", "b/a/x.c"}, {"/w/c/a/x.c", "a/x.c"},
		{"Makefile", "Makefile"}, {"lib/Makefile", "lib/Makefile"}, {"/root/spdk/lib/Makefile", "lib/Makefile"}, {"nvme/Makefile", "lib/nvme/Makefile"},
		// Which of them is not known.
		{"bdev.c", ambiguous}, {"bdev/bdev.c", ambiguous}, {"x.c", ambiguous},
		// The same name in another folder.
		{"test/bdev/bdev.c", ""}, {"/x/test/bdev/bdev.c", ""}, {"/usr/include/nvme.c", ""}, {"/root/spdk/app/Makefile", ""}, {"app/Makefile", ""}, {"app/top.c", ""},
		// The top of the repository, where that is known.
		{"/home/runner/work/ci/ci/top.c", "top.c"}, {"/home/runner/work/ci/ci/source/top.c", "top.c"}, {"/__w/ci/ci/Makefile", "Makefile"}, {"/a/ci/ci/top.c", "top.c"}, {"/x/a/ci/ci/top.c", ""},
		{"/github/workspace/top.c", "top.c"}, {"source/top.c", "top.c"}, {"/top.c", "top.c"}, {"/home/runner/work/ci/ci/x/top.c", ""}, {"/home/runner/work/ci/other/top.c", ""},
		{"github.com/acme/mod/top.c", "top.c"}, {"/root/spdk/top.c", ""},
		{"other.c", ""}, {"lib", ""}, {"lib/nvme", ""}, {strings.Repeat("a/", 2000) + "top.c", ""},
	} {
		got, m := tree.Find(tt.path)
		if m == Ambiguous {
			got = ambiguous
		}
		if got != tt.want || (m == Found) != (got != "" && got != ambiguous) {
			t.Errorf("%s: got %q (%d), want %q", tt.path, got, m, tt.want)
		}
	}
	if _, m := NewTree(nil).Find("a.c"); m != Elsewhere {
		t.Errorf("a patchset without files has one: %d", m)
	}
}

// TestLearn finds the top of a checkout by what was found below it.
func TestLearn(t *testing.T) {
	t.Parallel()
	tree := NewTree([]string{"top.c", "lib/nvme.c"})
	at := func(p string) []Finding { return []Finding{{Places: []Place{{Path: p, Line: 1, EndLine: 1}}}} }
	tree.Learn(at("/root/spdk/top.c"))
	if got, m := tree.Find("/root/spdk/top.c"); m != Elsewhere {
		t.Errorf("got %q before it was learned", got)
	}
	tree.Learn(at("/root/spdk/lib/nvme.c"))
	for p, want := range map[string]string{"/root/spdk/top.c": "top.c", "/root/spdk/app/top.c": "", "/root/top.c": ""} {
		if got, _ := tree.Find(p); got != want {
			t.Errorf("%s: got %q, want %q", p, got, want)
		}
	}
}
