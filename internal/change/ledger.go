// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"fmt"
	"strings"
	"time"
)

// Ledger is the part of the mirror's ref namespace where a pass leaves what the
// next one must know. Each entry is a ref whose name says everything; what it
// points at only has to exist.
//
//	claims/KEY            created before a dispatch: whoever creates it dispatches
//	runs/KEY/RUN          created after it was accepted; RUN is 0 where unknown
//	lost/KEY/SECONDS      a claim was seen without a run at that time
//	carried/KEY/PATCHSET  not dispatched: the result of that earlier patchset's
//	                      attempt, of the same number, stands for this one
//	ended/KEY/OUTCOME/SECONDS   its run ended so, and that was noted at that time
//	asked/KEY/JOBS        a comment asks for that attempt: of all jobs, or of failed ones
//	stopped/KEY           a comment called that attempt off, started or not
//	left/KEY              its run is cancelled because the change was left alone
//	refused/CHANGE/PATCHSET/REVISION/WORD/COUNT/SECONDS   the mirror refused this
//	                      object for what WORD says, COUNT times, the last one then
//	unmoved/REVISION/WORD/COUNT/SECONDS/BRANCH   the same for a branch and its tip
//	placed/heads/NAME     that branch was put on the mirror by us, and last at what
//	                      this entry points at
//	placed/tags/REVISION/NAME   so was that tag, at this object
//	gone/SECONDS/heads/NAME, gone/SECONDS/tags/NAME   since then Gerrit does not show
//	                      that branch or tag, which we put on the mirror
//	untagged/REVISION/WORD/COUNT/SECONDS   the mirror refused tags, of which REVISION
//	                      is a digest, COUNT times, the last one then
//	full/CHANGE/PATCHSET/COUNT/SECONDS  Gerrit refused a message on the change so
//	poisoned/CHANGE/PATCHSET/REVISION   an older version's refused, without a time
//	pruned/SECONDS        closed changes were looked for at that time
//	scanned/SECONDS       comments on changes updated until then were read
//	merged/SECONDS        a branch had moved then: merged changes were looked for
type Ledger string

const (
	// CustomLedger is the default: neither a branch nor a tag.
	CustomLedger Ledger = "refs/dispatcher/"
	// BranchLedger is for mirrors that refuse other names than branches.
	BranchLedger Ledger = "refs/heads/_dispatcher/"
)

// EntryKind is the first word of an entry's name.
type EntryKind string

// The kinds of ledger entries.
const (
	Claim     EntryKind = "claims"
	RunOf     EntryKind = "runs"
	Lost      EntryKind = "lost"
	Carried   EntryKind = "carried"
	Ended     EntryKind = "ended"
	Asked     EntryKind = "asked"
	Stopped   EntryKind = "stopped"
	Left      EntryKind = "left"
	Unrelayed EntryKind = "refused"
	Unmoved   EntryKind = "unmoved"
	Placed    EntryKind = "placed"
	Gone      EntryKind = "gone"
	Untagged  EntryKind = "untagged"
	Full      EntryKind = "full"
	Poisoned  EntryKind = "poisoned"
	Pruned    EntryKind = "pruned"
	Scanned   EntryKind = "scanned"
	Merges    EntryKind = "merged"
)

// The words of an Asked entry: which jobs of the attempt before are to run again.
const (
	AllJobs    = "all"
	FailedJobs = "failed"
)

// Entry is one ledger ref, parsed. Which fields are set depends on Kind.
type Entry struct {
	Kind     EntryKind
	Key      Key       // claims, runs, lost, carried, ended, asked, stopped, left
	RunID    int64     // runs
	At       time.Time // lost, ended, pruned, scanned, merged, refused, unmoved, gone, untagged, full; zero in older ended entries
	ID       ID        // refused, full, poisoned; also set for the kinds with a key
	Revision Revision  // refused, unmoved, poisoned, untagged (a digest), placed (of a tag)
	Branch   string    // unmoved, placed, gone: a branch's short name
	Tag      string    // placed, gone: a tag's short name
	Count    int       // refused, unmoved, untagged, full
	Word     string    // ended: the outcome; asked: AllJobs or FailedJobs; refused, unmoved, untagged: see RefusalText
	From     int       // carried: the patchset whose result stands
}

