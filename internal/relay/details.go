// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// detailRules read the messages behind the reasons that say too little. What is
// definitely about the content comes first: a message may quote file names,
// which are anybody's text.
var detailRules = []rule{
	{text: "'s file size limit of", says: "a file is over the mirror's size limit", class: content, kind: fault.Permanent, hint: hintLarge, word: change.LargeFile},
	{text: "gh001", says: "a file is over the mirror's size limit", class: content, kind: fault.Permanent, hint: hintLarge, word: change.LargeFile},
	{text: "is larger than the allowed size", says: "a file is over the mirror's size limit", class: content, kind: fault.Permanent, hint: "remove the file from the change, or raise the mirror's limit", word: change.LargeFile},
	{text: "one or more blobs which exceed", says: "a file is over the mirror's size limit", class: content, kind: fault.Permanent, hint: "remove the file from the change, or raise the mirror's limit", word: change.LargeFile},
	{text: "push cannot contain secrets", says: "it holds a secret", class: content, kind: fault.Permanent, hint: hintSecret, word: change.Secret, lists: true},
	{text: "file path is restricted", says: "it touches files that a rule of the mirror restricts", class: content, kind: fault.Permanent, hint: hintRule, word: change.BrokenRule, lists: true},
	{text: "secrets detected in code changes", says: "it holds a secret", class: content, kind: fault.Permanent, hint: hintRevoke, word: change.Secret},
	{text: "gh008", says: "the mirror lacks Git LFS objects that it points at", class: content, kind: fault.Permanent, hint: hintLFS, word: change.MissingLFS},
	{text: "lfs objects are missing", says: "the mirror lacks Git LFS objects that it points at", class: content, kind: fault.Permanent, hint: hintLFS, word: change.MissingLFS},
	{text: "prohibited by the pattern", says: "it breaks a push rule of the mirror", class: content, kind: fault.Permanent, hint: hintRule, word: change.BrokenRule},
	{text: "contains the forbidden pattern", says: "it breaks a push rule of the mirror", class: content, kind: fault.Permanent, hint: hintRule, word: change.BrokenRule},
	{text: "commit message must", says: "it breaks a rule of the mirror", class: content, kind: fault.Permanent, hint: hintRule, word: change.BrokenRule},
	{text: "email must", says: "it breaks a rule of the mirror", class: content, kind: fault.Permanent, hint: hintRule, word: change.BrokenRule},
	{text: "branch name does not follow the pattern", says: "a rule of the mirror does not take this name", kind: fault.Configuration, hint: hintNaming},
	{text: "branch name must", says: "a rule of the mirror does not take this name", kind: fault.Configuration, hint: hintNaming},
	{text: "does not follow the pattern", says: "it breaks a push rule of the mirror", class: content, kind: fault.Permanent, hint: hintRule, word: change.BrokenRule},
	{text: "gh002", says: "the mirror does not take this name", kind: fault.Permanent, hint: hintName},
	{text: "gh005", says: "the mirror does not take a name as long as this", kind: fault.Permanent, hint: hintName},
	{text: "gh003", says: "the mirror forbids force pushes", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "through a pull request", says: "the ruleset wants a pull request", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "merge queue", says: "the ruleset wants a merge queue", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "required status check", says: "the ruleset wants checks that ran before", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "code scanning is waiting", says: "the ruleset wants code scanning before", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "approving review", says: "the ruleset wants a review", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "verified signatures", says: "the ruleset wants signed commits", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "must not contain merge commits", says: "the ruleset wants a linear history", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "creations being restricted", says: "the ruleset restricts who creates such refs", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "cannot update this protected ref", says: "the ruleset protects this ref", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "cannot force-push", says: "the ruleset forbids force pushes", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "cannot delete this", says: "the ruleset forbids deletes", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "through pull request", says: "the branch is protected", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "is protected and", says: "the branch is protected", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "permission denied to update branch", says: "the branch is protected", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "protected branch", says: "the branch is protected", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "is protected from", says: "the branch is protected", kind: fault.Configuration, hint: hintProtect, word: change.Protected},
	{text: "denied for writing", says: "the mirror's account may not write it", kind: fault.Configuration, hint: hintWrite},
	{text: "not allowed to push code to this project", says: "the mirror's account may not write it", kind: fault.Configuration, hint: hintWrite},
	{text: "you can only push commits", says: "the mirror takes only its account's own commits", kind: fault.Configuration, hint: hintPushRule},
	{text: "is not a member of team", says: "the mirror takes only commits of its members", kind: fault.Configuration, hint: hintPushRule},
	{text: "commit must be signed", says: "the mirror wants signed commits", kind: fault.Configuration, hint: hintPushRule},
	{text: "exceeded its size limit", says: "the mirror's quota is used up", kind: fault.Configuration, hint: "raise the mirror's size limit"},
	{text: "exceed the size limit", says: "the mirror's quota is used up", kind: fault.Configuration, hint: "raise the mirror's size limit"},
	{text: "exists; cannot create", says: "another ref's name is in the way", kind: fault.Configuration, hint: hintInTheWay},
	{text: ".lock': file exists", says: "the ref is locked by another writer", class: busy, kind: fault.Transient},
}

