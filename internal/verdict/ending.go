// SPDX-License-Identifier: BSD-3-Clause

package verdict

import "github.com/spdk-community-ci/dispatcher/internal/change"

// Residue returns what the last line of Text says.
func (m Message) Residue() Residue { return m.residue(maxText / 2) }

// residue tells of all runs as Running while the verdict waits for some of them:
// none was reported before it is. It leaves out the optional runs that have not
// ended by then, and what there is no room for.
func (m Message) residue(limit int) Residue {
	v := m.Verdict
	r := Residue{Voted: v.Voted && !m.Refused, Vote: v.Vote, Refused: v.Voted && m.Refused}
	if m.Refused {
		r.Vote = 0
	}
	var failed []string
	for _, run := range v.Required {
		for _, j := range run.decided() {
			if j.Outcome == Failed {
				for _, name := range m.Culprits(run, j.Job) {
					if name != j.Job.Name {
						name = j.Job.Name + "/" + name
					}
					failed = append(failed, run.Run.Key.Workflow+"/"+name)
				}
			}
		}
	}
	r.Failed = digest(failed)
	for i, run := range v.all() {
		switch {
		case !v.Ready:
			r = r.with(run.Run, Running, limit)
		case run.Outcome != Running || i < len(v.Required):
			r = r.with(run.Run, run.Outcome, limit)
		}
		if v.Ready && run.Latest != nil {
			r = r.with(run.Latest.Run, run.Latest.Outcome, limit)
		}
	}
	return r
}

// Culprits name what failed in a job that did: its tests, or the job where they are
// not known.
func (m Message) Culprits(run RunResult, j change.Job) []string {
	if names, _ := m.failedTests(run, j); len(names) > 0 {
		return names
	}
	return []string{j.Name}
}

// with adds a run whose key can be read again, if there is room.
func (r Residue) with(run Run, o Outcome, limit int) Residue {
	if _, err := change.ParseKey(run.Key.String()); err != nil || !o.Valid() {
		return r
	}
	more := r
	more.Runs = append(r.Runs[:len(r.Runs):len(r.Runs)], RunResidue{run.Key, max(run.Run.ID, 0), max(run.Attempt, 0), o})
	if len(more.String()) > limit {
		return r
	}
	return more
}
