// SPDX-License-Identifier: BSD-3-Clause

// Package gerrit is a stand-in for a Gerrit server: its REST API and git smart
// HTTP over true bare repositories, with builder calls that play the people who
// push, vote, rebase and submit.
//
// It answers what package internal/gerrit and git ask for, in the form of
// Gerrit 3.13, and 404 to everything else, which Unplanned lists. Reviews go
// through the rules that decide about votes, comments, mail and the attention
// set. It has no web pages, no events, no access rules beyond private changes,
// blind accounts and label ranges, and takes no pushes over HTTP: changes come from
// the builder.
//
// # Where its behaviour comes from
//
// "Seen" is seen on a real Gerrit 3.13.5; names with a # are methods in Gerrit's
// source (some 3.x, compared with the strings and byte code of 3.13.5), the rest are
// pages of its documentation. The parity tests in package e2e (TestReviewParity,
// TestReviewIsRead and their neighbours) play the same story on both.
//
// Who sees what:
//
//   - Hidden and missing changes are both 404 "Not found: ID", and queries leave
//     them out: ChangesCollection#parse, seen. ID is as in the path, unescaped.
//   - A private change is seen by its owner, its reviewers, those in CC and accounts
//     with View Private Changes, so also by a bot that has voted on it or said
//     something: ChangeControl#isPrivateVisible, intro-user "Private Changes", seen.
//   - Who posts without voting is put in CC: PostReview#runBatchUpdate.
//   - 401 "Unauthorized" for a wrong password and for an inactive account: seen. User
//     names are found whatever their case on sites made since 3.5 (Init writes
//     auth.userNameCaseInsensitive = true): seen. Switch: CaseSensitiveNames.
//   - An account that may not read refs/meta/config gets access rights without any
//     permission in them: GetAccess, seen. Switch: ShowAccess.
//
// What a change is called:
//
//   - project~number means one change, whatever was imported; the name is unescaped in
//     "Not found: ID": ChangeFinder#find, ResourceNotFoundException.
//   - A number that several changes have is 404 "Multiple changes found for N":
//     ChangesCollection#parse. Releases from 3.7 to 3.11 do not find an imported change
//     by its number at all ("Lookup by change number in ChangeFinder::find").
//   - virtual_id_number is _number, but for imported changes, whose numbers are made
//     unique with the place of their server's id: rest-api-changes (ChangeInfo, since
//     3.9), ChangeNumberBitmapMaskAlgorithm. Switch: NoVirtualIDs.
//   - Apache httpd answers a path with %2F by itself, 404 and its page, and sends a
//     plain slash on where AllowEncodedSlashes is On: core.html of its documentation.
//     Gerrit then finds no change, group or project of the name before the slash.
//     Groups are found by name in a query, too (3.13.5: /groups/?g=). Switch: Slashes.
//
// Votes:
//
//   - A value out of the account's range refuses the whole review: 403 `Applying
//     label "X": N is restricted`; unknown labels and values are dropped without a
//     word, or 400 where change.strictLabels is set; nothing is clamped; 0 is always
//     taken; labels are found whatever their case, and the answer has the request's
//     spelling: PostReview#checkLabels, LabelTypes#byLabel, seen.
//   - permitted_labels has no label of which only 0 is left, nothing at all on an
//     abandoned change, and on a merged one no value below the vote that stands:
//     LabelsJson#permittedLabels, seen.
//   - 409 "change is closed" for another vote on an abandoned change, "Cannot reduce
//     vote on labels for closed change: X" on a merged one: PostReviewOp
//     #validatePostSubmitLabels, seen.
//   - A new patchset takes over the votes whose copyCondition holds, with their tag;
//     their date is that of the patchset (seen), before 3.6, when copies were made
//     up on reading, the vote's own (read in others' reports). Switch:
//     OwnVoteDates. A vote on an older patchset goes along to the newer ones without
//     its tag: PostReviewOp#updateCopiedApprovalsOnFollowUpPatchSets, seen. The same
//     vote again makes a copy one of its own and is a new vote in the message: seen.
//   - changekind: REWORK means every kind, TRIVIAL_REBASE and NO_CODE_CHANGE also
//     NO_CHANGE: ChangeKind#matches.
//   - Moving a change keeps its patchset and takes its votes, but for blocking ones:
//     rest-api-changes "Move Change", seen with a label that blocks nothing.
//
// Messages, comments and mail:
//
//   - Their size and sum (MaxText): CommentSizeValidator,
//     CommentCumulativeSizeValidator, seen; earlier messages of programs do not count
//     for the sum, a new one does. Paths and lines: CommentsValidator, seen.
//   - MaxUpdates: NoteDbUpdateManager, LimitExceededException, seen: 409, also for
//     Restore; abandoning goes. Only reviews are held to it here.
//   - What is wrong with a review is told in this order: labels, comments' places,
//     attention set, sizes, state, updates: PostReview#apply and #runBatchUpdate.
//   - Who is mailed: PostReview#defaultNotify. A change that was never ready mails
//     nobody by itself. Accounts in notify_details are mailed whatever notify says, if
//     they may see the change: rest-api-changes, commit of Gerrit's Change
//     Id112b70158b80f84f631b5022f33228871716108; one that is not found is a 400 for the
//     whole review: NotifyResolver#find, read.
//   - Message ids have 40 hex digits, comment ids are 8_8 ones (here 8); a
//     message's text begins with "Patch Set N:" and the votes: PostReviewOp
//     #insertMessage, seen. A tag is kept with its outer spaces cut off: seen.
//   - Times have whole seconds (NoteDb is git), written with nine digits: seen.
//
// The attention set:
//
//   - Only owner, uploader, reviewers and those in CC can be in it: ChangeUpdate. Who
//     cannot be found, or may not read the change, is left out without a word:
//     ReplyAttentionSetUpdates#addToAttentionSet of 3.9.1 and 3.13.5, seen. Releases
//     about 3.5 refused the whole review: 422, in reports. Switch: StrictAttention.
//   - An inactive account is found by its number alone, and is called then:
//     AccountResolver, seen. It is marked in AccountInfo where DETAILED_ACCOUNTS is
//     asked for: seen.
//
// Queries:
//
//   - Sorted by the time of the last update, cut at the account's limit, the last
//     change marked with _more_changes: QueryChanges, QueryProcessor, seen. A change
//     that cannot be shown leaves its place empty, so a page comes back short, or
//     without any change to bear the mark: QueryChanges#query. Switch: Break.
//   - The index may be late (rest-api-changes, index.indexChangesAsync, replicas): a
//     query matches and shows what it knows, messages come from NoteDb as they are
//     now (ChangeJson). How late is up to a server. Switch: SetLag. That the index
//     decides who sees a change that has just become private is a guess.
//   - commit: finds a change by any of its patchsets: CommitPredicate, user-search.
//   - The branches that have a commit: IncludedIn, rest-api-projects "Get Included
//     In"; 404 for one that no visible ref reaches: CommitsCollection#parse.
package gerrit
