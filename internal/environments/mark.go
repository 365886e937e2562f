// SPDX-License-Identifier: BSD-3-Clause

package environments

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Who decided how a test ended.
const (
	ByTest = "test" // it ran, and its exit status is its own
	ByRig  = "rig"  // it has no result: something around it failed
)

// MarkTitle is the title of the annotation that holds a Mark.
const MarkTitle = "dispatcher result"

// markVersion changes when a reader of old marks would misread new ones.
const markVersion = 1

// Limits of the outside texts in a mark, in bytes. In the worst case a byte
// becomes six, and the runner cuts an annotation at 4096 characters.
const (
	maxMarkName = 120
	maxMarkWhy  = 400
)

// Mark is what our own code says of how a test ended. It travels as an annotation
// that code under test cannot make: it is printed when nothing of the test runs
// any more, and until then the runner obeys no command.
type Mark struct {
	// By is ByTest or ByRig.
	By string
	// Environment is the environment's name, empty outside of environments.
	Environment string
	// Shard counts from 1 to Shards.
	Shard, Shards int
	// Optional results do not count.
	Optional bool
	// Exit is the exit status, 0 to 255.
	Exit     int
	TimedOut bool
	// Why says what failed, if that was the rig.
	Why string
}

// Text is the mark as one line of JSON in printable ASCII, without a "::" in it:
// it passes through the runner's ActionCommand.cs and through act's regular
// expressions as it is.
func (m Mark) Text() string {
	wire := struct {
		Version     int    `json:"v"`
		By          string `json:"by"`
		Environment string `json:"environment"`
		Shard       int    `json:"shard"`
		Shards      int    `json:"shards"`
		Optional    bool   `json:"optional"`
		Exit        int    `json:"exit"`
		TimedOut    bool   `json:"timed_out"`
		Why         string `json:"why,omitempty"`
	}{
		markVersion, m.By, short(m.Environment, maxMarkName), max(m.Shard, 1), max(m.Shards, 1), m.Optional, m.Exit, m.TimedOut, short(m.Why, maxMarkWhy),
	}
	text, err := json.Marshal(wire)
	if err != nil { // there is nothing in it that cannot be written
		panic(err)
	}
	return strings.ReplaceAll(ascii(string(text)), "::", `:\u003a`)
}

// short makes outside text one line of at most n bytes.
func short(s string, n int) string { return change.OneLine(change.Clip(s, n)) }

// ascii writes all other characters of a JSON text as escapes. They can only
// stand in strings.
func ascii(text string) string {
	var b strings.Builder
	for _, r := range text {
		switch {
		case r >= ' ' && r <= '~':
			b.WriteRune(r)
		case r > 0xffff:
			r -= 0x10000
			fmt.Fprintf(&b, `\u%04x\u%04x`, 0xd800+r>>10, 0xdc00+r&0x3ff)
		default:
			fmt.Fprintf(&b, `\u%04x`, r)
		}
	}
	return b.String()
}
