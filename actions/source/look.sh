#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Says whether the source must be made, as the output "missing". A download that
# was cut short counts as none, and so does an artifact of this name that another job
# of the calling workflow has put in its place.
set -euo pipefail

# commit prints the commit that is checked out in the archive, all of which is read.
commit() { tar --extract --gzip --to-stdout --file source.tar.gz source/.git/HEAD 2>/dev/null; }

missing=false
if [[ ${MAKE:-} == true ]]; then
  missing=true
elif ! head=$(commit) || [[ $head != "${REVISION:?}" ]]; then
  missing=true
  if gzip --test source.tar.gz 2>/dev/null; then
    echo "::warning::the artifact source of this run does not have the revision in it: does another job upload one of that name? The revision is checked out again"
  else
    echo "::notice::the packed source of this run is gone, as artifacts go after their time: the revision is checked out again. If that fails, comment 'recheck' on the change, or run all jobs again"
  fi
  rm -rf source.tar.gz
fi
printf 'missing=%s\n' "$missing" >>"${GITHUB_OUTPUT:?}"
