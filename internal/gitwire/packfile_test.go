// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"compress/zlib"
	"crypto/sha1"
	"encoding/binary"
	"encoding/hex"
	"errors"
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// part is an entry of a pack made by hand.
type part struct {
	kind int
	base []byte // what stands between head and content
	size int
	body []byte
}

func whole(kind int, body string) part { return part{kind, nil, len(body), []byte(body)} }

func refDelta(base string, delta []byte) part {
	id := hashCommit([]byte(base))
	return part{typeRefDelta, id[:], len(delta), delta}
}

func commitText(message string) string {
	return "tree " + strings.Repeat("0", 40) + "\nparent " + strings.Repeat("1", 40) + "\nauthor a <a> 1 +0000\n\n" + message
}

// makePack writes a pack with a right header and checksum.
func makePack(parts ...part) []byte {
	b := bytes.NewBufferString("PACK\x00\x00\x00\x02")
	binary.Write(b, binary.BigEndian, uint32(len(parts)))
	for _, p := range parts {
		c, rest := byte(p.kind<<4|p.size&15), p.size>>4
		for ; rest > 0; rest >>= 7 {
			b.WriteByte(c | 0x80)
			c = byte(rest & 0x7f)
		}
		b.WriteByte(c)
		b.Write(p.base)
		z := zlib.NewWriter(b)
		z.Write(p.body)
		z.Close()
	}
	sum := sha1.Sum(b.Bytes())
	b.Write(sum[:])
	return b.Bytes()
}

func TestScanOddPacks(t *testing.T) {
	t.Parallel()
	one, blob := commitText("one"), whole(3, "a blob")
	ofs := func(back ...byte) part { return part{typeOfsDelta, back, 5, []byte("\x01\x01\x01a ")} }
	good := makePack(whole(typeCommit, one), blob)
	cases := map[string]struct {
		pack []byte
		is   error // nil: the first commit, and no error
		text string
	}{
		"good":             {good, nil, ""},
		"tag":              {makePack(whole(4, "a tag"), whole(typeCommit, one), whole(4, "a tag")), nil, ""},
		"delta of a tree":  {makePack(whole(typeCommit, one), refDelta("unknown", []byte("xx"))), nil, ""},
		"nothing":          {nil, ErrTruncated, "header"},
		"no pack":          {[]byte("<html><body>"), fault.Permanent, "begins with"},
		"version":          {[]byte("PACK\x00\x00\x00\x04\x00\x00\x00\x01"), fault.Permanent, "begins with"},
		"cut":              {good[:40], ErrTruncated, "object"},
		"cut after header": {good[:12], ErrTruncated, "object"},
		"not deflated":     {append(slices.Clone(good[:14]), "not zlib data at all"...), fault.Permanent, "object"},
		"too big":          {makePack(part{typeCommit, nil, maxCommit + 1, []byte("x")}), fault.Permanent, "16777217 bytes"},
		"size too low":     {makePack(part{typeCommit, nil, 3, []byte(one)}), fault.Permanent, "does not inflate to 3"},
		"size too high":    {makePack(part{typeCommit, nil, 300, []byte(one)}), fault.Permanent, "does not inflate to 300"},
		"size of 80 bits":  {append(slices.Clone(good[:12]), "\x9f\xff\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"...), fault.Permanent, "too many digits"},
		"base is itself":   {makePack(ofs(0)), fault.Permanent, "base"},
		"base before pack": {makePack(ofs(0xff, 0x7f)), fault.Permanent, "base"},
		"endless base":     {makePack(ofs(bytes.Repeat([]byte{0xff}, 99)...)), fault.Permanent, "base"},
		"base between":     {makePack(whole(typeCommit, one), ofs(3)), fault.Permanent, "is not an object"},
		"bad delta":        {makePack(whole(typeCommit, one), refDelta(one, []byte("\x01\x01\x01a"))), fault.Permanent, "delta's sizes"},
		"not a commit":     {makePack(whole(typeCommit, "hello\n")), fault.Permanent, `begins with "hello"`},
		"odd parent":       {makePack(whole(typeCommit, one[:46]+"parent HEAD\n")), fault.Permanent, `parent "HEAD"`},
	}
	for name, c := range cases {
		commits, err := scan(c.pack)
		switch {
		case c.is == nil && (err != nil || len(commits) != 1 || commits[0].Parents[0] != strings.Repeat("1", 40)):
			t.Errorf("%s: got %v, %v; want one commit", name, commits, err)
		case c.is != nil && (!errors.Is(err, c.is) || !strings.Contains(err.Error(), c.text)):
			t.Errorf("%s: got %v, want %q in one that is %v", name, err, c.text, c.is)
		}
	}
}

