// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"fmt"
	"regexp"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// pageOf makes a page in which every outside text is s.
func pageOf(t *testing.T, s string) string {
	t.Helper()
	b := testBatch()
	b.Subject, b.Run.Conclusion = "x"+s, "x"+s // empty ones are left out
	w, err := newPublisher(&memory{}, hub{}).newWork(b)
	if err != nil {
		t.Fatal(err)
	}
	w.b.Project = s
	file := File{Path: s, URL: "https://r.example/" + s, Size: 1}
	return w.page(Published{
		Logs: []Item{{Name: s, Conclusion: s, Files: []File{file}}, {Name: s, Note: "x" + s}},
		Artifacts: []Item{
			{Name: s, anchor: "artifact-1", Note: "x" + s, Files: []File{file, {Path: s, Problem: s}}},
		},
	})
}

var tag = regexp.MustCompile(`<[^>]*>`)

// skeleton is a page without its texts and the values of its attributes.
func skeleton(page string) []string {
	values := regexp.MustCompile(`"[^"]*"`)
	var tags []string
	for _, t := range tag.FindAllString(page, -1) {
		tags = append(tags, values.ReplaceAllString(t, `""`))
	}
	return tags
}

// FuzzPage: no outside text becomes markup: the page's elements and attributes
// are the same whatever the texts are, and outside the elements there are no
// characters that could begin one.
func FuzzPage(f *testing.F) {
	for _, s := range []string{"x", `"><script>alert(1)</script>`, "' onload=x '", "&lt;b&gt;", "<!--", "]]>", "\u202e\x00", "TITLE BODY", "javascript:alert(1)"} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		page := pageOf(t, s)
		if diff := cmp.Diff(skeleton(pageOf(t, "x")), skeleton(page)); diff != "" {
			t.Errorf("%q changes the page (-want +got):\n%s", s, diff)
		}
		_, body, _ := strings.Cut(page, "<body>")
		if rest := tag.ReplaceAllString(body, ""); strings.ContainsAny(rest, `<>"'`) {
			t.Errorf("%q: a mark is not escaped: %q", s, rest)
		}
	})
}

// TestPageRunsNothing: the page has no script, loads nothing and says so.
func TestPageRunsNothing(t *testing.T) {
	t.Parallel()
	page := pageOf(t, "x")
	if !strings.Contains(page, `<meta http-equiv="Content-Security-Policy" content="default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'">`) {
		t.Error("the content security policy is not there")
	}
	for _, bad := range []string{"<script", "<img", "<link", "<iframe", "<base", "<form", "url(", "@import", "src="} {
		if strings.Contains(page, bad) {
			t.Errorf("%q is in the page", bad)
		}
	}
	if handlers := regexp.MustCompile(`<[^>]* on[a-z]+=`).FindString(page); handlers != "" {
		t.Errorf("%q is in the page", handlers)
	}
}

// TestLinksGoToServers: an address of another kind is shown as text.
func TestLinksGoToServers(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]string{
		"https://x.example/?a=1&b=\"":  `<a href="https://x.example/?a=1&amp;b=&#34;"><bdi>&lt;t&gt;</bdi></a>`,
		"http://x.example":             `<a href="http://x.example"><bdi>&lt;t&gt;</bdi></a>`,
		"javascript:alert(1)":          `<bdi>&lt;t&gt;</bdi>`,
		"data:text/html,<script>":      `<bdi>&lt;t&gt;</bdi>`,
		"":                             `<bdi>&lt;t&gt;</bdi>`,
		" javascript:alert('https://'": `<bdi>&lt;t&gt;</bdi>`,
	} {
		var m markup
		if m.link(address, "<t>"); m.String() != want {
			t.Errorf("%q: got %s, want %s", address, m.String(), want)
		}
	}
}

// TestLongPage: an artifact with many files is folded, and of those that are
// missing only some are shown.
func TestLongPage(t *testing.T) {
	t.Parallel()
	w, err := newPublisher(&memory{}, hub{}).newWork(testBatch())
	if err != nil {
		t.Fatal(err)
	}
	item := Item{Name: "many", anchor: "artifact-1"}
	for i := range 3000 {
		item.Files = append(item.Files, File{Path: fmt.Sprint("f", i), URL: "https://r.example/f"}, File{Path: fmt.Sprint("g", i), Problem: "no"})
	}
	page := w.page(Published{Artifacts: []Item{item}})
	if strings.Contains(page, " open>") || strings.Count(page, "<a href") != 3002 || !strings.Contains(page, "and 2950 more that were not copied") {
		t.Errorf("got %d links in %d bytes", strings.Count(page, "<a href"), len(page))
	}
	if empty := w.page(Published{}); !strings.Contains(empty, "The run left nothing to copy.") {
		t.Error("an empty page does not say so")
	}
	w.b.Attempt, w.b.Key.Attempt, w.b.Subject, w.b.ChangeURL, w.AllowHTML, w.Keep = 3, 1, "", "", true, 0
	page = w.page(Published{Logs: []Item{{Name: "x", Conclusion: change.Run{}.Conclusion}}})
	for _, want := range []string{"attempt 3", "<bdi>the change</bdi>"} {
		if !strings.Contains(page, want) {
			t.Errorf("%q is not there", want)
		}
	}
	if strings.Contains(page, "plain text") || strings.Contains(page, "Kept for") {
		t.Error("the page says what is not so")
	}
}
