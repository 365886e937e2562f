// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"fmt"
	"io"
	"net/http"
	"strings"
	"time"
)

// fillerLine is a line of a step's filler without its time stamp.
const fillerLine = "[ 42%] Building C object lib/filler/CMakeFiles/filler.dir/a/rather/long/path/to/a/source/file/that/is/compiled/a/great/many/times.c.o\n"

// getLog serves GET .../actions/jobs/ID/logs: the address of the log's text,
// which is good for a minute.
// https://docs.github.com/rest/actions/workflow-jobs#download-job-logs-for-a-workflow-run
func (s *Server) getLog(c call) {
	if !mayDownload(c) {
		return
	}
	j := s.findJob(c)
	switch {
	case j == nil:
	case j.NoLog, j.Status != "completed", len(j.Steps) == 0:
		fail(c.w, http.StatusNotFound, "Not Found")
	default:
		frozen := *j
		if s.o.GiteaAPI {
			c.w.Header().Set("Content-Type", "text/plain; charset=utf-8")
			frozen.writeLog(c.w)
			return
		}
		s.redirect(c, blob{name: fmt.Sprintf("job-%d.txt", j.ID), contentType: "text/plain", write: frozen.writeLog})
	}
}

// mayDownload answers requests without a token: logs and artifacts of public
// repositories want one too.
func mayDownload(c call) bool {
	if tokenOf(c.r) == "" {
		fail(c.w, http.StatusForbidden, "Must have admin rights to Repository.")
		return false
	}
	return true
}

// writeLog writes a job's log as runners do: a mark of the byte order, then the
// lines of all steps that ran, each behind the time at which it was printed
// (actions/runner Logging.cs).
func (j Job) writeLog(w io.Writer) error {
	if _, err := io.WriteString(w, "\ufeff"); err != nil {
		return err
	}
	for _, step := range j.Steps {
		if step.Conclusion == "skipped" {
			continue
		}
		if err := step.writeLog(w); err != nil {
			return err
		}
	}
	return nil
}

// writeLog writes a step's lines; the last one is from the step's end.
func (step Step) writeLog(w io.Writer) error {
	at := stamp(step.Started)
	if err := fillLines(w, at+fillerLine, step.Filler); err != nil || step.Log == "" {
		return err
	}
	lines := strings.Split(strings.TrimSuffix(step.Log, "\n"), "\n")
	for i, line := range lines {
		if i == len(lines)-1 {
			at = stamp(step.Completed)
		}
		if _, err := io.WriteString(w, at+line+"\n"); err != nil {
			return err
		}
	}
	return nil
}

// stamp writes a time in the runner's way, to the tenth of a microsecond.
func stamp(t time.Time) string { return t.UTC().Format("2006-01-02T15:04:05.0000000Z ") }

// fillLines writes one line again and again, at least size bytes in all, with
// memory that does not depend on size.
func fillLines(w io.Writer, line string, size int64) error {
	block := []byte(strings.Repeat(line, 64<<10/len(line)))
	for sent := int64(0); sent < size; sent += int64(len(block)) {
		if _, err := w.Write(block); err != nil {
			return err
		}
	}
	return nil
}
