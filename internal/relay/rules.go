// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// rule knows one text of a receiving server. Texts are matched in lower case
// and by their stable middle: servers and versions differ in the rest. Where
// each comes from is told by testdata/refusals.txt, which holds them as printed.
type rule struct {
	text  string
	says  string
	class class
	kind  fault.Kind
	hint  string
	// word is set where the text is a definite verdict over what is pushed: the
	// ledger remembers it by that word (see change.RefusalText).
	word string
	// exact: text is all of the reason.
	exact bool
	// more: the server's messages tell what the reason does not.
	more bool
	// lists: the lines below the text tell where.
	lists bool
	// push: the verdict is over the whole push, whatever the detail is about.
	push bool
	// unclear: the trouble may have come after the deed.
	unclear bool
}

const (
	hintFsck      = "the object is malformed in Gerrit already: upload the change again with a current git"
	hintWorkflow  = "give the mirror's credential the right to write workflows: the classic scope 'workflow', or the permission 'workflows' of a GitHub App or fine-grained token"
	hintProtect   = "let the mirror's account bypass the protection or the ruleset of that branch"
	hintNamespace = "set mirror-namespace to refs/heads/changes/ (in a file, the mirror's namespace, and its ledger to refs/heads/_dispatcher/)"
	hintDamaged   = "if it stays, check the mirror with git fsck, or seed a new one"
	hintLarge     = "remove the file from the change: GitHub takes none over 100 MB"
	hintSecret    = "remove the secret from the change and revoke it; who pushes it to the mirror by hand is told where to allow it"
	hintRevoke    = "remove the secret from the change and revoke it"
	hintEmail     = "as the mirror's account, allow it at https://github.com/settings/emails (\"Block command line pushes that expose my email\")"
	hintLFS       = "LFS objects are not relayed: push them to the mirror once with git lfs push --all, or remove the pointers from the change"
	hintRule      = "read the rule's text above, and change the patchset or the ruleset"
	hintName      = "rename the branch in Gerrit, or leave it out of the project's branches"
	hintNaming    = "exempt this name from the mirror's rule, or leave the branch out of the project's branches"
	hintPushRule  = "exempt the mirror's account from that rule: it pushes the commits of others"
	hintWrite     = "let the mirror's account write these refs"
	hintAsk       = "ask who keeps the mirror what it means; each pass tries again"
)

// hookDeclined is git's reason for each ref when the pre-receive hook fails,
// whether it has judged the push or broke.
const hookDeclined = "pre-receive hook declined"

