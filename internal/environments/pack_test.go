// SPDX-License-Identifier: BSD-3-Clause

package environments

import (
	"encoding/json"
	"errors"
	"fmt"
	"math/rand/v2"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

func TestParseCell(t *testing.T) {
	t.Parallel()
	c := Cell{ID: "a", Name: "a", Kind: Guest, Command: "true", Minutes: 1, Machine: "{}"}
	text, err := json.Marshal(c)
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseCell(string(text), ""); err != nil || !cmp.Equal(got, c) {
		t.Errorf("got %+v, %v", got, err)
	}
	packed, err := Plan{Cells: map[Kind][]Cell{Docker: {{ID: "b"}}, Guest: {c}}}.Pack()
	if err != nil {
		t.Fatal(err)
	}
	if got, err := ParseCell("a", packed); err != nil || !cmp.Equal(got, c) {
		t.Errorf("got %+v, %v", got, err)
	}
	for _, bad := range [][2]string{
		{"", ""}, {"null", ""}, {"{}", ""}, {`{"id": "a"}`, ""}, {"{", packed}, {"", packed}, {"b", packed}, {"c", packed}, {"a", "H4sI"}, {"a", packed[:40]}, {"a", "no base64"},
	} {
		if _, err := ParseCell(bad[0], bad[1]); !errors.Is(err, fault.Configuration) || fault.HintOf(err) == "" {
			t.Errorf("%q: got %v", bad, err)
		}
	}
}

// TestPack: 300 jobs of a kind's worth of long lists fit where they travel.
func TestPack(t *testing.T) {
	t.Parallel()
	var list []Environment
	for i := range 3 {
		e := Environment{Name: fmt.Sprintf("nvme-%d", i), Kind: Kinds()[i], Image: "debian", Command: "./autorun.sh ../auto.conf", Minutes: 60, Shards: 100, RunsOn: Labels{"self-hosted", "lab"}}
		for n := range 128 {
			e.Tests = append(e.Tests, fmt.Sprintf("SPDK_TEST_%03d_FUNCTIONAL", n))
		}
		list = append(list, e)
	}
	p, err := Make(list, 1)
	if err != nil {
		t.Fatal(err)
	}
	packed, err := p.Pack()
	if err != nil {
		t.Fatal(err)
	}
	back, err := Unpack(packed)
	if diff := cmp.Diff(p, back); err != nil || diff != "" {
		t.Errorf("%v, -want +got:\n%s", err, diff)
	}
	if n := len(p.Entries(Metal)); n != 100 || p.Entries(Metal)[99].LeaseWait == "" || p.Entries("none") == nil {
		t.Errorf("got %d entries", n)
	}
	t.Logf("300 jobs: %d bytes", len(packed))
}

// TestPackTooLong: what nobody could start a program with is refused in time.
func TestPackTooLong(t *testing.T) {
	t.Parallel()
	var cells []Cell
	for i := range 100 {
		noise := rand.NewChaCha8([32]byte{byte(i)})
		text := make([]byte, 2000)
		noise.Read(text) // it never fails
		cells = append(cells, Cell{ID: fmt.Sprint(i), Command: fmt.Sprintf("%x", text)})
	}
	if _, err := (Plan{Cells: map[Kind][]Cell{Docker: cells}}).Pack(); !errors.Is(err, fault.Configuration) || fault.HintOf(err) == "" {
		t.Errorf("got %v", err)
	}
}
