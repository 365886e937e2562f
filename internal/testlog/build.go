// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"path"
	"regexp"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// buildRules know compilers and the tools that start them.
var buildRules = []*rule{
	newRule("gcc, clang (diagnostic.c, TextDiagnostic.cpp)", "", "rror: ", `^([^\s:]+):(\d+):(?:\d+:)? ((?:fatal )?error: .+)$`, (*Reader).compileError),
	newRule("gcc (toplev.c), clang (driver)", "cg", "rror: ", `^(?:cc1(?:plus)?|gcc|g\+\+|clang(?:\+\+)?): ((?:fatal )?error: .+)$`, func(r *Reader, m []string) {
		r.buildFailed()
		if !strings.Contains(m[1], "linker command failed") {
			r.buildError("gcc", "", "", m[1])
		}
	}),
	newRule("gcc, clang: sums", "c1234567890", "error", `^(?:cc1(?:plus)?: (?:all|some) warnings being treated as errors|\d+ errors? generated\.)$`, func(r *Reader, m []string) { r.buildFailed() }),
	newRule("MSVC, tsc", "", "): error ", `^([^\s(]+)\((\d+)(?:,\d+)?\): (error \w+: .+)$`, (*Reader).compileError),
	newRule("make (commands.c)", "mg", "***", `^g?make(?:\[\d+\])?: \*\*\* .* Error \d+$`, func(r *Reader, m []string) {
		r.buildFailed()
		r.echo(m[0])
	}),
	newRule("make (job.c)", "mg", "(ignored)", `^g?make(?:\[\d+\])?: .*\] Error \d+ \(ignored\)$`, func(r *Reader, m []string) { r.buildIgnored() }),
	newRule("make (remake.c)", "mg", "***", `^g?make(?:\[\d+\])?: \*\*\* (?:\[.*\] )?(No rule to make target .*|No targets.*)$`, func(r *Reader, m []string) {
		r.buildError("make", "", "", m[1])
	}),
	newRule("make (read.c)", "", "***", `^([^\s:]+):(\d+): \*\*\* (.+)$`, func(r *Reader, m []string) {
		r.buildError("make", r.folders.join(m[1]), m[2], m[3])
	}),
	newRule("make, ninja: folders", "mgn", "Entering directory", "^(?:g?make(?:\\[\\d+\\])?|ninja): Entering directory [`'](.+)'$", func(r *Reader, m []string) { r.folders.enter(m[1]) }),
	newRule("make: folders", "mg", "Leaving directory", "^g?make(?:\\[\\d+\\])?: Leaving directory [`'](.+)'$", func(r *Reader, m []string) { r.folders.leave(m[1]) }),
	newRule("make that is quiet (SPDK's mk/spdk.common.mk, Linux's scripts/Makefile.build)", "CH", ".", `^\s*(?:HOST)?(?:CC|CXX)\s+(?:\[M\]\s+)?([\w.+/-]+)\.l?o$`, func(r *Reader, m []string) {
		r.objects.note(clip(m[1], maxName))
	}),
	newRule("ninja (ninja.cc)", "n", "ninja: ", `^ninja: (build stopped: .*|error: .+)$`, func(r *Reader, m []string) {
		r.buildFailed()
		if strings.HasPrefix(m[1], "error") {
			r.buildError("ninja", "", "", m[0])
		} else {
			r.echo(m[0])
		}
	}),
	newRule("CMake (cmMessenger.cxx)", "C", "CMake Error", `^CMake Error(?: at ([^\s:]+):(\d+) \(\w+\))?:(.*)$`, func(r *Reader, m []string) {
		f := r.buildError("cmake", relative(m[1]), m[2], strings.TrimSpace(m[3]))
		r.follow(6, func(line string) bool {
			if strings.HasPrefix(line, "  ") {
				r.say(f, line)
				return true
			}
			if line != "" || f.Text != "" {
				r.block = nil
			}
			return false
		})
	}),
	newRule("meson (mlog.py)", "", ": ERROR: ", `^([^\s:]*meson[\w.]*):(\d+):\d+: ERROR: (.+)$`, func(r *Reader, m []string) {
		r.buildError("meson", relative(m[1]), m[2], m[3])
	}),
}

// near is how many lines after an error a build tool says that it failed, at most:
// what else is built at the same time speaks in between.
const near = 400

// buildFailed notes that a tool says that something could not be made: what was
// wrong just before was why.
func (r *Reader) buildFailed() {
	for _, f := range slices.Backward(r.found) {
		if r.lines-f.at > near {
			return
		}
		f.confirmed = true
	}
}

// buildIgnored notes that a tool goes on although something could not be made.
func (r *Reader) buildIgnored() {
	for _, f := range slices.Backward(r.found) {
		if r.lines-f.at > near {
			return
		}
		if f.class == build && !f.confirmed {
			f.class = remark
		}
	}
}

