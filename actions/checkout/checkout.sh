#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Checks out one commit, from the mirror or else from Gerrit. What Gerrit sent
# may be hostile: everything comes in variables, is checked here, and reaches no
# other shell. The token is only in git's environment, for the one fetch.
set -euo pipefail

fail() {
  printf '::error::%s\n' "$1"
  exit 1
}
# show makes outside text fit for a message: one line, no workflow command.
show() { printf '%s' "${1:0:100}" | tr -c '[:alnum:]/._~:+-' '?'; }

[[ ${REVISION:-} =~ ^[0-9a-f]{40}$ ]] ||
  fail "revision is \"$(show "${REVISION:-}")\", not a commit of 40 hex digits: pass the input revision on as the dispatcher sent it"
[[ ${REPOSITORY:-} =~ ^[A-Za-z0-9][A-Za-z0-9-]*/[A-Za-z0-9._-]+$ ]] ||
  fail "repository is \"$(show "${REPOSITORY:-}")\", not OWNER/NAME: set the input mirror or the variable SPDK_REPOS_NAME"
[[ ${DEPTH:=2} =~ ^[0-9]{1,9}$ ]] ||
  fail "depth is \"$(show "$DEPTH")\", not a number of commits: 1 is the commit alone, 0 the whole history"
[[ ${TAGS:=local} =~ ^(local|all|none)$ ]] ||
  fail "tags is \"$(show "$TAGS")\": it may be local, all or none"
if [[ -e $FOLDER && -n $(ls -A "$FOLDER") ]]; then fail "the folder $(show "$FOLDER") is not empty"; fi

# No configuration of the host, no prompts, no credentials, no hooks.
export GIT_TERMINAL_PROMPT=0 GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_NOSYSTEM=1 GIT_ADVICE=0
git -c init.defaultBranch=main init --quiet "$FOLDER"
cd "$FOLDER"

options=(--quiet --no-recurse-submodules --no-tags)
if [[ $TAGS == all ]]; then options+=(--tags); fi # the last one counts
if ((10#$DEPTH > 0)); then options+=("--depth=$((10#$DEPTH))"); fi

# fetch URL WHAT [HEADER] brings one commit into FETCH_HEAD.
fetch() {
  GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.extraHeader GIT_CONFIG_VALUE_0=${3:-} \
    timeout 900 git fetch "${options[@]}" -- "$1" "$2"
}

from_gerrit() {
  [[ ${GERRIT_URL:-} =~ ^https?://[^@[:space:]]+$ && ${GERRIT_PROJECT:-} =~ ^[A-Za-z0-9][A-Za-z0-9._/-]*$ ]] || return 1
  [[ ${GERRIT_REF:-} =~ ^refs/changes/[0-9]{2}/[0-9]+/[0-9]+$ ]] || return 1
  printf 'the mirror lacks %s: trying Gerrit\n' "$REVISION"
  fetch "${GERRIT_URL%/}/$GERRIT_PROJECT" "$GERRIT_REF" && [[ $(git rev-parse FETCH_HEAD) == "$REVISION" ]]
}

mirror=${SERVER_URL%/}/$REPOSITORY
header=
if [[ -n ${TOKEN:-} ]]; then header="Authorization: Basic $(printf 'x-access-token:%s' "$TOKEN" | base64 -w 0)"; fi
if fetch "$mirror" "$REVISION" "$header"; then
  remote=$mirror
elif from_gerrit; then
  remote=${GERRIT_URL%/}/$GERRIT_PROJECT
else
  fail "the commit $REVISION is gone: neither $REPOSITORY nor Gerrit has it. Was the patchset replaced, or its change closed long ago? Comment 'recheck' on the change to start anew"
fi
git checkout --quiet --detach "$REVISION"

# Builds ask git describe for a version (SPDK's autobuild.sh stops without one).
# An annotated tag answers it with and without --tags, and needs no history.
if [[ $TAGS != none ]] && ! git describe --tags >/dev/null 2>&1; then
  GIT_COMMITTER_NAME=checkout GIT_COMMITTER_EMAIL=checkout@localhost \
    git tag --force --annotate --message "made by the checkout, on no server" "patchset-${REVISION:0:12}" HEAD
fi

# Relative addresses in .gitmodules are seen from the remote. git itself refuses
# commands and local files there.
git remote add origin "$remote"
if [[ ${SUBMODULES:-} == true && -e .gitmodules ]]; then
  timeout 1500 git submodule --quiet update --init --recursive --depth=1 ||
    timeout 1500 git submodule --quiet update --init --recursive ||
    fail "a submodule of $REVISION could not be checked out: see the lines above; does its commit exist upstream?"
fi
printf 'checked out %s from %s\n' "$REVISION" "$remote"
