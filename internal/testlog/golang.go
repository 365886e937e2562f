// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"path"
	"regexp"
	"slices"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// golang follows the tests and builds of Go.
type golang struct {
	// name is the package's, where it is known before its end (go test -json).
	name string
	// folder is the package's in its module, as gotestsum names it, or "".
	folder string
	// said are the lines that tests printed before they failed (go test -v).
	said []goLine
	// run is the test that runs.
	run string
	// open are the failures of the package that is tested: its name comes last.
	open []*failure
	// last is the test that failed last, race the data race that was found last.
	last, race *failure
}

// goLine is a line of a test, with what follows it.
type goLine struct {
	test, file, line, text string
	more                   []string
}

// goRules know "go test", "go build" and "go vet" (cmd/go, testing.go).
var goRules = []*rule{
	newRule("go test -v (testing.go)", "=", "=== ", `^=== (?:RUN|CONT|NAME)\s+(\S+)$`, func(r *Reader, m []string) { r.golang.run = clip(m[1], maxName) }),
	newRule("go test (testing.go)", "-", "--- FAIL: ", `^(\s*)--- FAIL: (\S+) \(\d.*\)$`, (*Reader).goFailed),
	newRule("gotestsum (testjson/summary.go)", "=", "=== FAIL: ", `^=== FAIL: (\S+) (\S+) (?:\(re-run (\d+)\) )?\(\d.*\)$`, (*Reader).gotestsum),
	newRule("gotestsum (testjson/summary.go)", "=", "=== Errors", `^=== Errors$`, func(r *Reader, m []string) { r.goErrors() }),
	newRule("gotestsum (testjson/summary.go)", "D", "DONE ", `^DONE (?:(\d+) runs, )?(\d+) tests?(?:, (\d+) skipped)?.* in \d\S*$`, func(r *Reader, m []string) {
		r.ran("go", strconv.Itoa(number(m[2])-number(m[3])))
		for _, f := range r.found {
			// What failed in the last run as well is named once more.
			f.passed = f.passed || f.tool == "go" && f.class == test && f.rerun < number(m[1])-1
		}
	}),
	newRule("go test (testing.go)", "", ".go:", goSaid.String(), (*Reader).goLine),
	newRule("go test (cmd/go)", "Fo", "\t", `^(?:FAIL|ok  )\t(\S+)\s+(?:\(cached\)|[\d.]+s).*$`, func(r *Reader, m []string) { r.goPackage(m[1]) }),
	newRule("go test (cmd/go)", "F", " failed]", `^FAIL\t(\S+) \[(build|setup) failed\]$`, func(r *Reader, m []string) {
		r.buildFailed()
		r.goPackage(m[1])
		r.echo(m[0])
	}),
	newRule("go build, go vet (cmd/go)", "#", "# ", `^# ([\w./~-]+/[\w./~-]+|[\w.-]+)(?: \[\S+\])?$`, func(r *Reader, m []string) { r.goErrors() }),
	newRule("go (runtime panic.go)", "p", "panic: ", `^panic: (.*)$`, (*Reader).goPanic),
	newRule("go (runtime panic.go)", "f", "fatal error: ", `^fatal error: (all goroutines are asleep - deadlock!|concurrent map .*|stack overflow|out of memory.*)$`, (*Reader).goPanic),
	newRule("go race detector (tsan)", "W", "WARNING: DATA RACE", `^WARNING: (DATA RACE)$`, func(r *Reader, m []string) {
		r.golang.race = &failure{Failure: change.Failure{Text: "data race"}}
		r.goFrame(r.golang.race, 30)
	}),
	newRule("go race detector (tsan)", "F", "data race(s)", `^Found \d+ data race\(s\)$`, func(r *Reader, m []string) {
		if race := r.golang.race; race != nil {
			r.add("go", crash, race.Failure)
		}
	}),
}

var (
	goError  = regexp.MustCompile(`^(?:vet: )?([^\s:]+\.(?:go|s)):(\d+):(?:\d+:)? (.+)$`)
	goFrame  = regexp.MustCompile(`^\s+(/\S+\.go):(\d+)(?: \+0x[0-9a-f]+)?$`)
	goSystem = regexp.MustCompile(`/(?:go|golang|toolchain@\S+)/src/(?:runtime|testing|internal|sync|reflect|net|os)/|/pkg/mod/|^/usr/(?:local/|lib/)`)
)

// goErrors takes errors of the compiler or of vet.
func (r *Reader) goErrors() {
	r.follow(50, func(line string) bool {
		m := goError.FindStringSubmatch(line)
		if m == nil {
			r.block = nil
			return false
		}
		r.buildError("go", relative(m[1]), m[2], m[3])
		return true
	})
}

