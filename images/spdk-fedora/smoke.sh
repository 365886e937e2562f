# What a container and a machine must be able to do before SPDK's tests run in
# them. Fed to sh; the first failure ends it.
set -eux

for program in gcc g++ make nasm ccache python3 git sudo nvme fio lspci lsblk sg_inq \
  column gdb jq lcov bc xxd socat parted sgdisk mkfs.xfs udevadm keyctl ip ethtool pgrep killall; do
  command -v "$program" >/dev/null || { echo "$program is missing"; exit 1; }
done

dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT

# Where SPDK's scripts look for what autotest_setup.sh installs: fio's source, built
# and configured, and the script that autorun.sh ends with.
/usr/src/fio/fio --version
[ -s /usr/src/fio/config-host.h ] || { echo "/usr/src/fio is not configured"; exit 1; }
printf 'a;b 2\na;c 2\n' | /usr/local/FlameGraph/flamegraph.pl >"$dir/flame.svg"
grep -q '</svg>' "$dir/flame.svg" || { echo "flamegraph.pl draws nothing"; exit 1; }

# pkgdep.sh keeps meson and ninja apart, and tells by this file where.
# shellcheck disable=SC1091
(. /etc/opt/spdk-pkgdep/paths/export.sh && meson --version && ninja --version)

# Sources may belong to anybody.
git init -q "$dir/tree"
chown -R 65534:65534 "$dir/tree"
git -C "$dir/tree" status --short

# What SPDK links with must be there for the compiler, too, and so must sanitizers.
cat >"$dir/probe.c" <<'EOF'
#include <CUnit/Basic.h>
#include <libaio.h>
#include <liburing.h>
#include <infiniband/verbs.h>
#include <numa.h>
#include <openssl/evp.h>
#include <uuid/uuid.h>
int main(void) { uuid_t id; uuid_generate(id); return numa_available() == -2 || EVP_sha256() == NULL; }
EOF
gcc -o "$dir/probe" "$dir/probe.c" -lcunit -laio -luring -libverbs -lnuma -lcrypto -luuid
"$dir/probe"
echo 'int main(void) { return 0; }' >"$dir/sanitized.c"
gcc --coverage -fsanitize=address,undefined -o "$dir/sanitized" "$dir/sanitized.c"
ASAN_OPTIONS=detect_leaks=0 "$dir/sanitized"

if [ -d /run/systemd/system ]; then # a machine, not a container
  systemctl is-active --quiet sshd
  modprobe vfio-pci
  modprobe nvme
  echo 64 >/proc/sys/vm/nr_hugepages
  [ "$(cat /proc/sys/vm/nr_hugepages)" -gt 0 ] || { echo "there are no huge pages"; exit 1; }
fi
echo "smoke: all is well on $(uname -r)"
