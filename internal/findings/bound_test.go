// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"bytes"
	"errors"
	"io"
	"runtime"
	"strings"
	"testing"
)

// repeated is a file with a begin, so much of a middle, and an end.
func repeated(begin, middle string, size int, end string) io.Reader {
	middle = strings.Repeat(middle, 1+64<<10/len(middle))
	return io.MultiReader(strings.NewReader(begin), io.LimitReader(&endless{text: middle}, int64(size)), strings.NewReader(end))
}

type endless struct {
	text string
	at   int
}

func (e *endless) Read(p []byte) (int, error) {
	for n := 0; n < len(p); {
		m := copy(p[n:], e.text[e.at:])
		n, e.at = n+m, (e.at+m)%len(e.text)
	}
	return len(p), nil
}

// peak returns how much memory a reader takes at most, measured at each read.
func peak(read reader, r io.Reader) (report Report, most uint64, err error) {
	var m runtime.MemStats
	runtime.GC()
	runtime.ReadMemStats(&m)
	before := m.HeapAlloc
	watch := &watching{r: r}
	report, err = read("x", watch)
	return report, max(watch.most, before) - before, err
}

type watching struct {
	r    io.Reader
	most uint64
	n    int
}

func (w *watching) Read(p []byte) (int, error) {
	if w.n++; w.n < 64 || w.n%64 == 0 {
		var m runtime.MemStats
		runtime.ReadMemStats(&m)
		w.most = max(w.most, m.HeapAlloc)
	}
	return w.r.Read(p)
}

// TestBounds reads files that are made to be too much. It is not run beside
// other tests: it measures memory.
func TestBounds(t *testing.T) {
	const size, few = 4 << 20, 1 << 20 // few for many small things, which are slow
	const testcase = `<testcase name="x"><failure message="m">t</failure></testcase>`
	tests := []struct {
		name     string
		read     reader
		file     io.Reader
		findings int
		more     bool
		wrong    string // in the error; "" is none
		memory   uint64 // in MiB
	}{
		{"a log of 4 MiB", JUnit, repeated(`<testsuite>`+testcase+`<system-out>`, "line\n", size, `</system-out></testsuite>`), 1, false, "", 4},
		{"a failure of 4 MiB", JUnit, repeated(`<testcase name="x"><failure>`, "line &amp; ", size/10*10, `</failure></testcase>`), 1, false, "", 4},
		{"a value of 4 MiB", JUnit, repeated(`<testcase name="x"><failure message="`, "m", size, `"/></testcase>`), 1, false, "", 4},
		{"a comment of 4 MiB", JUnit, repeated(testcase+`<!--`, "- ", size, `--><a/>`), 1, false, "", 4},
		{"very many attributes", JUnit, repeated(`<testcase `, `a="" `, few/5*5, `name="x"><failure/></testcase>`), 1, false, "", 4},
		{"a name of 4 MiB", JUnit, repeated(testcase+`<`, "n", size, `/>`), 1, false, "a name is longer than", 8},
		{"very many failures", JUnit, repeated(`<testsuite>`, testcase, few/len(testcase)*len(testcase), `</testsuite>`), MaxFindings, true, "", 16},
		{"very many failures of one test", JUnit, repeated(`<testcase name="x">`, `<failure>t</failure>`, few/20*20, `</testcase>`), maxProblems, false, "", 16},
		{"nested for ever", JUnit, repeated(testcase, `<a>`, size, ``), 1, false, "nested deeper than 64", 8},
		{"longer than allowed", JUnit, repeated(testcase, " ", MaxSize, ``), 1, false, "longer than 64 MiB", 8},

		{"very many results", SARIF, repeated(`{"runs":[{"results":[{}`, `,{"ruleId":"R"}`, few/15*15, `]}]}`), MaxFindings, true, "", 16},
		{"very many places", SARIF, repeated(`{"runs":[{"results":[{"ruleId":"R","locations":[{}`, `,{}`, few/3*3, `]}]}]}`), 1, false, "", 16},
		{"very many rules", SARIF, repeated(`{"runs":[{"tool":{"driver":{"rules":[{}`, `,{}`, few/3*3, `]}},"results":[{"ruleId":"R"}]}]}`), 1, false, "", 16},
		{"very many files", SARIF, repeated(`{"runs":[{"artifacts":[{}`, `,{}`, few/3*3, `],"results":[{"ruleId":"R"}]}]}`), 1, false, "", 16},
		{"very many arguments", SARIF, repeated(`{"runs":[{"results":[{"ruleId":"R","message":{"text":"{0}{1}","arguments":["{1}{1}"`, `,""`, few/3*3, `]}}]}]}`), 1, false, "", 16},
		{"nested lists", SARIF, repeated(`{"runs":[{"results":[{"ruleId":"R"}]}],"x":`, `[`, size, ``), 1, false, "nested deeper than 64", 8},
		{"nested objects", SARIF, repeated(`{"runs":[{"results":[{"ruleId":"R"}]}],"x":`, `{"a":`, size, ``), 1, false, "nested deeper than 64", 8},
		{"white space", SARIF, repeated(`{"runs":[{"results":[{"ruleId":"R"}]}],`, " ", maxPiece+1, ``), 1, false, "a single value is longer than 8 MiB", 40},
		{"a long string", SARIF, repeated(`{"runs":[{"results":[{"ruleId":"R"}]}],"x":"`, `\"`, maxPiece+2, ``), 1, false, "a single value is longer than 8 MiB", 40},
		{"long strings", SARIF, repeated(`{"runs":[{"results":[{"ruleId":"R"}]}],"x":["`, strings.Repeat("x", 1<<20)+`","`, size, `"]}`), 1, false, "", 8},
	}
	for _, tt := range tests {
		report, memory, err := peak(tt.read, tt.file)
		if len(report.Findings) != tt.findings || (report.More > 0) != tt.more {
			t.Errorf("%s: got %d findings and %d more, want %d", tt.name, len(report.Findings), report.More, tt.findings)
		}
		if (err == nil) != (tt.wrong == "") || err != nil && !strings.Contains(err.Error(), tt.wrong) {
			t.Errorf("%s: got error %v, want %q", tt.name, err, tt.wrong)
		}
		if memory > tt.memory<<20 {
			t.Errorf("%s: it took %.1f MiB", tt.name, float64(memory)/(1<<20))
		}
		checkFindings(t, report)
	}
}

// TestReadError hands on what the disk or the server said.
func TestReadError(t *testing.T) {
	t.Parallel()
	gone := errors.New("connection reset")
	for begin, read := range map[string]reader{
		`<testsuite><testcase name="x"><failure>te`:                              JUnit,
		`{"runs":[{"results":[{"ruleId":"R"},{"ruleId":"S","message":{"text":"t`: SARIF,
	} {
		report, err := read("a\nb", io.MultiReader(strings.NewReader(begin), &broken{gone}))
		if !errors.Is(err, gone) || !strings.HasPrefix(err.Error(), "a b, ") || len(report.Findings) != 1 {
			t.Errorf("got %v and %d findings", err, len(report.Findings))
		}
		if _, err := read("x", &broken{gone}); !errors.Is(err, gone) {
			t.Errorf("at once: got %v", err)
		}
	}
	if _, err := SARIF("x", bytes.NewReader([]byte("\xef\xbb\xbf"))); err == nil || !strings.Contains(err.Error(), "it is empty") {
		t.Errorf("got %v", err)
	}
}

type broken struct{ err error }

func (b *broken) Read([]byte) (int, error) { return 0, b.err }
