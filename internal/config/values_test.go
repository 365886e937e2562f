// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"testing"
	"time"
)

func TestDuration(t *testing.T) {
	t.Parallel()
	tests := []struct {
		text  string
		want  time.Duration
		write string
	}{
		{"0", 0, "0"}, {"0m", 0, "0"}, {"90s", 90 * time.Second, "1m30s"}, {"15m", 15 * time.Minute, "15m"}, {"6h", 6 * time.Hour, "6h"},
		{"30d", 30 * day, "30d"}, {"26w", 182 * day, "182d"}, {"1h30m", 90 * time.Minute, "1h30m"}, {"36h", 36 * time.Hour, "1d12h"},
		{"3650d", maxDuration, "3650d"},
	}
	for _, tt := range tests {
		var d duration
		if err := d.UnmarshalText([]byte(tt.text)); err != nil || time.Duration(d) != tt.want || d.String() != tt.write {
			t.Errorf("%s: got %v written %s, %v; want %v written %s", tt.text, time.Duration(d), d, err, tt.want, tt.write)
		}
	}
	for _, text := range []string{"", " ", "1", "-1s", "+1s", "1.5h", "1ms", "s", "1 h", "1H", "6mon", "3651d", "1000000000s", "99999999w99999999w"} {
		var d duration
		if err := d.UnmarshalText([]byte(text)); err == nil || d != 0 {
			t.Errorf("%q: got %v, want an error", text, d)
		}
	}
}

// TestNumbersAsText: a branch 8.0 is the text 8.0, not a number.
func TestNumbersAsText(t *testing.T) {
	t.Parallel()
	c, err := loadFile("f.yml", []byte("gerrits: {a: {url: 'https://a.example.org'}}\nprojects: [{name: 1e3, mirror: {repository: a/b}, branches: [8.0, 0x10, true, 2024-01-01], max-age: 0}]\n"))
	if err != nil {
		t.Fatal(err)
	}
	p := c.Projects[0]
	if got := p.Branches; p.Name != "1e3" || len(got) != 4 || got[0] != "8.0" || got[1] != "0x10" || got[2] != "true" || got[3] != "2024-01-01" {
		t.Errorf("got %s and %q", p.Name, got)
	}
}

// TestPageAddresses: what stands in a browser's address bar is not the base,
// but a base may look a little like it.
func TestPageAddresses(t *testing.T) {
	t.Parallel()
	for path, want := range map[string]bool{
		"": false, "/gerrit": false, "/r": false, "/c/gerrit": false, "/q/gerrit": false, "/admin": false, "/area": false,
		"/a": true, "/gerrit/a": true, "/c/spdk/spdk/+/123": true, "/gerrit/q/status:open+-is:wip": true, "/dashboard/self": true, "/admin/repos/spdk": true, "/settings": true,
	} {
		if got := pagePattern.MatchString("https://review.example.org" + path); got != want {
			t.Errorf("%q: got %v, want %v", path, got, want)
		}
	}
}
