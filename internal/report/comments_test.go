// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"archive/zip"
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/findings"
	"github.com/spdk-community-ci/dispatcher/internal/publish"
)

// shelf holds artifacts by id, and the changed lines of files.
type shelf struct {
	zips   map[int64]string
	lines  map[string][][2]int
	opened []int64
	asked  []string
}

func (s *shelf) Artifact(_ context.Context, _ string, id int64) (io.ReadCloser, error) {
	s.opened = append(s.opened, id)
	if data, ok := s.zips[id]; ok {
		return io.NopCloser(strings.NewReader(data)), nil
	}
	return nil, errors.New("gone")
}

func (s *shelf) ChangedLines(_ context.Context, _ change.Address, _ change.Revision, path string) ([][2]int, error) {
	s.asked = append(s.asked, path)
	if lines, ok := s.lines[path]; ok {
		return lines, nil
	}
	return nil, errors.New("502")
}

func zipOf(t *testing.T, files ...string) string {
	t.Helper()
	var b bytes.Buffer
	z := zip.NewWriter(&b)
	for i := 0; i < len(files); i += 2 {
		w, err := z.Create(files[i])
		if err == nil {
			_, err = io.WriteString(w, files[i+1])
		}
		if err != nil {
			t.Fatal(err)
		}
	}
	if err := z.Close(); err != nil {
		t.Fatal(err)
	}
	return b.String()
}

const (
	junitText = `<testsuite><testcase name="reset" classname="nvme_ut" file="lib/nvme.c" line="7"><failure message="ref is 2">nvme.c:7 ref == 1</failure></testcase>
<testcase name="other" file="lib/nvme.c" line="900"><failure message="far away"/></testcase></testsuite>`
	sarifText = `{"runs":[{"tool":{"driver":{"name":"scan"}},"results":[{"ruleId":"R1","message":{"text":"unused"},
"locations":[{"physicalLocation":{"artifactLocation":{"uri":"lib/bdev.c"},"region":{"startLine":3}}}]}]}]}`
)

// commenting has findings commented on.
func (w *world) commenting(s *shelf, most int) {
	w.change.Files = []string{"lib/nvme.c", "lib/bdev.c"}
	for id, data := range s.zips {
		w.artifacts = append(w.artifacts, change.Artifact{ID: id, Name: fmt.Sprint(id), Size: int64(len(data))})
	}
	w.with = func(r *Reporter, q *Request) {
		r.Artifacts, r.Lines = s, s
		q.Project.Report.Comments = config.Comments{Files: []string{"**/*junit*.xml", "**/*.sarif"}, Max: most}
	}
}

func TestCommentsOnChangedLines(t *testing.T) {
	t.Parallel()
	s := &shelf{
		zips:  map[int64]string{1: zipOf(t, "out/junit-unit.xml", junitText, "scan.sarif", sarifText, "other.xml", junitText, "../junit.xml", "no xml")},
		lines: map[string][][2]int{"lib/nvme.c": {{5, 8}}, "lib/bdev.c": {{1, 1}, {3, 3}}},
	}
	w := newWorld(job("tests", "failure")) // it has an annotation on line 7, too
	w.commenting(s, 20)
	// That the artifact was published before makes no difference.
	with := w.with
	w.with = func(r *Reporter, q *Request) {
		with(r, q)
		r.Publisher = &copier{out: publish.Published{Artifacts: []publish.Item{{Name: "1", Files: []publish.File{{URL: "https://x.example/1"}}}}}}
		q.Project.Report.Publish = config.Publish{On: true, Artifacts: []string{"**"}}
	}
	if _, err := w.ask(t); err != nil {
		t.Fatal(err)
	}
	var got []string
	for _, c := range w.posted[0].Comments {
		if c.Unresolved {
			t.Errorf("%v blocks the change", c)
		}
		got = append(got, fmt.Sprintf("%s:%d %s", c.Path, c.Line, strings.Join(strings.Fields(c.Text), " ")))
	}
	want := []string{
		"lib/nvme.c:7 Failure in `tests`: assertion failed in tests",
		"lib/nvme.c:7 Failure in `junit-unit.xml`: nvme_ut.reset ref is 2 nvme.c:7 ref == 1",
		"lib/bdev.c:3 Warning in `scan`: R1 unused",
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
}

// TestCommentsAreBounded: few are made, of few files, from small artifacts.
func TestCommentsAreBounded(t *testing.T) {
	t.Parallel()
	s := &shelf{zips: map[int64]string{1: zipOf(t, "junit.xml", junitText)}, lines: map[string][][2]int{}}
	w := newWorld(job("tests", "success"))
	w.commenting(s, 2)
	w.artifacts = append(w.artifacts, change.Artifact{ID: 2, Name: "huge", Size: maxArtifact + 1}, change.Artifact{ID: 3, Name: "old", Expired: true})
	var local findings.Report
	for i := range 50 {
		path := fmt.Sprintf("lib/f%d.c", i)
		w.change.Files = append(w.change.Files, path)
		s.lines[path] = [][2]int{{1, 9}}
		local.Findings = append(local.Findings, findings.Finding{Places: []findings.Place{{Path: path, Line: 1, EndLine: 1}}, Severity: findings.Failure, Title: "bad", Source: strings.Repeat("n", 1<<20)})
	}
	with := w.with
	w.with = func(r *Reporter, q *Request) { with(r, q); q.Findings = []findings.Report{local} }
	done, err := w.ask(t)
	if err != nil || len(w.posted[0].Comments) != 2 || len(s.asked) != maxPlaces || fmt.Sprint(s.opened) != "[1]" {
		t.Errorf("got %v, %d comments, %d files asked for, artifacts %v opened", err, len(w.posted[0].Comments), len(s.asked), s.opened)
	}
	if !strings.Contains(done.Text, "Note: 18 more remarks on changed lines have no comment of their own") || len(w.posted[0].Comments[0].Text) > 1000 {
		t.Errorf("got\n%s", done.Text)
	}
}

// TestCommentsThatCannotBeMade cost nothing but themselves.
func TestCommentsThatCannotBeMade(t *testing.T) {
	t.Parallel()
	bomb := zipOf(t, "junit.xml", "<testsuite><system-out>"+strings.Repeat(" ", 200<<20))
	for name, c := range map[string]struct {
		s        *shelf
		warnings int
	}{
		"lines are not known":   {&shelf{zips: map[int64]string{1: zipOf(t, "junit.xml", junitText)}}, 1},
		"no zip":                {&shelf{zips: map[int64]string{1: "hello"}, lines: map[string][][2]int{"lib/nvme.c": {}}}, 1},
		"damaged":               {&shelf{zips: map[int64]string{1: zipOf(t, "junit.xml", "<", "a.sarif", "[[[")}, lines: map[string][][2]int{"lib/nvme.c": {}}}, 2},
		"a bomb":                {&shelf{zips: map[int64]string{1: bomb}, lines: map[string][][2]int{"lib/nvme.c": {}}}, 1},
		"turned off":            {nil, 0},
		"on lines that are old": {&shelf{zips: map[int64]string{1: zipOf(t, "junit.xml", junitText)}, lines: map[string][][2]int{"lib/nvme.c": {{1, 6}}}}, 0},
	} {
		w := newWorld(job("tests", "failure"))
		if c.s != nil {
			w.commenting(c.s, 20)
		}
		done, err := w.ask(t)
		if err != nil || !done.Voted || len(w.posted) != 1 || len(w.posted[0].Comments) != 0 || len(done.Warnings) != c.warnings {
			t.Errorf("%s: got %+v, %v and %d posts", name, done, err, len(w.posted))
		}
	}
}
