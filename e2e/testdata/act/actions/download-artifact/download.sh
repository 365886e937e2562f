#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# As actions/download-artifact v8 (src/download-artifact.ts): a name that is not
# there is an error, and a pattern that nothing matches is none; a single artifact
# goes flat into the folder, several go into a folder each.
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
found=()
for artifact in /artifacts/*/; do
  artifact=${artifact%/}
  # shellcheck disable=SC2053 # it is a pattern
  if [[ -d $artifact && ${artifact##*/} == ${PATTERN:-*} ]]; then
    found+=("$artifact")
  fi
done
for artifact in "${found[@]}"; do
  if ((${#found[@]} == 1)); then
    cp -r -- "$artifact/." "$TO"
  else
    cp -r -- "$artifact" "$TO"
  fi
done
echo "Total of ${#found[@]} artifact(s) downloaded"
