// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"context"
	_ "embed"
	"fmt"
	"html"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// pageFrame is the page around TITLE and BODY. The body is written by hand: a
// template package would make the linker keep every method of every client
// library. The page runs nothing and loads nothing, and says so to browsers.
//
//go:embed page.html
var pageFrame string

const (
	// maxOpen is how many files an artifact may have to be shown unfolded.
	maxOpen = 20
	// maxMissing is how many files that were not copied are shown of an artifact.
	maxMissing = 50
)

// markup writes HTML; its values are escaped, its formats are our own and have
// no verbs but %s and %v.
type markup struct{ strings.Builder }

func (m *markup) add(format string, values ...any) {
	for i, v := range values {
		values[i] = html.EscapeString(fmt.Sprint(v))
	}
	fmt.Fprintf(m, format, values...)
}

// show makes outside text fit for a page; it does not escape.
func show(s string, limit int) string { return change.OneLine(change.Clip(s, limit)) }

// link is an <a> element, or only its text if the address is none that a browser
// may be sent to: javascript: is an address, too.
func (m *markup) link(address, text string) {
	if !strings.HasPrefix(address, "https://") && !strings.HasPrefix(address, "http://") {
		m.add("<bdi>%s</bdi>", text)
		return
	}
	m.add(`<a href="%s"><bdi>%s</bdi></a>`, address, text)
}

// writeIndex stores the page.
func (w *work) writeIndex(ctx context.Context, out Published) error {
	text := w.page(out)
	return w.Store.Put(ctx, w.folder+"/"+indexName, strings.NewReader(text), int64(len(text)), "text/html; charset=utf-8")
}

func (w *work) page(out Published) string {
	k := w.b.Key
	title := fmt.Sprintf("%s for change %d, patchset %d", k.Workflow, k.Change, k.Patchset)
	var m markup
	m.add("<h1>%s</h1>\n", title)
	w.lead(&m)
	if len(out.Logs) > 0 {
		m.add("<h2>Logs</h2>\n<table>\n")
		for _, item := range out.Logs {
			m.logRow(item)
		}
		m.add("</table>\n")
	}
	if len(out.Artifacts) > 0 {
		m.add("<h2>Artifacts</h2>\n")
	}
	for _, item := range out.Artifacts {
		m.artifact(item)
	}
	w.foot(&m, out)
	return strings.NewReplacer("TITLE", html.EscapeString(title), "BODY", m.String()).Replace(pageFrame)
}

// lead says what the results are of.
func (w *work) lead(m *markup) {
	m.add(`<p class="lead">`)
	subject := show(w.b.Subject, 300)
	if subject == "" {
		subject = "the change"
	}
	m.link(w.b.ChangeURL, subject)
	m.add(" in <bdi>%s</bdi></p>\n"+`<p class="lead">`, show(w.b.Project, 200))
	m.link(w.b.Run.URL, "The run on GitHub")
	m.add(" (details need a GitHub account)")
	if w.b.Key.Attempt > 1 || w.b.Attempt > 1 {
		m.add(", attempt %v", max(w.b.Key.Attempt, w.b.Attempt))
	}
	if c := show(w.b.Run.Conclusion, 40); c != "" {
		m.add(`: <span class="%s">%s</span>`, segment(c), words(c))
	}
	m.add("</p>\n")
}

// words writes a conclusion of GitHub's as it is read.
func words(conclusion string) string { return strings.ReplaceAll(conclusion, "_", " ") }

func (m *markup) logRow(item Item) {
	c := show(item.Conclusion, 40)
	m.add(`<tr><td class="word %s">%s</td><td>`, segment(c), words(c))
	if len(item.Files) == 1 {
		m.link(item.Files[0].URL, show(item.Name, 300))
		m.add(`</td><td class="size">%s</td></tr>`+"\n", sizeText(item.Files[0].Size))
		return
	}
	m.add("<bdi>%s</bdi>", show(item.Name, 300))
	m.note(item.Note)
	m.add("</td><td></td></tr>\n")
}

func (m *markup) note(text string) {
	if text != "" {
		m.add(`<div class="note"><bdi>%s</bdi></div>`, show(text, 600))
	}
}

func (m *markup) artifact(item Item) {
	n, size := item.Copied()
	open := ""
	if n <= maxOpen {
		open = " open"
	}
	m.add(`<details id="%s"%s><summary><b><bdi>%s</bdi></b> <span class="size">`, item.anchor, open, show(item.Name, 300))
	if n > 0 {
		m.add("%s", describe(n, size))
	}
	m.add("</span></summary>")
	m.note(item.Note)
	m.files(item.Files)
	m.add("</details>\n")
}

// files shows the files of an artifact, those that are missing last.
func (m *markup) files(files []File) {
	if len(files) == 0 {
		return
	}
	m.add("<table>\n")
	var missing []File
	for _, f := range files {
		if f.URL == "" {
			missing = append(missing, f)
			continue
		}
		m.add(`<tr><td class="path">`)
		m.link(f.URL, show(f.Path, 700))
		m.add(`</td><td class="size">%s</td></tr>`+"\n", sizeText(f.Size))
	}
	for _, f := range missing[:min(len(missing), maxMissing)] {
		m.add(`<tr><td class="path"><bdi>%s</bdi>`, show(f.Path, 700))
		m.note("not copied: " + f.Problem)
		m.add(`</td><td class="size">%s</td></tr>`+"\n", sizeText(f.Size))
	}
	if more := len(missing) - maxMissing; more > 0 {
		m.add(`<tr><td class="path note">and %v more that were not copied</td><td></td></tr>`+"\n", more)
	}
	m.add("</table>")
}

func (w *work) foot(m *markup, out Published) {
	if len(out.Logs)+len(out.Artifacts) == 0 {
		m.add("<p>The run left nothing to copy.</p>\n")
	}
	m.add("<footer>Copied by the dispatcher on %s.", w.Now().UTC().Format("2006-01-02 15:04 MST"))
	if days := int(w.Keep / (24 * time.Hour)); days > 0 {
		m.add(" Kept for %v days.", days)
	}
	if !w.AllowHTML {
		m.add(" Web pages, SVG and scripts are served as plain text: they come from a change that may not have been reviewed.")
	}
	m.add("</footer>\n")
}
