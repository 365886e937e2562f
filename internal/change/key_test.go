// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"strings"
	"testing"
)

// keys are valid keys and how they are written.
var keys = []struct {
	key  Key
	text string
}{
	{Key{ID: ID{12345, 6}, Workflow: "autorun.yml", Attempt: 1}, "12345/6/autorun.yml/1"},
	{Key{Server: "spdk", ID: ID{1, 1}, Workflow: "autorun.yml", Attempt: 1}, "spdk+1/1/autorun.yml/1"},
	{Key{Server: "a-1", ID: ID{9999999999, 999999999}, Workflow: "_x.Y-z", Attempt: 9999}, "a-1+9999999999/999999999/_x.Y-z/9999"},
	{Key{ID: ID{7, 2}, Workflow: strings.Repeat("w", 100), Attempt: 10}, "7/2/" + strings.Repeat("w", 100) + "/10"},
}

func TestKeyRoundTrip(t *testing.T) {
	t.Parallel()
	for _, k := range keys {
		if got := k.key.String(); got != k.text {
			t.Errorf("String: got %s, want %s", got, k.text)
		}
		if got, err := ParseKey(k.text); err != nil || got != k.key {
			t.Errorf("ParseKey(%s): got %+v, %v", k.text, got, err)
		}
	}
}

// notKeys are texts that String would not have written.
var notKeys = []string{
	"", "/", "1/1/a/", "1/1//1", "1/1/a", "1/1/a/1/1", "0/1/a/1", "1/0/a/1", "1/1/a/0", "01/1/a/1", "1/01/a/1", "1/1/a/01",
	"-1/1/a/1", "+1/1/a/1", "1/1/a/+1", "12345678901/1/a/1", "1/1234567890/a/1", "1/1/a/12345", " 1/1/a/1", "1/1/a/1 ", "1/1/a/1\n",
	"1/1/../1", "1/1/a..b/1", "1/1/.a/1", "1/1/-a/1", "1/1/a./1", "1/1/a.lock/1", "1/1/a b/1", "1/1/\u00e4/1", "1/1/a+b/1",
	"S+1/1/a/1", "1s+1/1/a/1", "-s+1/1/a/1", "s_+1/1/a/1", "s+s+1/1/a/1", "s~1/1/a/1", "s/1/1/a/1", "\u0661/1/a/1",
	strings.Repeat("s", 30) + "+1/1/a/1", "1/1/" + strings.Repeat("w", 101) + "/1",
}

func TestParseKeyRefuses(t *testing.T) {
	t.Parallel()
	for _, s := range notKeys {
		if got, err := ParseKey(s); err == nil {
			t.Errorf("%q: got %+v, want an error", s, got)
		} else if got != (Key{}) || len(err.Error()) > 200 {
			t.Errorf("%q: got %+v and an error of %d bytes", s, got, len(err.Error()))
		}
	}
}

func TestKeyOfRun(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		want string
	}{
		{"12345/6/autorun.yml/1", "12345/6/autorun.yml/1"},
		{"spdk+12345/6/autorun.yml/1 nvme: fix it", "spdk+12345/6/autorun.yml/1"},
		{"12345/6/autorun.yml/1  2/2/autorun.yml/2", "12345/6/autorun.yml/1"},
		{"nvme: fix it 12345/6/autorun.yml/1", ""}, // a subject must not claim a run
		{" 12345/6/autorun.yml/1", ""},
		{"12345/6/autorun.yml/1\tx", ""},
		{"", ""},
	}
	for _, tt := range tests {
		k, ok := KeyOfRun(tt.name)
		if ok != (tt.want != "") || ok && k.String() != tt.want {
			t.Errorf("%q: got %v, %v; want %q", tt.name, k, ok, tt.want)
		}
		if k2, ok2 := (Run{Name: tt.name}).Key(); k2 != k || ok2 != ok {
			t.Errorf("%q: Run.Key gives %v, %v", tt.name, k2, ok2)
		}
	}
}

func TestCheckServer(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{"a": true, "a-1": true, "abcdefghijklmnopqrst": true,
		"": false, "A": false, "1a": false, "-a": false, "a.b": false, "a\n": false, "abcdefghijklmnopqrstu": false} {
		if err := CheckServer(name); (err == nil) != want {
			t.Errorf("%q: got %v, want valid %v", name, err, want)
		}
	}
}

// TestScope: keys of imported changes are keys, whatever the server's name, and tell
// projects apart.
func TestScope(t *testing.T) {
	t.Parallel()
	seen := map[string]bool{}
	for _, server := range []string{"", "spdk", strings.Repeat("s", 20)} {
		for _, project := range []string{"spdk/spdk", "spdk/dpdk", "a"} {
			k := Key{Server: Scope(server, project), ID: ID{1, 1}, Workflow: "a", Attempt: 1}
			if got, err := ParseKey(k.String()); err != nil || got != k || k.Server == server || seen[k.Server] {
				t.Errorf("%q and %q: got %s, %v", server, project, k, err)
			}
			seen[k.Server] = true
		}
	}
	if got := Scope("", "spdk/spdk"); got != "pc125948" {
		t.Errorf("got %s: keys that are in use must not change", got)
	}
}

func FuzzParseKey(f *testing.F) {
	for _, k := range keys {
		f.Add(k.text)
	}
	for _, s := range notKeys {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		k, err := ParseKey(s)
		if err != nil {
			return
		}
		if k.String() != s {
			t.Errorf("%q becomes %q", s, k)
		}
		if !k.Valid() || k.Attempt < 1 || CheckWorkflow(k.Workflow) != nil || k.Server != "" && !scopedPattern.MatchString(k.Server) {
			t.Errorf("%q gives the invalid %+v", s, k)
		}
		// A key is a part of refs: nothing that git refuses may pass.
		if err := CheckBranch(s); err != nil {
			t.Errorf("%q cannot be a part of a ref: %v", s, err)
		}
	})
}

func FuzzKeyOfRun(f *testing.F) {
	f.Add("12345/6/autorun.yml/1", "nvme: fix it")
	f.Add("12345/6/autorun.yml", "/1")
	f.Add("", "12345/6/autorun.yml/1 x")
	f.Fuzz(func(t *testing.T, key, rest string) {
		k, err := ParseKey(key)
		got, ok := KeyOfRun(key + " " + rest)
		if ok != (err == nil) && !strings.Contains(key, " ") {
			t.Errorf("%q: got %v, want what ParseKey says: %v", key, ok, err)
		}
		if err == nil && got != k {
			t.Errorf("%q changes the key %v to %v", rest, k, got)
		}
	})
}
