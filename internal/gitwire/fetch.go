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

// FetchRequest says which objects to ask for.
type FetchRequest struct {
	// Wants are the objects to get, with all that they need.
	Wants []string
	// Haves are objects that the receiver has completely. The server skips
	// those that it does not know.
	Haves []string
	// NoThin asks for a pack whose deltas need no object outside of it.
	NoThin bool
}

func (q FetchRequest) check() error {
	if len(q.Wants) == 0 {
		return fault.New(fault.Ours, "no object is wanted")
	}
	for _, list := range [][]string{q.Wants, q.Haves} {
		for _, oid := range list {
			if !isOID(oid) {
				return fault.New(fault.Ours, "%q is not a SHA-1 object id", printable(oid, 80))
			}
		}
	}
	return nil
}

// Fetch asks upload-pack for a pack, in one request, and returns its bytes.
// The reader returns io.EOF only when the pack is complete, and else an error:
// ErrTruncated, a timeout, or what the server said. A want that the server does
// not give is a *WantError of Fetch itself. The caller must close the reader,
// which ends the request, also from another goroutine than the one that reads.
func (r *Remote) Fetch(ctx context.Context, q FetchRequest) (io.ReadCloser, error) {
	pack, err := r.fetch(ctx, q)
	if err != nil {
		return nil, fmt.Errorf("failed to fetch from %s: %w", r, err)
	}
	return pack, nil
}

func (r *Remote) fetch(ctx context.Context, q FetchRequest) (io.ReadCloser, error) {
	if err := q.check(); err != nil {
		return nil, err
	}
	if r.speaks() != protocolV0 {
		pack, err := r.fetchV2(ctx, q)
		if err == nil {
			r.learn(protocolV2, nil)
			return pack, nil
		}
		if err := r.fallBack(ctx, err); err != nil {
			return nil, err
		}
	}
	return r.fetchV0(ctx, q)
}

// packReader is the pack inside of an answer.
type packReader struct {
	demux
	answer *answer
}

// Close implements io.Closer.
func (p *packReader) Close() error { return p.answer.Close() }

func (r *Remote) fetchV2(ctx context.Context, q FetchRequest) (io.ReadCloser, error) {
	var b packetBuffer
	r.command(&b, "fetch")
	if !q.NoThin {
		b.line("thin-pack")
	}
	b.line("ofs-delta")
	b.line("no-progress")
	for _, oid := range q.Wants {
		b.line("want %s", oid)
	}
	for _, oid := range q.Haves {
		b.line("have %s", oid)
	}
	b.line("done")
	b.flush()
	return r.openPack(ctx, b, true, findPackfile)
}

// openPack posts a request and reads its answer up to the side-band stream.
func (r *Remote) openPack(ctx context.Context, b packetBuffer, v2 bool, find func(*packetReader) error) (io.ReadCloser, error) {
	p := fixed(b.Bytes())
	a, err := r.post(ctx, call{service: uploadPack, body: &p, v2: v2})
	if err != nil {
		return nil, err
	}
	packets := newPacketReader(a)
	if err := find(packets); err != nil {
		return nil, a.fail(err)
	}
	return &packReader{demux{packets: packets}, a}, nil
}

// findPackfile reads the sections before the packfile. With "done" in the
// request there should be none.
func findPackfile(packets *packetReader) error {
	for range maxAcknowledgments {
		kind, line, err := packets.line()
		switch {
		case err != nil:
			return err
		case kind == dataPacket && string(line) == "packfile":
			return nil
		case kind == flushPacket || kind == endPacket:
			return malformed("the answer to a fetch has no packfile section")
		case bytes.HasPrefix(line, []byte("shallow")):
			return fault.New(fault.Configuration, "the source repository is shallow").
				WithHint("give a repository with its whole history")
		}
	}
	return malformed("the answer to a fetch has too many lines before its packfile section")
}

// maxAcknowledgments bounds what may stand before a pack.
const maxAcknowledgments = 100_000

// fetchV0 sends wants, haves and done in one round. Without multi_ack in the
// request the answer is a single ACK or NAK before the side-band.
func (r *Remote) fetchV0(ctx context.Context, q FetchRequest) (io.ReadCloser, error) {
	r.mu.Lock()
	offers := r.offers
	r.mu.Unlock()
	if !offers.has("side-band-64k") { // without it a pack has no end mark
		return nil, fault.New(fault.Configuration, "the server offers neither git protocol v2 nor side-band-64k, or has no refs").
			WithHint("check that the repository is not empty, and set protocol.version to 2 on the server")
	}
	words := []string{"side-band-64k", "ofs-delta", "no-progress"}
	if !q.NoThin {
		words = append(words, "thin-pack")
	}
	var b packetBuffer
	for i, oid := range q.Wants {
		if i == 0 {
			oid += " " + strings.Join(offers.choose(words), " ") + " agent=" + r.agent
		}
		b.line("want %s", oid)
	}
	b.flush()
	for _, oid := range q.Haves {
		b.line("have %s", oid)
	}
	b.line("done")
	return r.openPack(ctx, b, false, skipAcknowledgment)
}

func skipAcknowledgment(packets *packetReader) error {
	kind, line, err := packets.line()
	switch {
	case err != nil:
		return err
	case kind == dataPacket && (string(line) == "NAK" || bytes.HasPrefix(line, []byte("ACK "))):
		return nil
	}
	return malformed("%q came instead of an acknowledgment", printable(string(line), 80))
}
