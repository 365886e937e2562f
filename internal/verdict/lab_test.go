// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// TestOptionalLabs: an optional environment whose lab is offline holds nothing up, in
// our own workflow and in no other.
func TestOptionalLabs(t *testing.T) {
	t.Parallel()
	job := func(name, conclusion string, steps ...string) change.Job {
		j := jobOf(conclusion, steps...)
		j.Name = "autorun / " + name
		if conclusion == "" {
			j.Status = "in_progress"
		}
		return j
	}
	lab := job("lab", "success", choreStep+"=success", chores["lab"]+"=success")
	unit, red := job("unit", "success", "Run make=success"), job("unit", "failure", "Run make=failure")
	metal := change.Job{Name: "autorun / metal" + LabSuffix, Status: "queued"}
	gone := change.Job{Name: metal.Name, Status: "completed", Conclusion: "cancelled"}
	failed := job("metal"+LabSuffix, "failure", choreStep+"=success", "Run make=failure")
	works := job("metal"+LabSuffix, "", choreStep+"=success", "Run make=")
	// Other jobs of the calling workflow, with odd names, or with those of tests.
	strange := job("metal"+LabSuffix, "failure", "Set up job=success", "Run make=failure")
	another := job("metal"+LabSuffix, "failure", choreStep+"=success", "Run make=failure")
	another.Name = "nightly / metal" + LabSuffix
	waiting := change.Job{Name: "metal" + LabSuffix, Status: "queued"}
	release := job("give-up", "failure", "Set up job=success", "Run make=failure")
	dead := job("metal"+LabSuffix, "failure", "Set up job=failure")
	ends := job("give-up", "cancelled", choreStep+"=success", giveUpStep+"=cancelled")
	ended1 := job("give-up", "success", choreStep+"=success", giveUpStep+"=success")
	waits := change.Job{Name: "autorun / give-up", Status: "queued"}
	skipped := change.Job{Name: "autorun / guest", Status: "completed", Conclusion: "skipped"}
	report, told := job("report", "", "Tell Gerrit="), job("report", "failure", "Tell Gerrit=failure")
	good := map[string]string{"plan": "success", "docker": "success", "guest": "skipped", "lab": "success"}
	bad := map[string]string{"plan": "success", "docker": "failure", "lab": "success"}
	for name, c := range map[string]struct {
		run  Run
		want Outcome
	}{
		"told inside":                                               {Run{Run: open, Needs: good, Jobs: []change.Job{unit, skipped, metal, lab, report}}, Passed},
		"told inside, all jobs are listed":                          {Run{Run: open, Needs: good, Jobs: []change.Job{unit, skipped, metal, lab, report, waits}}, Passed},
		"told inside, the lab still works":                          {Run{Run: open, Needs: good, Jobs: []change.Job{unit, works, lab, report}}, Passed},
		"told inside, the lab's test failed without a word of ours": {Run{Run: open, Needs: good, Jobs: []change.Job{unit, failed, lab, report}}, Passed},
		"told inside, red":                                          {Run{Run: open, Needs: bad, Jobs: []change.Job{red, metal, lab, report}}, Failed},
		"told by a pass":                                            {Run{Run: ended("cancelled"), Jobs: []change.Job{unit, skipped, gone, lab, told, ends}}, Passed},
		"it ended in time":                                          {Run{Run: ended("cancelled"), Jobs: []change.Job{unit, skipped, gone, lab, told, ended1}}, Passed},
		"told by a pass, red":                                       {Run{Run: ended("cancelled"), Jobs: []change.Job{red, gone, lab, told, ends}}, Failed},
		"told inside, the lab's runner broke down":                  {Run{Run: open, Needs: good, Jobs: []change.Job{unit, dead, lab, report}}, Passed},
		"a required job of such a name beside it":                   {Run{Run: ended("failure"), Jobs: []change.Job{unit, strange, lab, told}}, Failed},
		"a required job of such a name in another call":             {Run{Run: ended("failure"), Jobs: []change.Job{unit, another, lab, told}}, Failed},
		"a required job of such a name waits":                       {Run{Run: open, Needs: good, Jobs: []change.Job{unit, waiting, lab, report}}, Running},
		"a required job give-up beside it":                          {Run{Run: ended("failure"), Jobs: []change.Job{unit, release, lab, told}}, Failed},
		// Somebody has cancelled it: nobody knows what else would have been.
		"cancelled while the lab was offline":    {Run{Run: ended("cancelled"), Jobs: []change.Job{unit, skipped, gone, lab, told}}, Cancelled},
		"cancelled before it gave up":            {Run{Run: ended("cancelled"), Jobs: []change.Job{unit, skipped, gone, lab, told, {Name: waits.Name, Status: "completed", Conclusion: "skipped"}}}, Cancelled},
		"cancelled before anything was tested":   {Run{Run: ended("cancelled"), Jobs: []change.Job{skipped, gone, lab, told}}, Cancelled},
		"names in a workflow that is not ours":   {Run{Run: open, Needs: good, Jobs: []change.Job{unit, metal, job("lab", "success", "Run make=success"), report}}, Running},
		"such names in one that has no lab":      {Run{Run: ended("cancelled"), Jobs: []change.Job{unit, gone, job("give-up", "cancelled", "Run make=cancelled")}}, Cancelled},
		"a required lab of that name in another": {Run{Run: ended("failure"), Jobs: []change.Job{unit, failed}}, Failed},
	} {
		if got := (Rules{}).Fold(c.run); got.Outcome != c.want {
			t.Errorf("%s: got %s (%s), want %s", name, got.Outcome, got.Awaits, c.want)
		}
	}
	run := (Rules{}).Fold(Run{Key: change.Key{ID: change.ID{Change: 1, Patchset: 1}, Workflow: "autorun.yml", Attempt: 1}, Run: open, Needs: good, Jobs: []change.Job{unit, metal, lab, report}})
	m := Message{Verdict: Verdict{Required: []RunResult{run}, Ready: true, Voted: true, Vote: 1}}
	if text := m.Text(); !strings.Contains(text, "metal (optional lab)` was not run: no runner of its lab took it") {
		t.Errorf("got %s", text)
	}
}
