// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"slices"
	"strings"
	"unicode"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// stage is what SPDK's scripts say at their end of the test that failed.
type stage struct {
	component, stack string
	// at is the innermost line of a script that failed, before what was printed last
	// until then.
	at     change.Failure
	before []string
}

// stageRules know the summary of SPDK's test/common/autotest_common.sh
// (dump_backtrace), as of November 2026.
var stageRules = []*rule{
	newRule("SPDK: component", "*", "Failing Component: ", `^\* Failing Component: "(.+)"$`, func(r *Reader, m []string) { r.stage.component = clip(m[1], maxName) }),
	newRule("SPDK: tests", "*", "Failing Test Stack: ", `^\* Failing Test Stack: (\S+)$`, func(r *Reader, m []string) {
		r.stage.stack = clip(strings.ReplaceAll(m[1], "->", "."), maxName)
	}),
	// Of the scripts, their neighbours of the line that failed are shown as well:
	// that is no output of a test.
	newRule("SPDK: the scripts", "*", "Failing Code:", `^\* Failing Code:$`, func(r *Reader, m []string) {
		if r.stage.before == nil {
			r.stage.before = r.said()
		}
		r.follow(maxNoted, func(line string) bool {
			if strings.HasPrefix(line, "  ") || line == "" {
				return true
			}
			r.block = nil
			return false
		})
	}),
	newRule("SPDK: backtrace", "[", "[1]", `^\[1\]\s+(\S+)\s+\(.*\)\s+(\S+):(\d+)\s+(\S.*)$`, func(r *Reader, m []string) {
		if r.stage.component != "" && r.stage.at.Path == "" {
			r.stage.at = change.Failure{Path: clip(relative(m[2]), maxName), Line: number(m[3]), Text: clip(m[4], maxText)}
		}
	}),
}

// runnerRules know lines that only look like those of a tool.
var runnerRules = []*rule{
	newRule("the runner", "#", "##[", `^##\[(?:group|endgroup|debug|section|warning|notice|command)\]`, func(r *Reader, m []string) {}),
}

// said are the last lines in which something is said, without titles of stages.
func (r *Reader) said() []string {
	said := slices.DeleteFunc(r.before(), func(line string) bool {
		return !strings.ContainsFunc(line, unicode.IsLetter) || strings.HasPrefix(line, "START TEST ") || strings.HasPrefix(line, "END TEST ")
	})
	said = slices.Compact(said)
	return said[max(0, len(said)-maxDetails):]
}
