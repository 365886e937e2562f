// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzRunEntry holds that whatever a server sends as a run ends in an error or
// in a run that is fit for use: with an id, a plain file name and a safe link.
func FuzzRunEntry(f *testing.F) {
	for _, seed := range []string{
		`{"id":1,"created_at":"2026-01-01T00:00:00Z","path":".github/workflows/a.yml@refs/heads/x","html_url":"https://h/p"}`,
		`{"id":1,"created_at":"2026-01-01T00:00:00+25:00"}`, `{"id":-1}`, `{"id":1,"trigger_event":"push","workflow_id":"../a/b.yml","created":"2026-01-01T00:00:00Z","html_url":"javascript:x"}`,
		`{"path":".yml@/.yaml@","html_url":"javascript:x"}`, `[]`,
	} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var entry runEntry
		if json.Unmarshal(data, &entry) != nil {
			return
		}
		run, err := entry.run()
		if err != nil {
			return
		}
		if run.ID <= 0 || run.Created.IsZero() {
			t.Errorf("got %+v", run)
		}
		if strings.Contains(run.Workflow, "/") && run.Workflow != "/" {
			t.Errorf("workflow %q of path %q is no file name", run.Workflow, entry.Path)
		}
		if run.URL != "" && (!strings.HasPrefix(run.URL, "http") || pageURL(run.URL) != run.URL) {
			t.Errorf("link %q of %q", run.URL, entry.HTMLURL)
		}
	})
}
