// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"io"
	"strings"
	"testing"
	"testing/iotest"
	"unicode/utf8"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

func TestTypeOf(t *testing.T) {
	t.Parallel()
	png := "\x89PNG\x0d\x0a\x1a\x0a...."
	for _, c := range []struct {
		name, head, plain, allowed string
	}{
		{"a.log", "hello\n", textType, textType},
		{"a.LOG", "\x1b[1mhello\n", textType, textType},
		{"noext", "hello", textType, textType},
		{"noext", "<html><script>", textType, textType},
		{"empty", "", textType, textType},
		{"a.html", "<html>", textType, "text/html; charset=utf-8"},
		{"a.HTM", "<html>", textType, "text/html; charset=utf-8"},
		{"a.svg", "<svg onload=alert(1)>", textType, "image/svg+xml"},
		{"a.xml", "<?xml version='1.0'?><x:script xmlns:x='http://www.w3.org/1999/xhtml'>", textType, "application/xml"},
		{"a.xhtml", "<html/>", textType, "application/xhtml+xml"},
		{"a.js", "alert(1)", textType, "text/javascript; charset=utf-8"},
		{"a.css", "a{}", textType, "text/css; charset=utf-8"},
		{"a.html", "\x00\x01", binaryType, binaryType},
		{"a.png", png, "image/png", "image/png"},
		{"a.png", "<svg onload=alert(1)>", textType, textType},
		{"a.png", "GIF89a\x00", binaryType, binaryType},
		{"a.json", "{}", "application/json", "application/json"},
		{"a.json", "\x00", binaryType, binaryType},
		{"a.pdf", "%PDF-1.7\x00", "application/pdf", "application/pdf"},
		{"a.pdf", "<html>", textType, textType},
		{"a.zip", "PK\x03\x04\x00", "application/zip", "application/zip"},
		{"a.tar.gz", "\x1f\x8b\x08\x00", "application/gzip", "application/gzip"},
		{"a.xz", "\xfd7zXZ\x00", "application/x-xz", "application/x-xz"},
		{"a.qcow2", "QFI\xfb\x00\x00", binaryType, binaryType},
		{"core.123", "\x7fELF\x02\x01\x01\x00", binaryType, binaryType},
		{"utf16.txt", "\xff\xfeh\x00i\x00", "text/plain; charset=utf-16le", "text/plain; charset=utf-16le"},
		{"latin1.txt", "caf\xe9", textType, textType},
	} {
		if got := typeOf(c.name, []byte(c.head), false); got != c.plain {
			t.Errorf("%s %q: got %s, want %s", c.name, c.head, got, c.plain)
		}
		if got := typeOf(c.name, []byte(c.head), true); got != c.allowed {
			t.Errorf("%s %q, allowed: got %s, want %s", c.name, c.head, got, c.allowed)
		}
	}
}

// FuzzTypeOf: what a browser would execute is never served as what it is.
func FuzzTypeOf(f *testing.F) {
	f.Add("a.svg", []byte("<svg>"))
	f.Add("a.PNG", []byte("<!doctype html>"))
	f.Fuzz(func(t *testing.T, name string, head []byte) {
		got := typeOf(name, head, false)
		for _, bad := range []string{"html", "xml", "svg", "script", "css"} {
			if strings.Contains(got, bad) {
				t.Errorf("%q %q: got %s", name, head, got)
			}
		}
	})
}

func plainText(t *testing.T, r io.Reader) string {
	t.Helper()
	out, err := io.ReadAll(newPlain(r))
	if err != nil {
		t.Fatal(err)
	}
	return string(out)
}

