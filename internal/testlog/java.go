// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// javaRules know Surefire.
var javaRules = []*rule{
	newRule("Surefire 3 (TestSetStats)", "[", "<<< ", `^\[ERROR\] ([\w.$]+\.[\w$]+(?:\[.*?\]|\(.*?\))?) -- Time elapsed: .{1,30} <<< (?:FAILURE|ERROR)!$`, func(r *Reader, m []string) { r.surefire(m[1]) }),
	newRule("Surefire 2 (TestSetStats)", "[abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_", "<<< ", `^(?:\[ERROR\] )?([\w$]+(?:\[.*?\])?)\(([\w.$]+)\)\s+Time elapsed: .{1,30} <<< (?:FAILURE|ERROR)!$`, func(r *Reader, m []string) { r.surefire(m[2] + "." + m[1]) }),
	newRule("Surefire (DefaultReporterFactory)", "[", "[ERROR]   ", `^\[ERROR\]   ([A-Z][\w$]*\.[\w$]+)(?:->[\w$.]+)?:(\d+)\s(.*)$`, func(r *Reader, m []string) {
		for _, f := range r.found {
			if f.tool == "Surefire" && strings.HasSuffix(f.Test, "."+m[1]) {
				return
			}
		}
		r.add("Surefire", test, change.Failure{Test: m[1], Text: strings.TrimSpace(m[3])})
	}),
	newRule("Surefire (DefaultReporterFactory)", "[", "Tests run: ", `^\[(?:ERROR|INFO|WARNING)\] Tests run: (\d+), Failures: \d+, Errors: \d+, Skipped: \d+$`, func(r *Reader, m []string) { r.ran("Surefire", m[1]) }),
	newRule("javac, by Maven", "[", ".java:[", `^\[ERROR\] (\S+\.java):\[(\d+),\d+\] (.+)$`, func(r *Reader, m []string) {
		r.buildError("javac", relative(m[1]), m[2], m[3])
	}),
}

var javaFrame = regexp.MustCompile(`^\s+at (?:[\w.@-]*/)*([\w$.]+)\(([\w$-]+\.(?:java|kt|scala|groovy)):(\d+)\)$`)

// surefire takes a test that failed: what was thrown follows, and the frame in the
// test's own class.
func (r *Reader) surefire(name string) {
	f := r.add("Surefire", test, change.Failure{Test: name})
	class, _, _ := strings.Cut(name, "[")
	class = class[:max(0, strings.LastIndexByte(class, '.'))]
	r.follow(50, func(line string) bool {
		m := javaFrame.FindStringSubmatch(line)
		switch {
		case m != nil && class != "" && strings.HasPrefix(m[1], class+"."):
			folder := strings.ReplaceAll(class[:max(0, strings.LastIndexByte(class, '.'))], ".", "/")
			f.place(strings.TrimPrefix(folder+"/"+m[2], "/"), m[3])
		case m != nil:
		case line == "", strings.HasPrefix(line, "["), strings.Contains(line, " <<< "):
			r.block = nil
			return false
		case f.Text == "":
			r.say(f, line)
		}
		return true
	})
}
