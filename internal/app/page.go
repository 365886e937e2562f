// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	_ "embed"
	"html/template"
	"maps"
	"net/http"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/reconcile"
)

//go:embed demo.html
var demoTemplate string

// pageTemplate escapes everything that it is given.
var pageTemplate = template.Must(template.New("demo").Parse(demoTemplate))

// shownScene is one scene on the page.
type shownScene struct {
	Title, Totals string
	Rows          []shownRow
}

// shownRow is one line of a pass on the page.
type shownRow struct{ Class, Word, What, Workflow, Text, URL string }

func newShownScene(title string, results []reconcile.Result) shownScene {
	scene := shownScene{Title: title, Totals: totalsOf(results...).text()}
	for _, r := range results {
		for _, l := range r.Lines {
			one := rowOf(l)
			row := shownRow{strings.ReplaceAll(string(l.State), " ", "-"), one.word, one.what, one.workflow, one.text, ""}
			if l.Run.URL != "" && l.State == reconcile.Done {
				row.Text, row.URL = l.Text(), l.Run.URL
			}
			scene.Rows = append(scene.Rows, row)
		}
	}
	return scene
}

// demoPage shows what the demo did and what is there now.
func demoPage(st *stage, scenes []shownScene) http.Handler {
	type ref struct{ Name, Revision string }
	return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/" {
			http.NotFound(w, r)
			return
		}
		all := st.mirror.Refs()
		var refs []ref
		for _, name := range slices.Sorted(maps.Keys(all)) {
			refs = append(refs, ref{name, all[name][:10]})
		}
		var b bytes.Buffer
		err := pageTemplate.Execute(&b, map[string]any{
			"Scenes": scenes, "Refs": refs, "Runs": st.github.Runs(), "Summary": st.summary(),
			"Project": demoProject, "Mirror": demoMirror, "CI": demoCI, "Config": st.configuration(),
		})
		if err != nil {
			http.Error(w, err.Error(), http.StatusInternalServerError)
			return
		}
		w.Header().Set("Content-Type", "text/html; charset=utf-8")
		w.Header().Set("Content-Security-Policy", "default-src 'none'; style-src 'unsafe-inline'")
		w.Write(b.Bytes())
	})
}