func TestApplyDelta(t *testing.T) {
	t.Parallel()
	base := strings.Repeat("0123456789", 7000)
	cases := map[string]string{ // delta after the two sizes -> result
		"\x03abc":              "abc",
		"\x90\x05":             "01234",
		"\x91\x05\x05\x01x":    "56789x",
		"\x80":                 base[:0x10000],
		"\xb3\x01\x01\x02\x01": base[257 : 257+258],
	}
	for ops, want := range cases {
		got, err := applyDelta([]byte(base), append(sizes(len(base), len(want)), ops...))
		if err != nil || string(got) != want {
			t.Errorf("%q: got %.20q, %v; want %.20q", ops, got, err, want)
		}
	}
	for name, delta := range map[string][]byte{
		"empty":           nil,
		"one size":        {5},
		"endless size":    bytes.Repeat([]byte{0x80}, 50),
		"other base":      append(sizes(5, 1), "\x01a"...),
		"too long":        append(sizes(len(base), 1), "\x02ab"...),
		"too short":       append(sizes(len(base), 3), "\x02ab"...),
		"reserved":        append(sizes(len(base), 3), 0),
		"cut insert":      append(sizes(len(base), 3), "\x03ab"...),
		"cut copy":        append(sizes(len(base), 3), "\x91"...),
		"beyond the base": append(sizes(len(base), 0xffff), "\xbf\xff\xff\xff\x7f\xff\xff"...),
		"over the limit":  append(sizes(len(base), maxCommit+1), "\x80"...),
	} {
		if got, err := applyDelta([]byte(base), delta); !errors.Is(err, fault.Permanent) {
			t.Errorf("%s: got %.20q, %v; want an error", name, got, err)
		}
	}
}

// sizes encodes the sizes of base and result.
func sizes(n ...int) (b []byte) {
	for _, size := range n {
		for ; size > 0x7f; size >>= 7 {
			b = append(b, byte(size)|0x80)
		}
		b = append(b, byte(size))
	}
	return b
}

// FuzzScanCommits checks that a commit's id is right and that work and memory
// stay within what came in.
func FuzzScanCommits(f *testing.F) {
	one := commitText("one")
	delta := append(sizes(len(one), len(one)+3), fmt.Sprintf("\x90%c\x03two", len(one))...)
	f.Add(makePack(whole(typeCommit, one), refDelta(one, delta), whole(3, "blob")))
	f.Add(makePack(whole(typeCommit, one), part{typeOfsDelta, []byte{100}, len(delta), delta}))
	f.Add(EmptyPack())
	f.Add([]byte("PACK\x00\x00\x00\x03\xff\xff\xff\xff"))
	f.Fuzz(func(t *testing.T, pack []byte) {
		if len(pack) > 4<<10 {
			return // a few bytes of delta may make megabytes; keep the work small
		}
		commits, err := scan(pack)
		if err != nil && fault.KindOf(err) == fault.Unknown {
			t.Fatalf("error without a kind: %v", err)
		}
		for _, c := range commits {
			if id, err := hex.DecodeString(c.OID); err != nil || len(id) != sha1.Size {
				t.Fatalf("got the commit id %q", c.OID)
			}
			for _, p := range c.Parents {
				if !isOID(p) {
					t.Fatalf("commit %s has the parent %q", c.OID, p)
				}
			}
		}
	})
}