// brokenRules are the words of hooks that broke or could not ask their own
// server. git gives the same reason for them as for a verdict.
var brokenRules = []rule{
	brokenHook("gh009: git lfs object integrity could not be checked"),
	brokenHook("internal server"), // Gitea, GitLab
	brokenHook("internal api"),    // GitLab
	brokenHook("api is not accessible"),
	brokenHook("failed to connect"),
	brokenHook("connection refused"),
	brokenHook("connection reset"),
	brokenHook("could not resolve"),
	brokenHook("timeout"),
	brokenHook("timed out"),
	brokenHook("execution expired"),
	brokenHook("bad gateway"),
	brokenHook("service unavailable"),
	brokenHook("temporarily unavailable"),
	brokenHook("no space left"),
	brokenHook("out of memory"),
	brokenHook("cannot allocate memory"),
	brokenHook("killed"),
	brokenHook("command not found"),
	brokenHook("no such file or directory"),
	brokenHook("permission denied"),
	brokenHook("traceback (most recent call last)"),
}

func brokenHook(text string) rule {
	return rule{text: text, says: "the mirror's own check broke", class: busy, kind: fault.Transient, hint: "nothing is held against the change: the next pass tries again"}
}

// packRules read "unpack TEXT", the reasons and the messages when a whole pack
// was refused. What is worth another try comes first.
var packRules = []rule{
	{text: "early eof", says: "the pack arrived incomplete", class: broken, kind: fault.Transient},
	{text: "eof before pack header", says: "the pack arrived incomplete", class: broken, kind: fault.Transient},
	{text: "maximum allowed size", says: "the pack is over the mirror's size limit", class: size, kind: fault.Permanent, word: change.TooLarge},
	{text: "pack exceeds the limit", says: "the pack is over the mirror's size limit", class: size, kind: fault.Permanent, word: change.TooLarge},
	{text: "object too large", says: "a file is over the mirror's size limit", class: content, kind: fault.Permanent, hint: "remove the file from the change, or raise the mirror's limit", word: change.LargeFile},
	{text: "no space left", says: "the mirror's disk is full", class: busy, kind: fault.Transient},
	{text: "disk quota", says: "the mirror's disk is full", class: busy, kind: fault.Transient},
	{text: "temporary object directory", says: "the mirror may not write its own files, or its disk is full", class: busy, kind: fault.Transient},
	{text: "insufficient permission", says: "the mirror may not write its own files", class: busy, kind: fault.Transient},
	{text: "out of memory", says: "the mirror ran out of memory", class: busy, kind: fault.Transient},
	{text: "signal", says: "the mirror's git was killed", class: busy, kind: fault.Transient},
	{text: "unresolved delta", says: "the mirror lacks the base of a delta", class: missing, kind: fault.Permanent, hint: hintDamaged},
	{text: "did not receive expected object", says: "the mirror lacks objects that the pack builds on", class: missing, kind: fault.Permanent, hint: hintDamaged},
	{text: "error missing ", says: "the mirror lacks objects that the pack builds on", class: missing, kind: fault.Permanent, hint: hintDamaged},
	{text: "object of unexpected type", says: "the mirror lacks objects that the pack builds on", class: missing, kind: fault.Permanent, hint: hintDamaged},
	azureSecret, azureEmail,
}