func TestPlain(t *testing.T) {
	t.Parallel()
	for in, want := range map[string]string{
		"":                         "",
		"\ufeffa\r\nb\n":           "a\nb\n",
		"a\ufeffb":                 "a\ufeffb",
		"\x1b[1;31mred\x1b[0m":     "red",
		"\x1b[?25l10%\r20%\r\n":    "10%\n20%\n",
		"a\x1b]0;title\x07b":       "ab",
		"a\x1b]8;;http://x\x1b\\b": "ab",
		"a\x1b]0;no end\nb":        "a\nb",
		"a\x1bPdata\x1b\\b":        "ab",
		"a\x1b(Bb\x1b7c":           "abc",
		"a\u009b31mb\u0085c":       "abc",
		"a\u009dx\x07b":            "ab",
		"\x00\x07\x08\x7f\t.":      "\t.",
		"\x1b[\nx":                 "\nx",
		"\x1b\nx":                  "\nx",
		"\x1b[31":                  "",
		"end\r":                    "end\n",
		"\xc2":                     "\xc2",
		"©é\xc2\xc2a\xff":          "©é\xc2\xc2a\xff",
		"\x1b]" + strings.Repeat("x", maxString) + "after": "after",
	} {
		if got := plainText(t, strings.NewReader(in)); got != want {
			t.Errorf("%q: got %q, want %q", in, got, want)
		}
		if got := plainText(t, iotest.OneByteReader(strings.NewReader(in))); got != want {
			t.Errorf("%q, byte by byte: got %q, want %q", in, got, want)
		}
	}
	if err := iotest.TestReader(newPlain(strings.NewReader("a\x1b[1mb\r\nc")), []byte("ab\nc")); err != nil {
		t.Error(err)
	}
}

// FuzzPlain: nothing is left for a terminal to obey, and doing it twice changes
// nothing.
func FuzzPlain(f *testing.F) {
	f.Add("a\u009b31mb\r\x1b]x\x07\xc2")
	f.Add("\xc2\x1b[m\x9b")
	f.Fuzz(func(t *testing.T, in string) {
		got := plainText(t, strings.NewReader(in))
		for _, r := range got {
			if r != utf8.RuneError && (r < 0x20 && r != '\n' && r != '\t' || r >= 0x7f && r <= 0x9f) {
				t.Fatalf("%q: got %q", in, got)
			}
		}
		if again := plainText(t, strings.NewReader(got)); again != got && !strings.HasPrefix(got, "\ufeff") {
			t.Errorf("%q: got %q, and %q of that", in, got, again)
		}
	})
}

func TestFolder(t *testing.T) {
	t.Parallel()
	k := testBatch().Key
	k.Server = "lab"
	for _, c := range []struct {
		project string
		attempt int
		want    string
	}{
		{"spdk/spdk", 0, "lab/spdk/spdk/21042/7/autorun.yml/2"},
		{"spdk", 1, "lab/spdk/21042/7/autorun.yml/2"},
		{"../a b//é/", 3, "lab/x/a-b/x/x/x/21042/7/autorun.yml/2.3"},
	} {
		if got, err := Folder(c.project, k, c.attempt); got != c.want || err != nil {
			t.Errorf("%q: got %q, %v, want %q", c.project, got, err, c.want)
		}
	}
	if _, err := Folder(strings.Repeat("x/", 200), k, 1); err == nil {
		t.Error("a long project: got no error")
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	n := names{}
	for i, want := range []string{"a", "a-2", "a-2-3", "b"} {
		base := []string{"a", "a", "a-2", "b"}[i]
		id := []int64{1, 2, 3, 4}[i]
		if got := n.take(base, id); got != want {
			t.Errorf("%s: got %s, want %s", base, got, want)
		}
	}
}

// FuzzSegment: any text becomes one harmless part of a path.
func FuzzSegment(f *testing.F) {
	f.Add("../..")
	f.Add("build (ubuntu, gcc)")
	f.Fuzz(func(t *testing.T, s string) {
		got := segment(s)
		if got == "" || len(got) > 80 || strings.Trim(got, ".-") != got || strings.ContainsFunc(got, func(r rune) bool {
			return !strings.ContainsRune("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789._-", r)
		}) {
			t.Errorf("%q: got %q", s, got)
		}
		if folder, err := projectFolder(s); err == nil && (checkPath(folder) != nil || change.OneLine(folder) != folder) {
			t.Errorf("%q: got the folder %q", s, folder)
		}
	})
}

func TestSizeText(t *testing.T) {
	t.Parallel()
	for n, want := range map[int64]string{
		0: "0 bytes", 1: "1 byte", 999: "999 bytes", 1000: "1.0 kB", 9949: "9.9 kB", 9950: "10 kB", 999_499: "999 kB",
		999_500: "1.0 MB", 2_100_000_000: "2.1 GB", 1 << 62: "4.6 EB",
	} {
		if got := sizeText(n); got != want {
			t.Errorf("%d: got %s, want %s", n, got, want)
		}
	}
}
