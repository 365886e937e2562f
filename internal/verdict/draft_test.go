// SPDX-License-Identifier: BSD-3-Clause

package verdict

import (
	"strconv"
	"strings"
	"testing"
)

// TestDraft checks how the parts of a message stand together.
func TestDraft(t *testing.T) {
	t.Parallel()
	d := &draft{cleaner: newCleaner(nil)}
	d.add(keep, "sentence")
	d.url(runURL, "https://example.org/1")
	d.url(runURL, "no address")
	d.next()
	d.heading(published, "No items:")
	d.next()
	d.heading(published, "Items:")
	d.item(published, "one")
	d.glue(account, ", glued")
	d.item(published, "two")
	d.glueURL(published, "no address")
	d.next()
	d.add(failedName, "name")
	d.pre(bestLine, "  code")
	d.pre(bestLine, "")
	d.pre(moreLines, "more")
	d.add(otherName, "after")
	want := `sentence
https://example.org/1

Items:
* one, glued
* two

name

      code
    more

after

last`
	if got := d.fit("last", 1000); got != want {
		t.Errorf("got %q, want %q", got, want)
	}
	for limit, want := range map[int]string{
		len(want):     want,
		len(want) - 1: "sentence\n\nItems:\n* one\n* two\n\nname\n\n      code\n\nafter\n\n... 3 lines left out\n\nlast",
		40:            "sentence\n\n... 9 lines left out\n\nlast",
		0:             "sentence\n\n... 9 lines left out\n\nlast", // what must stay, stays
	} {
		if got := d.fit("last", limit); got != want {
			t.Errorf("in %d bytes: got %q, want %q", limit, got, want)
		}
	}
}

func TestNames(t *testing.T) {
	t.Parallel()
	jobs := crowd(0, 0, 200).jobs(Passed)
	got := names(newCleaner(nil), jobs)
	if !strings.HasPrefix(got, "`passed-000`, `passed-001`, ") || !strings.HasSuffix(got, " more") || len(got) > maxNames+20 {
		t.Errorf("got %d bytes: %q", len(got), got)
	}
	if shown := strings.Count(got, "`passed-"); !strings.HasSuffix(got, " and "+strconv.Itoa(200-shown)+" more") {
		t.Errorf("got %d names and %q", shown, got[len(got)-20:])
	}
}
