#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# As actions/upload-artifact v7: a character that is refused in a name, or in the
# name of one file, and nothing is uploaded (actions/toolkit, packages/artifact,
# path-and-artifact-name-validation.ts); hidden files are left out.
set -euo pipefail

to=/artifacts/$NAME
if [[ ! -e $FROM || -d $FROM && -z $(find "$FROM" -type f -print -quit) ]]; then
  message="No files were found with the provided path: $FROM. No artifacts will be uploaded."
  case $NONE in
    error) echo "::error::$message" && exit 1 ;;
    ignore) echo "$message" ;;
    *) echo "::warning::$message" ;;
  esac
  exit 0
fi
refused='[":<>|*?]'
if [[ $NAME =~ $refused || $NAME == *[/\\]* ]]; then
  echo "::error::The artifact name is not valid: $NAME."
  exit 1
fi
bad=$(cd "$(dirname "$FROM")" && find "$(basename "$FROM")" -name '*[":<>|*?]*' -print -quit)
if [[ -n $bad ]]; then
  echo "::error::The path for one of the files in artifact is not valid: $bad."
  exit 1
fi
if [[ -e $to && $OVERWRITE != true ]]; then
  echo "::error::Failed to CreateArtifact: Received non-retryable error: Failed request: (409) Conflict: an artifact with this name already exists on the workflow run"
  exit 1
fi
# Whoever looks sees all of it or nothing.
part=$(mktemp -d /artifacts/.part-XXXXXX)
if [[ -d $FROM ]]; then cp -r -- "$FROM/." "$part"; else cp -- "$FROM" "$part"; fi
find "$part" -mindepth 1 -name '.*' -exec rm -rf {} +
chmod -R a+rX "$part"
rm -rf "$to"
mv "$part" "$to"
echo "Artifact $NAME has been successfully uploaded: $(find "$to" -type f | wc -l) files"
