// SPDX-License-Identifier: BSD-3-Clause

package testlog

import (
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// crashRules know what ends programs, or should.
var crashRules = []*rule{
	newRule("AddressSanitizer and its like (sanitizer_common)", "=", "Sanitizer: ", `^==\d+==ERROR: (\w+Sanitizer: .*?)(?: on (?:unknown )?address 0x.*)?$`, func(r *Reader, m []string) { r.sanitizer(m[1]) }),
	newRule("ThreadSanitizer", "W", "Sanitizer: ", `^WARNING: (ThreadSanitizer: .*?)(?: \(pid=\d+\))?$`, func(r *Reader, m []string) { r.sanitizer(m[1]) }),
	newRule("UndefinedBehaviorSanitizer", "", ": runtime error: ", `^([^\s:]+):(\d+):\d+: (runtime error: .+)$`, func(r *Reader, m []string) {
		r.add("UBSan", remark, change.Failure{Path: r.folders.join(m[1]), Line: number(m[2]), Text: m[3]})
	}),
	newRule("valgrind (mc_errors.c)", "=", "== ", `^==\d+== ((?:Invalid (?:read|write|free)|Conditional jump|Use of uninitialised|Source and destination overlap|Syscall param|Jump to the invalid|Process terminating).*|[\d,]+ .*bytes in .* (?:definitely|indirectly) lost .*)$`, func(r *Reader, m []string) {
		f := r.add("valgrind", remark, change.Failure{Test: r.unfinished(), Text: m[1]})
		r.frames(f, valgrindFrame, 15)
	}),
	newRule("glibc (assert.c)", "", "Assertion `", "^(?:\\S+: )?([^\\s:]+):(\\d+): (?:.+: )?(Assertion `.*' failed\\.)", func(r *Reader, m []string) {
		r.add("assert", crash, change.Failure{Test: r.unfinished(), Path: r.folders.join(m[1]), Line: number(m[2]), Text: m[3]})
	}),
	newRule("bash (jobs.c, error.c)", "", ": line ", `^(\S+): line (\d+):\s+\d+ ((?:Segmentation fault|Aborted|Bus error|Illegal instruction|Floating point exception)\b.*)$`, func(r *Reader, m []string) {
		kind := crash
		if ignored.MatchString(m[3]) {
			kind = remark
		}
		r.add("bash", kind, change.Failure{Test: r.unfinished(), Path: relative(m[1]), Line: number(m[2]), Text: strings.Join(strings.Fields(m[3]), " ")})
	}),
	newRule("Linux", "[BKOU", "", `^(?:\[\s*\d+\.\d+\] )?(Kernel panic - not syncing: .*|BUG: (?:kernel|unable|KASAN|KCSAN|sleeping|soft lockup|workqueue).*|kernel BUG at .*|Oops: .*|general protection fault.*|Unable to handle kernel .*)$`, func(r *Reader, m []string) {
		r.add("Linux", crash, change.Failure{Text: m[1]})
	}),
}

var (
	// ignored ends a command that may fail.
	ignored        = regexp.MustCompile(`\|\| *(?:true|:)$`)
	sanitizerFrame = regexp.MustCompile(`^\s+#\d+ 0x[0-9a-f]+ in .+? (\S+?):(\d+)(?::\d+)?$`)
	valgrindFrame  = regexp.MustCompile(`^==\d+==    (?:at|by) 0x[0-9A-F]+: .+ \(([^\s:()]+):(\d+)\)$`)
	// foreign are sources of the system and of the sanitizers.
	foreign = regexp.MustCompile(`^(?:\.\./)+(?:src/libsanitizer|sysdeps|csu|nptl|string|stdlib)|/libsanitizer/|/compiler-rt/|^/usr/|^vg_replace_`)
)

// sanitizer takes the report of a sanitizer on the test that ran.
func (r *Reader) sanitizer(text string) {
	f := r.add("sanitizer", crash, change.Failure{Test: r.unfinished(), Text: text})
	if f.class == test && f.Text == "" {
		f.Text = clip(text, maxText)
	}
	r.frames(f, sanitizerFrame, 30)
}

// frames looks for the first frame that is not the system's.
func (r *Reader) frames(f *failure, frame *regexp.Regexp, lines int) {
	r.follow(lines, func(line string) bool {
		if m := frame.FindStringSubmatch(line); m != nil && !foreign.MatchString(m[1]) {
			f.place(relative(m[1]), m[2])
			r.block = nil
			return true
		}
		return false
	})
}
