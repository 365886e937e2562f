#!/usr/bin/env bash
# Installs what SPDK's own scripts ask for, and what its tests run besides.
set -euo pipefail
cd "$(dirname "$0")"
export DEBIAN_FRONTEND=noninteractive

# A host that is away for a moment must not cost a week's image.
retry() {
  local try
  for try in 1 2 3; do
    if "$@"; then return; fi
    printf 'image: "%s" failed at try %d of 3\n' "$*" "$try" >&2
    sleep $((try * 20))
  done
  return 1
}
packages() { retry apt-get -qq -o Acquire::Retries=3 install -y --no-install-recommends "$@" >/dev/null; }

retry apt-get -qq update
packages ca-certificates ccache curl git python3 python3-pip python3-venv sudo

# Switches are words of their own.
# shellcheck disable=SC2086
retry source/scripts/pkgdep.sh $PKGDEP_FLAGS

# Fio's plugins are built against its source, in /usr/src/fio; autorun.sh ends with
# /usr/local/FlameGraph, and fails without.
sources() {
  rm -rf /tmp/sources
  GIT_REPOS=/tmp/sources NO_TSOCKS=true source/test/common/config/autotest_setup.sh --test-conf="$AUTOTEST_CONF"
}
retry sources
rm -rf /tmp/sources

# column (bsdextrautils) prints SPDK's report of a failure; sgdisk and parted are for
# its tests with partitions.
packages bc bsdextrautils gdb gdisk ethtool iproute2 jq keyutils kmod lcov nvme-cli parted pciutils procps psmisc \
  sg3-utils shellcheck socat udev xfsprogs xxd \
  gcc g++ make nasm libcunit1-dev libaio-dev libnuma-dev libssl-dev uuid-dev
rm -rf /var/lib/apt/lists/*

# Tests run as root on sources that others own.
git config --system --add safe.directory '*'
