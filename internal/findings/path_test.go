// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"path"
	"strings"
	"testing"
)

var paths = []struct{ in, want string }{
	{"lib/nvme/nvme.c", "lib/nvme/nvme.c"},
	{"./lib//nvme/../nvme/nvme.c", "lib/nvme/nvme.c"},
	{`lib\nvme\nvme.c`, "lib/nvme/nvme.c"},
	{"a b/\u00e4.c", "a b/\u00e4.c"},
	{"...", "..."}, {"..c/x", "..c/x"}, {"-x", "-x"},
	{"/home/runner/work/spdk/spdk/lib/x.c", "lib/x.c"},
	{"/home/runner/work/spdk/spdk/../spdk/lib/x.c", "lib/x.c"},
	{`D:\a\spdk\spdk\lib\x.c`, "lib/x.c"},
	{"/home/runner/work/spdk/spdk/../../../etc/passwd", ""},
	{"/home/runner/work/spdk/spdk", ""}, {"/home/runner/work/spdk/spdk2/x.c", ""},
	{"", ""}, {".", ""}, {"..", ""}, {"./", ""}, {"../x", ""}, {"a/../../x", ""}, {`..\x`, ""}, {"/", ""}, {"/x", ""}, {"//x", ""}, {`\x`, ""},
	{"C:x", ""}, {"c:/x", ""}, {"a\nb", ""}, {"a\x00b", ""}, {"a\u202eb", ""}, {"a\xffb", ""}, {strings.Repeat("a/", 3000), ""},
}

func TestCleanPath(t *testing.T) {
	t.Parallel()
	roots := cleanRoots(checkout.Roots)
	for _, p := range paths {
		if got, ok := cleanPath(p.in, roots); got != p.want || ok != (p.want != "") {
			t.Errorf("%q: got %q, %v; want %q", p.in, got, ok, p.want)
		}
	}
}

func FuzzCleanPath(f *testing.F) {
	for _, p := range paths {
		f.Add(p.in)
	}
	roots := cleanRoots(checkout.Roots)
	f.Fuzz(func(t *testing.T, in string) {
		got, ok := cleanPath(in, roots)
		if !ok {
			return
		}
		if got == "" || got == "." || strings.HasPrefix(got, "/") || strings.ContainsAny(got, "\\\x00\n") || path.Clean(got) != got ||
			strings.HasPrefix(got+"/", "../") {
			t.Errorf("%q: got %q", in, got)
		}
		if again, ok := cleanPath(got, roots); !ok || again != got {
			t.Errorf("%q: got %q, and then %q", in, got, again)
		}
	})
}
