# What a container and a machine must be able to do before SPDK's tests run in
# them. Fed to sh; the first failure ends it.
set -eux

for program in gcc g++ make nasm python3 git nvme fio lspci sg_inq; do
  command -v "$program" >/dev/null || { echo "$program is missing"; exit 1; }
done

# What SPDK links with must be there for the compiler, too.
dir=$(mktemp -d)
trap 'rm -rf "$dir"' EXIT
cat >"$dir/probe.c" <<'EOF'
#include <CUnit/Basic.h>
#include <libaio.h>
#include <numa.h>
#include <openssl/evp.h>
#include <uuid/uuid.h>
int main(void) { uuid_t id; uuid_generate(id); return numa_available() == -2 || EVP_sha256() == NULL; }
EOF
gcc -o "$dir/probe" "$dir/probe.c" -lcunit -laio -lnuma -lcrypto -luuid
"$dir/probe"

if [ -d /run/systemd/system ]; then # a machine, not a container
  systemctl is-active --quiet ssh
  modprobe vfio-pci
  modprobe nvme
  echo 64 >/proc/sys/vm/nr_hugepages
  [ "$(cat /proc/sys/vm/nr_hugepages)" -gt 0 ] || { echo "there are no huge pages"; exit 1; }
fi
echo "smoke: all is well on $(uname -r)"
