// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
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

// evidence is what the remarks on a job and the end of its log prove.
type evidence struct {
	lost, shutdown, notStarted, dropped, jobLimit, stepLimit, cancel, disk bool
	// memory: something ran out of memory.
	memory bool
	// tool: the runner or an action of GitHub's failed at something of its own.
	tool bool
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
		// Warnings are remarks on the way: the runner's that space runs short, an
		// action's that it saved no cache.
		if a.Level == "failure" {
			ev.remark(text)
			ev.disk = ev.disk || diskFullTexts.MatchString(text)
			ev.memory = ev.memory || memoryTexts.MatchString(text)
		}
	}
	lines := tail(j.LogTail, maxTail)
	for i, line := range lines {
		if text, ok := strings.CutPrefix(line, "##[error]"); ok {
			ev.remark(text)
		} else if strings.HasPrefix(line, "##[warning]") {
			continue
		}
		if i >= len(lines)-diskLines {
			ev.disk = ev.disk || diskFullTexts.MatchString(line)
			ev.memory = ev.memory || memoryTexts.MatchString(strings.TrimPrefix(line, "##[error]"))
		}
	}
	return ev
}

// remark takes one remark of level failure into account.
func (ev *evidence) remark(text string) {
	ev.lost = ev.lost || lostTexts.MatchString(text)
	ev.shutdown = ev.shutdown || shutdownTexts.MatchString(text)
	ev.notStarted = ev.notStarted || notStartedTexts.MatchString(text)
	ev.dropped = ev.dropped || droppedTexts.MatchString(text)
	ev.tool = ev.tool || toolTexts.MatchString(text)
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

// maybeKilled reports whether a step that failed may have been ended from outside.
// make and pytest end with 2 when they are told to stop (actions/runner#4160).
func (ev evidence) maybeKilled() bool {
	return ev.exit == -1 || ev.signalled() || ev.shutdown && ev.exit == 2
}

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
