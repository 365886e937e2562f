// SPDX-License-Identifier: BSD-3-Clause

package report

import (
	"slices"
	"strings"
	"unicode"

	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// jobOf tells which job of a run left an artifact, by its name, or "". The API does
// not tell: an artifact is of a run. Where one job only did not pass, the tests
// that failed are that job's; other artifacts are called like the job or a part of
// its name (results-ubuntu-gcc of "unit tests (ubuntu, gcc)").
func jobOf(jobs []verdict.JobResult, artifact string) string {
	var same, like, bad []string
	of := tokens(artifact)
	for _, j := range jobs {
		name := j.Job.Name
		switch j.Outcome {
		case verdict.Passed, verdict.Skipped, verdict.Running, verdict.Neutral:
		default:
			bad = append(bad, name)
		}
		theirs := tokens(name)
		switch {
		case len(of) == 0 || len(theirs) == 0:
		case slices.Equal(of, theirs):
			same = append(same, name)
		case within(of, theirs) || within(theirs, of):
			like = append(like, name)
		}
	}
	for _, names := range [][]string{same, like, bad} {
		if len(names) == 1 {
			return names[0]
		}
		if len(names) > 1 {
			break
		}
	}
	return ""
}

// plainWords are in names of artifacts and jobs and tell nothing apart.
var plainWords = []string{"result", "results", "report", "reports", "test", "tests", "testing", "junit", "sarif", "xml", "artifact", "artifacts", "log", "logs", "output", "out", "job", "of", "the"}

// tokens are the words of a name, in order, without those that tell nothing.
func tokens(name string) []string {
	words := strings.FieldsFunc(strings.ToLower(name), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsDigit(r) })
	return slices.DeleteFunc(words, func(w string) bool { return slices.Contains(plainWords, w) })
}

// within reports whether all words of one name are in another.
func within(small, big []string) bool {
	return !slices.ContainsFunc(small, func(w string) bool { return !slices.Contains(big, w) })
}
