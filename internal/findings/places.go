// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"path"
	"regexp"
	"slices"
	"strings"
)

const (
	maxScanned = 400 // lines of a text that are searched for places, half of them its last
	maxLine    = 500 // bytes of such a line
	// maxSearched is how much text of one file is searched for places, in bytes.
	maxSearched = 8 << 20
)

// A spelling is how tools write a place in text: the path, then the line.
type spelling struct {
	// by names the tools, and where the words are in their sources.
	by string
	re *regexp.Regexp
	// quoted paths stand between words or quotes: they may hold blanks.
	quoted bool
	// with is in every line that fits: looking for that is much faster.
	with string
}

// name is a path without blanks, as far as text shows where it ends.
const name = `([^\s:"'` + "`" + `()<>|,=]+)`

// spellings are tried in turn on each line; the first that fits counts.
var spellings = []spelling{
	{"CPython traceback.c; unittest", regexp.MustCompile(`File "([^"]+)", line (\d{1,7})`), true, "line "},
	{"bats-core tracing.bash", regexp.MustCompile(`in (?:test )?file (\S.*?), line (\d{1,7})`), true, "line "},
	{".NET StackTrace.cs: NUnit, xUnit.net, MSTest", regexp.MustCompile(`\bin (\S.*?):line (\d{1,7})`), true, "line "},
	{"perl Test::Builder; bash error.c", regexp.MustCompile(`\bat ` + name + ` line (\d{1,7})\b|^` + name + `: line (\d{1,7}):`), false, "line "},
	{"MSVC; Boost.Test compiler_log_formatter; doctest; QtTest plaintestlogger", regexp.MustCompile(name + `\((\d{1,7})(?:,\d{1,7})*\)(?:\s*[:\],]|\s*$)`), false, "("},
	{"gcc, clang, go, pytest, CUnit Basic.c, googletest, cmocka, Catch2, assert.h, rustc, node", regexp.MustCompile(name + `:(\d{1,7})(?::\d{1,7})?(?:[:,.)\]\s]|$)`), false, ":"},
}

var (
	// javaFrame is a frame of StackTraceElement.java: com.acme.Foo.bar(Foo.java:12).
	javaFrame = regexp.MustCompile(`\bat (?:[\w.@-]*/)*([\w$.<>]+)\(([\w$-]+\.(?:java|kt|scala|groovy)):(\d{1,7})\)`)
	// fileLine and lineLine are Boost.Test's junit_log_formatter, and others that
	// write a place in two lines or two fields.
	fileLine = regexp.MustCompile(`(?i)^\W{0,10}file\s*:\s*(\S.*?)(?:,?\s+line\s*:?\s*(\d{1,7}))?[,.]?$`)
	lineLine = regexp.MustCompile(`(?i)^\W{0,10}line\s*:\s*(\d{1,7})\b`)
	// included begins the lines in which gcc and clang say how they came to a file.
	included = regexp.MustCompile(`^(?:In file included from|In module|\s+from)\s`)
	// addresses are no places; those of files are made paths before.
	addresses = regexp.MustCompile(`\b[A-Za-z][A-Za-z0-9+.-]*://[^\s"'<>)]*`)
	// before may stand before a bare name: marks, numbers, the name of a program.
	// Anywhere else in a sentence it is as likely a host with a port.
	before = regexp.MustCompile(`^(?:[\s#>*|(\[-]|\[ *[A-Z]+ *\]|\d+[.)]\s|[E+]\s+|(?:at|in|from)\b|[\w./-]+:\s)*$`)
)

// sources are the endings of files that a bare name is known by.
var sources = strings.Fields(`c h cc hh cpp hpp cxx hxx c++ inc m mm go rs py pyx java kt kts scala groovy js jsx mjs cjs ts tsx
	rb php pl pm t sh bash bats zsh lua swift cs fs vb sql yml yaml json toml xml md rst proto asm s S cmake mk build bzl html css
	ex exs erl hs ml dart jl cu f90 v sv vhd tf nix`)

// search returns the places that a text names, while there is enough of its file
// left to search and room for what is found.
func (c *collector) search(text, folder string) []Place {
	if c.searched += len(text); c.searched > maxSearched || len(c.Findings) == MaxFindings {
		return nil
	}
	return scan(text, folder)
}