// Ref returns the entry's full ref name.
func (l Ledger) Ref(e Entry) string {
	prefix := string(l) + string(e.Kind) + "/"
	switch e.Kind {
	case Claim, Stopped, Left:
		return prefix + e.Key.String()
	case Carried:
		return fmt.Sprintf("%s%s/%d", prefix, e.Key, e.From)
	case RunOf:
		return fmt.Sprintf("%s%s/%d", prefix, e.Key, e.RunID)
	case Lost:
		return fmt.Sprintf("%s%s/%d", prefix, e.Key, e.At.Unix())
	case Ended:
		if e.At.IsZero() {
			return fmt.Sprintf("%s%s/%s", prefix, e.Key, e.Word)
		}
		return fmt.Sprintf("%s%s/%s/%d", prefix, e.Key, e.Word, e.At.Unix())
	case Asked:
		return fmt.Sprintf("%s%s/%s", prefix, e.Key, e.Word)
	case Poisoned:
		return fmt.Sprintf("%s%s/%s", prefix, e.ID, e.Revision)
	case Unrelayed, Unmoved, Untagged, Full:
		return prefix + e.refusal()
	case Placed:
		return prefix + e.place()
	case Gone:
		if e.Tag != "" {
			return fmt.Sprintf("%s%d/tags/%s", prefix, e.At.Unix(), e.Tag)
		}
		return fmt.Sprintf("%s%d/heads/%s", prefix, e.At.Unix(), e.Branch)
	default:
		return fmt.Sprintf("%s%d", prefix, e.At.Unix())
	}
}

// Parse reads a ledger ref and refuses what Ref would not have written.
func (l Ledger) Parse(ref string) (Entry, error) {
	e, ok := l.parse(ref)
	if !ok {
		return Entry{}, fmt.Errorf("%q is not a ledger entry under %s", Clip(ref, 120), string(l))
	}
	return e, nil
}

func (l Ledger) parse(ref string) (Entry, bool) {
	tail, ok := strings.CutPrefix(ref, string(l))
	if !ok {
		return Entry{}, false
	}
	word, rest, _ := strings.Cut(tail, "/")
	e := Entry{Kind: EntryKind(word)}
	head, last, _ := cutLast(rest)
	switch e.Kind {
	case Claim, Stopped, Left:
		head = rest
	case Carried:
		if e.From, ok = decimal(last, 9); !ok {
			return Entry{}, false
		}
	case RunOf, Lost, Pruned, Scanned, Merges:
		n, ok := decimal(last, 18)
		if !ok && last != "0" || e.Kind.mark() != (last == rest) {
			return Entry{}, false
		}
		if e.Kind == RunOf {
			e.RunID = int64(n)
		} else {
			e.At = time.Unix(int64(n), 0).UTC()
		}
		if e.Kind.mark() {
			return e, true
		}
	case Asked:
		if e.Word = last; last != AllJobs && last != FailedJobs {
			return Entry{}, false
		}
	case Ended:
		if head, ok = e.parseEnded(head, last); !ok {
			return Entry{}, false
		}
	case Poisoned:
		return parsePoisoned(e, head, last)
	case Unrelayed, Unmoved, Untagged, Full:
		return parseRefusal(e, rest)
	case Placed:
		return parsePlace(e, rest)
	case Gone:
		return parseGone(e, rest)
	default:
		return Entry{}, false
	}
	key, ok := parseKey(head)
	if !ok || e.Kind == Carried && e.From >= key.Patchset {
		return Entry{}, false
	}
	e.Key, e.ID = key, key.ID
	return e, true
}

// parseEnded reads an outcome with or without the time after it, and returns
// what stands before them. No outcome begins with a digit.
func (e *Entry) parseEnded(head, last string) (before string, ok bool) {
	if n, timed := decimal(last, 18); timed {
		e.At = time.Unix(int64(n), 0).UTC()
		head, last, _ = cutLast(head)
	}
	e.Word = last
	return head, isWord(last)
}

// mark reports whether entries of the kind are about the project as a whole:
// what was done at which time.
func (k EntryKind) mark() bool { return k == Pruned || k == Scanned || k == Merges }

func parsePoisoned(e Entry, head, last string) (Entry, bool) {
	var ok bool
	if e.ID, ok = parseID(head); !ok {
		return Entry{}, false
	}
	var err error
	e.Revision, err = ParseRevision(last)
	return e, err == nil
}

// isWord accepts what may be an outcome.
func isWord(s string) bool {
	if s == "" || len(s) > 80 {
		return false
	}
	for i := range len(s) {
		c := s[i]
		letter := c|0x20 >= 'a' && c|0x20 <= 'z'
		if !letter && (c < '0' || c > '9') && c != '_' && c != '-' {
			return false
		}
	}
	return s[0] != '-' && (s[0] < '0' || s[0] > '9')
}
