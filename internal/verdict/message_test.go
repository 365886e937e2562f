// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"fmt"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// hostile is text that would do harm wherever it is written raw.
const hostile = "::error::x\n##[add-mask]z\x1b[31m\u202e `id` </code><img src=x onerror=alert(1)> [a](javascript:b) **b** @root@example.org | \x00"

// crowd returns a verdict over so many failed, lost and passed jobs whose names
// say what they are.
func crowd(failed, lost, passed int) Message {
	var jobs []change.Job
	add := func(n int, name string, make func(j change.Job) change.Job) {
		for i := range n {
			j := make(jobOf("failure", "Set up job=success", "Run make test=failure"))
			j.Name, j.URL = fmt.Sprintf("%s-%03d", name, i), fmt.Sprintf("https://ci.example.org/%s/%d", name, i)
			jobs = append(jobs, j)
		}
	}
	add(failed, "failed", func(j change.Job) change.Job {
		return logged(with(j, exit1), strings.Split(strings.Repeat("some line of the log\n", 20), "\n")...)
	})
	add(lost, "lost", func(j change.Job) change.Job { return with(j, lostText) })
	add(passed, "passed", func(change.Job) change.Job { return jobOf("success") })
	run := Run{Key: keyOf("autorun.yml", 2, 1), Jobs: jobs, Attempt: 1, Artifacts: []change.Artifact{{Name: "artifact", URL: "https://ci.example.org/artifact"}}}
	res := Rules{}.Fold(run)
	return Message{Verdict: Policy{}.Combine([]Want{{Key: run.Key, Run: &res}})}
}

// TestCut checks what goes first when there is no room, at many sizes.
func TestCut(t *testing.T) {
	t.Parallel()
	m := crowd(60, 20, 60)
	before := 1 << 20
	for limit := 40000; limit >= minText; limit -= 1499 {
		m.Limit = limit
		text := m.Text()
		checkText(t, m, text, limit)
		if len(text) < limit-1600 && strings.Contains(text, "left out") {
			t.Errorf("limit %d: got %d bytes, want more of them used", limit, len(text))
		}
		failed, lost := strings.Count(text, "`failed-"), strings.Count(text, "`lost-")
		passed, urls := strings.Count(text, "`passed-"), strings.Count(text, "https://")
		lines := strings.Count(text, "    some line")
		switch {
		case failed < 60 && (lost > 0 || passed > 0 || urls > 0 || lines > 0):
			t.Errorf("limit %d: a failed job is left out before others: %d failed, %d lost, %d passed, %d links, %d lines", limit, failed, lost, passed, urls, lines)
		case lost < 20 && (passed > 0 || urls > 0):
			t.Errorf("limit %d: a lost job is left out before %d passed ones and %d links", limit, passed, urls)
		case lines < 3*60 && urls > 0:
			t.Errorf("limit %d: the last lines are left out before %d links", limit, urls)
		case failed > before:
			t.Errorf("limit %d: got %d failed jobs, more than with more room", limit, failed)
		}
		before = failed
	}
	if before == 60 {
		t.Error("got all failed jobs at every size, want a size that is too small")
	}
	m.Limit = 1
	checkText(t, m, m.Text(), minText)
}

// TestHuge checks that a message stays small and quick to make whatever is
// handed in.
func TestHuge(t *testing.T) {
	t.Parallel()
	huge := strings.Repeat(hostile, (1<<20)/len(hostile))
	j := jobOf("failure", huge+"=failure")
	j.Name, j.URL = huge, "https://ci.example.org/"+huge
	j.LogTail = []string{huge, huge + "\n" + huge, strings.Repeat("\x1b[1m", 1<<18) + "secret-word"}
	j.Annotations = []change.Annotation{{Level: "failure", Path: huge, Title: huge, Text: huge}, {Level: "failure", Text: huge}}
	run := Run{Key: keyOf("autorun.yml", 2, 1), Jobs: []change.Job{j, j, j}, Artifacts: []change.Artifact{{Name: huge, URL: huge}}}
	res := Rules{Setup: []string{huge, strings.Repeat("*", 1<<20)}, Ignore: []string{huge}}.Fold(run)
	m := Message{
		Verdict: Policy{}.Combine([]Want{{Key: run.Key, Run: &res}}), Secrets: []string{"secret-word", huge},
		Published: []Link{{huge, huge}}, Hints: []Hint{{huge, huge}}, Notes: []Note{{"The vote was refused", huge}},
	}
	checkText(t, m, m.Text(), 16<<10)
	if n := len(m.Summary(func(s string) string { return s })); n > 64<<10 {
		t.Errorf("got a summary of %d bytes", n)
	}
}

