// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"errors"
	"os"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

func TestNoRoomForAPack(t *testing.T) {
	t.Parallel()
	full, err := os.OpenFile("/dev/full", os.O_WRONLY, 0)
	if err != nil {
		t.Skip(err)
	}
	defer full.Close()
	if _, err = fill(full, bytes.NewReader(noise(100))); !errors.Is(err, ErrNoRoom) || !errors.Is(err, fault.Ours) {
		t.Errorf("got %v, want ErrNoRoom", err)
	}
	full.Close()
	if _, err = fill(full, bytes.NewReader(noise(100))); errors.Is(err, ErrNoRoom) || !errors.Is(err, fault.Ours) {
		t.Errorf("a file that fails otherwise: got %v", err)
	}
}

// TestSmallPacksNeedNoFile: what fits into memory has its length anyway.
func TestSmallPacksNeedNoFile(t *testing.T) {
	t.Parallel()
	for size, wantFile := range map[int]bool{100: false, smallPack + 1: true} {
		p, free, err := pushPayload(new(bytes.Buffer), PushRequest{Pack: bytes.NewReader(noise(size)), Spool: true})
		if err != nil {
			t.Fatal(err)
		}
		if _, memory := p.open().(*bytes.Reader); memory == wantFile || p.size != int64(size) {
			t.Errorf("%d bytes: size %d, in memory: %v", size, p.size, memory)
		}
		free()
	}
}
