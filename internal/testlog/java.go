// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"math"
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// java follows Surefire.
type java struct {
	// told are tests that have been told, as the list at the end names them.
	told map[string]bool
}

func (j *java) tell(name string) {
	if j.told == nil {
		j.told = map[string]bool{}
	}
	if len(j.told) < maxFailures {
		j.told[clip(name, maxName)] = true
	}
}

const letters = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ_"

// javaRules know Surefire, Gradle and javac.
var javaRules = []*rule{
	newRule("Surefire 3 (TestSetStats)", "[", "<<< ", `^\[ERROR\] ([\w.$]+\.[\w$]+(?:\[.*?\]|\(.*?\))?) (?:--)? ?Time elapsed: .{1,30} <<< (?:FAILURE|ERROR)!$`, func(r *Reader, m []string) { r.surefire(m[1]) }),
	newRule("Surefire 2 (TestSetStats)", "["+letters, "<<< ", `^(?:\[ERROR\] )?([\w$]+(?:\[.*?\])?)\(([\w.$]+)\)\s+Time elapsed: .{1,30} <<< (?:FAILURE|ERROR)!$`, func(r *Reader, m []string) { r.surefire(m[2] + "." + m[1]) }),
	newRule("Surefire (DefaultReporterFactory)", "[", "[ERROR]   ", `^\[ERROR\]   ([A-Z][\w$]*\.[\w$]+)(?:->[\w$.]+)?:(\d+)\s(.*)$`, func(r *Reader, m []string) {
		if !r.java.told[m[1]] {
			r.add("Surefire", test, change.Failure{Test: m[1], Text: strings.TrimSpace(m[3])})
		}
	}),
	newRule("Surefire: passed when tried again", "[", "Flakes:", `^\[WARNING\] Flakes:$`, func(r *Reader, m []string) {
		r.follow(math.MaxInt, func(line string) bool {
			if m := javaFlake.FindStringSubmatch(line); m != nil {
				r.passed(m[1])
			} else if !javaRun.MatchString(line) {
				r.block = nil
				return false
			}
			return true
		})
	}),
	newRule("Gradle (test logging)", letters, " FAILED", `^([\w.$]+(?: > \S.*)+) FAILED$`, (*Reader).gradle),
	newRule("Gradle", "0123456789", " failed", `^(\d+) tests? completed, \d+ failed`, func(r *Reader, m []string) { r.ran("Gradle", m[1]) }),
	newRule("Surefire (DefaultReporterFactory)", "[", "Tests run: ", `^\[(?:ERROR|INFO|WARNING)\] Tests run: (\d+), Failures: \d+, Errors: \d+, Skipped: \d+$`, func(r *Reader, m []string) { r.ran("Surefire", m[1]) }),
	newRule("javac, by Maven", "[", ".java:[", `^\[ERROR\] (\S+\.java):\[(\d+),\d+\] (.+)$`, func(r *Reader, m []string) {
		r.buildError("javac", relative(m[1]), m[2], m[3])
	}),
}

var javaFrame = regexp.MustCompile(`^\s+at (?:[\w.@-]*/)*([\w$.]+)\(([\w$-]+\.(?:java|kt|scala|groovy)):(\d+)\)$`)

var (
	javaFlake = regexp.MustCompile(`^\[WARNING\] ([\w.$]+\.[\w$]+(?:\[.*?\]|\(.*?\))?)$`)
	javaRun   = regexp.MustCompile(`^\[(?:ERROR|INFO|WARNING)\](?:   Run \d+: .*)?$`)
	// javaThrown is what Gradle says was thrown, and perhaps where.
	javaThrown = regexp.MustCompile(`^    (\S.*?)(?: at ([\w$-]+\.(?:java|kt|scala|groovy)):(\d+))?$`)
)

// gradle takes a test that failed: what was thrown follows.
func (r *Reader) gradle(m []string) {
	f := r.add("Gradle", test, change.Failure{Test: m[1]})
	class, _, _ := strings.Cut(m[1], " > ")
	r.follow(50, func(line string) bool {
		if !strings.HasPrefix(line, "    ") {
			r.block = nil
			return false
		}
		if at := javaFrame.FindStringSubmatch(line); at != nil {
			if strings.HasPrefix(at[1], class+".") {
				f.place(javaPath(class, at[2]), at[3])
			}
		} else if m := javaThrown.FindStringSubmatch(line); m != nil && f.Text == "" {
			r.say(f, m[1])
			if m[2] != "" {
				f.place(javaPath(class, m[2]), m[3])
			}
		}
		return true
	})
}

// javaPath returns the path of a file in the folder of a class.
func javaPath(class, file string) string {
	folder := strings.ReplaceAll(class[:max(0, strings.LastIndexByte(class, '.'))], ".", "/")
	return strings.TrimPrefix(folder+"/"+file, "/")
}

// surefire takes a test that failed: what was thrown follows, and the frame in the
// test's own class.
func (r *Reader) surefire(name string) {
	f := r.add("Surefire", test, change.Failure{Test: name})
	method, _, _ := strings.Cut(name, "[")
	class := method[:max(0, strings.LastIndexByte(method, '.'))]
	r.java.tell(method[strings.LastIndexByte(class, '.')+1:])
	r.follow(50, func(line string) bool {
		m := javaFrame.FindStringSubmatch(line)
		switch {
		case m != nil && class != "" && strings.HasPrefix(m[1], class+"."):
			f.place(javaPath(class, m[2]), m[3])
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
