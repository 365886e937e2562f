// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"encoding/json"
	"strings"
	"testing"
)

// FuzzJobEntry holds that whatever a server sends as a job ends in an error or
// in a job with an id, an attempt and a safe link.
func FuzzJobEntry(f *testing.F) {
	for _, seed := range []string{
		`{"id":1,"name":"a","run_attempt":2,"html_url":"https://h/p","steps":[{"number":1,"completed_at":null}]}`,
		`{"id":1,"started_at":null,"steps":null,"html_url":"javascript:x"}`, `{"id":-1}`, `[]`,
	} {
		f.Add([]byte(seed), 1)
	}
	f.Fuzz(func(t *testing.T, data []byte, attempt int) {
		var entry jobEntry
		if json.Unmarshal(data, &entry) != nil {
			return
		}
		job, err := entry.job(attempt)
		if err != nil {
			return
		}
		if job.ID <= 0 || job.Attempt < 1 || len(job.Steps) != len(entry.Steps) {
			t.Errorf("got %+v of %+v", job, entry)
		}
		if job.URL != "" && (!strings.HasPrefix(job.URL, "http") || pageURL(job.URL) != job.URL) {
			t.Errorf("link %q of %q", job.URL, entry.HTMLURL)
		}
	})
}

// FuzzAnnotationEntry holds that an annotation's lines can be lines of a file,
// or are none.
func FuzzAnnotationEntry(f *testing.F) {
	for _, seed := range []string{`{"start_line":3,"end_line":1,"path":"a","message":"m"}`, `{"start_line":-1,"end_line":7}`, `{"end_line":null}`, `7`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var entry annotationEntry
		if json.Unmarshal(data, &entry) != nil {
			return
		}
		a := entry.annotation()
		if a.Line < 0 || a.EndLine < a.Line || a.Line == 0 && a.EndLine != 0 {
			t.Errorf("lines %d to %d of %+v", a.Line, a.EndLine, entry)
		}
		if a.Text != entry.Message || a.Path != entry.Path {
			t.Errorf("got %+v of %+v", a, entry)
		}
	})
}

// FuzzArtifactEntry holds that an artifact has an id, a size and a safe link.
func FuzzArtifactEntry(f *testing.F) {
	for _, seed := range []string{`{"id":1,"name":"a/b","size_in_bytes":2,"expired":true}`, `{"id":1,"size_in_bytes":-2}`, `{"id":0}`, `[]`} {
		f.Add([]byte(seed))
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		var entry artifactEntry
		if json.Unmarshal(data, &entry) != nil {
			return
		}
		a, err := entry.artifact("https://h/artifacts/")
		if err == nil && (a.ID <= 0 || a.Size < 0 || pageURL(a.URL) != a.URL) {
			t.Errorf("got %+v of %+v", a, entry)
		}
	})
}
