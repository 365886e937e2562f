// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// TestMarkIsRead: the verdict understands what the runner hands on of a mark.
func TestMarkIsRead(t *testing.T) {
	t.Parallel()
	if verdict.MarkTitle != environments.MarkTitle || verdict.ByTest != environments.ByTest || verdict.ByRig != environments.ByRig {
		t.Error("the two sides use other words")
	}
	cell := environments.Cell{Environment: "nvme-\u00e4", Shard: 2, Shards: 3, Optional: true}
	for _, c := range []struct {
		end  ending
		cell environments.Cell
		want verdict.Mark
	}{
		{ending{}, environments.Cell{}, verdict.Mark{V: 1, By: "test", Shard: 1, Shards: 1}},
		{ending{status: 255}, cell, verdict.Mark{V: 1, By: "test", Environment: "nvme-\u00e4", Shard: 2, Shards: 3, Optional: true, Exit: 255}},
		{ending{status: 124, timedOut: true}, environments.Cell{}, verdict.Mark{V: 1, By: "test", Shard: 1, Shards: 1, Exit: 124, TimedOut: true}},
		{
			ending{status: 251, rig: errors.New("no \"guest\": 5% ::error::x\r\n\U0001f600")}, cell,
			verdict.Mark{V: 1, By: "rig", Environment: "nvme-\u00e4", Shard: 2, Shards: 3, Optional: true, Exit: 251, Why: "no \"guest\": 5% ::error::x  \U0001f600"},
		},
		{ending{status: 125, rig: errors.New(strings.Repeat("\U0001f600", 2000))}, cell, verdict.Mark{
			V: 1, By: "rig", Environment: "nvme-\u00e4", Shard: 2, Shards: 3, Optional: true, Exit: 125, Why: strings.Repeat("\U0001f600", 75) + "...",
		}},
	} {
		var log bytes.Buffer
		c.end.mark(action.New(func(string) string { return "true" }, &log), c.cell)
		obeyed := new(ghRunner).read(log.String())
		if len(obeyed) != 1 {
			t.Fatalf("got %q", log.String())
		}
		got, ok := verdict.ParseMark(obeyed[0].text)
		if diff := cmp.Diff(c.want, got); !ok || diff != "" {
			t.Errorf("%q: (-want +got):\n%s", log.String(), diff)
		}
	}
}
