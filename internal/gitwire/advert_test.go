// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"bytes"
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

const service = "# service=git-upload-pack\n"

func TestReadAdvertisement(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("a", 40)
	head, ref := Ref{"HEAD", id}, Ref{"refs/heads/x", id}
	cases := map[string]struct {
		in       string
		protocol protocol
		offers   capabilities
		refs     []Ref
	}{
		"v2":           {packets(service) + "0000" + packets("version 2\n", "ls-refs\n") + "0000", protocolV2, nil, nil},
		"v2 of JGit":   {packets("version 2\n", "fetch=shallow\n") + "0000", protocolV2, nil, nil},
		"v0":           {packets(service) + "0000" + packets(id+" HEAD\x00thin-pack ofs-delta\n", id+" refs/heads/x\n", id+" refs/tags/t^{}\n") + "0000", protocolV0, capabilities{"thin-pack", "ofs-delta"}, []Ref{head, ref}},
		"v1":           {packets(service) + "0000" + packets("version 1\n", id+" HEAD\x00\n") + "0000", protocolV0, capabilities{}, []Ref{head}},
		"empty":        {packets(service) + "0000" + packets(null+" capabilities^{}\x00side-band-64k\n") + "0000", protocolV0, capabilities{"side-band-64k"}, nil},
		"empty C git":  {packets(service) + "00000000", protocolV0, capabilities{}, nil},
		"shallow line": {packets(id+" HEAD\x00a\n", "shallow "+id+"\n") + "0000", protocolV0, capabilities{"a"}, []Ref{head}},
	}
	for name, c := range cases {
		var refs []Ref
		learned := 0
		err := readAdvertisement(strings.NewReader(c.in), func(p protocol, offers capabilities) {
			learned++
			if diff := cmp.Diff(c.offers, offers); diff != "" || p != c.protocol {
				t.Errorf("%s: got protocol %v, want %v; offers (-want +got):\n%s", name, p, c.protocol, diff)
			}
		}, func(r Ref) error {
			refs = append(refs, r)
			return nil
		})
		if diff := cmp.Diff(c.refs, refs); diff != "" || err != nil || learned != 1 {
			t.Errorf("%s: %v, learned %d times, refs (-want +got):\n%s", name, err, learned, diff)
		}
	}
	for in, want := range map[string]error{
		"":                          errEmpty,
		packets(service):            ErrTruncated,
		packets(service) + "0000":   ErrTruncated,
		packets(id + " HEAD\x00a"):  ErrTruncated,
		packets("version 2\n"):      ErrTruncated,
		packets("version 3\n"):      fault.Permanent,
		packets("ERR no such repo"): fault.Permanent,
		packets("version 2\n", "object-format=sha256\n"):          fault.Configuration,
		packets(id + id[:24] + " HEAD\x00object-format=sha256\n"): fault.Configuration,
		packets(id+" HEAD\x00a\n") + "0001":                       fault.Permanent,
	} {
		err := readAdvertisement(strings.NewReader(in), func(protocol, capabilities) {}, func(Ref) error { return nil })
		if !errors.Is(err, want) {
			t.Errorf("%q: got %v, want %v", in, err, want)
		}
	}
}

// FuzzAdvertisement checks that only well-formed refs come out.
func FuzzAdvertisement(f *testing.F) {
	id := strings.Repeat("a", 40)
	f.Add([]byte(packets(service) + "0000" + packets(id+" HEAD\x00thin-pack\n", id+" refs/heads/x\n", id+" refs/tags/t^{}\n") + "0000"))
	f.Add([]byte(packets("version 2\n", "object-format=sha1\n") + "0000"))
	f.Add([]byte(packets("version 1\n", null+" capabilities^{}\x00a b\n") + "0000"))
	f.Fuzz(func(t *testing.T, in []byte) {
		learned := false
		err := readAdvertisement(bytes.NewReader(in), func(protocol, capabilities) { learned = true }, func(r Ref) error {
			if !learned {
				t.Fatal("a ref came before the protocol was known")
			}
			checkRef(t, in, r)
			return nil
		})
		if err != nil && fault.KindOf(err) == fault.Unknown {
			t.Fatalf("error without a kind: %v", err)
		}
	})
}

// FuzzRefLine checks the lines of ls-refs.
func FuzzRefLine(f *testing.F) {
	id := strings.Repeat("0f", 20)
	f.Add([]byte(id + " refs/heads/x"))
	f.Add([]byte(id + " HEAD symref-target:refs/heads/x peeled:" + id))
	f.Add([]byte("unborn HEAD symref-target:refs/heads/x"))
	f.Add([]byte(id + id[:24] + " refs/heads/sha256"))
	f.Fuzz(func(t *testing.T, line []byte) {
		r, err := parseRef(dataPacket, line)
		if err != nil {
			if fault.KindOf(err) == fault.Unknown {
				t.Fatalf("error without a kind: %v", err)
			}
			return
		}
		checkRef(t, line, r)
		if again, err := parseRef(dataPacket, []byte(r.OID+" "+r.Name)); err != nil || again != r {
			t.Fatalf("%+v became %+v, %v", r, again, err)
		}
	})
}

func checkRef(t *testing.T, in []byte, r Ref) {
	t.Helper()
	if !isOID(r.OID) || r.Name == "" || hasControl(r.Name) || !bytes.Contains(in, []byte(r.Name)) {
		t.Fatalf("got %+v of %q", r, in)
	}
}
