// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"io"
	"strings"
)

// The side-band channels of gitprotocol-pack(5).
const (
	dataChannel     = 1
	progressChannel = 2
	errorChannel    = 3
)

// demux reads channel 1 of a side-band stream. Read returns io.EOF only after
// the flush packet that ends the stream; a body that ends before gives
// ErrTruncated. Empty packets are keep-alives.
type demux struct {
	packets  *packetReader
	left     int // bytes of the current data packet that are not read yet
	progress tail
	err      error // how the stream ended; it stays so
}

// Read implements io.Reader. It copies straight into p.
func (d *demux) Read(p []byte) (int, error) {
	if len(p) == 0 {
		return 0, nil
	}
	for d.left == 0 && d.err == nil {
		d.err = d.advance()
	}
	if d.left == 0 {
		return 0, d.err
	}
	n, err := d.packets.r.Read(p[:min(len(p), d.left)])
	d.left -= n
	if err == io.EOF {
		err = truncated()
	}
	if err != nil {
		d.err, d.left = err, 0
	}
	return n, err
}

// advance reads up to the payload of the next data packet.
func (d *demux) advance() error {
	kind, n, err := d.packets.header()
	switch {
	case err != nil:
		return err
	case kind == flushPacket:
		return io.EOF
	case kind != dataPacket:
		return malformed("a special packet %04d is in the side-band", int(kind-flushPacket))
	case n == 0:
		return nil
	}
	channel, err := d.packets.r.ReadByte()
	if err != nil {
		if err == io.EOF {
			err = truncated()
		}
		return err
	}
	if channel == dataChannel {
		d.left = n - 1
		return nil
	}
	return d.message(channel, n-1)
}

// message reads the payload of a packet that is not data.
func (d *demux) message(channel byte, n int) error {
	text := make([]byte, n)
	if err := d.packets.fill(text); err != nil {
		return err
	}
	switch {
	case channel == progressChannel:
		d.progress.add(text)
		return nil
	case channel == errorChannel:
		return remoteError(string(text))
	case channel == 'E' && strings.HasPrefix(string(text), "RR "):
		return remoteError(string(text[len("RR "):])) // an ERR packet between the others
	}
	return malformed("channel %d is in the side-band", channel)
}

// maxTail is how much of the progress channel is kept: enough for the longest
// explanation that a hook writes, without what came before it.
const maxTail = 8 << 10

// tail keeps the end of a text.
type tail struct{ kept []byte }

func (t *tail) add(b []byte) {
	t.kept = append(t.kept, b...)
	if over := len(t.kept) - maxTail; over > 0 {
		t.kept = append(t.kept[:0], t.kept[over:]...)
	}
}

// String returns the text line by line, as a terminal would show it: without
// the progress meters that a carriage return overwrote, and printable.
func (t *tail) String() string {
	var lines []string
	for line := range strings.SplitSeq(string(t.kept), "\n") {
		line = strings.TrimRight(line, "\r")
		if i := strings.LastIndexByte(line, '\r'); i >= 0 {
			line = line[i+1:]
		}
		if line = printable(line, 1000); line != "" {
			lines = append(lines, line)
		}
	}
	return strings.Join(lines, "\n")
}
