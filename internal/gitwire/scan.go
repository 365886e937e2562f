// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"crypto/sha1"
	"encoding/hex"
	"fmt"
	"io"
)

// Commit is a commit's place in the history.
type Commit struct {
	// OID is the commit's object id.
	OID string
	// Parents are the object ids of its parents, in order.
	Parents []string
}

// ScanCommits calls visit for each commit at the head of a pack, in the pack's
// order, and stops with nil at the first object that is not a commit: git and
// JGit write commits before everything else. The rest of the pack is not read,
// nor is its checksum checked. An error of visit is returned as it is.
//
// A commit over 16 MiB is an error. Commits may be deltas of earlier ones, so
// their text is kept, in a temporary file; in memory a commit takes about 100
// bytes.
func ScanCommits(pack io.Reader, visit func(Commit) error) error {
	p, err := openPackFile(pack)
	if err != nil {
		return err
	}
	var seen store
	defer seen.close()
	for range p.objects {
		e, err := p.next()
		if err != nil {
			return err
		}
		body, ok, err := commitBody(p, e, &seen)
		if err != nil || !ok {
			return err
		}
		id := hashCommit(body)
		commit, err := parseCommit(id, body)
		if err != nil {
			return err
		}
		if err := seen.add(e.offset, id, body); err != nil {
			return err
		}
		if err := visit(commit); err != nil {
			return err
		}
	}
	return nil
}

// commitBody returns the text of an entry, or false if it is no commit. A delta
// is what its base is; all entries so far are commits, so a reference delta
// with an unknown base has one outside of this thin pack: a tree or a blob.
func commitBody(p *packFile, e entry, seen *store) (body []byte, ok bool, err error) {
	var base place
	switch e.kind {
	case typeCommit:
		body, err = p.content(e)
		return body, true, err
	case typeOfsDelta:
		if base, ok = seen.at(e.base); !ok {
			return nil, false, malformed("a delta's base at offset %d is not an object", e.base)
		}
	case typeRefDelta:
		if base, ok = seen.byID(e.baseID); !ok {
			return nil, false, nil
		}
	default:
		return nil, false, nil
	}
	delta, err := p.content(e)
	if err != nil {
		return nil, false, err
	}
	text, err := seen.read(base)
	if err != nil {
		return nil, false, err
	}
	body, err = applyDelta(text, delta)
	return body, true, err
}

type commitID = [sha1.Size]byte

func hashCommit(body []byte) commitID {
	h := sha1.New()
	fmt.Fprintf(h, "commit %d\x00", len(body))
	h.Write(body)
	return commitID(h.Sum(nil))
}

// parseCommit reads the parents, which follow the tree in a commit's header.
func parseCommit(id commitID, body []byte) (Commit, error) {
	c := Commit{OID: hex.EncodeToString(id[:])}
	line, rest, _ := bytes.Cut(body, []byte("\n"))
	if tree, ok := bytes.CutPrefix(line, []byte("tree ")); !ok || !isOID(tree) {
		return c, malformed("commit %s begins with %q", c.OID, printable(string(line), 60))
	}
	for {
		line, rest, _ = bytes.Cut(rest, []byte("\n"))
		parent, ok := bytes.CutPrefix(line, []byte("parent "))
		if !ok {
			return c, nil
		}
		if !isOID(parent) {
			return c, malformed("commit %s has the parent %q", c.OID, printable(string(parent), 60))
		}
		c.Parents = append(c.Parents, string(parent))
	}
}
