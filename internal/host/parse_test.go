// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"bytes"
	"encoding/json"
	"fmt"
	"os"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"
)

func TestParseStat(t *testing.T) {
	t.Parallel()
	const rest = " S 41 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 5000 1 1"
	got, err := parseStat("77 (a) b (c))" + rest)
	if want := (stat{name: "a) b (c)", state: 'S', parent: 41, start: 5000}); err != nil || got != want {
		t.Errorf("got %+v, %v; want %+v", got, err, want)
	}
	for _, text := range []string{"", "77", "77 (x", "77 )x(" + rest, "77 (x) S 1", "77 (x)" + strings.ReplaceAll(rest, "5000", "-1"), "77 (x)" + strings.ReplaceAll(rest, " S ", " SS ")} {
		if got, err := parseStat(text); err == nil {
			t.Errorf("%q: got %+v", text, got)
		}
	}
}

func FuzzParseStat(f *testing.F) {
	f.Add("77 (a) b (c)) S 41 1 1 0 -1 4194560 1 0 0 0 0 0 0 0 20 0 1 0 5000 1 1")
	f.Fuzz(func(t *testing.T, text string) {
		st, err := parseStat(text)
		if err != nil {
			return
		}
		again := fmt.Sprintf("1 (%s) %c %d%s %d", st.name, st.state, st.parent, strings.Repeat(" 0", 17), st.start)
		if got, err := parseStat(again); err != nil || got != st {
			t.Fatalf("got %+v, %v; want %+v", got, err, st)
		}
	})
}

// FuzzParseMounts: what is written as the kernel does is read back.
func FuzzParseMounts(f *testing.F) {
	f.Add(`/mnt/a b\c`)
	f.Add("/x\ty\n")
	f.Fuzz(func(t *testing.T, path string) {
		parseMounts([]byte(path)) // as it is
		path = strings.Map(func(r rune) rune {
			if r < ' ' && r != '\t' && r != '\n' || r > '~' {
				return -1 // a blank to strings.Fields perhaps, and nothing that we mount
			}
			return r
		}, "/"+path)
		var line strings.Builder
		line.WriteString("22 1 8:1 / ")
		for _, c := range []byte(path) {
			if strings.IndexByte(" \t\n\\", c) >= 0 {
				fmt.Fprintf(&line, `\%03o`, c)
			} else {
				line.WriteByte(c)
			}
		}
		line.WriteString(" rw - ext4 /dev/sda1 rw\n")
		if got := parseMounts([]byte(line.String())); !slices.Equal(got, []string{path}) {
			t.Fatalf("got %q, want %q", got, path)
		}
	})
}

// FuzzParseLease: a lease that is accepted can be written and read again.
func FuzzParseLease(f *testing.F) {
	id := strings.Repeat("a", 26)
	f.Add([]byte(`{"id":"` + id + `","owner":"x","taken":"2026-01-05T08:00:00Z","expires":"2026-01-05T09:00:00Z","boot":"b","process":{"pid":2,"start":3}}`))
	f.Add([]byte(`{"id":"` + id + `"}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		l, err := parseLease(data)
		if err != nil {
			return
		}
		if strings.ContainsFunc(l.Owner, func(r rune) bool { return r < ' ' }) {
			t.Fatalf("got the owner %q", l.Owner)
		}
		again, err := json.Marshal(l)
		if err != nil {
			return // a year beyond 9999
		}
		l2, err := parseLease(again)
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(l, l2); diff != "" {
			t.Fatalf("written and read again (-want +got):\n%s", diff)
		}
	})
}

func FuzzParseHealth(f *testing.F) {
	f.Add([]byte(`{"failures":2,"reason":"x","owner":"y","at":"2026-01-05T08:00:00Z","quarantine":true}`))
	f.Fuzz(func(t *testing.T, data []byte) {
		h, err := parseHealth(data)
		if err != nil {
			return
		}
		if again, err := json.Marshal(h); err == nil {
			if h2, err := parseHealth(again); err != nil || h2.Failures != h.Failures || h2.Reason != h.Reason || !h2.Until.Equal(h.Until) {
				t.Fatalf("got %+v, %v; want %+v", h2, err, h)
			}
		}
	})
}

// FuzzParseResources: lines are read by themselves: what stands in front of a
// good one does not hide it.
func FuzzParseResources(f *testing.F) {
	f.Add([]byte(`{"kind":"path","path":"/a/b"}` + "\n" + `{"kind":"pa`))
	f.Add([]byte("\x00\x00\n{}\n"))
	f.Fuzz(func(t *testing.T, data []byte) {
		list, odd := parseResources(data)
		good := []byte("\n" + `{"kind":"path","path":"/a/b"}` + "\n")
		list2, odd2 := parseResources(append(bytes.Clone(data), good...))
		if len(list2) != len(list)+1 || odd2 != odd || list2[len(list)].Path != "/a/b" {
			t.Fatalf("got %+v and %d, before %+v and %d", list2, odd2, list, odd)
		}
	})
}

func TestParseMemory(t *testing.T) {
	t.Parallel()
	if n, err := parseMemory("MemTotal:  9 kB\nMemAvailable:   2048 kB\n"); n != 2<<20 || err != nil {
		t.Errorf("got %d, %v", n, err)
	}
	for _, text := range []string{"", "MemAvailable: x kB", "MemAvailable: -1 kB", "MemAvailable: 99999999999999999999 kB", "MemAvailable: 1"} {
		if n, err := parseMemory(text); err == nil {
			t.Errorf("%q: got %d", text, n)
		}
	}
}

func TestCheck(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.kernel("/proc/meminfo", "MemAvailable:  1048576 kB")
	test := func(args ...string) []string { return append([]string{os.Args[0], "-test.run=^$"}, args...) }
	for _, c := range []struct {
		name   string
		checks Checks
		want   string // empty: healthy
	}{
		{"nothing", Checks{}, ""},
		{"disk", Checks{Disk: 1, DiskPath: "."}, ""},
		{"full disk", Checks{Disk: 1 << 60, DiskPath: "."}, "are needed"},
		{"no disk", Checks{Disk: 1, DiskPath: "/no/such"}, "cannot be measured"},
		{"memory", Checks{Memory: 1 << 30}, ""},
		{"little memory", Checks{Memory: 1<<30 + 1}, "1.0 GiB of memory are available"},
		{"kvm", Checks{KVM: true}, "KVM cannot be used"},
		{"command", Checks{Command: test(), Timeout: time.Minute}, ""},
		{"failing command", Checks{Command: test("-no-such-flag"), Timeout: time.Minute}, "exit status 2: "},
		{"missing command", Checks{Command: []string{"/no/such"}, Timeout: time.Minute}, "no such file"},
		{"slow command", Checks{Command: []string{"sleep", "60"}, Timeout: time.Millisecond}, "did not end within 1ms"},
	} {
		wrong, err := b.Check(t.Context(), c.checks)
		if err != nil || (len(wrong) == 0) != (c.want == "") || !strings.Contains(strings.Join(wrong, ""), c.want) {
			t.Errorf("%s: got %q, %v; want %q", c.name, wrong, err, c.want)
		}
	}
	var out tail
	for range 100 {
		out.Write([]byte(strings.Repeat("x", 1000) + "\n\x1b[31mlast"))
	}
	if len(out.data) > 3*maxTail || !strings.HasSuffix(out.last(), "last") || strings.Contains(out.last(), "\x1b") {
		t.Errorf("got %d bytes, %q", len(out.data), out.last())
	}
}
