// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"errors"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// banded puts a report into channel 1, cut into pieces of n bytes.
func banded(report string, n int) string {
	var b packetBuffer
	b.packet("\x02remote: hello\n")
	for len(report) > 0 {
		cut := min(n, len(report))
		b.packet("\x01" + report[:cut])
		report = report[cut:]
	}
	b.packet("\x01") // a keep-alive
	b.packet("\x02remote: bye\n")
	b.flush()
	return b.String()
}

func TestReport(t *testing.T) {
	t.Parallel()
	commands := []Command{{Ref: "refs/heads/a"}, {Ref: "refs/heads/b"}, {Ref: "refs/heads/c"}, {Ref: "refs/heads/d"}}
	plain := packets("unpack ok\n", "ng refs/heads/b pre-receive hook declined\n", "ok refs/heads/a\n",
		"option refname refs/heads/z\n", "option forced-update\n", "ok refs/heads/other", "ng refs/heads/d\n") + "0000"
	want := &Report{Unpack: "ok", Results: []Result{
		{"refs/heads/a", ""},
		{"refs/heads/b", "pre-receive hook declined"},
		{"refs/heads/c", "the server's report does not mention it"},
		{"refs/heads/d", "refused without a reason"},
	}}
	got, err := readReport(strings.NewReader(plain), commands)
	if diff := cmp.Diff(want, got); diff != "" || err != nil {
		t.Errorf("without side-band: %v (-want +got):\n%s", err, diff)
	}
	want.Messages = "remote: hello\nremote: bye"
	for _, n := range []int{1, 3, 7, 1000} {
		got, err := readReport(strings.NewReader(banded(plain, n)), commands)
		if diff := cmp.Diff(want, got); diff != "" || err != nil {
			t.Errorf("in pieces of %d: %v (-want +got):\n%s", n, err, diff)
		}
	}
}

func TestReportWhoseServerDiesLater(t *testing.T) {
	t.Parallel()
	in := packets("\x01" + packets("unpack ok\n", "ok refs/heads/a\n") + "0000")
	report, err := readReport(strings.NewReader(in), []Command{{Ref: "refs/heads/a"}})
	if err != nil || report.Results[0].Reason != "" {
		t.Errorf("got %+v, %v; want the report, which was complete", report, err)
	}
}

func TestBadReports(t *testing.T) {
	t.Parallel()
	unpack := packets("unpack ok\n")
	cases := map[string]struct {
		in   string
		text string
		is   error
	}{
		"nothing":             {"", "empty", ErrTruncated},
		"no end":              {unpack, "end mark", ErrTruncated},
		"no end in side-band": {packets("\x02remote: disk full\n", "\x01"+unpack) + "0000", "the server said: remote: disk full", ErrTruncated},
		"no unpack line":      {packets("ok refs/heads/a\n") + "0000", "instead of a report", fault.Permanent},
		"flush only":          {"0000", "instead of a report", fault.Permanent},
		"unknown line":        {unpack + packets("maybe refs/heads/a\n") + "0000", "not a line of a report", fault.Permanent},
		"special packet":      {unpack + "0001", "special packet", fault.Permanent},
		"fatal":               {packets("\x03cannot fork"), "cannot fork", fault.Permanent},
		"ERR":                 {packets("ERR too many refs"), "too many refs", fault.Transient},
		"endless":             {packets("\x01"+unpack) + strings.Repeat(packets("\x02"+strings.Repeat("x", 60000)), 300), "end mark", ErrTruncated},
	}
	for name, c := range cases {
		if report, err := readReport(strings.NewReader(c.in), nil); !errors.Is(err, c.is) || !strings.Contains(err.Error(), c.text) {
			t.Errorf("%s: got %+v, %v; want an error with %q that is %v", name, report, err, c.text, c.is)
		}
	}
}

// FuzzReport checks that each command gets its result, whatever comes.
func FuzzReport(f *testing.F) {
	plain := packets("unpack ok\n", "ok refs/heads/a\n", "ng refs/heads/b why\n") + "0000"
	f.Add([]byte(plain))
	f.Add([]byte(banded(plain, 5)))
	f.Add([]byte(packets("unpack index-pack abnormal exit\n", "ng refs/heads/a unpacker error\n", "option x") + "0000"))
	f.Fuzz(func(t *testing.T, in []byte) {
		commands := []Command{{Ref: "refs/heads/a"}, {Ref: "refs/heads/b"}}
		report, err := readReport(strings.NewReader(string(in)), commands)
		if err != nil {
			if fault.KindOf(err) == fault.Unknown {
				t.Fatalf("error without a kind: %v", err)
			}
			return
		}
		for i, res := range report.Results {
			said := strings.Contains(string(in), "k") // of "ok", which pieces may tear apart
			if res.Ref != commands[i].Ref || res.Reason == "" && !said {
				t.Fatalf("got %+v of %q", res, in)
			}
		}
		if strings.ContainsAny(report.Unpack+report.Results[0].Reason, "\x00\x1b\n\r") {
			t.Fatalf("control characters in %+v", report)
		}
	})
}
