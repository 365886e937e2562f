// SPDX-License-Identifier: BSD-3-Clause

package remote

import (
	"context"
	"errors"
	"io"
	"net"
	"testing"
	"testing/synctest"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// TestSilence: a guest that says nothing is given up soon, one that began to
// answer gets more time, and none is waited for when nobody wants it any more.
func TestSilence(t *testing.T) {
	t.Parallel()
	keys, err := NewKeys()
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		says       string
		wait, want time.Duration
		err        error
	}{
		"silent":      {"", time.Hour, firstWord, errSilent},
		"half silent": {"SSH-2.0-", time.Hour, handshake, errSilent},
		"slow":        {"SSH-2.0-guest\r\n", time.Hour, handshake, errSilent},
		"interrupted": {"SSH-2.0-guest\r\n", time.Second, time.Second, context.DeadlineExceeded},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			synctest.Test(t, func(t *testing.T) {
				ours, theirs := net.Pipe()
				defer theirs.Close()
				go io.Copy(io.Discard, theirs)
				go io.WriteString(theirs, c.says)
				ctx, cancel := context.WithTimeout(t.Context(), c.wait)
				defer cancel()
				begin := time.Now()
				_, err := logIn(ctx, ours, "guest:22", "root", keys)
				if got := time.Since(begin); got != c.want || !errors.Is(err, c.err) || !errors.Is(err, fault.Guest) {
					t.Errorf("got %v after %s, want %v after %s", err, got, c.err, c.want)
				}
			})
		})
	}
}
