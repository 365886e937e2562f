#!/usr/bin/env bash
# SPDX-License-Identifier: BSD-3-Clause
#
# Makes the guest that the end-to-end tests boot: Debian 12 with cloud-init, an
# SSH server and nvme-cli on a disk that starts from a BIOS. It needs root, and
# mmdebstrap, e2fsprogs, fdisk and qemu-utils; nothing is mounted.
#
#   scripts/build-test-guest.sh IMAGE.qcow2

set -euo pipefail

readonly image=${1:?give the file to write}
readonly size_mib=1400
readonly packages=linux-image-cloud-amd64,systemd-sysv,udev,dbus,openssh-server,cloud-init,ifupdown,isc-dhcp-client,iproute2,netbase,sudo,nvme-cli,pciutils,grub-pc-bin,grub-common

work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

fail() {
  printf 'build-test-guest: %s\n' "$*" >&2
  exit 1
}

check_tools() {
  local tool
  ((EUID == 0)) || fail "this must run as root"
  for tool in mmdebstrap mke2fs sfdisk qemu-img; do
    command -v "$tool" >/dev/null || fail "$tool was not found (run scripts/install-tools.sh packages)"
  done
}

# essential chooses an initramfs that is quick to make and to unpack.
write_essential() {
  cat >"$work/essential" <<'SCRIPT'
#!/bin/sh
set -eu
mkdir -p "$1/etc/initramfs-tools/conf.d"
printf 'MODULES=most\nCOMPRESS=lz4\n' >"$1/etc/initramfs-tools/conf.d/test"
SCRIPT
  chmod +x "$work/essential"
}

# customize is what mmdebstrap runs with the new system's folder as $1.
# Everything that a test does not need and that makes the start slower goes.
write_customize() {
  cat >"$work/customize" <<'SCRIPT'
#!/bin/sh
set -eu
root=$1
echo 'LABEL=root / ext4 defaults 0 1' >"$root/etc/fstab"
echo guest >"$root/etc/hostname"
rm -f "$root/etc/machine-id" "$root"/etc/ssh/ssh_host_*
: >"$root/etc/machine-id"
cat >"$root/etc/cloud/cloud.cfg.d/90_test.cfg" <<'CFG'
datasource_list: [NoCloud]
disable_root: false
cloud_init_modules: [growpart, resizefs, set_hostname, users-groups, ssh]
cloud_config_modules: []
cloud_final_modules: []
CFG
for unit in apt-daily.timer apt-daily-upgrade.timer e2scrub_all.timer e2scrub_reap.service fstrim.timer dpkg-db-backup.timer \
  cloud-config.service cloud-final.service nvmf-autoconnect.service systemd-binfmt.service; do
  ln -sf /dev/null "$root/etc/systemd/system/$unit"
done
# The boot loader, with its configuration in it, is written behind the MBR.
cat >"$root/tmp/grub.cfg" <<'CFG'
serial --unit=0 --speed=115200
terminal_output serial
search --no-floppy --label root --set=root
linux /vmlinuz root=LABEL=root ro console=ttyS0 panic=-1 net.ifnames=0 mitigations=off
initrd /initrd.img
boot
CFG
chroot "$root" grub-mkimage -O i386-pc -o /tmp/core.img -c /tmp/grub.cfg -p /boot/grub \
  biosdisk part_msdos ext2 linux search search_label serial terminal
cat "$root/usr/lib/grub/i386-pc/boot.img" >"$WORK/boot.img"
cat "$root/tmp/core.img" >"$WORK/core.img"
rm -f "$root/tmp/core.img" "$root/tmp/grub.cfg"
SCRIPT
  chmod +x "$work/customize"
}

# assemble puts the boot loader in front of the file system. boot.img loads the
# sector behind it, where core.img begins.
assemble() {
  local disk=$work/disk.raw
  truncate -s "${size_mib}M" "$disk"
  echo '2048,,83,*' | sfdisk -q "$disk"
  dd status=none conv=notrunc if="$work/boot.img" of="$disk" bs=440 count=1
  dd status=none conv=notrunc if="$work/core.img" of="$disk" bs=512 seek=1
  mke2fs -q -t ext4 -L root -O ^metadata_csum_seed -E offset=1048576 -d "$work/root" "$disk" "$((size_mib - 1))M"
  qemu-img convert -O qcow2 "$disk" "$image.part"
  mv "$image.part" "$image"
}

check_tools
write_essential
write_customize
mkdir "$work/root"
WORK=$work mmdebstrap --quiet --variant=minbase --include="$packages" \
  --dpkgopt='path-exclude=/usr/share/doc/*' --dpkgopt='path-exclude=/usr/share/locale/*' --dpkgopt='path-exclude=/usr/share/man/*' \
  --aptopt='Apt::Install-Recommends "false"' \
  --essential-hook="$work/essential \"\$1\"" \
  --customize-hook="$work/customize \"\$1\"" \
  bookworm "$work/root.tar"
tar -C "$work/root" -xf "$work/root.tar"
assemble
