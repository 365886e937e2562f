// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"bytes"
	"math"
	"regexp"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// ansi are the escape sequences of ECMA-48: CSI, OSC and two-byte ones.
var ansi = regexp.MustCompile("\x1b\\[[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|\x1b[@-Z\\\\^_]")

// stamp is what GitHub puts in front of each line.
var stamp = regexp.MustCompile(`^(?:\x{feff})?\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z ?`)

// bare returns a line as its program meant it: without stamp and colours, of a line
// that overwrites itself the last state, and no more than maxLine bytes.
func bare(line []byte) []byte {
	line = line[:min(len(line), maxLine)]
	if len(line) > 20 && (line[0] == '2' || line[0] == 0xef) {
		line = line[len(stamp.Find(line)):]
	}
	if bytes.IndexByte(line, 0x1b) >= 0 {
		line = bytes.ReplaceAll(line, []byte("\x1b[1G"), []byte("\r")) // to the first column
		line = ansi.ReplaceAll(line, nil)
	}
	line = bytes.TrimRight(line, " \t\r\n")
	if i := bytes.LastIndexByte(line, '\r'); i >= 0 {
		line = line[i+1:]
	}
	// The runner shows what a command said of an error without the command.
	return bytes.TrimPrefix(line, []byte("##[error]"))
}

// clip cuts a text to so many bytes. The copy lets the rest of the line go.
func clip(s string, n int) string { return strings.Clone(change.Clip(s, n)) }

// number reads a positive number, or gives 0.
func number(s string) int {
	n, err := strconv.Atoi(strings.TrimSpace(s))
	if err != nil || n < 0 || n > math.MaxInt32 {
		return 0
	}
	return n
}

// traced reports whether a shell traced a command in a line (set -x, with the usual
// PS4): a diff has other blanks, mostly.
func traced(line []byte) bool {
	command := bytes.TrimLeft(line, "+")
	return len(command) < len(line) && len(command) > 1 && command[0] == ' ' && command[1] != ' '
}

// trace notes a command that a shell traced.
func (r *Reader) trace(line []byte) {
	r.command = append(r.command[:0], line...)
}

// program returns the path of the traced command that has a name, or else its first
// word with a slash; "" without one.
func (r *Reader) program(name string) string {
	found := ""
	for word := range strings.FieldsSeq(string(r.command)) {
		word = strings.Trim(word, `'"`)
		i := strings.LastIndexByte(word, '/')
		switch {
		case i < 0 || strings.ContainsAny(word, "=@"):
		case word[i+1:] == name:
			return word
		case found == "":
			found = word
		}
	}
	return found
}

// checkouts are folders to which our environments and GitHub's runners check out:
// what is below them is a path in the repository.
var checkouts = regexp.MustCompile(`^(?:(?:/[^/\s]+){0,3}/dispatcher/source/|/github/workspace/|(?:/[^/\s]+){0,4}/(?:_?work|__w)/([^/\s]+)/([^/\s]+)/(?:source/)?)(.+)$`)

// relative returns a path from the root of the repository, where that is known.
func relative(path string) string {
	path = strings.TrimPrefix(path, "./")
	if m := checkouts.FindStringSubmatch(path); m != nil && m[1] == m[2] {
		return m[3]
	}
	return path
}
