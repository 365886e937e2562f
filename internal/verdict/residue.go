// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// residueMark begins the last line of every message of ours, and no other line:
// outside text always follows words or signs of ours, and the mark in it is
// broken up.
const residueMark = "Dispatcher:"

// Residue is what the last line of a message tells the passes that come later:
//
//	Dispatcher: 27101/2/autorun.yml/1 run=17 attempt=2 outcome=failed vote=-1 failed=0f3a9c2b71de
//
// A message about several workflows has such a group of four words for each.
// Anybody can write such a line: only messages of our own account count.
type Residue struct {
	Runs []RunResidue
	// Voted and Vote: the vote that Gerrit took with the message; "vote=none" if
	// there was none to take, and "vote=refused" (Refused) if it was not taken.
	Voted   bool
	Vote    int
	Refused bool
	// Failed is a digest of what failed, "" if nothing did: of jobs and their tests;
	// older versions took the jobs alone.
	Failed string
	// At is when the message was posted; it is not part of the line.
	At time.Time
}

// RunResidue is one run that a message was about.
type RunResidue struct {
	Key     change.Key
	RunID   int64
	Attempt int
	Outcome Outcome
}

// Empty reports whether r stands for a workflow that was not wanted at all: it
// has no run.
func (r RunResidue) Empty() bool { return r.RunID == 0 && r.Outcome == Skipped }

// String returns the line. It holds keys, numbers and words of ours only.
func (r Residue) String() string {
	var b strings.Builder
	b.WriteString(residueMark)
	for _, run := range r.Runs {
		fmt.Fprintf(&b, " %s run=%d attempt=%d outcome=%s", run.Key, run.RunID, run.Attempt, run.Outcome)
	}
	b.WriteString(" vote=" + r.vote())
	if r.Failed != "" {
		b.WriteString(" failed=" + r.Failed)
	}
	return b.String()
}

func (r Residue) vote() string {
	switch {
	case r.Refused:
		return "refused"
	case !r.Voted:
		return "none"
	case r.Vote == 0:
		return "0"
	}
	return fmt.Sprintf("%+d", r.Vote)
}

var digestPattern = regexp.MustCompile(`^[0-9a-f]{12}$`)

// IsOwn reports whether our own account wrote a message. What others wrote does
// not count: anybody can write a residue. Where the account's number is not known,
// its user name must be the very same: names are unique in a server, but Gerrit
// takes them in any case.
func IsOwn(m change.Message, self change.Account) bool {
	if self.ID != 0 {
		return m.Author.ID == self.ID
	}
	return self.Username != "" && m.Author.Username == self.Username
}

// Own returns what our own account told in some messages, in their order.
func Own(messages []change.Message, self change.Account) []Residue {
	var all []Residue
	for _, m := range messages {
		if !IsOwn(m, self) {
			continue
		}
		if r, ok := ParseResidue(m.Text); ok {
			r.At = m.At
			all = append(all, r)
		}
	}
	return all
}

// ParseResidue reads the last line of a message; blank lines after it do not
// count. It takes what String writes and nothing else.
func ParseResidue(message string) (Residue, bool) {
	message = strings.TrimRight(message, " \t\r\n")
	line := message[strings.LastIndexByte(message, '\n')+1:]
	line, ok := strings.CutPrefix(line, residueMark+" ")
	if !ok || len(line) > maxText {
		return Residue{}, false
	}
	words := strings.Split(line, " ")
	var r Residue
	for len(words) > 4 {
		run, ok := parseRunResidue(words[:4])
		if !ok {
			break
		}
		r.Runs, words = append(r.Runs, run), words[4:]
	}
	if len(r.Runs) == 0 || !r.parseEnd(words) || r.String() != residueMark+" "+line {
		return Residue{}, false
	}
	return r, true
}

// parseEnd reads the words behind the runs.
func (r *Residue) parseEnd(words []string) bool {
	if len(words) == 0 || len(words) > 2 {
		return false
	}
	vote, ok := strings.CutPrefix(words[0], "vote=")
	r.Refused = vote == "refused"
	if r.Voted = vote != "none" && !r.Refused; r.Voted {
		n, err := strconv.Atoi(vote)
		r.Vote, ok = n, ok && err == nil && n >= -maxVote && n <= maxVote
	}
	if len(words) == 2 {
		digest, has := strings.CutPrefix(words[1], "failed=")
		r.Failed, ok = digest, ok && has && digestPattern.MatchString(digest)
	}
	return ok
}

func parseRunResidue(words []string) (r RunResidue, ok bool) {
	key, err := change.ParseKey(words[0])
	id, hasID := strings.CutPrefix(words[1], "run=")
	attempt, hasAttempt := strings.CutPrefix(words[2], "attempt=")
	outcome, hasOutcome := strings.CutPrefix(words[3], "outcome=")
	if err != nil || !hasID || !hasAttempt || !hasOutcome || !Outcome(outcome).Valid() {
		return r, false
	}
	r = RunResidue{Key: key, Outcome: Outcome(outcome)}
	if r.RunID, err = strconv.ParseInt(id, 10, 64); err != nil || r.RunID < 0 {
		return r, false
	}
	r.Attempt, err = strconv.Atoi(attempt)
	return r, err == nil && r.Attempt >= 0
}

// digest returns a short name for a set of names, "" for none.
func digest(names []string) string {
	if len(names) == 0 {
		return ""
	}
	slices.Sort(names)
	h := sha256.New()
	for _, n := range slices.Compact(names) {
		fmt.Fprintf(h, "%d %s\n", len(n), n)
	}
	return hex.EncodeToString(h.Sum(nil))[:12]
}
