// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"regexp"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// rustRules know rustc, which says what is wrong before it says where, and cargo test.
var rustRules = []*rule{
	newRule("rustc (emitter.rs)", "e", "error", `^(error(?:\[E\d+\])?: .+)$`, func(r *Reader, m []string) {
		if strings.HasPrefix(m[1], "error: could not compile") {
			r.buildFailed()
			return
		}
		r.follow(5, func(line string) bool {
			if at := rustPlace.FindStringSubmatch(line); at != nil && r.left == 4 {
				f := r.add("rustc", build, change.Failure{Path: relative(at[1]), Line: number(at[2]), Text: m[1]})
				r.follow(3, func(line string) bool {
					if sourceLine.MatchString(line) {
						if strings.Trim(line, " |") != "" {
							r.say(f, line)
						}
						return true
					}
					r.block = nil
					return false
				})
				return true
			}
			r.block = nil
			return false
		})
	}),
	newRule("cargo test (libtest)", "t", " ... ", `^test (\S.*?)(?: - should panic)? \.\.\. (ok|FAILED)$`, (*Reader).cargo),
	newRule("cargo nextest (displayer/imp.rs)", "FTSAXLPSHIQBKE0123456789", "] ", `^\s*(?:TRY \d+ )?(`+nextestWords+`) +\[ *>?[\d.]+s\] (?:\( *(?:\d+/\d+|─+)\) )?\S+ (\S.*)$`, (*Reader).nextest),
	newRule("cargo nextest (displayer/imp.rs)", "S", "Summary [", `^\s+Summary \[ *[\d.]+s\] (?:\d+/)?(\d+) tests? run: `, func(r *Reader, m []string) { r.ran("cargo", m[1]) }),
	newRule("cargo test (std panicking.rs)", "t", " panicked at ", `^\s*thread '(.+?)' (?:\(\d+\) )?panicked at (.+)$`, func(r *Reader, m []string) {
		var at change.Failure
		if old := rustOld.FindStringSubmatch(m[2]); old != nil {
			at = change.Failure{Path: relative(old[2]), Line: number(old[3]), Text: old[1]}
		} else if m := tapColumn.FindStringSubmatch(strings.TrimSuffix(m[2], ":")); m != nil {
			at = change.Failure{Path: relative(m[1]), Line: number(m[2])}
		}
		f := r.index[identity{test: clip(m[1], maxName)}]
		if f == nil {
			f = r.add("rust", crash, at)
			f.thread = clip(m[1], maxName)
		} else {
			f.complete(at)
		}
		if f.Text != "" {
			return
		}
		r.follow(4, func(line string) bool {
			if text := strings.TrimSpace(line); text == "" || strings.HasPrefix(text, "stack backtrace:") || strings.HasPrefix(text, "note: ") || strings.HasPrefix(text, "---") {
				r.block = nil
				return false
			}
			r.say(f, line)
			return true
		})
	}),
	newRule("cargo test (libtest)", "t", "test result: ", `^test result: \S+\. (\d+) passed; (\d+) failed; `, func(r *Reader, m []string) {
		r.ran("cargo", m[1])
		r.ran("cargo", m[2])
	}),
}

// cargo takes how a test ended. What its thread said may stand before that
// (--nocapture): of one that passed, it was expected.
func (r *Reader) cargo(m []string) {
	for _, f := range slices.Backward(r.found) {
		if r.lines-f.at > near {
			break
		}
		if f.thread == m[1] {
			f.thread, f.passed = "", true
			if m[2] == "FAILED" {
				r.add("cargo", test, change.Failure{Test: m[1]}).explained(f)
			}
			return
		}
	}
	if m[2] == "FAILED" {
		r.add("cargo", test, change.Failure{Test: m[1]})
	}
}

// explained takes what another failure says, which is the same.
func (f *failure) explained(by *failure) {
	f.complete(by.Failure)
	if f.Details == nil {
		f.Details = by.Details
	}
}

// nextestWords are how nextest says that a test ended; of a try it cuts the names of
// signals and other words.
const nextestWords = `FAIL|FAIL \+ LEAK|LEAK-FAIL|LKFAIL|XFAIL|TIMEOUT|TMT|ABORT|SIG ?[A-Z\d]+|HUP|INT|QUIT|ILL|TRAP|ABRT|BUS|FPE|KILL|SEGV|PIPE|ALRM|TERM|` +
	`PASS|LEAK|FLAKY \d+/\d+`

// nextest takes how a test ended, or how a try of it did.
func (r *Reader) nextest(m []string) {
	switch word, _, _ := strings.Cut(m[1], " "); word {
	case "PASS", "LEAK", "FLAKY":
		r.passed(m[2])
		return
	}
	f := r.add("cargo", test, change.Failure{Test: m[2]})
	if f.at != r.lines && f.Text == "" && m[1] != "FAIL" { // it is told again, and said nothing itself
		r.say(f, m[1])
	}
}

var (
	rustPlace = regexp.MustCompile(`^\s+--> ([^\s:]+):(\d+):\d+$`)
	// rustOld is how Rust before 1.73 says it.
	rustOld = regexp.MustCompile(`^'(.*)', ([^\s:]+):(\d+):\d+$`)
)