// scan returns the places that a text names, in the order of likelihood. Bare
// names are in folder, where that is known. Python prints the innermost call last.
func scan(text, folder string) []Place {
	var found, calls []Place
	file := "" // of the line before
	for _, line := range ends(text) {
		if !strings.ContainsAny(line, ":(,0123456789") || included.MatchString(line) {
			continue
		}
		if m := lineLine.FindStringSubmatch(line); m != nil && file != "" {
			found = append(found, Place{Path: file, Line: number(m[1])})
			file = ""
			continue
		}
		if m := fileLine.FindStringSubmatch(line); m != nil && isSource(m[1]) {
			if file = m[1]; m[2] != "" {
				found, file = append(found, Place{Path: file, Line: number(m[2])}), ""
			}
			continue
		}
		places, python := placesIn(line, folder)
		if python {
			calls = append(places, calls...)
			continue
		}
		found = append(found, places...)
	}
	found = append(calls, found...)
	return found[:min(len(found), 2*maxPlaces)]
}

// ends returns the lines of a text: of a long one the first and the last.
func ends(text string) []string {
	lines := strings.Split(text, "\n")
	if over := len(lines) - maxScanned; over > 0 {
		lines = slices.Delete(lines, maxScanned/2, maxScanned/2+over)
	}
	for i, line := range lines {
		lines[i] = strings.TrimSuffix(line[:min(len(line), maxLine)], "\r")
	}
	return lines
}

// placesIn returns the places in one line.
func placesIn(line, folder string) (places []Place, python bool) {
	if !strings.ContainsAny(line, "0123456789") {
		return nil, false
	}
	if line = strings.ReplaceAll(line, "file://", ""); strings.Contains(line, "://") {
		line = addresses.ReplaceAllString(line, " ")
	}
	var calls [][]string
	if strings.Contains(line, "at ") && strings.Contains(line, "(") {
		calls = javaFrame.FindAllStringSubmatch(line, maxPlaces)
	}
	for _, m := range calls {
		if file := path.Join(packageOf(m[1]), m[2]); !frames.MatchString(file) {
			places = append(places, Place{Path: file, Line: number(m[3])})
		}
	}
	for i, s := range spellings {
		if len(places) > 0 {
			break
		}
		if !strings.Contains(line, s.with) {
			continue
		}
		for _, m := range s.re.FindAllStringSubmatchIndex(line, maxPlaces) {
			if len(m) > 6 && m[2] < 0 { // the second way to write it
				m = append(m[:2], m[6:]...)
			}
			file := strings.TrimLeft(line[m[2]:m[3]], "[{*")
			if !isSource(file) || !s.quoted && !strings.ContainsAny(file, `/\`) && !(isKnown(file) && before.MatchString(line[:m[2]])) || foreignCode(file) {
				continue
			}
			if folder != "" && !strings.ContainsAny(file, `/\`) {
				file = folder + "/" + file
			}
			places = append(places, Place{Path: file, Line: number(line[m[4]:m[5]])})
			python = i == 0 || strings.HasSuffix(file, ".py") // as pytest has it
		}
	}
	return places, python
}

// frames are of test frameworks and of the language's own library.
var frames = regexp.MustCompile(`^(?:java|javax|jdk|sun|kotlin|scala|groovy|junit|org/junit|org/testng|org/hamcrest|org/assertj|org/mockito|org/apache/maven|org/gradle)/`)

// packageOf returns the folder of a method's class, which has the names of its
// package; the file has the name of the outermost class, as a frame says.
func packageOf(method string) string {
	parts := strings.Split(method, ".")
	if len(parts) < 3 {
		return ""
	}
	return strings.Join(parts[:len(parts)-2], "/")
}

// named are files without an ending that tools speak about.
var named = []string{"Makefile", "GNUmakefile", "Dockerfile", "Containerfile", "Jenkinsfile", "Kconfig", "Kbuild", "BUILD", "configure"}

// ending is that of a file's name: not that of a version or an IP address.
var ending = regexp.MustCompile(`[^/\\]\.[A-Za-z][A-Za-z0-9+]{0,7}$`)

// isSource reports whether a path looks like that of a file with text.
func isSource(p string) bool { return ending.MatchString(p) || isKnown(p) }

// isKnown reports whether a path certainly is that of a file with text.
func isKnown(p string) bool {
	base := p[strings.LastIndexAny(p, `/\`)+1:]
	dot := strings.LastIndexByte(base, '.')
	return slices.Contains(named, base) || dot > 0 && slices.Contains(sources, base[dot+1:])
}

// foreignCode reports whether a file belongs to a dependency or to the system.
func foreignCode(p string) bool {
	p = strings.ReplaceAll(p, `\`, "/")
	return strings.Contains(p, "site-packages/") || strings.Contains(p, "node_modules/") || strings.HasPrefix(p, "/usr/")
}
