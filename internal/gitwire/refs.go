// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Ref is a name on a server and the object that it points at.
type Ref struct {
	// Name is the full name: refs/heads/master, HEAD.
	Name string
	// OID is the object id, 40 lower-case hex digits.
	OID string
}

// maxRefs bounds a listing; servers get unusable long before.
const maxRefs = 5_000_000

// ListRefs calls visit for each ref whose name begins with one of the prefixes,
// or for all refs when there are none, in the server's order. It keeps no list.
// An error of visit ends the listing and is returned as it is, wrapped. An
// empty repository has no refs.
//
// It sends ls-refs of gitprotocol-v2(5) and, where a server turns out not to
// know it, reads the v0 advertisement.
func (r *Remote) ListRefs(ctx context.Context, prefixes []string, visit func(Ref) error) error {
	count := 0
	filtered := func(ref Ref) error {
		if !hasPrefix(ref.Name, prefixes) {
			return nil // prefixes are a hint that a server may ignore
		}
		if count++; count > maxRefs {
			return fault.New(fault.Permanent, "more than %d refs", maxRefs)
		}
		return visit(ref)
	}
	if err := r.listRefs(ctx, prefixes, filtered); err != nil {
		return fmt.Errorf("failed to list the refs of %s: %w", r, err)
	}
	return nil
}

func hasPrefix(name string, prefixes []string) bool {
	return len(prefixes) == 0 || slices.ContainsFunc(prefixes, func(p string) bool {
		return strings.HasPrefix(name, p)
	})
}

func (r *Remote) listRefs(ctx context.Context, prefixes []string, visit func(Ref) error) error {
	if r.speaks() != protocolV0 {
		err := r.listV2(ctx, prefixes, visit)
		if err == nil {
			return nil
		}
		if err := r.fallBack(ctx, err); err != nil {
			return err
		}
	}
	return r.listV0(ctx, visit)
}

func (r *Remote) listV2(ctx context.Context, prefixes []string, visit func(Ref) error) error {
	var b packetBuffer
	r.command(&b, "ls-refs")
	for _, p := range prefixes {
		if len(p) > maxRefName || hasControl(p) {
			return fault.New(fault.Ours, "%q cannot be the beginning of a ref", printable(p, 100))
		}
		b.line("ref-prefix %s", p)
	}
	b.flush()
	p := fixed(b.Bytes())
	a, err := r.post(ctx, call{service: uploadPack, body: &p, v2: true, list: true})
	if err != nil {
		return err
	}
	defer a.Close()
	packets := newPacketReader(a)
	kind, line, err := packets.line()
	if err != nil {
		return err
	}
	r.learn(protocolV2, nil)
	for ; err == nil && kind != flushPacket; kind, line, err = packets.line() {
		ref, err := parseRef(kind, line)
		if err == nil {
			err = visit(ref)
		}
		if err != nil {
			return err
		}
	}
	return err
}

// command begins a v2 request up to its arguments.
func (r *Remote) command(b *packetBuffer, name string) {
	b.line("command=%s", name)
	b.line("agent=%s", r.agent)
	b.delim()
}

// parseRef reads "OID SP NAME", with v2's attributes after another space.
func parseRef(kind packetKind, line []byte) (Ref, error) {
	oid, rest, ok := bytes.Cut(line, []byte(" "))
	name, _, _ := bytes.Cut(rest, []byte(" "))
	switch {
	case kind != dataPacket || !ok:
		return Ref{}, malformed("%q is not a line of refs", printable(string(line), 80))
	case len(oid) == 64 && isHex(oid):
		return Ref{}, sha256Refused()
	case !isOID(oid) || len(name) == 0 || hasControl(string(name)):
		return Ref{}, malformed("%q is not a line of refs", printable(string(line), 80))
	}
	s := string(line[:oidLen+1+len(name)]) // one allocation for both
	return Ref{Name: s[oidLen+1:], OID: s[:oidLen]}, nil
}

func sha256Refused() error {
	return fault.New(fault.Configuration, "the repository uses SHA-256 object ids").
		WithHint("only repositories with SHA-1 object ids are supported")
}

// maxRefName is the longest ref name that we send.
const maxRefName = 4096

// hasControl finds what could break a line of the protocol.
func hasControl(s string) bool {
	return strings.ContainsFunc(s, func(c rune) bool { return c <= ' ' || c == 0x7f })
}
