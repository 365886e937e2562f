// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"cmp"
	"net/url"
	"regexp"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

const (
	// maxRaw is how much of one outside line is looked at, in bytes.
	maxRaw = 8192
	// maxSpan and maxLine bound what is shown of a name and of a log line.
	maxSpan = 120
	maxLine = 200
	// maxURL is longer than any address that GitHub or S3 gives us; one that is
	// longer is left out, since half an address is of no use.
	maxURL = 1000
	// minSecret is the shortest text that is worth hiding: shorter ones would
	// turn all text into stars, and tell what they are by that.
	minSecret = 4
	// noName stands for a name that is empty.
	noName = "(no name)"
)

var (
	// ansi are the escape sequences of ECMA-48: CSI, OSC and two-byte ones.
	ansi = regexp.MustCompile("(?:\x1b\\[|\u009b)[0-?]*[ -/]*[@-~]|\x1b\\][^\x07\x1b]*(?:\x07|\x1b\\\\)?|\x1b[@-Z\\\\^_]")
	// mention is how Gerrit's web application finds people: '@' and an address.
	mention = regexp.MustCompile(`(^|\s)@([^\s@]+@[^\s@])`)
)

// cleaner makes outside text fit for a message.
type cleaner struct {
	secrets *strings.Replacer
	longest int
}

// newCleaner returns a cleaner that hides secrets. Of one with several lines
// each line is hidden, as a log has it.
func newCleaner(secrets []string) cleaner {
	var parts []string
	for _, s := range secrets {
		for _, part := range append(strings.Split(s, "\n"), s) {
			if part = strings.TrimSpace(part); len(part) >= minSecret {
				parts = append(parts, part)
			}
		}
	}
	// The longest first, or a secret that begins like another would show its end.
	slices.SortFunc(parts, func(a, b string) int { return cmp.Compare(len(b), len(a)) })
	c := cleaner{}
	var pairs []string
	for _, part := range parts {
		pairs = append(pairs, part, "***")
		c.longest = max(c.longest, len(part))
	}
	c.secrets = strings.NewReplacer(pairs...)
	return c
}

// hide strips terminal sequences, keeps what a terminal would show of a line
// that overwrites itself, and hides secrets.
func (c cleaner) hide(s string) string {
	cut := len(s) > maxRaw
	s = strings.TrimRight(change.Clip(s, maxRaw), "\r\n")
	s = c.secrets.Replace(plain(s))
	if cut {
		// The beginning of a secret may be at the cut.
		s = s[:max(0, len(s)-c.longest-len("..."))]
	}
	if i := strings.LastIndexByte(s, '\r'); i >= 0 && !strings.Contains(s[i:], "\n") {
		s = s[i+1:]
	}
	return s
}

// plain strips terminal sequences.
func plain(s string) string {
	if !strings.ContainsAny(s, "\x1b\u009b") {
		return s
	}
	return ansi.ReplaceAllString(s, "")
}

// line returns outside text as one line of at most n bytes that cannot be taken
// for a workflow command, for a line of ours or for a mention.
func (c cleaner) line(s string, n int) string {
	s = change.OneLine(c.hide(s))
	s = strings.ReplaceAll(s, residueMark, "Dispatcher :")
	s = mention.ReplaceAllString(s, "$1@ $2")
	return change.Clip(s, n)
}

// pre returns outside text as a line for a preformatted block, with its
// indentation.
func (c cleaner) pre(s string) string {
	s = c.hide(s)
	indent := 0
	for _, r := range s {
		if r == '\t' {
			indent += 4
		} else if r == ' ' {
			indent++
		} else {
			break
		}
	}
	if s = c.line(s, maxLine); s == "" {
		return ""
	}
	return strings.Repeat(" ", min(indent, 40)) + s
}

// span returns a name as a code span: Gerrit shows what is in it as it is, and
// where it knows no Markdown the quotes read well.
func (c cleaner) span(s string) string {
	s = strings.ReplaceAll(c.line(s, maxSpan), "`", "'")
	if s == "" {
		return noName
	}
	return "`" + s + "`"
}

// link returns an address that is safe to show, "" if s is none. It holds no
// sign that could end a link or begin another.
func (c cleaner) link(s string) string {
	s = c.secrets.Replace(s)
	u, err := url.Parse(s)
	if len(s) > maxURL || err != nil || u.Host == "" || u.User != nil || u.Scheme != "https" && u.Scheme != "http" {
		return ""
	}
	for _, r := range s {
		if r <= ' ' || r > '~' || strings.ContainsRune("<>\"'`()[]{}|\\^*", r) {
			return ""
		}
	}
	return s
}
