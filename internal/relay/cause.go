// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"regexp"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// class says what to do about a refusal; the fault's kind says whose it is.
type class int

const (
	// final: this ref, for a reason that a second push will not change.
	final class = iota
	// content: for what the pack holds; splitting tells whose it is.
	content
	// missing: the mirror lacks something that the pack builds on.
	missing
	// size: too many bytes in one push.
	size
	// broken: the pack arrived incomplete.
	broken
	// busy: may go away by itself.
	busy
)

// cause is a refusal, classified.
type cause struct {
	class class
	// sure is false where the text is not known, so that a content refusal
	// could as well be the mirror's own trouble.
	sure bool
	// unclear says that the update may have happened all the same.
	unclear bool
	// named are objects that the mirror's text points at.
	named []change.Revision
	err   *fault.Error
}

// refCause classifies the reason that a report gives for one ref ("ng").
// messages is what the server printed meanwhile, about all refs.
func refCause(ref, reason, messages string) cause {
	about := section(messages, ref)
	r, ok := match(refRules, strings.ToLower(reason))
	if !ok {
		r = rule{says: "the mirror refused it", kind: fault.Permanent, hint: "ask who keeps the mirror what it means; each pass tries again"}
	}
	line := tellingLine(about, ref, r.more)
	if r.more {
		if detail, ok := match(detailRules, strings.ToLower(about)); ok {
			line = tellingLine(about, detail.text, true)
			r = r.with(detail)
		}
	}
	return r.cause("failed to update "+change.OneLine(change.Clip(ref, 120)), join(reason, line))
}

// packCause classifies a pack that the mirror refused as a whole: the text
// after "unpack" and what the server printed.
func packCause(unpack, messages string) cause {
	text := unpack + "\n" + messages
	r, ok := match(packRules, strings.ToLower(text))
	if !ok && fsckText.MatchString(text) {
		r, ok = rule{says: "an object is malformed", class: content, kind: fault.Permanent, hint: hintFsck}, true
	}
	if !ok {
		r = rule{says: "the mirror could not take the pack", class: content, kind: fault.Permanent, unsure: true}
	}
	line := tellingLine(messages, r.text, true)
	if r.class == content {
		line = tellingLine(messages, fsckText.FindString(messages), true)
	}
	return r.cause("failed to push", join(unpack, line))
}

// fsckText is how git names a malformed object: its id, the check, the problem.
var fsckText = regexp.MustCompile(`(?i)object [0-9a-f]{40}: [a-z]+:`)

// objectID finds the ids in a server's text.
var objectID = regexp.MustCompile(`\b[0-9a-f]{40}\b`)

// named returns the object ids that a text points at, at most 50.
func named(text string) []change.Revision {
	var ids []change.Revision
	for _, id := range objectID.FindAllString(text, 50) {
		ids = append(ids, change.Revision(id))
	}
	return ids
}

// section returns the part of the messages that is about ref, as GitHub's
// "GH013: Repository rule violations found for REF." begins one; else all.
func section(messages, ref string) string {
	_, after, ok := strings.Cut(messages, " for "+ref+".\n")
	if !ok {
		return messages
	}
	about, _, _ := strings.Cut(after, "error: GH0")
	return about
}

// tellingLine picks the first line of a server's text that holds want, else,
// if last is set, the last one that says anything.
func tellingLine(text, want string, last bool) string {
	latest := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if want != "" && strings.Contains(strings.ToLower(line), strings.ToLower(want)) {
			return line
		}
		if line != "" && last {
			latest = line
		}
	}
	return latest
}

// join puts a line of explanation behind a reason, if there is one.
func join(reason, line string) string {
	if line == "" || line == reason {
		return reason
	}
	return reason + ": " + line
}
