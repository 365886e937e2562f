// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"regexp"
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
	newRule("cargo test (libtest)", "t", " ... FAILED", `^test (\S.*?) \.\.\. FAILED$`, func(r *Reader, m []string) { r.add("cargo", test, change.Failure{Test: m[1]}) }),
	newRule("cargo test (std panicking.rs)", "t", " panicked at ", `^thread '(.+?)' (?:\(\d+\) )?panicked at (.+)$`, func(r *Reader, m []string) {
		f := r.index[identity{test: clip(m[1], maxName)}]
		if f == nil {
			f = r.add("rust", crash, change.Failure{Text: "panicked"})
			f.Text = ""
		}
		if old := rustOld.FindStringSubmatch(m[2]); old != nil {
			r.say(f, old[1])
			f.place(relative(old[2]), old[3])
			return
		}
		if at := tapColumn.FindStringSubmatch(strings.TrimSuffix(m[2], ":")); at != nil {
			f.place(relative(at[1]), at[2])
		}
		r.follow(4, func(line string) bool {
			if line == "" || strings.HasPrefix(line, "stack backtrace:") || strings.HasPrefix(line, "note: ") {
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

var (
	rustPlace = regexp.MustCompile(`^\s+--> ([^\s:]+):(\d+):\d+$`)
	// rustOld is how Rust before 1.73 says it.
	rustOld = regexp.MustCompile(`^'(.*)', ([^\s:]+):(\d+):\d+$`)
)
