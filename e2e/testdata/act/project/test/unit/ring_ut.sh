# Unit tests of lib/ring.sh.
test_ring_next() { equal "$(ring_next 4 1)" 2; }
test_ring_wraps() { equal "$(ring_next 4 3)" 0; }
test_words() { equal "$(wc -l <words/list)" 3; }