// probe are sources that autoconf, meson and CMake try to compile: what fails of
// them is mostly an answer.
var probe = regexp.MustCompile(`(?:^|/)(?:conftest|testfile)\.\w+$|CMakeFiles/(?:CMakeTmp|CMakeScratch)/`)

// buildError keeps an error of a tool that fails with it.
func (r *Reader) buildError(tool, file, line, text string) *failure {
	f := r.add(tool, build, change.Failure{Path: file, Line: number(line), Text: text})
	f.confirmed = true
	return f
}

// compileError takes an error of a compiler, and the line of the source that it
// shows.
func (r *Reader) compileError(m []string) {
	kind := build
	if probe.MatchString(m[1]) {
		kind = remark
	}
	file := r.objects.place(m[1])
	if file == "" {
		file = r.folders.join(m[1])
	}
	f := r.add("gcc", kind, change.Failure{Path: file, Line: number(m[2]), Text: m[3]})
	if f.at != r.lines {
		return
	}
	shown := ""
	r.follow(2, func(line string) bool {
		switch {
		case sourceLine.MatchString(line):
			r.say(f, line)
			return true
		case shown != "" && caret.MatchString(line): // clang before 17 has no margin
			r.say(f, shown)
			r.say(f, line)
			r.block = nil
			return true
		}
		if shown == "" {
			shown = line
		} else {
			r.block = nil
		}
		return false
	})
}

var (
	sourceLine = regexp.MustCompile(`^\s*\d* \|`)
	caret      = regexp.MustCompile(`^[\s~]*\^[\s~^]*$`)
)

// linkRules know linkers.
var linkRules = []*rule{
	newRule("ld (ldmain.c): the function", "", ": in function `", "^(?:\\S*ld: )?\\S+: in function `.*':$", func(r *Reader, m []string) {}),
	newRule("ld (ldmain.c)", "", "undefined reference to", "^(?:\\S*ld(?:\\.\\w+)?: )?(?:(\\S+?):(?:(\\d+)|\\(\\S+\\)): )?(undefined reference to .+)$", (*Reader).linkError),
	newRule("ld (ldmain.c)", "", "multiple definition of", "^(?:\\S*ld(?:\\.\\w+)?: )?(?:(\\S+?):(?:(\\d+)|\\(\\S+\\)): )?(multiple definition of .+?)(?:; .*)?$", (*Reader).linkError),
	newRule("ld (ldfile.c), lld", "", "ld: ", `^\S*ld(?:\.\w+)?: ()()((?:error: |cannot find |final link failed).*)$`, (*Reader).linkError),
	newRule("collect2 (collect2.c)", "c", "collect2: ", `^collect2: (?:fatal )?error: (.*)$`, func(r *Reader, m []string) {
		r.buildFailed()
		r.echo(m[0])
	}),
}

func (r *Reader) linkError(m []string) {
	r.buildError("ld", r.folders.join(m[1]), m[2], m[3])
}

// objects are the last ones that a make said it compiles, without their endings. It
// names them from the top where the compiler, in their own folder, names the source
// alone.
type objects struct {
	last [32]string
	next int
}

func (o *objects) note(object string) {
	o.last[o.next] = object
	o.next = (o.next + 1) % len(o.last)
}

// place returns the path of a source that was named without a folder; "" where none
// of the objects is made from it, and the name alone where several may be.
func (o *objects) place(file string) string {
	if strings.Contains(file, "/") {
		return ""
	}
	base, found := strings.TrimSuffix(file, path.Ext(file)), ""
	for _, object := range o.last {
		if !strings.Contains(object, "/") || path.Base(object) != base {
			continue
		}
		if found != "" && found != object {
			return file
		}
		found = object
	}
	if found == "" {
		return ""
	}
	return relative(path.Join(path.Dir(found), file))
}

// folders are those that make is in: of several at the same time nobody can tell in
// which of them a compiler speaks.
type folders []string

func (f *folders) enter(folder string) { *f = note(*f, clip(folder, maxName)) }

func (f *folders) leave(folder string) {
	for i, open := range slices.Backward(*f) {
		if open == folder {
			*f = slices.Delete(*f, i, i+1)
			return
		}
	}
}

// join returns the path of a file that a tool named in a folder.
func (f folders) join(file string) string {
	if file == "" || path.IsAbs(file) {
		return relative(file)
	}
	inner := ""
	for _, open := range f {
		if inner != "" && open != inner && !strings.HasPrefix(open, inner+"/") {
			return file
		}
		inner = open
	}
	if inner == "" || strings.Contains(file, "/") && !strings.HasPrefix(file, "..") {
		return file
	}
	return relative(path.Join(inner, file))
}