// goFailed takes a test that failed. What it said comes after it, or came before
// with -v.
func (r *Reader) goFailed(m []string) {
	g := &r.golang
	f := r.add("go", test, change.Failure{Test: m[2]})
	f.indent = len(m[1])
	if f.at == r.lines {
		g.open = note(g.open, f)
	}
	g.last = f
	for _, s := range g.said {
		if s.test != m[2] {
			continue
		}
		r.goSaid(f, s.file, s.line, s.text)
		for _, line := range s.more {
			r.goMore(f, line)
		}
	}
	r.follow(maxNoted, func(line string) bool {
		s := goSaid.FindStringSubmatch(line)
		switch {
		case s != nil && len(s[1]) > f.indent:
			r.goSaid(f, s[2], s[3], s[4])
		case s == nil && goMore(line, f.indent+8):
			r.goMore(f, line)
		default:
			r.block = nil
			return false
		}
		return true
	})
}

// goLine takes a line of a test that runs, or of one that failed and has others
// below it.
func (r *Reader) goLine(m []string) {
	g := &r.golang
	if g.run == "" {
		for _, f := range slices.Backward(g.open) {
			if f.indent < len(m[1]) {
				r.goSaid(f, m[2], m[3], m[4])
				r.follow(maxNoted, func(line string) bool { return r.goRest(line, len(m[1])+4, func() { r.goMore(f, line) }) })
				return
			}
		}
	}
	g.said = note(g.said, goLine{test: g.run, file: clip(m[2], maxName), line: m[3], text: clip(m[4], maxName)})
	said := &g.said[len(g.said)-1]
	r.follow(maxNoted, func(line string) bool {
		return r.goRest(line, len(m[1])+4, func() {
			if len(said.more) < 2*maxDetails {
				said.more = append(said.more, clip(line, maxName))
			}
		})
	})
}

// goRest lets take have a line that goes on with what a test says.
func (r *Reader) goRest(line string, indent int, take func()) bool {
	if !goMore(line, indent) {
		r.block = nil
		return false
	}
	take()
	return true
}

// goMore reports whether a line goes on with what a test says.
func goMore(line string, indent int) bool {
	return len(line)-len(strings.TrimLeft(line, " ")) >= indent
}

var (
	goSaid = regexp.MustCompile(`^(\s{4,})([^\s:/]+\.go):(\d+):(?: (.*))?$`)
	// testify is what its assertions say beside what is wrong.
	testify = regexp.MustCompile(`^\s+(?:Error Trace:|Test:|\t\s+/\S+:\d+$)`)
)

// goMore takes a line that goes on with what a test says.
func (r *Reader) goMore(f *failure, line string) {
	if !testify.MatchString(line) {
		text, _ := strings.CutPrefix(strings.TrimSpace(line), "Error:")
		r.say(f, strings.TrimLeft(text, " \t"))
	}
}

// goSaid takes a line of a test: it may be a failure, or a word on the way to it.
func (r *Reader) goSaid(f *failure, file, line, text string) {
	if file == "testing.go" { // which speaks for itself
		if race := r.golang.race; race != nil && strings.HasPrefix(text, "race detected") {
			f.complete(race.Failure)
		}
		r.say(f, text)
		return
	}
	if f.Path != "" {
		text = file + ":" + line + ": " + text
	}
	f.place(path.Join(r.golang.folder, file), line)
	r.say(f, text)
}

// goPackage puts what failed since the last package into the folder of this one.
func (r *Reader) goPackage(name string) {
	for _, f := range r.golang.open {
		if f.Path != "" && !strings.Contains(f.Path, "/") && strings.Contains(name, "/") {
			f.Path = clip(name, maxName) + "/" + f.Path
		}
		// Another package may have a test of that name.
		delete(r.index, identity{test: f.Test, path: r.golang.name})
		id := identity{test: f.Test, path: clip(name, maxName)}
		if known := r.index[id]; known != nil {
			f.passed = true
			known.complete(f.Failure)
			continue
		}
		r.index[id] = f
	}
	r.golang = golang{name: r.golang.name}
}

// goPanic takes a panic: of the test that failed last, or of a program.
func (r *Reader) goPanic(m []string) {
	text := strings.TrimSuffix(strings.TrimSuffix(m[0], " [recovered, repanicked]"), " [recovered]")
	f := r.golang.last
	switch {
	case f != nil && f.Text == text:
		return // it is told again
	case f == nil || f.Text != "":
		f = r.add("go", crash, change.Failure{Test: r.golang.run, Text: text})
	default:
		f.Text = clip(text, maxText)
		for _, other := range r.found {
			other.passed = other.passed || other.class == crash && other.Test == "" && other.Text == f.Text
		}
	}
	r.goFrame(f, maxNoted)
}

// goFrame looks for the first frame that is not Go's own.
func (r *Reader) goFrame(f *failure, lines int) {
	r.follow(lines, func(line string) bool {
		if m := goFrame.FindStringSubmatch(line); m != nil && !goSystem.MatchString(m[1]) {
			f.place(relative(m[1]), m[2])
			r.block = nil
			return true
		}
		if running, ok := strings.CutPrefix(line, "\t\t"); ok && f.Test == "" && strings.Contains(f.Text, "test timed out after") {
			name, _, _ := strings.Cut(running, " ")
			f.Test = clip(name, maxName)
		}
		if strings.HasPrefix(line, "FAIL\t") {
			r.block = nil
		}
		return false
	})
}
