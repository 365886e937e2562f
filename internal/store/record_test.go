// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"encoding/json"
	"slices"
	"strconv"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

const recordHeader = `{"key":"ci/image","etag":"x-3","modified":1767600000,"size":20,"part_size":8}` + "\n"

func TestParseRecord(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		name, text string
		parts      []int
		ok         bool
	}{
		{"new", recordHeader, nil, true},
		{"two parts", recordHeader + "2\n0\n", []int{2, 0}, true},
		{"half a line", recordHeader + "2\n1", []int{2}, true},
		{"empty", "", nil, false},
		{"half a header", recordHeader[:20], nil, false},
		{"no such part", recordHeader + "3\n", nil, false},
		{"negative", recordHeader + "-1\n", nil, false},
		{"no number", recordHeader + "one\n", nil, false},
		{"empty line", recordHeader + "\n", nil, false},
		{"unknown field", `{"key":"x","size":1,"part_size":1,"more":1}` + "\n", nil, false},
		{"two headers on a line", strings.TrimSpace(recordHeader) + recordHeader, nil, false},
		{"no part size", `{"key":"x","size":1}` + "\n", nil, false},
		{"too long", recordHeader + strings.Repeat("1\n", maxState), nil, false},
	} {
		_, parts, ok := parseRecord([]byte(c.text))
		if ok != c.ok || !slices.Equal(parts, c.parts) {
			t.Errorf("%s: got %v, %t; want %v, %t", c.name, parts, ok, c.parts, c.ok)
		}
	}
}

// FuzzParseRecord: what is read can be written and read again, and a line more
// is a part more.
func FuzzParseRecord(f *testing.F) {
	f.Add([]byte(recordHeader + "2\n0\n1"))
	f.Add([]byte(recordHeader))
	f.Add([]byte("{}\n0\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, parts, ok := parseRecord(data)
		if !ok {
			return
		}
		again, err := json.Marshal(h)
		if err != nil {
			t.Fatal(err)
		}
		again = append(again, '\n')
		for _, p := range parts {
			if p < 0 || int64(p)*h.Part >= h.Size {
				t.Fatalf("part %d of %d bytes in parts of %d", p, h.Size, h.Part)
			}
			again = append(strconv.AppendInt(again, int64(p), 10), '\n')
		}
		if len(again) > maxState {
			return
		}
		h2, parts2, ok := parseRecord(again)
		if diff := cmp.Diff(h, h2); !ok || diff != "" || !slices.Equal(parts, parts2) {
			t.Fatalf("written and read again: %t %v %v\n%s", ok, parts, parts2, diff)
		}
	})
}

// FuzzParseUploadState: what is accepted can be written and read again.
func FuzzParseUploadState(f *testing.F) {
	f.Add([]byte(`{"endpoint":"https://x","bucket":"b","key":"k","upload":"u","sha256":"` + strings.Repeat("a", 64) + `","part_size":8}`))
	f.Add([]byte(`{}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		st, ok := parseUploadState(data)
		if !ok {
			return
		}
		again, err := json.Marshal(st)
		if err != nil {
			t.Fatal(err)
		}
		st2, ok := parseUploadState(again)
		if !ok && len(again) <= maxState || ok && st2 != st {
			t.Fatalf("got %+v, %t; want %+v", st2, ok, st)
		}
	})
}
