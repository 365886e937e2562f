// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// capabilities are the words that a v0 server advertises.
type capabilities []string

func (c capabilities) has(name string) bool { return slices.Contains(c, name) }

// errStop ends the reading of an advertisement early.
var errStop = errors.New("stop")

// fallBack asks once which protocol the server speaks and reports whether that
// is v0. It reads no further than the first ref.
func (r *Remote) fallBack(ctx context.Context) (bool, error) {
	err := r.listV0(ctx, func(Ref) error { return errStop })
	if err != nil && !errors.Is(err, errStop) {
		return false, err
	}
	return r.speaks() == protocolV0, nil
}

// listV0 reads the advertisement of upload-pack: refs, or that the server
// speaks v2 after all, which gives no refs.
func (r *Remote) listV0(ctx context.Context, visit func(Ref) error) error {
	a, err := r.advertisement(ctx, uploadPack)
	if err != nil {
		return err
	}
	defer a.Close()
	return readAdvertisement(a, r.learn, visit)
}

// readAdvertisement parses the answer to a GET of info/refs. It calls learn
// once it knows the protocol, before the first ref.
func readAdvertisement(body io.Reader, learn func(protocol, capabilities), visit func(Ref) error) error {
	packets := newPacketReader(body)
	kind, line, err := packets.line()
	if err == nil && bytes.HasPrefix(line, []byte("# service=")) {
		if kind, line, err = packets.line(); err == nil && kind == flushPacket {
			kind, line, err = packets.line()
		}
	}
	if err == nil && string(line) == "version 2" {
		learn(protocolV2, nil)
		return nil
	}
	if err == nil && string(line) == "version 1" {
		kind, line, err = packets.line()
	}
	first := true
	for ; err == nil && kind != flushPacket; kind, line, err = packets.line() {
		if first {
			var words []byte
			line, words, _ = bytes.Cut(line, []byte{0})
			offers := capabilities(strings.Fields(string(words)))
			if offers.has("object-format=sha256") {
				return sha256Refused()
			}
			learn(protocolV0, offers)
			first = false
		}
		if err := visitAdvertised(kind, line, visit); err != nil {
			return err
		}
	}
	return err
}

// visitAdvertised handles one line: a ref, the peeled value of a tag, the
// boundary of a shallow repository, or the stand-in for "no refs".
func visitAdvertised(kind packetKind, line []byte, visit func(Ref) error) error {
	if bytes.HasPrefix(line, []byte("shallow ")) || bytes.HasSuffix(line, []byte("^{}")) {
		return nil
	}
	ref, err := parseRef(kind, line)
	if err != nil {
		return err
	}
	return visit(ref)
}

// choose returns those of words that the server offers.
func (c capabilities) choose(words []string) []string {
	return slices.DeleteFunc(words, func(w string) bool { return !c.has(w) })
}

// check refuses servers whose packs have no end mark: without side-band there
// is none.
func (c capabilities) check() error {
	if !c.has("side-band-64k") {
		return fault.New(fault.Configuration, "the server speaks neither git protocol v2 nor side-band-64k").
			WithHint("set protocol.version to 2 on the server, or update it")
	}
	return nil
}
