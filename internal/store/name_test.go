// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"errors"
	"net/url"
	"path"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
)

var badNames = map[string]string{
	"": "empty", "/a": "empty", "a/": "empty", "a//b": "empty", "..": `".."`, "a/../b": `".."`, "./a": `"."`,
	"a\x00b": "seen", "a\nb": "seen", "a\u202eb": "seen", "a\u2028b": "seen", "a\u007f": "seen", `a\b`: `'\'`,
	"a\xff": "UTF-8", strings.Repeat("x/", 600) + "x": "longer", strings.Repeat("x", 256): "longer",
}

func TestCheckName(t *testing.T) {
	t.Parallel()
	for name, part := range badNames {
		if err := CheckName(name); err == nil || !strings.Contains(err.Error(), part) {
			t.Errorf("%q: got %v, want %q", name, err, part)
		}
	}
	for _, name := range []string{"a", "a/b/c.txt", "...", ".x", "a b", "ünï/日本", "a:b*?", "-", "~", "a..b", strings.Repeat("x", 255)} {
		if err := CheckName(name); err != nil {
			t.Errorf("%q: got %v, want that it is good", name, err)
		}
	}
}

// TestBadNamesAreNotSent: every method refuses them.
func TestBadNamesAreNotSent(t *testing.T) {
	t.Parallel()
	b := newBed(t, s3.Options{})
	for name := range badNames {
		_, _, getErr := b.Get(t.Context(), name)
		_, statErr := b.Stat(t.Context(), name)
		for _, err := range []error{getErr, statErr, b.Delete(t.Context(), name), b.Put(t.Context(), name, nil, 0, "")} {
			if !errors.Is(err, fault.Permanent) || !strings.Contains(err.Error(), "cannot name an object") {
				t.Errorf("%q: got %v", name, err)
			}
		}
	}
	if r := b.server.Requests(); len(r) != 0 {
		t.Errorf("got %+v, want no request", r)
	}
}

// FuzzName: a good name comes back from its link, and its link says nothing else.
func FuzzName(f *testing.F) {
	for name := range badNames {
		f.Add(name)
	}
	f.Add(`a b/+?#%&"<>'é.txt`)
	s, err := Open(options(func(o *Options) { o.Prefix = "ci" }))
	if err != nil {
		f.Fatal(err)
	}
	f.Fuzz(func(t *testing.T, name string) {
		if CheckName(name) != nil {
			return
		}
		if path.Clean("/ci/"+name) != "/ci/"+name || !utf8.ValidString(name) {
			t.Errorf("%q should have been refused", name)
		}
		link := s.URL(name)
		if strings.ContainsAny(link, "\"'<>& \\\n()") {
			t.Errorf("%q: the link %q is not escaped", name, link)
		}
		u, err := url.Parse(link)
		if err != nil || u.Host != "s3.example.org" || u.Path != "/results/ci/"+name || u.RawQuery != "" || u.Fragment != "" {
			t.Errorf("%q: got %+v, %v", name, u, err)
		}
	})
}

func FuzzPrintable(f *testing.F) {
	f.Add("a\nb\u202e\xff", 3)
	f.Fuzz(func(t *testing.T, s string, limit int) {
		limit = min(max(limit, 1), 1000)
		got := printable(s, limit)
		if strings.ContainsFunc(got, hidden) || !utf8.ValidString(got) || len(got) > limit+len("...") {
			t.Errorf("got %q of %q", got, s)
		}
	})
}
