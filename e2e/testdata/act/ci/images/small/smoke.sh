test "$(cat /etc/image)" = small
