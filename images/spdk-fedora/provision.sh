#!/usr/bin/env bash
# Installs what SPDK's own scripts ask for, and what its tests run besides.
set -euo pipefail
cd "$(dirname "$0")"

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
packages() { retry dnf -q -y install --setopt=install_weak_deps=False "$@"; }

packages ca-certificates ccache curl diffutils findutils gawk git patch procps-ng python3 python3-pip sudo tar which

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

# column (util-linux) prints SPDK's report of a failure; sgdisk and parted are for its
# tests with partitions, perl's modules for flamegraph.pl.
packages bc e2fsprogs ethtool gdb gdisk iproute jq keyutils kmod lcov nvme-cli parted pciutils perl-Getopt-Long perl-open psmisc \
  sg3_utils ShellCheck socat systemd-udev util-linux xfsprogs xxd \
  gcc gcc-c++ libasan libubsan make nasm CUnit-devel libaio-devel numactl-devel openssl-devel libuuid-devel
dnf -q clean all

# Tests run as root on sources that others own.
git config --system --add safe.directory '*'
