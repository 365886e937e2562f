// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// rule knows one text of a receiving server. Texts are matched in lower case
// and by their stable middle: servers and versions differ in the rest.
type rule struct {
	text  string
	says  string
	class class
	kind  fault.Kind
	hint  string
	// more: the server's messages tell what the reason does not.
	more bool
	// push: the verdict is over the whole push, whatever the detail is about.
	push bool
	// unsure: the text fits troubles of the mirror itself as well.
	unsure bool
	// unclear: the trouble may have come after the deed.
	unclear bool
}

const (
	hintFsck      = "the object is malformed in Gerrit already: upload the change again with a current git"
	hintWorkflow  = "give the mirror's credential the right to write workflows: the classic scope 'workflow', or the permission 'workflows' of a GitHub App or fine-grained token"
	hintProtect   = "let the mirror's account bypass the protection or the ruleset of that branch"
	hintNamespace = "set mirror-namespace to refs/heads/changes/ (in a file, the mirror's namespace, and its ledger to refs/heads/_dispatcher/)"
	hintDamaged   = "if it stays, check the mirror with git fsck, or seed a new one"
)

// refRules are the reasons of single refs: C git's builtin/receive-pack.c,
// github/spokes-receive-pack, and what users of GitHub were told.
var refRules = []rule{
	{text: "unable to determine if workflow can be created or updated due to timeout", says: "GitHub ran out of time looking for workflow files", class: busy, kind: fault.Transient, hint: hintWorkflow},
	{text: "refusing to allow a", says: "it touches workflow files and the credential may not", kind: fault.Configuration, hint: hintWorkflow},
	{text: "protected branch hook declined", says: "the branch is protected", kind: fault.Configuration, hint: hintProtect, more: true},
	{text: "repository rule violations", says: "it breaks a rule of the mirror", class: content, kind: fault.Permanent, hint: "read the rule's text above, and change the patchset or the ruleset", more: true},
	{text: "pre-receive hook declined", says: "the mirror's check of the whole push declined", class: content, kind: fault.Permanent, more: true, push: true},
	{text: "hook declined", says: "a hook of the mirror declined this ref", kind: fault.Permanent},
	{text: "missing necessary objects", says: "the mirror lacks objects that it builds on", class: missing, kind: fault.Permanent, hint: hintDamaged, unsure: true},
	{text: "hidden ref", says: "the mirror hides this namespace and lets nobody write it", kind: fault.Configuration, hint: hintNamespace},
	{text: "shallow update not allowed", says: "the mirror is a shallow clone", kind: fault.Configuration, hint: "seed a new, full mirror"},
	{text: "funny refname", says: "git does not accept this name", kind: fault.Ours},
	{text: "non-fast-forward", says: "the branch was rewritten and the mirror takes only fast-forwards", kind: fault.Configuration, hint: "allow force pushes on the mirror, or delete the branch there once"},
	{text: "current branch", says: "the mirror has this branch checked out", kind: fault.Configuration, hint: "use a bare repository as the mirror"},
	{text: "deletion prohibited", says: "the mirror lets nobody delete refs", kind: fault.Configuration, hint: "allow deletes on the mirror (receive.denyDeletes)"},
	{text: "report does not mention it", says: "nobody knows what became of it", class: busy, kind: fault.Transient, unclear: true},
	{text: "internal", says: "the mirror has trouble of its own", class: busy, kind: fault.Transient, unclear: true},
	{text: "timeout", says: "the mirror ran out of time", class: busy, kind: fault.Transient, unclear: true},
	{text: "timed out", says: "the mirror ran out of time", class: busy, kind: fault.Transient, unclear: true},
	{text: "failed to update ref", says: "the mirror could not write the ref", kind: fault.Permanent, more: true},
}

