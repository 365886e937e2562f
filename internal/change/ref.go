// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"fmt"
	"strings"
)

// Namespace is where on the mirror patchsets live.
type Namespace string

const (
	// CustomRefs keeps Gerrit's own names. They start no "on: push" workflows
	// and do not count as branches.
	CustomRefs Namespace = "refs/changes/"
	// BranchRefs makes each patchset a branch, for mirrors that refuse other
	// names and for workflows that check out a branch.
	BranchRefs Namespace = "refs/heads/changes/"
)

// Ref returns the patchset's ref: namespace, last two digits of the change's
// number, number, patchset (Gerrit's documented layout of refs/changes).
func (ns Namespace) Ref(id ID) string {
	return fmt.Sprintf("%s%02d/%d/%d", string(ns), id.Change%100, id.Change, id.Patchset)
}

// Parse reads a ref of this namespace. Anything that Ref would not have
// written is refused, the meta ref and wrong shards included.
func (ns Namespace) Parse(ref string) (ID, error) {
	tail, ok := strings.CutPrefix(ref, string(ns))
	shard, rest, _ := strings.Cut(tail, "/")
	id, valid := parseID(rest)
	if !ok || !valid || len(shard) != 2 {
		return ID{}, fmt.Errorf("%q is not a patchset ref under %s", Clip(ref, 80), string(ns))
	}
	if last := id.Change % 100; shard[0] != byte('0'+last/10) || shard[1] != byte('0'+last%10) {
		return ID{}, fmt.Errorf("%q is in the wrong shard: want %s", Clip(ref, 80), ns.Ref(id))
	}
	return id, nil
}

// MaxBranch is how long a branch's short name may be, in bytes, and maxRef how long a
// ref's: GitHub takes no more than 255 bytes with refs/heads/. Git itself is bound by
// the file system alone, which needs room for ".lock".
const (
	MaxBranch = maxRef - len("refs/heads/")
	maxRef    = 255
)

// CheckBranch accepts a branch's short name if git would accept
// refs/heads/NAME and no option parser could take it for a flag.
// The rules are those of git-check-ref-format(1).
func CheckBranch(name string) error { return checkName("branch", name, MaxBranch) }

// CheckTag accepts a tag's short name by the same rules, and only if it could not be
// taken for an object: GitHub refuses names of 40 hex digits (GH002).
func CheckTag(name string) error {
	if err := checkName("tag", name, maxRef-len("refs/tags/")); err != nil {
		return err
	}
	if _, err := ParseRevision(strings.ToLower(name)); err == nil {
		return fmt.Errorf("tag %q: its name must not be 40 hex digits, as an object's", Clip(name, 80))
	}
	return nil
}

// CheckRef accepts a ref's full name by the same rules: REF of refs/REF is like a
// branch's.
func CheckRef(ref string) error {
	tail, ok := strings.CutPrefix(ref, "refs/")
	if !ok || !strings.Contains(tail, "/") {
		return fmt.Errorf("%q is not a full ref name below refs/", Clip(ref, 80))
	}
	return checkName("ref", tail, maxRef-len("refs/"))
}

func checkName(what, name string, most int) error {
	bad := func(why string) error { return fmt.Errorf("%s %q: %s", what, Clip(name, 80), why) }
	switch {
	case name == "" || len(name) > most:
		return bad(fmt.Sprintf("its name must have 1 to %d bytes", most))
	case strings.HasPrefix(name, "-"), strings.HasPrefix(name, "refs/"):
		return bad("its name must not begin with '-' or 'refs/'")
	case strings.HasSuffix(name, "."), strings.Contains(name, ".."), strings.Contains(name, "@{"), name == "@":
		return bad("git does not allow '..', '@{', '@' alone or a final '.'")
	case strings.ContainsAny(name, " ~^:?*[\\\x7f") || strings.ContainsFunc(name, func(r rune) bool { return r < 0x20 }):
		return bad("git does not allow spaces, control characters or any of ~^:?*[\\")
	}
	for part := range strings.SplitSeq(name, "/") {
		if part == "" || strings.HasPrefix(part, ".") || strings.HasSuffix(part, ".lock") {
			return bad("no part between slashes may be empty, begin with '.' or end in '.lock'")
		}
	}
	return nil
}
