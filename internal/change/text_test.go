// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"strings"
	"testing"
	"unicode"
	"unicode/utf8"
)

func TestClip(t *testing.T) {
	t.Parallel()
	tests := []struct {
		in   string
		n    int
		want string
	}{
		{"", 0, ""}, {"abc", 3, "abc"}, {"abcd", 3, "abc..."}, {"abc", 0, "..."},
		{"a\u00e4b", 2, "a..."}, {"a\u00e4b", 3, "a\u00e4..."}, {"\U0001F600x", 3, "..."}, {"\x80\x80\x80\x80", 2, "..."},
	}
	for _, tt := range tests {
		if got := Clip(tt.in, tt.n); got != tt.want {
			t.Errorf("Clip(%q, %d): got %q, want %q", tt.in, tt.n, got, tt.want)
		}
	}
}

func FuzzClip(f *testing.F) {
	f.Add("a\u00e4\U0001F600", 3)
	f.Add("\xff\xfe", 1)
	f.Fuzz(func(t *testing.T, s string, n int) {
		if n < 0 || n > 1<<20 {
			return
		}
		got := Clip(s, n)
		if len(got) > n+len("...") {
			t.Errorf("%q at %d: %d bytes", s, n, len(got))
		}
		if !strings.HasPrefix(s, strings.TrimSuffix(got, "...")) && got != s {
			t.Errorf("%q at %d: got %q, which is not its beginning", s, n, got)
		}
		if utf8.ValidString(s) && !utf8.ValidString(got) {
			t.Errorf("%q at %d: a rune was cut: %q", s, n, got)
		}
	})
}

func TestOneLine(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"nvme: fix it", "nvme: fix it"},
		{"  around  ", "around"},
		{"two\nlines\r\n", "two lines"},
		{"::error::x", ": :error::x"},
		{"\n \t::add-mask::x", ": :add-mask::x"},
		{"::::", ": :::"},
		{"a ::error::x", "a ::error::x"}, // only the start of a line counts
		{"a\n::error::x", "a ::error::x"},
		{"##[error]x", "## [error]x"},
		{"x ###[group]", "x ### [group]"},
		{"##\u200b[error]", "## [error]"},
		{"\u202eevil\u2066", "evil"},
		{"\x1b[31mred\x07", "[31mred"},
		{"a\u2028b\u2029c\u0085d", "a b c d"},
		{"\u200b::error::x", ": :error::x"},
		{"bad \xff byte", "bad \ufffd byte"},
		{"\ufeffbom", "bom"},
		{"", ""},
	}
	for _, tt := range tests {
		if got := OneLine(tt.in); got != tt.want {
			t.Errorf("OneLine(%q): got %q, want %q", tt.in, got, tt.want)
		}
	}
}

// FuzzOneLine checks what the runner's parser looks at, and that the text stays
// fit after it was made so.
func FuzzOneLine(f *testing.F) {
	for _, s := range []string{"::error::x", "##[group]", "a\n::x", "\u202e", "\xff::", ":\u200b:x::", "#\u00ad#[x]", "\u00a0::x::"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := OneLine(s)
		if !utf8.ValidString(got) {
			t.Errorf("%q: got invalid UTF-8 %q", s, got)
		}
		if i := strings.IndexFunc(got, func(r rune) bool {
			return unicode.IsControl(r) || unicode.In(r, unicode.Cf, unicode.Zl, unicode.Zp)
		}); i >= 0 {
			t.Errorf("%q: got %q, byte %d is not for a line", s, got, i)
		}
		if strings.HasPrefix(strings.TrimSpace(got), "::") || strings.Contains(got, "##[") {
			t.Errorf("%q: got the command %q", s, got)
		}
		if again := OneLine(got); again != got {
			t.Errorf("%q: got %q, and then %q", s, got, again)
		}
	})
}