// detailRules read the messages behind the reasons that say too little.
var detailRules = []rule{
	{text: "gh001", says: "a file is over the mirror's size limit", class: content, kind: fault.Permanent, hint: "remove the file from the change: GitHub takes none over 100 MB"},
	{text: "exceeds github's file size limit", says: "a file is over the mirror's size limit", class: content, kind: fault.Permanent, hint: "remove the file from the change: GitHub takes none over 100 MB"},
	{text: "push protection", says: "it holds a secret", class: content, kind: fault.Permanent, hint: "remove the secret from the change and revoke it, or allow it at the address that GitHub gave"},
	{text: "gh006", says: "the branch is protected", kind: fault.Configuration, hint: hintProtect},
	{text: "through a pull request", says: "the ruleset wants a pull request", kind: fault.Configuration, hint: hintProtect},
	{text: "verified signatures", says: "the ruleset wants signed commits", kind: fault.Configuration, hint: hintProtect},
	{text: "creations being restricted", says: "the ruleset restricts who creates such refs", kind: fault.Configuration, hint: hintProtect},
	{text: "cannot update this protected ref", says: "the ruleset protects this ref", kind: fault.Configuration, hint: hintProtect},
	{text: "cannot force-push", says: "the ruleset forbids force pushes", kind: fault.Configuration, hint: hintProtect},
	{text: "cannot delete this", says: "the ruleset forbids deletes", kind: fault.Configuration, hint: hintProtect},
	{text: "exists; cannot create", says: "another ref's name is in the way", kind: fault.Configuration, hint: "delete the ref that the mirror names, or " + hintNamespace},
	{text: ".lock': file exists", says: "the ref is locked by another writer", class: busy, kind: fault.Transient},
}

// packRules read "unpack TEXT" and the messages when a whole pack was refused.
// What is worth another try comes first.
var packRules = []rule{
	{text: "early eof", says: "the pack arrived incomplete", class: broken, kind: fault.Transient},
	{text: "unexpected disconnect", says: "the pack arrived incomplete", class: broken, kind: fault.Transient},
	{text: "eof before pack header", says: "the pack arrived incomplete", class: broken, kind: fault.Transient},
	{text: "maximum allowed size", says: "the pack is over the mirror's size limit", class: size, kind: fault.Permanent},
	{text: "no space left", says: "the mirror's disk is full", class: busy, kind: fault.Transient},
	{text: "insufficient permission", says: "the mirror may not write its own files", class: busy, kind: fault.Transient},
	{text: "out of memory", says: "the mirror ran out of memory", class: busy, kind: fault.Transient},
	{text: "unresolved delta", says: "the mirror lacks the base of a delta", class: missing, kind: fault.Permanent, hint: hintDamaged, unsure: true},
	{text: "did not receive expected object", says: "the mirror lacks objects that the pack builds on", class: missing, kind: fault.Permanent, hint: hintDamaged, unsure: true},
	{text: "missing necessary objects", says: "the mirror lacks objects that the pack builds on", class: missing, kind: fault.Permanent, hint: hintDamaged, unsure: true},
	{text: "object of unexpected type", says: "the mirror lacks objects that the pack builds on", class: missing, kind: fault.Permanent, hint: hintDamaged, unsure: true},
	{text: "fsck error", says: "an object is malformed", class: content, kind: fault.Permanent, hint: hintFsck},
	{text: "gh001", says: "a file is over the mirror's size limit", class: content, kind: fault.Permanent, hint: "remove the file from the change: GitHub takes none over 100 MB"},
}

// match returns the first rule whose text is in low.
func match(rules []rule, low string) (rule, bool) {
	for _, r := range rules {
		if strings.Contains(low, r.text) {
			return r, true
		}
	}
	return rule{}, false
}

// with takes text, kind and hint from the detail behind r. A verdict over the
// whole push stays one: the detail may be about another ref than this one.
func (r rule) with(detail rule) rule {
	if r.push {
		detail.unsure = detail.class != content
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
	return cause{class: r.class, sure: !r.unsure, unclear: r.unclear, err: err}
}