// refRules are the reasons of single refs.
var refRules = []rule{
	{text: "unable to determine if workflow can be created or updated due to timeout", says: "GitHub ran out of time looking for workflow files", class: busy, kind: fault.Transient, hint: hintWorkflow},
	{text: "refusing to allow a", says: "it touches workflow files and the credential may not", kind: fault.Configuration, hint: hintWorkflow},
	{text: "protected branch hook declined", says: "the branch is protected", kind: fault.Configuration, hint: hintProtect, word: change.Protected, more: true},
	{text: "email privacy restrictions", says: "it would publish a private email address", class: content, kind: fault.Permanent, hint: hintEmail, word: change.PrivateEmail, more: true},
	{text: "due to a detected secret", says: "it holds a secret", class: content, kind: fault.Permanent, hint: hintSecret, word: change.Secret, more: true},
	{text: "repository rule violations", says: "it breaks a rule of the mirror", class: content, kind: fault.Permanent, hint: hintRule, more: true},
	{text: hookDeclined, says: "the mirror's check of the whole push declined", class: content, kind: fault.Permanent, hint: hintAsk, more: true, push: true},
	{text: "hook declined", says: "a hook of the mirror declined this ref", kind: fault.Permanent, more: true},
	{text: "missing necessary objects", says: "the mirror lacks objects that it builds on", class: missing, kind: fault.Permanent, hint: hintDamaged},
	{text: "hidden ref", says: "the mirror hides this namespace and lets nobody write it", kind: fault.Configuration, hint: hintNamespace},
	{text: "prohibited by gerrit", says: "the mirror is a Gerrit, and its access rights forbid it", kind: fault.Configuration, hint: "give the mirror's account Create Reference, Push with Force, and Forge Author and Committer on these refs"},
	{text: "archived so it is read-only", says: "the mirror is archived", kind: fault.Configuration, hint: "unarchive the mirror"},
	{text: "shallow update not allowed", says: "the mirror is a shallow clone", kind: fault.Configuration, hint: "seed a new, full mirror"},
	{text: "funny refname", says: "git does not accept this name", kind: fault.Ours},
	{text: "non-fast-forward", says: "the branch was rewritten and the mirror takes only fast-forwards", kind: fault.Configuration, hint: "allow force pushes on the mirror, or delete the branch there once"},
	{text: "non-fast forward", says: "the branch was rewritten and the mirror takes only fast-forwards", kind: fault.Configuration, hint: "allow force pushes on the mirror, or delete the branch there once"},
	{text: "creation prohibited", says: "the mirror lets nobody create refs", kind: fault.Configuration, hint: "let the mirror's account create refs"},
	{text: "tf402455", says: "the branch is protected", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "tf401027", says: "the mirror's account may not write it", kind: fault.Configuration, hint: hintWrite},
	azureSecret,
	{text: "currently checked out", says: "the mirror has this branch checked out", kind: fault.Configuration, hint: "use a bare repository as the mirror"},
	{text: "deletion prohibited", says: "the mirror lets nobody delete refs", kind: fault.Configuration, hint: "allow deletes on the mirror (receive.denyDeletes)"},
	{text: "report does not mention it", says: "nobody knows what became of it", class: busy, kind: fault.Transient, unclear: true},
	{text: "failure", exact: true, says: "the mirror could not write its refs", class: busy, kind: fault.Transient, hint: "GitHub says so in an outage: see https://www.githubstatus.com", unclear: true, more: true},
	{text: "commit_refs", says: "the mirror could not write its refs", class: busy, kind: fault.Transient, hint: "GitHub says so in an outage: see https://www.githubstatus.com", unclear: true},
	{text: "internal", says: "the mirror has trouble of its own", class: busy, kind: fault.Transient, unclear: true},
	{text: "timeout", says: "the mirror ran out of time", class: busy, kind: fault.Transient, unclear: true},
	{text: "timed out", says: "the mirror ran out of time", class: busy, kind: fault.Transient, unclear: true},
	{text: "exists; cannot create", says: "another ref's name is in the way", kind: fault.Configuration, hint: hintInTheWay},
	{text: "refname conflict", says: "another ref's name is in the way", kind: fault.Configuration, hint: hintInTheWay},
	{text: "failed to lock", exact: true, says: "the ref is locked, or was moved by another writer", class: busy, kind: fault.Transient},
	{text: "lock error", says: "the mirror could not write the ref", class: busy, kind: fault.Transient},
	{text: "cannot lock ref", says: "the ref is locked, or was moved by another writer", class: busy, kind: fault.Transient},
	{text: "migrate objects", says: "the mirror could not store the objects", class: busy, kind: fault.Transient},
	{text: "transaction failed to start", says: "the mirror could not write its refs", class: busy, kind: fault.Transient},
	{text: "failed to update refs", says: "the mirror could not write its refs", class: busy, kind: fault.Transient, more: true},
	{text: "failed to update ref", says: "the mirror could not write the ref", kind: fault.Permanent, more: true},
}

// Azure gives its words as the reason of a ref, or of the pack.
var (
	azureSecret = rule{text: "vs403654", says: "it holds a secret", class: content, kind: fault.Permanent, hint: hintRevoke, word: change.Secret}
	azureEmail  = rule{text: "vs403702", says: "it breaks a push rule of the mirror", class: content, kind: fault.Permanent, hint: hintRule, word: change.BrokenRule}
)

const hintInTheWay = "delete the ref that the mirror names, or " + hintNamespace

// match returns the first rule whose text is in low.
func match(rules []rule, low string) (rule, bool) {
	for _, r := range rules {
		if r.exact && low == r.text || !r.exact && strings.Contains(low, r.text) {
			return r, true
		}
	}
	return rule{}, false
}

// with takes text, kind, hint and word from the detail behind r. A verdict over
// the whole push stays one: the detail may be about another ref than this one.
// Only a hook that broke has judged nothing.
func (r rule) with(detail rule) rule {
	if r.push && detail.class != busy {
		detail.class = content
	}
	return detail
}

// cause makes the error: what failed, what it means, what the server said.
func (r rule) cause(what, said string) cause {
	err := fault.New(r.kind, "%s: %s: the mirror says %q", what, r.says, change.OneLine(change.Clip(said, 240)))
	if r.hint != "" {
		err = err.WithHint("%s", r.hint)
	}
	return cause{class: r.class, word: r.word, unclear: r.unclear, err: err}
}
