#!/usr/bin/env bash
# Installs what SPDK's own script asks for, and tools for NVMe.
set -euo pipefail
cd "$(dirname "$0")"
export DEBIAN_FRONTEND=noninteractive

apt-get -qq update
apt-get -qq install -y --no-install-recommends ca-certificates git python3 python3-pip python3-venv sudo >/dev/null

# Switches are words of their own.
# shellcheck disable=SC2086
source/scripts/pkgdep.sh ${PKGDEP_FLAGS:---all}

apt-get -qq install -y --no-install-recommends \
  fio nvme-cli pciutils sg3-utils kmod iproute2 gdb jq lcov shellcheck \
  gcc g++ make nasm libcunit1-dev libaio-dev libnuma-dev libssl-dev uuid-dev >/dev/null
rm -rf /var/lib/apt/lists/*
