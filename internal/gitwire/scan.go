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
// order, and stops with nil at the first tree or blob: git and JGit write those
// last. Tags are skipped. The rest of the pack is not read, nor is its checksum
// checked. An error of visit is returned as it is.
//
// A commit over 16 MiB is an error. Commits may be deltas of earlier ones, so
// their text is kept, in a temporary file; in memory a commit takes some 100
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
		kind, body, err := readObject(p, e, &seen)
		if err != nil || kind == typeOther {
			return err
		}
		if kind == typeTag { // it may be the base of another tag
			seen.addTag(e.offset)
			continue
		}
		id := hashCommit(body)
		commit, err := parseCommit(id, body)
		if err == nil {
			err = seen.addCommit(e.offset, id, body)
		}
		if err == nil {
			err = visit(commit)
		}
		if err != nil {
			return err
		}
	}
	return nil
}

// readObject returns an object's type and, of a commit, its text. A delta is
// what its base is. All objects so far are commits and tags, so a reference
// delta with an unknown base has one outside of this thin pack: a tree or blob.
func readObject(p *packFile, e entry, seen *store) (kind int, body []byte, err error) {
	base, ok := place{kind: e.kind}, true
	switch e.kind {
	case typeOfsDelta:
		if base, ok = seen.at(e.base); !ok {
			return 0, nil, malformed("a delta's base at offset %d is not an object", e.base)
		}
	case typeRefDelta:
		base, ok = seen.byID(e.baseID)
	}
	if !ok || base.kind != typeCommit && base.kind != typeTag {
		return typeOther, nil, nil
	}
	body, err = p.content(e)
	if err != nil || e.kind == typeCommit || base.kind == typeTag {
		return base.kind, body, err
	}
	text, err := seen.read(base)
	if err == nil {
		body, err = applyDelta(text, body)
	}
	return typeCommit, body, err
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
