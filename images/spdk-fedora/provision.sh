#!/usr/bin/env bash
# Installs what SPDK's own script asks for, and tools for NVMe.
set -euo pipefail
cd "$(dirname "$0")"

dnf -q -y install --setopt=install_weak_deps=False git python3 python3-pip sudo which procps-ng findutils

# Switches are words of their own.
# shellcheck disable=SC2086
source/scripts/pkgdep.sh ${PKGDEP_FLAGS:---all}

dnf -q -y install --setopt=install_weak_deps=False \
  fio nvme-cli pciutils sg3_utils kmod iproute gdb jq lcov ShellCheck \
  gcc gcc-c++ make nasm CUnit-devel libaio-devel numactl-devel openssl-devel libuuid-devel
dnf -q clean all
