// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// folding makes one outcome of the jobs of a run.
type folding struct {
	*reader
	run    Run
	result RunResult
	// aside are the jobs that are left out.
	aside []change.Job
	needs needs
	// unsure are jobs of which nobody knows yet whether they count.
	unsure []JobResult
}

func (f *folding) ending() ending { return ending{f.run.Superseded, f.run.CalledOff} }

// sort reads the jobs, and says which of them do not decide.
func (f *folding) sort() {
	labs := labsOf(f.run)
	for _, j := range f.run.Jobs {
		if f.ignored(f.run, j) || lastName(j) == giveUp && labs.has(j) {
			f.aside = append(f.aside, j)
			continue
		}
		r := f.job(j, f.ending())
		if isOptionalLab(j) && labs.has(j) {
			r.MayFail = true
			if untaken(j) {
				r.Outcome = RunnerLost
			}
		}
		f.result.Jobs = append(f.result.Jobs, r)
	}
	f.needs = newNeeds(f.run, f.aside)
	for i := range f.result.Jobs {
		r := &f.result.Jobs[i]
		r.MayFail = r.MayFail || f.allowed(*r)
	}
	for i := range f.result.Jobs {
		r := &f.result.Jobs[i]
		if !r.MayFail && !slices.Contains(quiet, r.Outcome) && r.Outcome != Running && f.run.Run.Conclusion == "" && !f.counts(*r) {
			f.unsure = append(f.unsure, *r)
		}
	}
}

// open reports whether GitHub has yet to say how the run ended.
func (f *folding) open() bool { return f.run.Run.Conclusion == "" && f.run.Run.Status != "completed" }

// allowed reports whether the run goes well although a job did not. With
// continue-on-error the job's own conclusion is failure, but its result is success
// for those who need it, and so is the run (actions/runner#1161).
func (f *folding) allowed(r JobResult) bool {
	if slices.Contains(quiet, r.Outcome) || r.Outcome == Running {
		return false
	}
	if result, ok := f.needs.of(r.Job.Name); ok && (result == "success" || result == "skipped") {
		return true
	}
	return r.Mark != nil && r.Mark.Optional || f.run.Run.Conclusion == "success"
}

// counts reports whether it is sure that a job counts which did not go well: one of
// the needs has the same result, and this job or no other gave it to it.
func (f *folding) counts(r JobResult) bool {
	if _, ok := f.needs.of(r.Job.Name); ok {
		return true // allowed has seen that its result is not a good one
	}
	for id, result := range f.needs.results {
		if result != "failure" && result != "cancelled" {
			continue
		}
		explained := slices.ContainsFunc(f.result.Jobs, func(j JobResult) bool {
			name, ok := f.needs.id(j.Job.Name)
			return ok && name == id && !slices.Contains(quiet, j.Outcome)
		})
		if !explained {
			return true
		}
	}
	return false
}

// weigh makes the outcome.
func (f *folding) weigh() {
	var count []Outcome
	for _, j := range f.result.Jobs {
		if !j.MayFail {
			count = append(count, j.Outcome)
		}
	}
	o := worst(count)
	well := slices.Contains(quiet, o)
	switch {
	case o == Running:
	case len(f.unsure) > 0 && !f.sure(Failed):
		if o = Unknown; f.open() { // else GitHub has ended it without a word
			o, f.result.Awaits = Running, "whether "+list(f.unsure)+" may fail"
		}
	case f.open() && well && !f.needs.agree():
		o, f.result.Awaits = Running, "the run's own result"
	case !f.open() && well && f.run.Run.Conclusion != "success" && !f.explained():
		o = f.whole()
	}
	f.result.Outcome = o
}

// sure reports whether a job with an outcome is sure to count.
func (f *folding) sure(o Outcome) bool {
	return slices.ContainsFunc(f.result.Jobs, func(r JobResult) bool {
		return r.Outcome == o && !r.MayFail && f.counts(r)
	})
}

// explained reports whether a job that does not count is why the run as a whole did
// not go well.
func (f *folding) explained() bool {
	conclusion := f.run.Run.Conclusion
	if conclusion == "cancelled" && f.gaveUp() {
		return true
	}
	why := slices.Clone(f.aside)
	var passed, skipped bool
	for _, r := range f.result.Jobs {
		passed, skipped = passed || r.Outcome == Passed, skipped || r.Outcome == Skipped
		if f.mayFail.match(r.Job.Name) {
			why = append(why, r.Job)
		}
	}
	return slices.ContainsFunc(why, func(j change.Job) bool {
		switch conclusion {
		case "":
			return false
		case "failure":
			return !slices.Contains([]string{"", "success", "skipped", "neutral"}, j.Conclusion)
		case "cancelled":
			// Jobs that had not begun by then may be skipped, or not be listed.
			return j.Conclusion == "cancelled" && j.Runner != "" && passed && !skipped
		}
		return j.Conclusion == conclusion
	})
}

// whole reads the run's own conclusion, for want of a job that tells more.
func (f *folding) whole() Outcome {
	listed := len(f.run.Jobs) > 0
	switch run := f.run.Run; run.Conclusion {
	case "cancelled":
		if o := f.ending().cancelled(); listed || o == Superseded || f.run.CalledOff {
			return o
		}
		return Dropped
	case "failure":
		if !listed { // no job was ever made
			return StartupFailure
		}
		return Unknown
	default:
		return f.job(change.Job{Status: run.Status, Conclusion: run.Conclusion}, f.ending()).Outcome
	}
}

// list names some jobs on one line, for a person who runs the program.
func list(jobs []JobResult) string { return names(newCleaner(nil), jobs) }
