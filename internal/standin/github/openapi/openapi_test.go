// SPDX-License-Identifier: BSD-3-Clause

package openapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
)

// TestFindings lets a server answer rightly and wrongly, and expects that the
// checker tells the difference and passes the answer on.
func TestFindings(t *testing.T) {
	t.Parallel()
	checker, err := New()
	if err != nil {
		t.Fatal(err)
	}
	const dispatch = "/repos/o/r/actions/workflows/a.yml/dispatches"
	const details = `{"workflow_run_id":1,"run_url":"http://h/r","html_url":"http://h/p"}`
	for _, tc := range []struct {
		name, method, target, request string
		status                        int
		answer                        string
		want                          string // a part of the only finding; empty for none
	}{
		{"right", "POST", dispatch, `{"ref":"main","inputs":{"a":"b"},"return_run_details":true}`, 200, details, ""},
		{"right without a body", "POST", dispatch, `{"ref":"main"}`, 204, "", ""},
		{"git is left alone", "GET", "/o/r.git/info/refs?service=git-upload-pack", "", 200, "001e", ""},
		{"a right error", "POST", dispatch, `{}`, 422, `{"message":"no"}`, ""},
		{"request lacks a property", "POST", dispatch, `{}`, 200, details, "missing property 'ref'"},
		{"request has a wrong type", "POST", dispatch, `{"ref":7}`, 204, "", "want string"},
		{"request is not JSON", "POST", dispatch, `ref=main`, 204, "", "the request is not JSON"},
		{"request must have no body", "GET", "/repos/o/r/actions/runs", "{}", 200, `{"total_count":0,"workflow_runs":[]}`, "must not have a body"},
		{"unknown parameter", "GET", "/repos/o/r/actions/runs?evnt=push", "", 200, `{"total_count":0,"workflow_runs":[]}`, `no parameter "evnt"`},
		{"parameter of a wrong type", "GET", "/repos/o/r/actions/runs?page=one", "", 200, `{"total_count":0,"workflow_runs":[]}`, `parameter "page"`},
		{"unknown operation", "DELETE", "/repos/o/r", "", 204, "", "no such operation"},
		{"answer lacks a property", "POST", dispatch, `{"ref":"main"}`, 200, `{"workflow_run_id":1,"run_url":"http://h/r"}`, "missing property 'html_url'"},
		{"answer has a wrong type", "GET", "/repos/o/r/actions/runs", "", 200, `{"total_count":"0","workflow_runs":[]}`, "want integer"},
		{"answer must have no body", "POST", dispatch, `{"ref":"main"}`, 204, "{}", "must not have a body"},
		{"status is not described", "POST", dispatch, `{"ref":"main"}`, 201, "{}", "no such status"},
		{"error of a wrong form", "POST", dispatch, `{"ref":"main"}`, 401, `{"message":1}`, "want string"},
		{"error that is not JSON", "POST", dispatch, `{"ref":"main"}`, 500, "oops", "is not JSON"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			var findings []string
			server := checker.Wrap(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
				if got, _ := io.ReadAll(r.Body); string(got) != tc.request {
					t.Errorf("the server got %q, want %q", got, tc.request)
				}
				w.Header().Set("Content-Type", "application/json; charset=utf-8")
				w.WriteHeader(tc.status)
				io.WriteString(w, tc.answer)
			}), func(finding string) { findings = append(findings, finding) })
			rec := httptest.NewRecorder()
			server.ServeHTTP(rec, httptest.NewRequest(tc.method, tc.target, strings.NewReader(tc.request)))
			if rec.Code != tc.status || rec.Body.String() != tc.answer {
				t.Errorf("got %d %q, want the server's own answer", rec.Code, rec.Body)
			}
			all := strings.Join(findings, "\n")
			if tc.want == "" && all != "" || tc.want != "" && (len(findings) != 1 || !strings.Contains(all, tc.want)) {
				t.Errorf("got findings %q, want %q", findings, tc.want)
			}
		})
	}
}
