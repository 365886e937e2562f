// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"fmt"
	"regexp"
	"strconv"
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
//	carried/KEY           not dispatched: the result of the patchset before stands
//	poisoned/CHANGE/PATCHSET/REVISION   the mirror refuses this object for good
//	pruned/SECONDS        closed changes were looked for at that time
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
	Claim    EntryKind = "claims"
	RunOf    EntryKind = "runs"
	Lost     EntryKind = "lost"
	Carried  EntryKind = "carried"
	Poisoned EntryKind = "poisoned"
	Pruned   EntryKind = "pruned"
)

// Entry is one ledger ref, parsed. Which fields are set depends on Kind.
type Entry struct {
	Kind     EntryKind
	Key      Key       // claims, runs, lost, carried
	RunID    int64     // runs
	At       time.Time // lost, pruned
	ID       ID        // poisoned; also set for the kinds with a key
	Revision Revision  // poisoned
}

// Ref returns the entry's full ref name.
func (l Ledger) Ref(e Entry) string {
	prefix := string(l) + string(e.Kind) + "/"
	switch e.Kind {
	case Claim, Carried:
		return prefix + e.Key.String()
	case RunOf:
		return fmt.Sprintf("%s%s/%d", prefix, e.Key, e.RunID)
	case Lost:
		return fmt.Sprintf("%s%s/%d", prefix, e.Key, e.At.Unix())
	case Poisoned:
		return fmt.Sprintf("%s%s/%s", prefix, e.ID, e.Revision)
	default:
		return fmt.Sprintf("%s%d", prefix, e.At.Unix())
	}
}

// number is a non-negative decimal as Ref writes it.
var number = regexp.MustCompile(`^(0|[1-9][0-9]{0,17})$`)

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
	head, last := "", rest
	if i := strings.LastIndexByte(rest, '/'); i >= 0 {
		head, last = rest[:i], rest[i+1:]
	}
	switch e.Kind {
	case Claim, Carried:
		head = rest
	case RunOf, Lost, Pruned:
		if !number.MatchString(last) || (e.Kind == Pruned) != (head == "") {
			return Entry{}, false
		}
		n, _ := strconv.ParseInt(last, 10, 64) // the pattern bounds it
		if e.Kind == RunOf {
			e.RunID = n
		} else {
			e.At = time.Unix(n, 0).UTC()
		}
		if e.Kind == Pruned {
			return e, true
		}
	case Poisoned:
		return parsePoisoned(e, head, last)
	default:
		return Entry{}, false
	}
	key, err := ParseKey(head)
	if err != nil {
		return Entry{}, false
	}
	e.Key, e.ID = key, key.ID
	return e, true
}

func parsePoisoned(e Entry, head, last string) (Entry, bool) {
	id, err := ParseID(head)
	if err != nil {
		return Entry{}, false
	}
	e.ID = id
	if e.Revision, err = ParseRevision(last); err != nil {
		return Entry{}, false
	}
	return e, true
}

var idPattern = regexp.MustCompile(`^([1-9][0-9]{0,9})/([1-9][0-9]{0,8})$`)

// ParseID reads "12345/6".
func ParseID(s string) (ID, error) {
	m := idPattern.FindStringSubmatch(s)
	if m == nil {
		return ID{}, fmt.Errorf("%q is not CHANGE/PATCHSET", Clip(s, 60))
	}
	var id ID
	id.Change, _ = strconv.Atoi(m[1]) // the pattern bounds both numbers
	id.Patchset, _ = strconv.Atoi(m[2])
	return id, nil
}
