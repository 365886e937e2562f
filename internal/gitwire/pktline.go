// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bufio"
	"bytes"
	"fmt"
	"io"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// maxPacket is the longest pkt-line that gitprotocol-common(5) allows, its four
// length digits included.
const maxPacket = 65520

// packetKind tells data packets from the three special ones.
type packetKind int

const (
	dataPacket  packetKind = iota
	flushPacket            // 0000
	delimPacket            // 0001, protocol v2
	endPacket              // 0002 response-end, protocol v2
)

// packetReader reads pkt-lines. Its errors are classified.
type packetReader struct {
	r     *bufio.Reader
	buf   []byte
	began bool // a byte was read
}

func newPacketReader(r io.Reader) *packetReader {
	return &packetReader{r: bufio.NewReaderSize(r, 32<<10)}
}

// header reads the four length digits and returns the payload's length.
func (p *packetReader) header() (packetKind, int, error) {
	var digits [4]byte
	if err := p.fill(digits[:]); err != nil {
		return 0, 0, err
	}
	n := 0
	for _, c := range digits {
		v := unhex(c)
		if v < 0 {
			return 0, 0, malformed("%q is not the length of a packet", digits[:])
		}
		n = n<<4 | v
	}
	switch {
	case n < 3:
		return flushPacket + packetKind(n), 0, nil
	case n == 3 || n > maxPacket:
		return 0, 0, malformed("a packet has the impossible length %d", n)
	}
	return dataPacket, n - len(digits), nil
}

// next reads one packet. The payload is valid until the next call. An ERR
// packet becomes an error.
func (p *packetReader) next() (packetKind, []byte, error) {
	kind, n, err := p.header()
	if err != nil || kind != dataPacket {
		return kind, nil, err
	}
	if n > cap(p.buf) {
		p.buf = make([]byte, n, max(n, 1024))
	}
	payload := p.buf[:n]
	if err := p.fill(payload); err != nil {
		return 0, nil, err
	}
	if text, ok := bytes.CutPrefix(payload, []byte("ERR ")); ok {
		return 0, nil, remoteError(string(text))
	}
	return dataPacket, payload, nil
}

// line reads one packet and drops the line end that its sender may have added.
func (p *packetReader) line() (packetKind, []byte, error) {
	kind, payload, err := p.next()
	return kind, bytes.TrimSuffix(payload, []byte("\n")), err
}

// fill reads len(b) bytes; the end of the stream before that is a truncation.
func (p *packetReader) fill(b []byte) error {
	n, err := io.ReadFull(p.r, b)
	p.began = p.began || n > 0
	switch {
	case err == nil:
		return nil
	case err != io.EOF && err != io.ErrUnexpectedEOF: // not errors.Is: a broken connection may wrap them
		return err
	case !p.began:
		return fault.Wrap(fault.Transient, errEmpty)
	}
	return truncated()
}

func unhex(c byte) int {
	switch {
	case c >= '0' && c <= '9':
		return int(c - '0')
	case c >= 'a' && c <= 'f':
		return int(c-'a') + 10
	case c >= 'A' && c <= 'F':
		return int(c-'A') + 10
	}
	return -1
}

// packetBuffer collects pkt-lines of a request. Its callers bound the lines.
type packetBuffer struct{ bytes.Buffer }

// line appends a data packet that ends in a line feed.
func (b *packetBuffer) line(format string, args ...any) {
	b.packet(fmt.Sprintf(format, args...) + "\n")
}

// packet appends a data packet as it is.
func (b *packetBuffer) packet(payload string) {
	fmt.Fprintf(&b.Buffer, "%04x%s", len(payload)+4, payload)
}

func (b *packetBuffer) flush() { b.WriteString("0000") }
func (b *packetBuffer) delim() { b.WriteString("0001") }
