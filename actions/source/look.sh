#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Says whether the source must be made, as the output "missing". A download that
# was cut short counts as none.
set -euo pipefail

missing=false
if [[ ${MAKE:-} == true ]]; then
  missing=true
elif ! gzip --test source.tar.gz 2>/dev/null; then
  missing=true
  rm -rf source.tar.gz
  echo "::notice::the packed source of this run is gone, as artifacts go after their time: the revision is checked out again. If that fails, comment 'recheck' on the change, or run all jobs again"
fi
printf 'missing=%s\n' "$missing" >>"${GITHUB_OUTPUT:?}"
