// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

func TestParseMark(t *testing.T) {
	t.Parallel()
	whole := Mark{V: 1, By: ByTest, Environment: "nvme", Shard: 2, Shards: 3, Optional: true, Exit: 139, TimedOut: true, Tests: &MarkTests{Run: 9, Failed: 2}, Why: "x"}
	for text, want := range map[string]*Mark{
		`{"v":1,"by":"test","exit":0}`: {V: 1, By: ByTest},
		` {"v":1,"by":"rig","environment":"nvme","shard":1,"shards":1,"optional":false,"exit":251,"timed_out":false,"why":"no guest"} `:                               {V: 1, By: ByRig, Environment: "nvme", Shard: 1, Shards: 1, Exit: 251, Why: "no guest"},
		`{"v":1,"by":"test","environment":"nvme","shard":2,"shards":3,"optional":true,"exit":139,"timed_out":true,"tests":{"run":9,"failed":2},"why":"x","new":[{}]}`: &whole,
		`{"v":2,"by":"test","exit":0}`:                     nil,
		`{"by":"test","exit":0}`:                           nil,
		`{"v":1,"exit":0}`:                                 nil,
		`{"v":1,"by":"me","exit":0}`:                       nil,
		`{"v":1,"by":"test","exit":256}`:                   nil,
		`{"v":1,"by":"test","exit":-1}`:                    nil,
		`{"v":1,"by":"test","exit":"1"}`:                   nil,
		`{"v":1,"by":"test","exit":1.5}`:                   nil,
		`{"v":1,"by":"test","shard":-1}`:                   nil,
		`{"v":1,"by":"test"} x`:                            nil,
		`{"v":1,"by":"test"}{}`:                            nil,
		`[{"v":1,"by":"test"}]`:                            nil,
		`x {"v":1,"by":"test"}`:                            nil,
		`{"v":1,"by":"test"`:                               nil,
		``:                                                 nil,
		`{"v":1,"by":"test","tests":{"run":1,"failed":2}}`: nil,
		`{"v":1,"by":"test","why":"` + strings.Repeat("y", maxMark) + `"}`:       nil,
		`{"v":1,"by":"test","why":"` + strings.Repeat("y", maxMarkText+1) + `"}`: {V: 1, By: ByTest, Why: strings.Repeat("y", maxMarkText) + "..."},
	} {
		got, ok := ParseMark(text)
		if ok != (want != nil) {
			t.Errorf("%.100s: got %v", text, ok)
		} else if ok {
			if diff := cmp.Diff(*want, got); diff != "" {
				t.Errorf("%.100s (-want +got):\n%s", text, diff)
			}
		}
	}
}

