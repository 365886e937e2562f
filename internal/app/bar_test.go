// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestBar(t *testing.T) {
	t.Parallel()
	clock := &clock{now: time.Date(2026, 1, 5, 8, 0, 0, 0, time.UTC)}
	var out bytes.Buffer
	a := &App{Stderr: &out, Now: clock.Now, Terminal: true}
	tell, end := a.bar("uploading fedora\n40")
	for _, step := range []struct {
		done int64
		wait time.Duration
	}{{1e9, time.Millisecond}, {1.1e9, time.Millisecond}, {1.5e9, 10 * time.Second}, {2e9, 0}, {4e9, 0}} {
		clock.advance(step.wait)
		tell(step.done, 4e9)
	}
	end()
	got := strings.Split(out.String(), "\r\x1b[K")
	want := []string{"",
		"uploading fedora 40 [######..................]  25%  1.0 GB of 4.0 GB",
		"uploading fedora 40 [#########...............]  37%  1.5 GB of 4.0 GB, 50.0 MB/s, 50s left",
		"uploading fedora 40 [########################] 100%  4.0 GB of 4.0 GB, 300.0 MB/s, 0s left",
		"", // cleared
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("(-want +got):\n%s", diff)
	}
	out.Reset()
	a.Terminal = false
	tell, end = a.bar("x")
	tell(1, 2)
	tell(2, 2)
	tell(0, 0)
	end()
	if out.Len() != 0 {
		t.Errorf("got %q where nobody watches", out.String())
	}
}
