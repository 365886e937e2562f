// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"context"
	"errors"
	"io"
	"net/http"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// capabilities are the words that a v0 server advertises.
type capabilities []string

func (c capabilities) has(name string) bool { return slices.Contains(c, name) }

// errStop ends the reading of an advertisement early.
var errStop = errors.New("stop")

// fallBack asks which protocol the server speaks, after a v2 request that
// failed. It returns nil if that is v0, and else why nothing can be done. It
// reads no further than the first ref.
func (r *Remote) fallBack(ctx context.Context, failure error) error {
	if !r.doubts(failure) {
		return failure
	}
	err := r.listV0(ctx, func(Ref) error { return errStop })
	switch {
	case errors.Is(err, fault.Configuration):
		return err // it says more than the empty answer that it explains
	case r.speaks() == protocolV0:
		return nil
	}
	return failure
}

// doubts tells whether an error may mean that the server does not speak v2. A
// v0 C git answers nothing, JGit an ERR packet, others a bad request.
func (r *Remote) doubts(err error) bool {
	if r.speaks() != protocolUnknown {
		return false
	}
	_, reported := errors.AsType[*serverError](err)
	status, _ := errors.AsType[*StatusError](err)
	return reported || errors.Is(err, errEmpty) || status != nil && status.Status == http.StatusBadRequest
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
		return checkV2(packets)
	}
	if err == nil && string(line) == "version 1" {
		kind, line, err = packets.line()
	}
	if err != nil {
		return err
	}
	line, words, _ := bytes.Cut(line, []byte{0})
	offers := capabilities(strings.Fields(string(words)))
	if offers.has("object-format=sha256") {
		return sha256Refused()
	}
	learn(protocolV0, offers) // an empty repository offers nothing
	for ; err == nil && kind != flushPacket; kind, line, err = packets.line() {
		if err := visitAdvertised(kind, line, visit); err != nil {
			return err
		}
	}
	return err
}

// checkV2 reads the capabilities of a v2 server, one a line.
func checkV2(packets *packetReader) error {
	for {
		kind, line, err := packets.line()
		switch {
		case err != nil || kind == flushPacket:
			return err
		case string(line) == "object-format=sha256":
			return sha256Refused()
		}
	}
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
