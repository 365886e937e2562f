// SPDX-License-Identifier: BSD-3-Clause

package action

import (
	"html"
	"regexp"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

func TestCell(t *testing.T) {
	t.Parallel()
	tests := []struct{ in, want string }{
		{"", ""},
		{"nvme: fix it", "nvme&#58; fix it"},
		{"a | b", "a &#124; b"},
		{"`code`", "&#96;code&#96;"},
		{"<img src=x onerror=y>", "&#60;img src=x onerror=y&#62;"},
		{"&lt;", "&#38;lt;"},
		{"two\nlines", "two lines"},
		{"[text](https://evil.example)", "&#91;text&#93;&#40;https&#58;//evil.example&#41;"},
		{"www.evil.example WWW.x", "www&#46;evil.example WWW&#46;x"},
		{"ping @someone", "ping @\u200bsomeone"},
		{"me@example.org", "me@\u200bexample.org"},
		{"**bold** _it_ ~no~ $x$ #12 !", "&#42;&#42;bold&#42;&#42; &#95;it&#95; &#126;no&#126; &#36;x&#36; &#35;12 &#33;"},
		{`back\slash`, "back&#92;slash"},
		{".start", ".start"},
		{"\u00fcml\u00e4ut \u4e2d", "\u00fcml\u00e4ut \u4e2d"},
		{"\u202etxt", "txt"},
	}
	for _, tt := range tests {
		if got := Cell(tt.in); got != tt.want {
			t.Errorf("Cell(%q): got %q, want %q", tt.in, got, tt.want)
		}
	}
	if got := Cell(strings.Repeat("w", 10_000)); len(got) > maxCell+10 {
		t.Errorf("a long text becomes %d bytes", len(got))
	}
}

var (
	reference = regexp.MustCompile(`&#[0-9]+;`)
	structure = regexp.MustCompile("[|`<>&\\\\*_~\\[\\]()!#:$\\n\\r{}\"^?]|(?i)www\\.|@[^\u200b]|@$")
)

// FuzzCell: nothing that Markdown or GitHub gives a meaning is left, and a
// reader sees the text as it is.
func FuzzCell(f *testing.F) {
	for _, s := range []string{"a|b", "`x`", "<b>", "[a](b)", "@a", "www.x", "wwww.", "&amp;", "\x00\xff", "::x", "##[x]", "\u200b@\u200b@", "\u017fww.", "W.ww."} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		got := Cell(s)
		if rest := reference.ReplaceAllString(got, "x"); structure.MatchString(rest) {
			t.Errorf("%q: got %q, which has structure", s, got)
		}
		seen := html.UnescapeString(strings.ReplaceAll(got, wordJoint, ""))
		if shown := change.OneLine(change.Clip(s, maxCell)); seen != shown {
			t.Errorf("%q: got %q, shown as %q, want %q", s, got, seen, shown)
		}
		if change.OneLine(got) != strings.ReplaceAll(got, wordJoint, " ") && !strings.HasSuffix(got, wordJoint) {
			t.Errorf("%q: got %q, which is not one safe line", s, got)
		}
	})
}
