#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
set -euo pipefail

mkdir -p "$TO"
if [[ -n $NAME ]]; then
  if [[ ! -d /artifacts/$NAME ]]; then
    echo "::error::Unable to download artifact(s): Artifact not found for name: $NAME"
    exit 1
  fi
  cp -r -- "/artifacts/$NAME/." "$TO"
  exit
fi
for artifact in /artifacts/*/; do
  artifact=${artifact%/}
  # shellcheck disable=SC2053 # it is a pattern
  if [[ -d $artifact && ${artifact##*/} == ${PATTERN:-*} ]]; then
    cp -r -- "$artifact" "$TO"
    echo "Downloaded ${artifact##*/}"
  fi
done
