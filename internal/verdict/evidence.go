// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"regexp"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

const (
	// maxRemarks and maxTail bound what is looked at of one job.
	maxRemarks = 200
	maxTail    = 200
	// maxRemark is how much of one remark is looked at, in bytes.
	maxRemark = 2000
	// diskLines is how near to its end the log must tell of a full disk: a test
	// of full disks prints the same words, but goes on.
	diskLines = 10
)

// What GitHub and its runner write about a job. All are anchored: a log line
// that merely quotes one of them is no evidence. The words are those of
// actions/runner (JobRunner, JobExtension, StepsRunner) and of the annotations
// that GitHub adds itself.
var (
	lostTexts = regexp.MustCompile(`^(?:` + strings.Join([]string{
		`The (?:self-hosted|hosted) runner\b.{0,200}? lost communication with the server`,
		`The runner has received a shutdown signal`,
		`Operating system is shutting down for computer `,
		`The hosted runner encountered an error while running your job`,
		`Received request to deprovision: `,
		`The job was not acquired by Runner of type `,
		`No runner matching the specified labels was found`,
		`GitHub Actions has encountered an internal error when running your job`,
	}, "|") + `)`)
	notStartedTexts  = regexp.MustCompile(`^(?:The job was not started because |Error when evaluating |Invalid workflow file|The workflow is not valid)`)
	jobLimitTexts    = regexp.MustCompile(`^The job (?:running on runner .{0,200}? )?has exceeded the maximum execution time of `)
	stepLimitTexts   = regexp.MustCompile(`^The action (?:'.{0,300}' )?has timed out`)
	cancelTexts      = regexp.MustCompile(`^The operation was cancell?ed\.?$`)
	exitTexts        = regexp.MustCompile(`^(?:Process completed|Docker run failed) with exit code (\d{1,5})\.?$`)
	diskFullTexts    = regexp.MustCompile(`(?i)no space left on device(?:\W*| \((?:os error )?28\)| : '.*)$`)
	timestampPattern = regexp.MustCompile(`^\x{feff}?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ?`)
)

// evidence is what the remarks on a job and the end of its log prove.
type evidence struct {
	lost, notStarted, jobLimit, stepLimit, cancel, disk bool
	// exit is the exit code of the step that failed, -1 if it is not known.
	exit int
}

// gather reads what was written about a job. Only remarks on the run itself
// count, not those on a line of a file.
func gather(j change.Job) evidence {
	ev := evidence{exit: -1}
	for _, a := range j.Annotations[:min(len(j.Annotations), maxRemarks)] {
		if a.Path != "" && a.Path != ".github" {
			continue
		}
		text := strings.TrimSpace(change.Clip(a.Text, maxRemark))
		if a.Level == "failure" {
			ev.remark(text)
		}
		ev.disk = ev.disk || diskFullTexts.MatchString(text)
	}
	lines := tail(j.LogTail, maxTail)
	for i, line := range lines {
		if text, ok := strings.CutPrefix(line, "##[error]"); ok {
			ev.remark(text)
		}
		if i >= len(lines)-diskLines {
			ev.disk = ev.disk || diskFullTexts.MatchString(line)
		}
	}
	return ev
}

// remark takes one remark of level failure into account.
func (ev *evidence) remark(text string) {
	ev.lost = ev.lost || lostTexts.MatchString(text)
	ev.notStarted = ev.notStarted || notStartedTexts.MatchString(text)
	ev.jobLimit = ev.jobLimit || jobLimitTexts.MatchString(text)
	ev.stepLimit = ev.stepLimit || stepLimitTexts.MatchString(text)
	ev.cancel = ev.cancel || cancelTexts.MatchString(text)
	if m := exitTexts.FindStringSubmatch(text); m != nil {
		if code, err := strconv.Atoi(m[1]); err == nil {
			ev.exit = code
		}
	}
}

// signalled reports whether a step ended by SIGINT, SIGKILL or SIGTERM.
func (ev evidence) signalled() bool {
	return ev.exit == 128+2 || ev.exit == 128+9 || ev.exit == 128+15
}

// maybeKilled reports whether a step that failed may have been killed from
// outside.
func (ev evidence) maybeKilled() bool { return ev.exit == -1 || ev.signalled() }

// loss is what a vanished runner comes to: a full disk may be the reason.
func (ev evidence) loss() Outcome {
	if ev.disk {
		return OutOfDisk
	}
	return RunnerLost
}

// tail returns the last n lines of a log that hold anything, without the
// timestamps that GitHub puts in front.
func tail(log []string, n int) []string {
	var lines []string
	for _, line := range log[max(0, len(log)-n):] {
		line = timestampPattern.ReplaceAllString(change.Clip(line, maxRaw), "")
		if line = plain(line); strings.TrimSpace(line) != "" {
			lines = append(lines, line)
		}
	}
	return lines
}
