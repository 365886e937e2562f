#!/usr/bin/env bash
# Builds and tests as a file of variables asks for it: autorun.sh AUTO.CONF
set -euo pipefail
conf=$(realpath "$1")
cd "$(dirname "$0")"
source "$conf"
export output_dir=${output_dir:-$PWD/../output}
mkdir -p "$output_dir"
./configure
if [[ ${SPDK_TEST_UNITTEST:-0} == 1 ]]; then test/unit/unittest.sh; fi
date -u +%FT%TZ >"$output_dir/finished"
