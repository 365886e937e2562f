// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"context"
	"errors"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// push makes one push and logs its outcome in one line. A nil load pushes
// deletes only.
func (r *Relay) push(ctx context.Context, cmds []gitwire.Command, l *load) (*gitwire.Report, error) {
	q := gitwire.PushRequest{Commands: cmds, Spool: r.spool}
	var bytes int64
	if l != nil {
		q.Pack = l
	}
	r.note()
	rep, err := r.Mirror.Push(ctx, q)
	if l != nil {
		bytes = l.bytes
	}
	if err == nil && len(rep.Results) != len(cmds) {
		rep, err = nil, fault.New(fault.Ours, "the report has %d results for %d updates", len(rep.Results), len(cmds))
	}
	switch {
	case errors.Is(err, errLarge):
		r.logf("push of %d refs, %d bytes: stopped: %v", len(cmds), bytes, errLarge)
	case err != nil:
		r.logf("push of %d refs, %d bytes: failed: %s", len(cmds), bytes, oneLine(err))
	case rep.Unpack != "ok":
		c := packCause(rep.Unpack, anyReason(rep), rep.Messages)
		r.logf("push of %d refs, %d bytes: %s", len(cmds), bytes, oneLine(c.err))
	default:
		refused := 0
		for _, res := range rep.Results {
			if res.Reason != "" {
				refused++
			}
		}
		r.logf("push of %d refs, %d bytes: %d refused", len(cmds), bytes, refused)
	}
	return rep, err
}

// anyReason is what a report says of one of the refs.
func anyReason(rep *gitwire.Report) string {
	for _, res := range rep.Results {
		if res.Reason != "" {
			return res.Reason
		}
	}
	return ""
}
