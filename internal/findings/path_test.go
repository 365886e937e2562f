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
	{"...", "..."}, {"..c/x", "..c/x"}, {"-x", "-x"}, {"../x", "x"}, {"a/../../../x", "x"}, {`..\x`, "x"}, {"/x", "/x"}, {"//x", "/x"}, {`\x`, "/x"},
	{"/home/runner/work/spdk/spdk/../spdk/lib/x.c", "/home/runner/work/spdk/spdk/lib/x.c"},
	{`D:\a\spdk\spdk\lib\x.c`, "/a/spdk/spdk/lib/x.c"}, {`D:\\a\\lib\\x.c`, "/a/lib/x.c"}, {"c:/x", "/x"}, {"C:x", "x"}, {`\\host\share\x.c`, "/host/share/x.c"},
	{"file:///lib/x.c", "/lib/x.c"}, {"file://lib-host/a%20b.c", "/a b.c"}, {"file:lib/x.c", "lib/x.c"}, {"FILE:/x.c", "/x.c"}, {"file:///D:/a/x.c", "/a/x.c"},
	{"file:///100%/x.c", "/100%/x.c"}, {"file:///a%00b", ""}, {"file://", ""}, {"file:///a%2F..%2F..%2Fx", "/x"},
	{"https://x.example/a.c", ""}, {"pkg:docker/debian", ""}, {"jar:file:/x.jar!/a", "jar:file:/x.jar!/a"},
	{"", ""}, {".", ""}, {"..", ""}, {"./", ""}, {"/", ""}, {"../..", ""},
	{"a\nb", ""}, {"a\x00b", ""}, {"a\u202eb", ""}, {"a\xffb", ""}, {strings.Repeat("a/", 3000), ""},
}

func TestCleanPath(t *testing.T) {
	t.Parallel()
	for _, p := range paths {
		if got, ok := cleanPath(p.in); got != p.want || ok != (p.want != "") {
			t.Errorf("%q: got %q, %v; want %q", p.in, got, ok, p.want)
		}
	}
}

func FuzzCleanPath(f *testing.F) {
	for _, p := range paths {
		f.Add(p.in)
	}
	f.Fuzz(func(t *testing.T, in string) {
		got, ok := cleanPath(in)
		if !ok {
			return
		}
		if got == "" || got == "." || got == "/" || strings.ContainsAny(got, "\\\x00\n") || path.Clean(got) != got || strings.HasPrefix(got+"/", "../") {
			t.Errorf("%q: got %q", in, got)
		}
		if again, ok := cleanPath(got); !ok || again != got {
			t.Errorf("%q: got %q, and then %q", in, got, again)
		}
		for _, found := range []string{first(tree.Find(got)), first(tree.Find("/x/" + got))} {
			if found != "" && path.Base(found) != path.Base(got) {
				t.Errorf("%q: found %q", in, found)
			}
		}
	})
}
