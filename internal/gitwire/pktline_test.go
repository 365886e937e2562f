// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"errors"
	"io"
	"strings"
	"testing"
	"testing/iotest"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

func TestPackets(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("x", maxPacket-4)
	in := packets("a\n", "", long) + "0000" + "0001" + "0002" + "000Ahello\n"
	p := newPacketReader(iotest.HalfReader(strings.NewReader(in)))
	want := []struct {
		kind packetKind
		line string
	}{{dataPacket, "a"}, {dataPacket, ""}, {dataPacket, long}, {flushPacket, ""}, {delimPacket, ""}, {endPacket, ""}, {dataPacket, "hello"}}
	for i, w := range want {
		if kind, line, err := p.line(); err != nil || kind != w.kind || string(line) != w.line {
			t.Errorf("packet %d: got %v %.20q, %v; want %v %.20q", i, kind, line, err, w.kind, w.line)
		}
	}
	if _, _, err := p.next(); !errors.Is(err, ErrTruncated) {
		t.Errorf("after the end: got %v, want ErrTruncated", err)
	}
}

func TestBadPackets(t *testing.T) {
	t.Parallel()
	cases := map[string]error{
		"":           errEmpty,
		"00":         ErrTruncated,
		"0006a":      ErrTruncated,
		"0003":       fault.Permanent,
		"fff1":       fault.Permanent,
		"ffff":       fault.Permanent,
		"-001":       fault.Permanent,
		" 004":       fault.Permanent,
		"0x05":       fault.Permanent,
		"HTTP/1.1":   fault.Permanent,
		"000cERR no": ErrTruncated,
	}
	for in, want := range cases {
		if _, _, err := newPacketReader(strings.NewReader(in)).next(); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", in, err, want)
		}
	}
	broken := fault.New(fault.Transient, "broken: %w", io.ErrUnexpectedEOF)
	_, _, err := newPacketReader(io.MultiReader(strings.NewReader("0006a"), errReader{broken})).next()
	wantError(t, err, "broken", broken)
	if errors.Is(err, ErrTruncated) {
		t.Error("a broken connection is reported as a truncated answer")
	}
}

func TestErrPackets(t *testing.T) {
	t.Parallel()
	oid := strings.Repeat("0a", 20)
	cases := map[string]struct {
		want string
		kind fault.Kind
	}{
		"want " + oid + " not valid":                  {"does not give object " + oid, fault.Permanent},
		"upload-pack: not our ref " + oid:             {"does not give object " + oid, fault.Permanent},
		"access denied\x1b[1m\nor not found":          {"error: access denied [1m or not found", fault.Permanent},
		"Internal server error":                       {"Internal server error", fault.Transient},
		"Quota exceeded: " + strings.Repeat("a", 999): {"a...", fault.Transient},
	}
	for text, c := range cases {
		_, _, err := newPacketReader(strings.NewReader(packets("ERR " + text + "\n"))).next()
		wantError(t, err, c.want, c.kind)
	}
}

// FuzzPackets checks that what is read is what was written, and that every
// stream ends in an error.
func FuzzPackets(f *testing.F) {
	f.Add([]byte(packets("version 2\n", "agent=git/2\n") + "0000"))
	f.Add([]byte(packets("packfile\n", "\x01PACK") + "00010002"))
	f.Add([]byte("0003ffff"))
	f.Add([]byte(packets("ERR want 0123456789012345678901234567890123456789 not valid")))
	f.Fuzz(func(t *testing.T, in []byte) {
		p := newPacketReader(bytes.NewReader(in))
		var again packetBuffer
		for {
			kind, payload, err := p.next()
			if err != nil {
				if fault.KindOf(err) == fault.Unknown {
					t.Fatalf("error without a kind: %v", err)
				}
				break
			}
			switch kind {
			case dataPacket:
				again.packet(string(payload))
			case flushPacket:
				again.flush()
			case delimPacket:
				again.delim()
			default:
				again.WriteString("0002")
			}
		}
		if got := again.Bytes(); !bytes.EqualFold(got, in[:min(len(in), len(got))]) {
			t.Errorf("read %q, wrote %q", in, got)
		}
	})
}