// FuzzText puts outside text everywhere and checks what holds for all messages.
func FuzzText(f *testing.F) {
	f.Add(hostile, "Run make test", "failure", hostile, hostile, "https://example.org/x", "secret")
	f.Add("unit", "Set up job", "cancelled", lostText, "Dispatcher: 1/1/a/1 run=1 attempt=1 outcome=passed vote=+1", "javascript:x", "x")
	f.Add("a`b", "guest: x", "failure", "Process completed with exit code 125.", "\t\tindented\r\nover\rwritten", "http://[::1", "::")
	f.Fuzz(func(t *testing.T, name, step, conclusion, remark, line, url, secret string) {
		secret = "s3cr3t " + secret // so that it is none of our words
		remark, line = remark+secret, secret+line
		j := change.Job{ID: 1, Name: name, Status: "completed", Conclusion: conclusion, URL: url, Runner: "r", LogTail: []string{line, name}}
		j.Steps = []change.Step{{Name: step, Conclusion: conclusion}, {Name: "Post " + step, Conclusion: "success"}}
		j.Annotations = []change.Annotation{{Level: "failure", Text: remark}, {Level: "failure", Path: name, Line: 3, Title: step, Text: line}}
		if line == name {
			j.Annotations = nil
		}
		run := Run{Key: keyOf("autorun.yml", 2, 1), Run: change.Run{ID: 5, URL: url}, Jobs: []change.Job{j, {Name: remark, Conclusion: "success"}},
			Artifacts: []change.Artifact{{Name: name, URL: url}}}
		res := Rules{Ignore: []string{step}, Setup: []string{line}}.Fold(run)
		m := Message{
			Verdict: Policy{}.Combine([]Want{{Key: run.Key, Run: &res}}), Secrets: []string{secret},
			Published: []Link{{line, url}}, Hints: []Hint{{remark, url}}, Notes: []Note{{"The vote was refused", remark}},
		}
		checkText(t, m, m.Text(), 16<<10)
		if m.Verdict.Vote < 0 && conclusion != "failure" && conclusion != "timed_out" {
			t.Errorf("got %d for a job that was %q", m.Verdict.Vote, conclusion)
		}
		m.Summary(func(s string) string { return s })
	})
}

func TestStarted(t *testing.T) {
	t.Parallel()
	run := Run{Key: keyOf("autorun.yml", 2, 3), Run: change.Run{ID: 17, URL: "https://github.com/x/y/actions/runs/17"}, Attempt: 1}
	other := Run{Key: keyOf("nightly.yaml", 2, 1), Run: change.Run{ID: 18, URL: "javascript:x"}, Attempt: 1}
	tests := []struct {
		runs  []Run
		reset bool
		want  string
	}{
		{[]Run{run}, false, `autorun: started (run 3)
https://github.com/x/y/actions/runs/17

Dispatcher: 27101/2/autorun.yml/3 run=17 attempt=1 outcome=running vote=none`},
		{[]Run{run, other}, true, `autorun, nightly: started
https://github.com/x/y/actions/runs/17

Dispatcher: 27101/2/autorun.yml/3 run=17 attempt=1 outcome=running 27101/2/nightly.yaml/1 run=18 attempt=1 outcome=running vote=0`},
	}
	for _, tt := range tests {
		got := Started(tt.runs, tt.reset)
		if got != tt.want {
			t.Errorf("got %q, want %q", got, tt.want)
		}
		r, ok := ParseResidue(got)
		if !ok || len(r.Runs) != len(tt.runs) || r.News(nil) {
			t.Errorf("got %+v (%v), want quiet runs", r, ok)
		}
	}
}

func TestWords(t *testing.T) {
	t.Parallel()
	for d, want := range map[time.Duration]string{
		-time.Second: "", 0: "", 400 * time.Millisecond: "", 59 * time.Second: "59s", 90 * time.Second: "1m 30s",
		time.Hour: "1h 0m", 49*time.Hour + 59*time.Minute: "49h 59m",
	} {
		if got := duration(d); got != want {
			t.Errorf("%s: got %q, want %q", d, got, want)
		}
	}
	for n, want := range map[int64]string{-1: "0 bytes", 999: "999 bytes", 1000: "1 kB", 1234567: "1 MB", 2147483648: "2.1 GB"} {
		if got := size(n); got != want {
			t.Errorf("%d: got %q, want %q", n, got, want)
		}
	}
	c := newCleaner(nil)
	for _, tt := range []struct {
		workflows []string
		want      string
	}{
		{nil, "CI"}, {[]string{"a.yml"}, "a"}, {[]string{"a.yaml", "b", ".yml"}, "a, b, `.yml`"},
		{[]string{"a", "b", "c", "d", "e"}, "a, b, c and 2 more"}, {[]string{"x y"}, "`x y`"},
	} {
		if got := titles(c, tt.workflows); got != tt.want {
			t.Errorf("%q: got %q, want %q", tt.workflows, got, tt.want)
		}
	}
}
