#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Checks out one commit, from the mirror or else from Gerrit, with submodules.
# What Gerrit sent and what a patchset holds may be hostile: it comes in
# variables, is checked before it is used, and reaches no other shell.
#
# Where the patchset itself is at fault (a submodule of a commit that nobody has),
# that is said in a mark which verdicts read: the change is told that it failed.
# All else, a host that does not answer above all, is a set-up that failed.
set -euo pipefail
here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
# shellcheck source=actions/checkout/git.sh
. "$here/git.sh"
# shellcheck source=actions/checkout/folder.sh
. "$here/folder.sh"
# shellcheck source=actions/checkout/submodules.sh
. "$here/submodules.sh"

[[ ${REVISION:-} =~ ^[0-9a-f]{40}$ ]] ||
  fail "revision is \"$(show "${REVISION:-}")\", not a commit of 40 hex digits: pass the input revision on as the dispatcher sent it"
[[ ${REPOSITORY:-} =~ ^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$ ]] ||
  fail "repository is \"$(show "${REPOSITORY:-}")\", not OWNER/NAME: set the input mirror or the variable SPDK_REPOS_NAME"
[[ ${DEPTH:=2} =~ ^[0-9]{1,9}$ ]] ||
  fail "depth is \"$(show "$DEPTH")\", not a number of commits: 1 is the commit alone, 0 the whole history"
[[ ${TAGS:=local} =~ ^(local|all|none)$ ]] ||
  fail "tags is \"$(show "$TAGS")\": it may be local, all or none"
[[ ${FILTER:=auto} =~ ^(auto|blob:none|none)$ ]] ||
  fail "filter is \"$(show "$FILTER")\": it may be auto, blob:none or none"
check_submodule_inputs

quiet
clear_folder "${FOLDER:=source}"
git -c init.defaultBranch=main init --quiet "$FOLDER"
cd "$FOLDER"
top=$PWD

options=(--quiet --no-recurse-submodules --no-tags)
if [[ $TAGS == all ]]; then options+=(--tags); fi # the last one counts
if ((10#$DEPTH > 0)); then options+=("--depth=$((10#$DEPTH))"); fi
# A checkout needs all files of its commit: leaving blobs out saves those of old ones.
if [[ $FILTER == auto ]] && ((10#$DEPTH == 0)); then FILTER=blob:none; fi
if [[ $FILTER == blob:none ]]; then options+=(--filter=blob:none); fi

# fetch URL WHAT brings one commit from there, which is then the remote.
fetch() {
  git config remote.origin.url "$1"
  note limited 900 git fetch "${options[@]}" origin "$2"
}

from_gerrit() {
  [[ ${GERRIT_URL:-} =~ ^https?://[^@[:space:]]+$ && ${GERRIT_PROJECT:-} =~ ^[A-Za-z0-9][A-Za-z0-9._/-]*$ ]] || return 1
  [[ ${GERRIT_REF:-} =~ ^refs/changes/[0-9]{2}/[0-9]+/[0-9]+$ ]] || return 1
  printf 'the mirror lacks %s: trying Gerrit\n' "$REVISION"
  fetch "${GERRIT_URL%/}/$GERRIT_PROJECT" "$GERRIT_REF" && [[ $(git rev-parse FETCH_HEAD) == "$REVISION" ]]
}

# An expired token is refused where none would have done, and a renamed mirror redirects.
from_mirror() {
  with_token "$mirror" fetch "$mirror" "$REVISION" || { [[ -n $token ]] && tokenless fetch "$mirror" "$REVISION"; }
}

mirror=${SERVER_URL%/}/$REPOSITORY
from_mirror || from_gerrit ||
  fail "the commit $REVISION is gone: neither $REPOSITORY nor Gerrit has it. Was the patchset replaced, or its change closed long ago? Comment 'recheck' on the change to start anew. A private mirror wants a token that may read it, and its own address, not one that redirects to it"
remote=$(git config remote.origin.url)
git config remote.origin.fetch '+refs/heads/*:refs/remotes/origin/*'
forget_filter

# Files that a partial clone has left out are fetched now.
if [[ $FILTER == blob:none ]]; then with_files() { with_token "$mirror" "$@"; }; else with_files() { "$@"; }; fi
if ! with_files note git checkout --quiet --detach "$REVISION"; then
  # In an empty folder only the tree's own .git can be in the way of anything.
  if grep -qE "^error: (invalid path |.*: File name too long$|The following untracked )" "$noted"; then
    blame "the files of $REVISION cannot be checked out: $(show "$(grep -m1 '^error: ' "$noted")")"
  fi
  fail "the files of $REVISION could not be checked out: see the lines above"
fi
if [[ $FILTER == blob:none ]]; then # what the commit changes is asked for later, without a token
  with_files git diff-tree -p -r HEAD >/dev/null || true
fi

# Builds ask git describe for a version (SPDK's autobuild.sh stops without one).
# An annotated tag answers it with and without --tags, and needs no history.
if [[ $TAGS != none ]] && ! git describe --tags >/dev/null 2>&1; then
  GIT_COMMITTER_NAME=checkout GIT_COMMITTER_EMAIL=checkout@localhost \
    git tag --force --annotate --message "made by the checkout, on no server" "patchset-${REVISION:0:12}" HEAD
fi

if [[ ${SUBMODULES:-} =~ ^(true|recursive)$ ]]; then submodules_of_commit; fi
loud
printf 'checked out %s from %s\n' "$REVISION" "$remote"
