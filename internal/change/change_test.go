// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"strings"
	"testing"
)

func TestParseRevision(t *testing.T) {
	t.Parallel()
	if got, err := ParseRevision(string(someRevision)); err != nil || got != someRevision {
		t.Errorf("got %s, %v", got, err)
	}
	for _, s := range []string{"", "0123", string(someRevision) + "0", string(ZeroRevision), strings.ToUpper(string(someRevision)),
		string(someRevision[:39]) + "g", string(someRevision[:39]) + "\n", " " + string(someRevision[:39]), strings.Repeat("x", 1000)} {
		if got, err := ParseRevision(s); err == nil || got != "" || len(err.Error()) > 200 {
			t.Errorf("%.80q: got %q, %v; want a short error", s, got, err)
		}
	}
}

func TestRevisionShort(t *testing.T) {
	t.Parallel()
	if got := someRevision.Short(); got != "0123456789" {
		t.Errorf("got %s", got)
	}
	if got := Revision("").Short(); got != "" {
		t.Errorf("got %q, want nothing", got)
	}
}

func TestID(t *testing.T) {
	t.Parallel()
	c := Change{Number: 12345, Current: Patchset{Number: 6}}
	if got := c.ID().String(); got != "12345/6" {
		t.Errorf("got %s, want 12345/6", got)
	}
	if got, err := ParseID("12345/6"); err != nil || got != c.ID() || !got.Valid() {
		t.Errorf("got %v, %v", got, err)
	}
	for _, s := range []string{"", "12345", "12345/", "/6", "12345/6/7", "0/1", "1/0", "01/1", "1/+1", "1/1 ", "12345678901/1", "1/1234567890"} {
		if got, err := ParseID(s); err == nil || got != (ID{}) {
			t.Errorf("%q: got %v, want an error", s, got)
		}
	}
	if (ID{1, 0}).Valid() || (ID{0, 1}).Valid() || (ID{-1, 1}).Valid() {
		t.Error("a number below 1 is valid")
	}
}

func TestOutcomeString(t *testing.T) {
	t.Parallel()
	for o, want := range map[Outcome]string{Unsettled: "unsettled", Accepted: "accepted", Refused: "refused"} {
		if got := o.String(); got != want {
			t.Errorf("got %s, want %s", got, want)
		}
	}
}
