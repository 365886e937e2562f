// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// judged is a cause without its text.
type judged struct {
	Class class
	Sure  bool
	Kind  fault.Kind
}

func judge(c cause) judged { return judged{c.class, c.sure, c.err.Kind} }

var (
	contentFault = judged{content, true, fault.Permanent}
	config       = judged{final, true, fault.Configuration}
	passing      = judged{busy, true, fault.Transient}
	lacking      = judged{missing, false, fault.Permanent}
)

// TestRefCause uses texts as servers print them.
func TestRefCause(t *testing.T) {
	t.Parallel()
	const ref = "refs/changes/01/1/1"
	rules := "error: GH013: Repository rule violations found for " + ref + ".\nReview all repository rules at https://github.com/a/b/rules?ref=x\n\n"
	tests := []struct {
		reason, messages string
		want             judged
		text, hint       string
	}{
		{"refusing to allow a Personal Access Token to create or update workflow `.github/workflows/ci.yml` without `workflow` scope", "", config, "touches workflow files", "scope"},
		{"refusing to allow an OAuth App to create or update workflow `.github/workflows/ci.yml` without `workflow` scope", "", config, "touches workflow files", "scope"},
		{"refusing to allow a GitHub App to create or update workflow `.github/workflows/ci.yml` without `workflows` permission", "", config, "touches workflow files", "permission"},
		{"Unable to determine if workflow can be created or updated due to timeout; `workflow` scope may be required.", "", passing, "ran out of time", "workflow"},
		{"protected branch hook declined", "error: GH006: Protected branch update failed for " + ref + ".\nerror: Required status check \"ci\" is expected.\n", config, "protected", "bypass"},
		{"push declined due to repository rule violations", rules + "- GITHUB PUSH PROTECTION\n  —— Resolve the following violations before pushing again\n  - Push cannot contain secrets\n", contentFault, "it holds a secret", "revoke"},
		{"push declined due to repository rule violations", rules + "- Changes must be made through a pull request.\n", config, "wants a pull request", "bypass"},
		{"push declined due to repository rule violations", rules + "- Cannot create ref due to creations being restricted.\n", config, "restricts who creates", "bypass"},
		{"push declined due to repository rule violations", rules + "- File path a.exe is restricted\n", contentFault, "breaks a rule", "ruleset"},
		{"push declined due to repository rule violations", "error: GH013: Repository rule violations found for refs/heads/other.\n\n- GITHUB PUSH PROTECTION\n" + rules + "- Changes must be made through a pull request.\n", config, "wants a pull request", ""},
		{"pre-receive hook declined", "error: GH001: Large files detected. You may want to try Git Large File Storage\nerror: File a.bin is 120.00 MB; this exceeds GitHub's file size limit of 100.00 MB\n", contentFault, "over the mirror's size limit", "100 MB"},
		{"pre-receive hook declined", "no thanks\n", contentFault, "no thanks", ""},
		{"pre-receive hook declined", "- Changes must be made through a pull request.\n", judged{content, false, fault.Configuration}, "pull request", ""},
		{"hook declined", "", judged{final, true, fault.Permanent}, "a hook of the mirror", ""},
		{"deny updating a hidden ref", "", config, "hides this namespace", "namespace"},
		{"shallow update not allowed", "", config, "shallow clone", "full mirror"},
		{"funny refname", "", judged{final, true, fault.Ours}, "does not accept this name", ""},
		{"missing necessary objects", "", lacking, "lacks objects", "fsck"},
		{"non-fast-forward", "", config, "rewritten", "force pushes"},
		{"deletion prohibited", "", config, "delete", "denyDeletes"},
		{"failed to update ref", "error: cannot lock ref 'refs/a': Unable to create '/x/refs/a.lock': File exists.\n", passing, "locked by another writer", ""},
		{"failed to update ref", "error: cannot lock ref 'refs/a/b': 'refs/a' exists; cannot create 'refs/a/b'\n", config, "name is in the way", "namespace"},
		{"something new", "", judged{final, true, fault.Permanent}, "something new", ""},
	}
	for _, tt := range tests {
		c := refCause(ref, tt.reason, tt.messages)
		if diff := cmp.Diff(tt.want, judge(c)); diff != "" {
			t.Errorf("%q, %q (-want +got):\n%s", tt.reason, tt.messages, diff)
		}
		if !strings.Contains(c.err.Error(), tt.text) || !strings.Contains(c.err.Hint, tt.hint) {
			t.Errorf("%q: got %q and the hint %q, want %q and %q in them", tt.reason, c.err, c.err.Hint, tt.text, tt.hint)
		}
	}
}

