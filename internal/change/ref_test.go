// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"os/exec"
	"strings"
	"testing"
)

var namespaces = []Namespace{CustomRefs, BranchRefs}

func TestNamespaceRef(t *testing.T) {
	t.Parallel()
	tests := []struct {
		id   ID
		want string
	}{
		{ID{1, 1}, "01/1/1"}, {ID{12345, 6}, "45/12345/6"}, {ID{100, 10}, "00/100/10"},
		{ID{10, 2}, "10/10/2"}, {ID{9999999999, 999999999}, "99/9999999999/999999999"},
	}
	for _, ns := range namespaces {
		for _, tt := range tests {
			ref := ns.Ref(tt.id)
			if want := string(ns) + tt.want; ref != want {
				t.Errorf("Ref(%v): got %s, want %s", tt.id, ref, want)
			}
			if got, err := ns.Parse(ref); err != nil || got != tt.id {
				t.Errorf("Parse(%s): got %v, %v; want %v", ref, got, err, tt.id)
			}
		}
	}
}

// notPatchsets are tails that are no patchset refs in any namespace.
var notPatchsets = []string{
	"", "1/1/1", "01/1", "01/1/", "01/1/meta", "01/1/1/1", "01/1/0", "01/1/01", "01/01/1", "02/1/1", "45/12345/6 ", "45/12345/6^{}",
	"00/0/1", "01/-1/1", "001/1/1", "45/12345/../6", "+1/1/1", "0a/10/1", "01/1/1\n", "\u0660\u0661/1/1", "01/12345678901/1", "01/1/1234567890",
}

func TestNamespaceParseRefuses(t *testing.T) {
	t.Parallel()
	for _, ns := range namespaces {
		for _, tail := range notPatchsets {
			if got, err := ns.Parse(string(ns) + tail); err == nil || got != (ID{}) {
				t.Errorf("%s%s: got %v, %v; want an error", ns, tail, got, err)
			}
		}
		for _, ref := range []string{"", "45/12345/6", "refs/heads/45/12345/6", "/" + string(ns) + "45/12345/6", strings.ToUpper(string(ns)) + "45/12345/6"} {
			if got, err := ns.Parse(ref); err == nil {
				t.Errorf("%s under %s: got %v, want an error", ref, ns, got)
			}
		}
	}
	if _, err := CustomRefs.Parse("refs/changes/44/12345/6"); err == nil || !strings.Contains(err.Error(), "refs/changes/45/12345/6") {
		t.Errorf("got %v, want the right shard in it", err)
	}
}

func FuzzNamespaceParse(f *testing.F) {
	for _, ns := range namespaces {
		f.Add(ns.Ref(ID{12345, 6}))
		for _, tail := range notPatchsets {
			f.Add(string(ns) + tail)
		}
	}
	f.Fuzz(func(t *testing.T, ref string) {
		parsed := 0
		for _, ns := range namespaces {
			id, err := ns.Parse(ref)
			if err != nil {
				continue
			}
			parsed++
			if !id.Valid() || ns.Ref(id) != ref {
				t.Errorf("%q gives %v, which is written %q", ref, id, ns.Ref(id))
			}
			if err := CheckBranch(strings.TrimPrefix(ref, "refs/")); err != nil {
				t.Errorf("%q is no ref: %v", ref, err)
			}
		}
		if parsed > 1 {
			t.Errorf("%q is in two namespaces", ref)
		}
	})
}

// branches are names with what CheckBranch must say, and what git says.
var branches = []struct {
	name      string
	ours, git bool
}{
	{"main", true, true}, {"feature/x", true, true}, {"v1.2.x", true, true}, {"a@b", true, true}, {"a{b", true, true}, {"a-", true, true},
	{"\u00fcml\u00e4ut", true, true}, {"a./b", true, true}, {"HEAD", true, true}, {"x/refs/heads/y", true, true}, {"a+b=c,d!e#f$g%h&i'j(k)l;m<n>o\"p|q`r", true, true},
	{"\xff\xfe", true, true}, {"\u00a0", true, true}, {"\u2028", true, true},
	// stricter than git: an option, a full name, what "git branch" refuses, a length
	{"-", false, true}, {"-main", false, true}, {"refs/heads/x", false, true}, {"@", false, true}, {strings.Repeat("n", MaxBranch+1), false, true},
	{"", false, false}, {"/", false, false}, {"/a", false, false}, {"a/", false, false}, {"a//b", false, false}, {".a", false, false},
	{"a/.b", false, false}, {"a.", false, false}, {"a..b", false, false}, {"a.lock", false, false}, {"a.lock/b", false, false}, {"a@{b", false, false},
	{"a b", false, false}, {"a\tb", false, false}, {"a\nb", false, false}, {"a~b", false, false}, {"a^b", false, false}, {"a:b", false, false},
	{"a?b", false, false}, {"a*b", false, false}, {"a[b", false, false}, {`a\b`, false, false}, {"a\x7fb", false, false}, {"a\x01b", false, false},
}

// gitAccepts asks git whether refs/heads/NAME is a ref's name.
func gitAccepts(t *testing.T, name string) bool {
	t.Helper()
	if strings.Contains(name, "\x00") {
		return false // no argument can hold it
	}
	err := exec.CommandContext(t.Context(), "git", "check-ref-format", "refs/heads/"+name).Run()
	if _, refused := err.(*exec.ExitError); err != nil && !refused {
		t.Fatal(err)
	}
	return err == nil
}

func TestCheckBranch(t *testing.T) {
	t.Parallel()
	for _, b := range branches {
		if err := CheckBranch(b.name); (err == nil) != b.ours {
			t.Errorf("%q: got %v, want valid %v", b.name, err, b.ours)
		}
		if got := gitAccepts(t, b.name); got != b.git {
			t.Errorf("%q: git says %v, want %v", b.name, got, b.git)
		}
	}
}

// FuzzCheckBranch holds CheckBranch to git: the same answer, but for the names
// that it refuses on purpose.
func FuzzCheckBranch(f *testing.F) {
	for _, b := range branches {
		f.Add(b.name)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if len(name) > 1000 {
			return
		}
		err := CheckBranch(name)
		onPurpose := name == "@" || strings.HasPrefix(name, "-") || strings.HasPrefix(name, "refs/") || len(name) > MaxBranch
		switch accepted := gitAccepts(t, name); {
		case err == nil && !accepted:
			t.Errorf("%q: git refuses it", name)
		case err != nil && accepted && !onPurpose:
			t.Errorf("%q: git accepts it, but: %v", name, err)
		case err == nil && onPurpose:
			t.Errorf("%q is accepted", name)
		}
	})
}

// TestCheckRef: what is a branch is a ref, up to the same length.
func TestCheckRef(t *testing.T) {
	t.Parallel()
	for ref, want := range map[string]bool{
		"refs/heads/" + strings.Repeat("n", MaxBranch): true, "refs/heads/" + strings.Repeat("n", MaxBranch+1): false,
		"refs/changes/01/101/1": true, "refs/x": false, "heads/master": false, "refs/heads/a..b": false, "refs/heads/": false,
	} {
		if err := CheckRef(ref); (err == nil) != want {
			t.Errorf("%q: got %v, want valid %v", ref, err, want)
		}
	}
}
