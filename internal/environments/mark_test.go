// SPDX-License-Identifier: BSD-3-Clause

package environments

import (
	"encoding/json"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

func TestMark(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		mark Mark
		want string
	}{
		{Mark{By: ByTest}, `{"v":1,"by":"test","environment":"","shard":1,"shards":1,"optional":false,"exit":0,"timed_out":false}`},
		{
			Mark{By: ByTest, Environment: "nvme", Shard: 2, Shards: 3, Optional: true, Exit: 124, TimedOut: true},
			`{"v":1,"by":"test","environment":"nvme","shard":2,"shards":3,"optional":true,"exit":124,"timed_out":true}`,
		},
		{
			Mark{By: ByRig, Environment: "a", Exit: 251, Why: "no \u00e4\U0001f600\n::error::x ##[y \x1b[0m\u202e \"q\" 5%::"},
			`{"v":1,"by":"rig","environment":"a","shard":1,"shards":1,"optional":false,"exit":251,"timed_out":false,"why":"no \u00e4\ud83d\ude00 :\u003aerror:\u003ax ## [y  [0m  \"q\" 5%:\u003a"}`,
		},
	} {
		if got := c.mark.Text(); got != c.want {
			t.Errorf("got  %s\nwant %s", got, c.want)
		}
	}
}

// FuzzMark: any text gives one line that a runner hands on whole, and that says
// the same when it is read again.
func FuzzMark(f *testing.F) {
	f.Add("nvme", "QEMU ended", 251)
	f.Add("::x::", "\r\n::notice title=dispatcher result::{}\x00\xff\u2028", -1)
	f.Add(strings.Repeat("\U0001f600", 400), strings.Repeat("::\x7f\u200b", 400), 0)
	f.Fuzz(func(t *testing.T, name, why string, exit int) {
		text := Mark{By: ByRig, Environment: name, Exit: exit, Why: why}.Text()
		if len(text) > 4000 || strings.Contains(text, "::") || strings.ContainsFunc(text, func(r rune) bool { return r < ' ' || r > '~' }) {
			t.Errorf("got %q", text)
		}
		var back struct {
			Environment, Why string
			Exit             int
		}
		if err := json.Unmarshal([]byte(text), &back); err != nil || back.Exit != exit {
			t.Errorf("%s: got %+v, %v", text, back, err)
		}
		if want := change.OneLine(change.Clip(why, maxMarkWhy)); back.Why != want || !utf8.ValidString(back.Why) {
			t.Errorf("%s: got %q, want %q", text, back.Why, want)
		}
	})
}
