// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"errors"
	"fmt"
	"strings"
	"time"
)

// ErrFull says that a change takes no more messages: it has as many updates, or
// as much text, as Gerrit allows (change.maxUpdates,
// change.cumulativeCommentSizeLimit). Nothing was posted, nor is it likely to be.
var ErrFull = errors.New("the change is full")

// The words by which the ledger remembers why a mirror does not take something.
// They stand for a definite verdict, never for trouble of the mirror's own.
const (
	LargeFile    = "large-file"
	TooLarge     = "too-large"
	Secret       = "secret"
	PrivateEmail = "private-email"
	MissingLFS   = "lfs"
	Malformed    = "malformed"
	BrokenRule   = "rule"
	Protected    = "protected"
	Borrowed     = "base"  // one of these, perhaps for a commit that it brings along
	OtherReason  = "other" // of a branch: in words that are not known
)

var refusalTexts = map[string]string{
	LargeFile:    "a file is over its size limit",
	TooLarge:     "the patchset is over its size limit for one push",
	Secret:       "it holds a secret",
	PrivateEmail: "it would publish a private email address",
	MissingLFS:   "it points at Git LFS objects that are not there",
	Malformed:    "an object is malformed",
	BrokenRule:   "it breaks a rule of the mirror",
	Borrowed:     "it, or a commit that it brings along, holds what the mirror refuses",
	Protected:    "the branch is protected",
}

// RefusalText says in words what a word of a refusal means.
func RefusalText(word string) string {
	if text := refusalTexts[word]; text != "" {
		return text
	}
	return "in words that are not known"
}

// refusal is what follows the kind in the name of an entry about a refusal. A
// branch's name comes last: it may have any number of parts.
func (e Entry) refusal() string {
	switch e.Kind {
	case Unrelayed:
		return fmt.Sprintf("%s/%s/%s/%d/%d", e.ID, e.Revision, e.Word, e.Count, e.At.Unix())
	case Unmoved:
		return fmt.Sprintf("%s/%s/%d/%d/%s", e.Revision, e.Word, e.Count, e.At.Unix(), e.Branch)
	case Untagged:
		return fmt.Sprintf("%s/%s/%d/%d", e.Revision, e.Word, e.Count, e.At.Unix())
	default:
		return fmt.Sprintf("%s/%d/%d", e.ID, e.Count, e.At.Unix())
	}
}

func parseRefusal(e Entry, rest string) (Entry, bool) {
	var times string
	ok := true
	switch e.Kind {
	case Untagged:
		parts := strings.Split(rest, "/")
		if len(parts) != 4 {
			return Entry{}, false
		}
		var err error
		e.Revision, err = ParseRevision(parts[0])
		ok, e.Word, times = err == nil, parts[1], parts[2]+"/"+parts[3]
	case Unmoved:
		parts := strings.SplitN(rest, "/", 5)
		if len(parts) < 5 || CheckBranch(parts[4]) != nil {
			return Entry{}, false
		}
		var err error
		e.Revision, err = ParseRevision(parts[0])
		ok, e.Word, times, e.Branch = err == nil, parts[1], parts[2]+"/"+parts[3], parts[4]
	default:
		parts := strings.Split(rest, "/")
		if n := len(parts); n < 4 || e.Kind == Unrelayed && n != 6 || e.Kind == Full && n != 4 {
			return Entry{}, false
		}
		if e.ID, ok = parseID(parts[0] + "/" + parts[1]); !ok {
			return Entry{}, false
		}
		times = strings.Join(parts[len(parts)-2:], "/")
		if e.Kind == Unrelayed {
			var err error
			e.Revision, err = ParseRevision(parts[2])
			ok, e.Word = err == nil, parts[3]
		}
	}
	count, at, _ := strings.Cut(times, "/")
	seconds, timed := decimal(at, 18)
	e.At = time.Unix(int64(seconds), 0).UTC()
	var counted bool
	e.Count, counted = decimal(count, 4)
	if !ok || !timed || !counted || e.Kind != Full && !isWord(e.Word) {
		return Entry{}, false
	}
	return e, true
}