// TestMarks has what may stand in a job beside what our programs say.
func TestMarks(t *testing.T) {
	t.Parallel()
	const (
		rig     = `{"v":1,"by":"rig","exit":251}`
		failed  = `{"v":1,"by":"test","exit":3}`
		passed  = `{"v":1,"by":"test","exit":0}`
		timeout = `{"v":1,"by":"test","exit":124,"timed_out":true}`
		resumed = "::***::"
	)
	job := func(step string, exit int, notes ...string) change.Job {
		j := with(jobOf("failure", "Set up job=success", step+"=failure"), fmt.Sprintf("Process completed with exit code %d.", exit))
		for _, n := range notes {
			j = marked(j, n)
		}
		return j
	}
	at := func(path, title string) change.Job {
		j := job("guest: x", 3)
		j.Annotations = append(j.Annotations, change.Annotation{Level: "notice", Path: path, Title: title, Text: rig})
		return j
	}
	log := func(exit int, lines ...string) change.Job {
		return logged(job("guest: x", exit), append(lines, fmt.Sprintf("##[error]Process completed with exit code %d.", exit))...)
	}
	for _, tt := range []struct {
		name  string
		job   change.Job
		want  Outcome
		doubt bool
	}{
		{"the rig failed", job("guest: x", 251, rig), SetupFailed, false},
		{"the rig failed, and something in the log looks like a failed test", logged(job("guest: x", 251, rig), "1 of 9 failed"), SetupFailed, false},
		{"the test failed with a status of the rig's", job("guest: x", 251, `{"v":1,"by":"test","exit":251}`), Failed, false},
		{"the test failed with 125", job("guest: x", 125, `{"v":1,"by":"test","exit":125}`), Failed, false},
		{"the test was killed", job("guest: x", 137, `{"v":1,"by":"test","exit":137}`), Failed, false},
		{"the test was killed, and the runner was lost later", with(job("guest: x", 137, `{"v":1,"by":"test","exit":137}`), lostText), Failed, false},
		{"the test reached its limit", job("guest: x", 124, timeout), Failed, false},
		{"the test passed, and its results could not be copied", job("guest: x", 253, passed), SetupFailed, false},
		{"the disk was full", logged(job("guest: x", 3, failed), "tee: No space left on device"), OutOfDisk, false},
		{"the same twice", job("guest: x", 251, rig, rig), SetupFailed, false},
		{"contradictions", job("guest: x", 3, rig, failed), Failed, true},
		{"contradictions, and nothing ran", job("guest: x", 125, rig, failed), SetupFailed, true},
		{"what is none", job("guest: x", 3, "{", `{"v":9,"by":"rig","exit":1}`), Failed, false},
		{"a step of somebody else", job("Run make test", 251, rig), Failed, false},
		{"a step that is called like ours", stepRan(job("guest: x", 251, rig), "Run make test"), Failed, false},
		{"a step of ours that is called otherwise", stepRan(job("Test it", 251, rig), "Run dispatcher guest run -- ./x"), SetupFailed, false},
		{"the patchset cannot be checked out", stepRan(job("x", 1, patchMark), "Run ./.dispatcher/actions/checkout"), Failed, false},
		{"the same in a workflow of somebody's", stepRan(job("x", 1, patchMark), "Run spdk-community-ci/dispatcher/actions/checkout@v1"), Failed, false},
		{"the same of a fork", stepRan(job("x", 1, patchMark), "Run example/dispatcher/actions/checkout@0123abc"), Failed, false},
		{"the same of what packs the source", stepRan(job("x", 1, patchMark), "Run ./.dispatcher/actions/source"), Failed, false},
		{"the same where the log is not known", job("setup: check out the revision", 1, patchMark), Failed, false},
		{"the same in the log", stepRan(logged(job("x", 1), resumed, "##[notice]"+patchMark, "##[error]Process completed with exit code 1."), "Run ./.dispatcher/actions/checkout"), Failed, false},
		{"the same in the log, said by a server", stepRan(logged(job("x", 1), "##[notice]"+patchMark, "##[error]Process completed with exit code 1."), "Run ./.dispatcher/actions/checkout"), SetupFailed, false},
		{"a checkout that says nothing", stepRan(job("x", 1), "Run ./.dispatcher/actions/checkout"), SetupFailed, false},
		{"another checkout", stepRan(job("x", 1, patchMark), "Run actions/checkout@v7"), SetupFailed, false},
		{"another action of ours", stepRan(job("x", 1, patchMark), "Run ./.dispatcher/actions/setup"), SetupFailed, false},
		{"a script that is named like it", stepRan(job("x", 1, patchMark), "Run ./.dispatcher/actions/checkout x"), Failed, false},
		{"a test that blames the patchset", job("guest: x", 125, patchMark), SetupFailed, false},
		{"a checkout that speaks of a test", stepRan(job("x", 1, failed), "Run ./.dispatcher/actions/checkout"), SetupFailed, false},
		{"a remark on a file", at("lib/x.c", MarkTitle), Failed, false},
		{"a remark with another title", at(".github", "dispatcher"), Failed, false},
		{"a job that GitHub says passed", edited(job("guest: x", 3, failed), func(j *change.Job) { j.Conclusion = "success" }), Passed, false},

		// In the log, for those who may not read annotations.
		{"in the log", log(251, "::stop-commands::***", "booting", resumed, "##[error]"+rig), SetupFailed, false},
		{"in the log, the test failed with a status of the rig's", log(251, resumed, `##[notice]{"v":1,"by":"test","exit":251}`), Failed, false},
		{"in the log, the test failed with 125", log(125, resumed, `##[notice]{"v":1,"by":"test","exit":125}`), Failed, false},
		{"in the log, and then more of ours", log(251, resumed, "##[error]"+rig, "dispatcher: the guest's console is empty"), SetupFailed, false},
		{"the test says so, and our program says otherwise", log(3, "::x::", "##[error]"+rig, resumed, "##[notice]"+failed), Failed, true},
		{"the test says so and kills our program", log(137, "::x::", "##[error]"+rig), Failed, false},
		{"the test says so, and our program dies of something else", log(2, "::x::", "##[error]"+rig), Failed, false},
		{"nothing switched commands on again", log(251, "##[error]"+rig), Failed, false},
		{"in the middle of a line", log(251, resumed, "x ##[error]"+rig), Failed, false},
		{"annotations count first", logged(job("guest: x", 251, rig), resumed, "##[notice]"+failed), SetupFailed, false},
	} {
		got := Rules{}.compile().job(tt.job, ending{})
		if got.Outcome != tt.want || got.Doubt != tt.doubt {
			t.Errorf("%s: got %s (doubt: %v), want %s (%v)", tt.name, got.Outcome, got.Doubt, tt.want, tt.doubt)
		}
	}
}

// FuzzParseMark holds that what is read is within its bounds and is read alike again.
func FuzzParseMark(f *testing.F) {
	f.Add(rigMark)
	f.Add(testMark)
	f.Add(`{"v":1,"by":"test","exit":1,"tests":{"run":3,"failed":1},"x":{"y":[1]}}`)
	f.Fuzz(func(t *testing.T, text string) {
		m, ok := ParseMark(text)
		if !ok {
			return
		}
		if !m.valid() || len(m.Why) > maxMarkText+3 || len(m.Environment) > maxMarkText+3 {
			t.Errorf("got %+v", m)
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if len(again) > maxMark {
			return
		}
		if n, ok := ParseMark(string(again)); !ok || !n.same(m) {
			t.Errorf("%s: got %+v, %v again, want %+v", again, n, ok, m)
		}
	})
}
