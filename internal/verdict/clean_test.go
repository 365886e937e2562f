// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"strings"
	"testing"
)

func TestLine(t *testing.T) {
	t.Parallel()
	tests := []struct {
		secrets  []string
		in, want string
	}{
		{nil, "plain", "plain"},
		{nil, "\x1b[1;31mred\x1b[0m \x1b]0;title\x07x\x1b]8;;http://a\x1b\\y\x1bM \u009b1mz", "red xy z"},
		{nil, "10%\r20%\r100% done", "100% done"},
		{nil, "dos\r\n", "dos"},
		{nil, "\x1b[31", "[31"},
		{nil, "::error::x", ": :error::x"},
		{nil, "a ##[error]b", "a ## [error]b"},
		{nil, "Dispatcher: x Dispatcher:y", "Dispatcher : x Dispatcher :y"},
		{nil, "Dispatcher\u200b:", "Dispatcher :"},
		{nil, "@root@example.org", "@ root@example.org"},
		{nil, "cc\t@root@example.org, @pytest.fixture a@b", "cc @ root@example.org, @pytest.fixture a@b"},
		{[]string{"hunter22"}, "x hunter22hunter22 \x1b[1mhun\x1b[0mter22", "x ****** ***"},
		{[]string{"abcd", "abcdefgh"}, "abcdefgh abcde", "*** ***e"},
		{[]string{"first line\nsecond line\n"}, "first line", "***"},
		{[]string{"first line\nsecond line\n"}, "a second line b", "a *** b"},
		{[]string{"abc", "", "  ", "\n"}, "abc", "abc"},
		{[]string{"\x1b["}, "\x1b[0mok", "ok"},
		{nil, "\xff\xfe", "\ufffd"},
	}
	for _, tt := range tests {
		if got := newCleaner(tt.secrets).line(tt.in, 100); got != tt.want {
			t.Errorf("%q without %q: got %q, want %q", tt.in, tt.secrets, got, tt.want)
		}
	}
}

// TestSecretAtCut checks that the part of a secret that a cut leaves over is
// not shown either.
func TestSecretAtCut(t *testing.T) {
	t.Parallel()
	c := newCleaner([]string{"correct horse battery staple"})
	for pad := maxRaw - 60; pad <= maxRaw+10; pad += 3 {
		s := strings.Repeat("\x1b[1m", pad/4) + strings.Repeat("x", pad%4) + "correct horse battery staple and more"
		if got := c.line(s, maxLine); strings.Contains(got, "correct") {
			t.Fatalf("got %q with the secret at byte %d", got, pad)
		}
	}
}

func TestSpanAndPre(t *testing.T) {
	t.Parallel()
	c := newCleaner(nil)
	for in, want := range map[string]string{"": "(no name)", " \t": "(no name)", "a`b``c": "`a'b''c`", "`": "`'`", "x": "`x`"} {
		if got := c.span(in); got != want {
			t.Errorf("span of %q: got %q, want %q", in, got, want)
		}
	}
	for in, want := range map[string]string{
		"": "", "  ": "", "  x": "  x", "\tx": "    x", "x  y": "x  y", "\x1b[1m  x": "  x", strings.Repeat(" ", 99) + "x": strings.Repeat(" ", 40) + "x",
	} {
		if got := c.pre(in); got != want {
			t.Errorf("pre of %q: got %q, want %q", in, got, want)
		}
	}
}

func TestLink(t *testing.T) {
	t.Parallel()
	c := newCleaner([]string{"hunter22"})
	for _, s := range []string{"https://github.com/x/y/actions/runs/1/attempts/2", "http://127.0.0.1:8080/a_b~c?d=%20&e#f"} {
		if got := c.link(s); got != s {
			t.Errorf("%q: got %q, want it as it is", s, got)
		}
	}
	for _, s := range []string{
		"", "x", "javascript:alert(1)", "data:text/html,x", "//host/x", "https://", "ftp://host/x", "https://user@host/x", "https://a b/", "https://host/\n* x",
		"https://host/)[x](y", "https://host/<b>", "https://host/`", "https://host/\u202e", "https://host/hunter22", "https://host/" + strings.Repeat("x", maxURL), "http://[::1",
	} {
		if got := c.link(s); got != "" {
			t.Errorf("%.60q: got %q, want none", s, got)
		}
	}
}

func FuzzLink(f *testing.F) {
	f.Add("https://github.com/x/y/actions/runs/1")
	f.Add("https://h/) [x](javascript:y")
	f.Fuzz(func(t *testing.T, s string) {
		got := newCleaner(nil).link(s)
		if got != "" && (got != s || strings.ContainsAny(got, " \n\t<>()[]`\"'*") || !strings.HasPrefix(strings.ToLower(got), "http")) {
			t.Errorf("%q: got %q", s, got)
		}
	})
}
