#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
set -euo pipefail

git -c init.defaultBranch=main init --quiet "$FOLDER"
cd "$FOLDER"
GIT_CONFIG_COUNT=1 GIT_CONFIG_KEY_0=http.extraHeader GIT_CONFIG_VALUE_0="Authorization: Basic $(printf 'x-access-token:%s' "$TOKEN" | base64 -w 0)" \
  git fetch --quiet --no-tags --depth=1 -- "$GITHUB_SERVER_URL/$REPOSITORY" "$REF"
git -c advice.detachedHead=false checkout --quiet --force FETCH_HEAD
git log -1 --format='HEAD is now at %H'
# act builds a container action from all files, .dockerignore or not: .git would
# make every build a new one.
rm -rf .git
