set -eux
test "$(cat /etc/made)" = "made in a guest"
test "$(cat /etc/timezone)" = Asia/Tokyo
test ! -e /root/image
# The disk grew from 2G to 3G, and so did its file system.
test "$(df -k --output=size / | tail -n1)" -gt 2500000
