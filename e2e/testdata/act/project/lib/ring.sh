# A ring of words.
ring_next() {
  local size=$1 at=$2
  echo $(((at + 1) % size))
}
