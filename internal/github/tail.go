// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"bufio"
	"bytes"
	"io"
	"iter"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/testlog"
)

// tailReader finds the last lines of the failing step in a job's log, with memory
// that does not depend on the log's size. The runner marks the beginning of a step
// with ##[group]Run, and what made it fail with ##[error]; a log without such an
// error ends as any text.
type tailReader struct {
	// span is where the step stands; what is printed later belongs to steps that
	// run always. It is no limit as long as nothing was printed in it.
	span
	head headReader
	all  ring // the newest lines
	step ring // the newest lines of a step up to its last error
	// own is how many lines were printed by the present step after what is in
	// the ring of its error, and entered whether it has no error so far.
	own     int
	entered bool
	// said is what its lines say of failures.
	said   testlog.Reader
	inside int  // lines since the step began, its own ones
	cut    bool // the log is longer than what was read
}

func newTail(lines int, s span) *tailReader {
	return &tailReader{span: s, head: headReader{span: s}, all: newRing(lines), step: newRing(lines)}
}

// readLog reads a log up to the end of the failing step, at most maxLog bytes.
func (t *tailReader) readLog(r io.Reader) error {
	limited := &io.LimitedReader{R: r, N: maxLog}
	in := bufio.NewReaderSize(limited, 64<<10)
	for first, begins := true, true; ; first = false {
		piece, more, err := in.ReadLine()
		if err == io.EOF {
			t.cut = limited.N <= 0
			return nil
		}
		if err != nil {
			return err
		}
		if first {
			piece = bytes.TrimPrefix(piece, []byte("\ufeff"))
		}
		if begins && !t.add(piece) {
			return nil
		}
		begins = !more // else the next piece is the rest of this line
	}
}

var (
	errorMark = []byte("##[error]")
	// scriptMark begins the lines in which the runner shows what a step runs.
	scriptMark = []byte(cyan)
	// postLine begins the log of a step that cleans up (actions/runner Handler.cs).
	postLine = []byte("Post job cleanup.")
)

// add takes the next line. It returns false if the line is from after the
// failing step.
func (t *tailReader) add(line []byte) bool {
	at, line := cutStamp(line)
	begins := bytes.HasPrefix(line, headMark)
	if t.over(string(at), begins || bytes.Equal(line, postLine)) {
		return false
	}
	if t.head.add(at, line) { // what came before in the same second is not its own
		t.said = testlog.Reader{}
	}
	if !t.early(string(at)) && !bytes.HasPrefix(line, scriptMark) {
		t.said.Line(line)
	}
	if t.since != "" && string(at) >= t.since {
		t.inside++
	}
	if begins {
		t.own, t.entered = 0, true
	}
	t.all.add(line[:min(len(line), maxLine+1)])
	t.own++
	if bytes.HasPrefix(line, errorMark) && !t.early(string(at)) {
		if t.entered {
			t.step.reset()
		}
		for earlier := range t.all.newest(t.own) {
			t.step.add(earlier)
		}
		t.own, t.entered = 0, false
	}
	return true
}

// early reports whether a line is from before the step.
func (t *tailReader) early(at string) bool { return at != "" && at < t.since }

// over reports whether a line is from after the step; first: it is the first line
// of a step.
func (t *tailReader) over(at string, first bool) bool {
	switch {
	case t.until == "" || at == "" || at < t.until:
		return false
	case at > t.until:
		return t.step.added > 0 || t.inside > 0
	}
	// A later step began in the second in which this one ended with an error.
	return first && t.next && t.step.added > 0
}

// lines returns what was found, oldest line first.
func (t *tailReader) lines() []string {
	found := &t.step
	n := found.added
	if n == 0 {
		if t.cut { // the log's end was not seen
			return nil
		}
		if found, n = &t.all, t.all.added; t.inside > 0 {
			n = t.inside
		}
	}
	var lines []string
	for line := range found.newest(n) {
		lines = append(lines, change.Clip(string(line), maxLine))
	}
	return lines
}

// stampSecond is how a time stamp of a log begins, to the second.
const stampSecond = "2006-01-02T15:04:05"

// cutStamp takes the time stamp off a line ("2026-11-24T10:00:00.1234567Z "),
// and returns it to the second; a line without one is returned as it is.
func cutStamp(line []byte) (second, rest []byte) {
	n := len(stampSecond)
	if len(line) <= n || !shaped(line[:n], stampSecond) || line[n] != '.' {
		return nil, line
	}
	end := n + 1
	for end < len(line) && isDigit(line[end]) {
		end++
	}
	if end == n+1 || end == len(line) || line[end] != 'Z' {
		return nil, line
	}
	return line[:n], bytes.TrimPrefix(line[end+1:], []byte(" "))
}

// shaped reports whether a text has digits where the pattern has some, and is
// the pattern elsewhere.
func shaped(text []byte, pattern string) bool {
	for i, b := range text {
		if isDigit(pattern[i]) != isDigit(b) || !isDigit(b) && b != pattern[i] {
			return false
		}
	}
	return true
}

func isDigit(b byte) bool { return '0' <= b && b <= '9' }

// ring keeps the newest lines and uses their memory again.
type ring struct {
	kept  [][]byte
	added int
}

func newRing(size int) ring { return ring{kept: make([][]byte, size)} }

func (r *ring) reset() { r.added = 0 }

func (r *ring) add(line []byte) {
	i := r.added % len(r.kept)
	r.kept[i] = append(r.kept[i][:0], line...)
	r.added++
}

// newest yields the newest n lines that are kept, oldest first.
func (r *ring) newest(n int) iter.Seq[[]byte] {
	return func(yield func([]byte) bool) {
		for i := r.added - min(n, r.added, len(r.kept)); i < r.added; i++ {
			if !yield(r.kept[i%len(r.kept)]) {
				return
			}
		}
	}
}
