#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Installs the dispatcher for the steps that follow, from the first of these:
# BINARY or DISPATCHER_BINARY, a program that is here; the release that
# checksums.txt beside this script names, checked against it; or the source that
# this script is part of. DISPATCHER_BINARY is the runner's own: its file .env
# becomes the environment of all its processes (actions/runner, Program.cs,
# LoadAndSetEnv), and no expression sees it (actions/runner#740).
# checksums.txt comes with the commit that the caller pinned, so whoever can
# change what is downloaded cannot change what is accepted.
set -euo pipefail

here=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
target=${RUNNER_TEMP:?run this as an action, on a runner}/dispatcher-bin
downloads=${DISPATCHER_DOWNLOADS:-https://github.com/spdk-community-ci/dispatcher/releases/download}

fail() {
  printf '::error::%s\n' "$1"
  exit 1
}

platform() {
  local arch
  case $(uname -m) in
    x86_64) arch=amd64 ;;
    aarch64) arch=arm64 ;;
    *) fail "there is no release of the dispatcher for $(uname -m): build it there, and name it with DISPATCHER_BINARY" ;;
  esac
  [[ $(uname -s) == Linux ]] || fail "the dispatcher runs on Linux, not on $(uname -s): use another runner"
  printf 'linux-%s' "$arch"
}

# download fetches a release's program; a wrong checksum is never installed. No
# redirect leads from https to http.
download() {
  local name=$1 sha256=$2 version=$3 part protocols='=https'
  part=$target/.part
  [[ $downloads != http://* ]] || protocols='=https,http'
  curl --fail --silent --show-error --location --proto "$protocols" --retry 3 --max-time 300 \
    --output "$part" "$downloads/$version/$name" ||
    fail "the dispatcher $version could not be downloaded: see the line above; a host without a way to GitHub needs DISPATCHER_BINARY"
  printf '%s  %s\n' "$sha256" "$part" | sha256sum --check --status ||
    fail "what was downloaded as the dispatcher $version has another checksum than its release: nothing was installed"
  mv "$part" "$target/dispatcher"
}

build() {
  command -v go >/dev/null ||
    fail "this commit of the dispatcher is no release, and there is no Go here to build it: use a release (v1), install Go, or set DISPATCHER_BINARY"
  printf 'this commit of the dispatcher is no release: it is built for this job; a release (v1) is downloaded\n'
  (cd "$here/../.." && CGO_ENABLED=0 go build -trimpath -o "$target/dispatcher" .) ||
    fail "the dispatcher could not be built: see the lines above; a release (v1) needs no build"
}

mkdir -p "$target"
binary=${BINARY:-${DISPATCHER_BINARY:-}}
if [[ -n $binary ]]; then
  [[ -f $binary && -x $binary ]] || fail "DISPATCHER_BINARY, or the input binary, names $binary, which is no program here"
  cp "$binary" "$target/dispatcher"
elif [[ -s $here/checksums.txt ]]; then
  name=dispatcher-$(platform)
  # The form of sha256sum, below a line "# VERSION".
  version=$(sed -n 's/^# \(v[0-9][0-9A-Za-z.-]*\)$/\1/p' "$here/checksums.txt")
  sha256=$(awk -v name="$name" '$2 == name { print $1 }' "$here/checksums.txt")
  [[ -n $version && -n $sha256 ]] || fail "checksums.txt does not name $name: this commit of the dispatcher is damaged, use another one"
  download "$name" "$sha256" "$version"
else
  build
fi
chmod 0755 "$target/dispatcher"
printf '%s\n' "$target" >>"${GITHUB_PATH:?}"
version=$("$target/dispatcher" version)
printf 'version=%s\n' "${version#dispatcher }" | tee -a "${GITHUB_OUTPUT:?}"
