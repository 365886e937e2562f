// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	_ "embed"
	"fmt"
	"html"
	"io"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/reconcile"
)

// demoFrame is the page around BODY. The body is written by hand: a template
// package would make the linker keep every method of every client library.
//
//go:embed demo.html
var demoFrame string

// shownScene is one scene with what its pass did.
type shownScene struct {
	title   string
	results []reconcile.Result
}

// markup writes HTML; its values are escaped, its formats are our own.
type markup struct{ strings.Builder }

func (m *markup) add(format string, values ...any) {
	for i, v := range values {
		values[i] = html.EscapeString(fmt.Sprint(v))
	}
	fmt.Fprintf(m, format, values...)
}

// demoPage shows what the demo did and what is there now.
func demoPage(st *stage, scenes []shownScene) http.Handler {
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		io.WriteString(w, strings.Replace(demoFrame, "BODY", demoBody(st, scenes), 1))
	})
}

func demoBody(st *stage, scenes []shownScene) string {
	var m markup
	m.add("<h1>%s on Gerrit, tested on GitHub</h1>\n", demoProject)
	m.add(`<p class="lead">Patchsets go to the mirror <code>%s</code>; their runs are in <code>%s</code>. Both servers live on this machine, for this demo only.</p>`+"\n", demoMirror, demoCI)
	m.add("<p><strong>%s</strong></p>\n", st.summary())
	for _, s := range scenes {
		m.add("<h2>%s</h2>\n", s.title)
		m.lines(s.results)
		m.add(`<p class="totals">%s</p>`+"\n", totalsOf(s.results...).text())
	}
	m.add(`<div class="columns">` + "\n")
	m.runs(st)
	m.refs(st)
	m.add("</div>\n<h2>The configuration</h2>\n<pre>%s</pre>\n", st.configuration())
	return m.String()
}

func (m *markup) lines(results []reconcile.Result) {
	m.add(`<div class="scroll"><table>` + "\n")
	for _, r := range results {
		for _, l := range r.Lines {
			one := rowOf(l)
			class := strings.ReplaceAll(string(l.State), " ", "-")
			m.add(`<tr><td class="word %s">%s</td><td class="mono">%s</td><td class="mono">%s</td><td>%s</td></tr>`+"\n",
				class, one.word, one.what, one.workflow, one.text)
		}
	}
	m.add("</table></div>\n")
}

func (m *markup) runs(st *stage) {
	m.add(`<section><h2>Runs on GitHub</h2><div class="scroll"><table><tr><th>run</th><th>name</th><th>status</th></tr>` + "\n")
	for _, run := range st.github.Runs() {
		m.add(`<tr><td class="mono">%v</td><td class="mono">%s</td><td>%s</td></tr>`+"\n", run.ID, run.Title, run.Status)
	}
	m.add("</table></div></section>\n")
}

func (m *markup) refs(st *stage) {
	m.add(`<section><h2>Refs of the mirror</h2><p class="lead">All that is remembered between two passes.</p>` +
		`<div class="scroll"><table><tr><th>ref</th><th>commit</th></tr>` + "\n")
	refs := st.mirror.Refs()
	for _, name := range slices.Sorted(maps.Keys(refs)) {
		m.add(`<tr><td class="mono">%s</td><td class="mono">%s</td></tr>`+"\n", name, refs[name][:10])
	}
	m.add("</table></div></section>\n")
}