func TestPackCause(t *testing.T) {
	t.Parallel()
	id := string(sha(1))
	tests := []struct {
		unpack, messages string
		want             judged
		text             string
	}{
		{"index-pack abnormal exit", "fatal: early EOF\nfatal: fetch-pack: invalid index-pack output", judged{broken, true, fault.Transient}, "early EOF"},
		{"eof before pack header was fully read", "", judged{broken, true, fault.Transient}, "incomplete"},
		{"index-pack abnormal exit", "fatal: pack has 3 unresolved deltas", lacking, "3 unresolved deltas"},
		{"unpack-objects abnormal exit", "fatal: unresolved deltas left after unpacking", lacking, "base of a delta"},
		{"index-pack failed", "fatal: did not receive expected object " + id, lacking, id},
		{"index-pack abnormal exit", "fatal: pack exceeds maximum allowed size (2.00 GiB)", judged{size, true, fault.Permanent}, "2.00 GiB"},
		{"index-pack abnormal exit", "error: object " + id + ": missingSpaceBeforeEmail: invalid author/committer line\nfatal: fsck error in packed object", contentFault, "missingSpaceBeforeEmail"},
		{"index-pack failed", "error: object " + id + ": fullPathname: contains full pathnames", contentFault, "fullPathname"},
		{"unpack-objects abnormal exit", "fatal: write error: No space left on device", passing, "disk is full"},
		{"index-pack failed", "", judged{content, false, fault.Permanent}, "could not take the pack"},
	}
	for _, tt := range tests {
		c := packCause(tt.unpack, tt.messages)
		if diff := cmp.Diff(tt.want, judge(c)); diff != "" {
			t.Errorf("%q, %q (-want +got):\n%s", tt.unpack, tt.messages, diff)
		}
		if !strings.Contains(c.err.Error(), tt.text) {
			t.Errorf("%q: got %q, want %q in it", tt.unpack, c.err, tt.text)
		}
	}
}

func TestNamed(t *testing.T) {
	t.Parallel()
	text := "error: object " + string(sha(1)) + ": badDate\n - commit: " + string(sha(2)) + "\n" + string(sha(3)) + "f"
	if diff := cmp.Diff([]change.Revision{sha(1), sha(2)}, named(text)); diff != "" {
		t.Errorf("ids (-want +got):\n%s", diff)
	}
	if got := len(named(strings.Repeat(string(sha(1))+" ", 1000))); got != 50 {
		t.Errorf("got %d ids, want the bound of 50", got)
	}
}

// FuzzCause: whatever a server says becomes one bounded line of valid text that
// cannot pass for a workflow command, with an error of a known kind.
func FuzzCause(f *testing.F) {
	f.Add("pre-receive hook declined", "error: GH001: Large files detected.\n", "refs/changes/01/1/1")
	f.Add("push declined due to repository rule violations", "GH013: Repository rule violations found for refs/heads/x.\n- a\x1b[31m\nerror: GH0", "refs/heads/x")
	f.Add("index-pack abnormal exit", "##[error]\r\n::set-output\xff", "")
	f.Fuzz(func(t *testing.T, reason, messages, ref string) {
		for _, c := range []cause{refCause(ref, reason, messages), packCause(reason, messages)} {
			text := c.err.Error()
			if !utf8.ValidString(text) || strings.ContainsAny(text, "\n\r\x1b") || strings.Contains(text, "##[") || len(text) > 2000 {
				t.Errorf("%q, %q: got the text %q", reason, messages, text)
			}
			if c.err.Kind == fault.Unknown {
				t.Errorf("%q: got no kind", reason)
			}
		}
		if s := section(messages, ref); !strings.Contains(messages, s) {
			t.Errorf("section %q is not in %q", s, messages)
		}
		for _, id := range named(messages) {
			if !strings.Contains(messages, string(id)) {
				t.Errorf("named %s is not in %q", id, messages)
			}
		}
	})
}
