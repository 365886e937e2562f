// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"fmt"
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// maxExcerpt is how many lines are shown of one failed job.
const maxExcerpt = 12

// excerpt returns what a job says where nothing is known of what failed in it, raw:
// the remarks of level failure, or else the end of the log, as the second result
// tells.
func excerpt(j change.Job) (lines []string, fromLog bool) {
	if lines := remarks(j.Annotations, false); len(lines) > 0 {
		return lines, false
	}
	for _, line := range tail(j.LogTail, maxTail) {
		if text, ok := logText(line); ok {
			lines = append(lines, text)
		}
	}
	return lines[max(0, len(lines)-maxExcerpt):], true
}

// reason returns the one line that tells best why a job gave no verdict: what our
// own program says, what the outcome was told from, of which the first sentence
// will do, or else the first remark or the log's last line.
func reason(r JobResult) string {
	if r.Mark.rig() && r.Mark.Why != "" {
		return r.Mark.Why
	}
	lines, fromLog := excerpt(r.Job)
	for _, line := range lines {
		for _, texts := range []*regexp.Regexp{lostTexts, notStartedTexts, droppedTexts, toolTexts, diskFullTexts} {
			if texts.MatchString(line) {
				first, _, _ := strings.Cut(line, ". ")
				return first
			}
		}
	}
	switch {
	case len(lines) == 0:
		return ""
	case fromLog:
		return lines[len(lines)-1]
	}
	return lines[0]
}

// isBare reports whether a remark says only what the outcome says as well.
func isBare(text string) bool {
	return exitTexts.MatchString(text) || cancelTexts.MatchString(text) || jobLimitTexts.MatchString(text)
}

// remarks returns the annotations that say more than that a step failed, all of them
// or those on files.
func remarks(all []change.Annotation, placed bool) []string {
	var lines []string
	for _, a := range all[:min(len(all), maxRemarks)] {
		text := strings.TrimSpace(change.Clip(a.Text, maxRaw))
		onFile := a.Path != "" && a.Path != ".github"
		if a.Level != "failure" || text == "" || isBare(text) || isMark(a.Title, text) || placed && !onFile {
			continue
		}
		if onFile {
			text = withoutPlace(text, a)
		}
		if a.Title != "" && !strings.HasPrefix(text, a.Title) {
			text = a.Title + ": " + text
		}
		if onFile {
			text = place(a) + ": " + text
		}
		for line := range strings.SplitSeq(text, "\n") {
			if len(lines) == maxExcerpt {
				return lines
			}
			if strings.TrimSpace(line) != "" {
				lines = append(lines, line)
			}
		}
	}
	return lines
}

// place returns where an annotation is, as compilers write it.
func place(a change.Annotation) string {
	if a.Line <= 0 {
		return a.Path
	}
	return fmt.Sprintf("%s:%d", a.Path, a.Line)
}

// withoutPlace returns a text without the place that it begins with, as compilers
// write it, where that is the annotation's.
func withoutPlace(text string, a change.Annotation) string {
	rest, ok := strings.CutPrefix(text, place(a)+":")
	if column := strings.TrimLeft(rest, "0123456789"); a.Line > 0 && strings.HasPrefix(column, ":") {
		rest = column[1:]
	}
	if said := strings.TrimLeft(rest, " "); ok && said != rest && said != "" {
		return said
	}
	return text
}

// logText returns a log line without the runner's marks; false for those that
// are structure or say only that a step failed.
func logText(line string) (string, bool) {
	for _, mark := range []string{"##[group]", "##[endgroup]", "##[debug]", "##[section]"} {
		if strings.HasPrefix(line, mark) {
			return "", false
		}
	}
	for _, mark := range []string{"##[error]", "##[warning]", "##[notice]", "##[command]"} {
		if text, ok := strings.CutPrefix(line, mark); ok {
			return text, !isBare(text) && !isMark(MarkTitle, text)
		}
	}
	return line, true
}
