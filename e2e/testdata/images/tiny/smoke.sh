# What a container and a disk of this image must be able to do.
set -eux
test "$(cat /etc/greeting)" = "hello from the recipe"
test -f /etc/pkgdep-was-here
if test -d /run/systemd/system; then
  systemctl is-active --quiet cloud-init-local ssh
  test "$(cat /etc/timezone)" = Europe/Vienna
  test "$(findmnt -no FSTYPE /)" = ext4
fi
echo "smoke: all is well on $(uname -r)"
