// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"regexp"
	"strings"
	"unicode"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// class says what to do about a refusal; the fault's kind says whose it is.
type class int

const (
	// The first is for this ref alone, for a reason that a second push will not change.
	_ class = iota
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
	// word is set where the text is a definite verdict (see rule.word): all else
	// could as well be the mirror's own trouble.
	word string
	// unknown says that no rule knows the text.
	unknown bool
	// unclear says that the update may have happened all the same.
	unclear bool
	// named are objects that the mirror's text points at.
	named []change.Revision
	err   *fault.Error
}

// refCause classifies the reason that a report gives for one ref ("ng").
// messages is what the server printed meanwhile, about all refs.
func refCause(ref, reason, messages string) cause {
	about := said(section(messages, ref))
	r, known := match(refRules, strings.ToLower(unquoted(reason)))
	if !known {
		r = rule{says: "the mirror refused it", kind: fault.Permanent, hint: hintAsk}
	}
	line := lineWith(about, ref)
	if r.more {
		line = firstLine(about, "")
		if detail, ok := matchDetail(about); ok {
			line = firstLine(about, detail.text)
			if detail.lists {
				line = listAt(about, line)
			}
			r = r.with(detail)
		}
	}
	c := r.cause("failed to update "+change.OneLine(change.Clip(ref, 120)), join(reason, line))
	c.unknown = !known
	return c
}

// matchDetail finds what the messages say, verdicts before the hook's own trouble.
func matchDetail(text string) (rule, bool) {
	low := strings.ToLower(text)
	if r, ok := match(detailRules, low); ok {
		return r, true
	}
	return match(brokenRules, low)
}

// packCause classifies a pack that the mirror refused as a whole: the text
// after "unpack", the reason of one of the refs and what the server printed.
func packCause(unpack, reason, messages string) cause {
	messages = said(messages)
	if strings.Contains(reason, "unpacker error") {
		reason = "" // git's and JGit's word for "see above"
	}
	text := unpack + "\n" + reason + "\n" + messages
	r, known := match(packRules, strings.ToLower(text))
	if fsck := fsckText.FindString(text); !known && fsck != "" {
		r = rule{text: strings.ToLower(fsck), says: "an object is malformed", class: content, kind: fault.Permanent, hint: hintFsck, word: change.Malformed}
	} else if !known {
		r = rule{says: "the mirror could not take the pack", class: content, kind: fault.Permanent, hint: hintAsk}
	}
	return r.cause("failed to push", join(unpack, firstLine(reason+"\n"+messages, r.text)))
}

// fsckText is how git ("object ID: missingEmail:") and JGit ("missingEmail: object
// ID:", ObjectChecker and CorruptObjectException) name a malformed object.
var fsckText = regexp.MustCompile(`[Oo]bject [0-9a-f]{40}: [a-z]+[A-Z0-9]\w*:|\b[a-z]+[A-Z0-9]\w*: object [0-9a-f]{40}: |fsck error`)

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

// said leaves out of a server's messages what is no part of a refusal: progress,
// warnings, empty lines and ornament.
func said(messages string) string {
	var kept []string
	for _, line := range strings.FieldsFunc(messages, func(r rune) bool { return r == '\n' || r == '\r' }) {
		line = strings.TrimSpace(ornament.ReplaceAllString(line, ""))
		low := strings.ToLower(line)
		if chatter.MatchString(low) || !strings.ContainsFunc(line, unicode.IsLetter) {
			continue
		}
		kept = append(kept, line)
	}
	return strings.Join(kept, "\n")
}

// chatter are lines that git, GitHub, GitLab and Gitea print beside the refusal.
var chatter = regexp.MustCompile(`^(?:warning: |(?:resolving deltas|unpacking objects|receiving objects|checking connectivity|checking objects|indexing objects|processing changes|counting objects|compressing objects|updating references): |` +
	`\* checking \d+ reference|error: trace: |error: hook declined to update |error: see https?://|\(\?\) |https://|review all repository rules at |(?:error|fatal|gitlab|gitea|remote):$)`)

// ornament are lines drawn with dashes.
var ornament = regexp.MustCompile(`[—=_-]{3,}`)

// heading is a line that only says that a list of reasons comes.
var heading = regexp.MustCompile(`^(?:error: GH0(?:06|13): |- GITHUB PUSH PROTECTION|Resolve the following violations)`)

// quoted are names of refs and files in a reason: anybody's text.
var quoted = regexp.MustCompile("'[^']*'|`[^`]*`")

// unquoted is a reason without the names in it.
func unquoted(reason string) string { return quoted.ReplaceAllString(reason, "") }

// firstLine picks the line of said text that holds want; without want, or where
// none does, the first that gives a reason.
func firstLine(text, want string) string {
	if line := lineWith(text, want); line != "" {
		return line
	}
	first := ""
	for line := range strings.Lines(text) {
		line = strings.TrimSpace(line)
		if line != "" && (first == "" || heading.MatchString(first)) {
			first = line
		}
	}
	return first
}

// lineWith picks the first line that holds want, if that is anything.
func lineWith(text, want string) string {
	if want == "" {
		return ""
	}
	for line := range strings.Lines(text) {
		if strings.Contains(strings.ToLower(line), strings.ToLower(want)) {
			return strings.TrimSpace(line)
		}
	}
	return ""
}

// listAt is a line with those below it, of a list's length at most.
func listAt(text, line string) string {
	const most = 5
	lines := strings.Split(text, "\n")
	for i := range lines {
		if strings.TrimSpace(lines[i]) == line {
			return strings.Join(lines[i:min(i+1+most, len(lines))], " ")
		}
	}
	return line
}

// join puts a line of explanation behind a reason, if there is one.
func join(reason, line string) string {
	if line == "" || line == reason {
		return reason
	}
	return reason + ": " + line
}
