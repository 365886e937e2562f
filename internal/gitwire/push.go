// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Command changes one ref.
type Command struct {
	// Ref is the full name.
	Ref string
	// Old is the object that the ref must point at now; "" if it must not exist.
	Old string
	// New is the object that it shall point at; "" deletes it, and needs Old.
	New string
}

// PushRequest is a list of commands and the objects that they need.
type PushRequest struct {
	Commands []Command
	// Pack is a pack with the objects that the server lacks; EmptyPack where it
	// lacks none; nil if and only if all commands are deletes. If it is an
	// io.Closer, Push closes it, so that a source that hangs is freed at once
	// when the server refuses the push.
	Pack io.Reader
	// Spool copies a pack of more than 1 MiB to a temporary file first, to send
	// its length.
	Spool bool
}

// Report is what the server says of a push that it took. It may have refused
// each of the commands.
type Report struct {
	// Unpack is "ok", or why the pack was not accepted; no ref changed then.
	Unpack string
	// Results has one entry for each command, in order.
	Results []Result
	// Messages is the end of what the server wrote for people.
	Messages string
}

// Result is what became of one command.
type Result struct {
	Ref string
	// Reason is why the ref did not change; empty if it did.
	Reason string
}

// null is the object id of git that stands for "no object".
const null = "0000000000000000000000000000000000000000"

// EmptyPack returns a pack without objects. receive-pack wants a pack with
// every command that is not a delete, also when the object is there already.
func EmptyPack() []byte {
	return []byte("PACK\x00\x00\x00\x02\x00\x00\x00\x00" + // version 2, 0 objects
		"\x02\x9d\x08\x82\x3b\xd8\xa8\xea\xb5\x10\xad\x6a\xc7\x5c\x82\x3c\xfd\x3e\xd3\x1e") // SHA-1
}

// Push sends commands and pack to receive-pack, without a request before it.
// An error means that there is no report: after a Transient one, or one with
// ErrTruncated, the server may have changed refs. A failure to read the pack is
// returned, wrapped, as the pack's reader gave it; nothing was changed then.
func (r *Remote) Push(ctx context.Context, q PushRequest) (*Report, error) {
	if c, ok := q.Pack.(io.Closer); ok {
		defer c.Close()
	}
	report, err := r.push(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("failed to push to %s: %w", r, err)
	}
	return report, nil
}

func (r *Remote) push(ctx context.Context, q PushRequest) (*Report, error) {
	head, err := r.encode(q)
	if err != nil {
		return nil, err
	}
	p, free, err := pushPayload(head, q)
	if err != nil {
		return nil, err
	}
	defer free()
	report, err := r.exchange(ctx, p, q.Commands)
	if err != nil && p.size < 0 && mayWantLength(err) {
		err = fmt.Errorf("%w: %w", ErrLengthRequired, err)
	}
	return report, err
}

// exchange sends a push and reads its report.
func (r *Remote) exchange(ctx context.Context, p payload, commands []Command) (*Report, error) {
	a, err := r.post(ctx, call{service: receivePack, body: &p, refs: len(commands)})
	if err != nil {
		return nil, err
	}
	report, err := readReport(a, commands)
	if err != nil {
		return nil, a.fail(err)
	}
	return report, a.Close()
}

// encode checks the commands and writes their part of the request.
func (r *Remote) encode(q PushRequest) (*bytes.Buffer, error) {
	var b packetBuffer
	needsPack := false
	seen := make(map[string]bool, len(q.Commands))
	for i, c := range q.Commands {
		if err := c.check(); err != nil {
			return nil, err
		}
		if seen[c.Ref] {
			return nil, fault.New(fault.Ours, "the push changes %s twice", c.Ref)
		}
		seen[c.Ref] = true
		needsPack = needsPack || c.New != ""
		line := orNull(c.Old) + " " + orNull(c.New) + " " + c.Ref
		if i == 0 {
			line += "\x00 report-status side-band-64k ofs-delta agent=" + r.agent
		}
		b.packet(line)
	}
	b.flush()
	switch {
	case len(q.Commands) == 0:
		return nil, fault.New(fault.Ours, "the push has no commands")
	case needsPack && q.Pack == nil:
		return nil, fault.New(fault.Ours, "the push has no pack; use EmptyPack where no object is missing")
	case !needsPack && q.Pack != nil:
		return nil, fault.New(fault.Ours, "the push has a pack but deletes refs only")
	}
	return &b.Buffer, nil
}

// check refuses what would break the request; whether the name is one that git
// allows is the server's business.
func (c Command) check() error {
	switch {
	case !strings.HasPrefix(c.Ref, "refs/") || len(c.Ref) > maxRefName || hasControl(c.Ref):
		return fault.New(fault.Ours, "%q cannot be the name of a ref", printable(c.Ref, 200))
	case c.Old == "" && c.New == "" || c.Old == null || c.New == null:
		// An unconditional delete would be a race with other writers.
		return fault.New(fault.Ours, "the command for %s has no object id, or the null id", c.Ref)
	case c.Old != "" && !isOID(c.Old) || c.New != "" && !isOID(c.New):
		return fault.New(fault.Ours, "the command for %s has an object id that is not SHA-1", c.Ref)
	}
	return nil
}

func orNull(oid string) string {
	if oid == "" {
		return null
	}
	return oid
}