func TestSideband(t *testing.T) {
	t.Parallel()
	long := strings.Repeat("y", maxPacket-4-len("\x01CK"))
	in := packets("\x01PA", "\x01", "\x02Counting\r", "\x01CK"+long, "") + "0005\x01" + packets("\x01.", "\x02done\n") + "0000" + "trailing"
	d := &demux{packets: newPacketReader(iotest.OneByteReader(strings.NewReader(in)))}
	got, err := io.ReadAll(d)
	if err != nil || string(got) != "PACK"+long+"." {
		t.Errorf("got %.20q (%d bytes), %v; want the pack", got, len(got), err)
	}
	if said := d.progress.String(); said != "done" {
		t.Errorf("got progress %q, want what a terminal would show at the end", said)
	}
	for in, want := range map[string]error{
		"":                              errEmpty,
		packets("\x01PACK"):             ErrTruncated,
		packets("\x01PACK")[:6]:         ErrTruncated,
		packets("\x01") + "0005":        ErrTruncated,
		packets("\x02message")[:7]:      ErrTruncated,
		packets("\x04x"):                fault.Permanent,
		packets("\x01x") + "0001":       fault.Permanent,
		packets("\x01x", "\x03no more"): fault.Permanent,
		packets("ERR timeout"):          fault.Transient,
	} {
		d := &demux{packets: newPacketReader(strings.NewReader(in))}
		if _, err := io.ReadAll(d); !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", in, err, want)
		}
	}
}

func TestTail(t *testing.T) {
	t.Parallel()
	var keep tail
	keep.add([]byte("Unpacking objects:  50%\rUnpacking objects: 100%\r\n"))
	keep.add([]byte("\x1b[31merror:\x1b[0m GH001\nsec"))
	keep.add([]byte("ond line\n\n"))
	if diff := cmp.Diff("Unpacking objects: 100%\n[31merror: [0m GH001\nsecond line", keep.String()); diff != "" {
		t.Errorf("text (-want +got):\n%s", diff)
	}
	for range 100 {
		keep.add(bytes.Repeat([]byte("z"), 1000))
	}
	keep.add([]byte("\nthe end"))
	if len(keep.kept) != maxTail || !strings.HasSuffix(keep.String(), "\nthe end") {
		t.Errorf("kept %d bytes that end in %q, want %d with the end", len(keep.kept), keep.kept[len(keep.kept)-20:], maxTail)
	}
}

// FuzzSideband checks that the payload survives any cutting into packets and
// that only a flush packet makes a clean end.
func FuzzSideband(f *testing.F) {
	f.Add([]byte(packets("\x01PACK", "\x02x", "\x01...")+"0000"), uint8(3))
	f.Add([]byte(packets("\x03fatal")), uint8(1))
	f.Add([]byte("0005\x010004"), uint8(200))
	f.Fuzz(func(t *testing.T, in []byte, cut uint8) {
		if len(in) > 64<<10 {
			return
		}
		d := &demux{packets: newPacketReader(bytes.NewReader(in))}
		out, err := io.ReadAll(d)
		switch {
		case len(out) > len(in) || len(d.progress.kept) > maxTail:
			t.Fatalf("%d bytes became %d and %d of progress", len(in), len(out), len(d.progress.kept))
		case err == nil && !bytes.Contains(in, []byte("0000")):
			t.Fatalf("a clean end without a flush packet: %q", in)
		case err != nil && fault.KindOf(err) == fault.Unknown:
			t.Fatalf("error without a kind: %v", err)
		}
		var wire packetBuffer
		for rest := in; len(rest) > 0; {
			n := min(int(cut)+1, len(rest))
			wire.packet("\x01" + string(rest[:n]))
			rest = rest[n:]
		}
		wire.flush()
		got, err := io.ReadAll(&demux{packets: newPacketReader(&wire)})
		if err != nil || !bytes.Equal(got, in) {
			t.Fatalf("sent %q, got %q, %v", in, got, err)
		}
	})
}
