// SPDX-License-Identifier: BSD-3-Clause

package publish

import (
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// Published is what became of a batch.
type Published struct {
	// Index is the page that lists everything; empty if it is not there.
	Index     string
	Logs      []Item
	Artifacts []Item

	workflow string
}

// Item is one artifact or the log of one job.
type Item struct {
	// Name is the artifact's or the job's: outside text.
	Name string
	// Conclusion is the job's; empty for artifacts.
	Conclusion string
	// Files are what was copied, and what was not, with the reason.
	Files []File
	// Note says what is different from what one would expect, in particular why
	// nothing was copied; empty if all is well.
	Note string

	anchor string // on the page
}

// File is one file of an artifact, or a log.
type File struct {
	// Path is relative to the artifact: outside text.
	Path string
	// URL is where it can be read; empty if it was not copied.
	URL  string
	Size int64
	// Problem is why it was not copied.
	Problem string
}

// Copied counts the files that can be read.
func (i Item) Copied() (files int, bytes int64) {
	for _, f := range i.Files {
		if f.URL != "" {
			files++
			bytes += f.Size
		}
	}
	return files, bytes
}

// Link is an address with a name.
type Link struct{ Name, URL string }

// Links are those for a message: the page, then each artifact of which something
// was copied; none if nothing was. Names are outside text.
func (p Published) Links() []Link {
	if p.Index == "" {
		return nil
	}
	files, bytes := 0, int64(0)
	var links []Link
	for _, item := range p.Artifacts {
		n, size := item.Copied()
		files, bytes = files+n, bytes+size
		if n == 0 {
			continue
		}
		link := Link{Name: fmt.Sprintf("%s (%s)", item.Name, describe(n, size)), URL: p.Index + "#" + item.anchor}
		if n == 1 && len(item.Files) == 1 {
			link.URL = item.Files[0].URL
		}
		links = append(links, link)
	}
	for _, item := range p.Logs {
		n, size := item.Copied()
		files, bytes = files+n, bytes+size
	}
	if files == 0 {
		return nil
	}
	return append([]Link{{Name: fmt.Sprintf("all results of %s (%s)", p.workflow, describe(files, bytes)), URL: p.Index}}, links...)
}

// Problems says in lines what could not be copied, and why: at most one line for
// an artifact or a log.
func (p Published) Problems() []string {
	var lines []string
	for _, list := range [][]Item{p.Logs, p.Artifacts} {
		for _, item := range list {
			if text := item.problem(); text != "" {
				lines = append(lines, change.OneLine(change.Clip(item.Name, 100))+": "+text)
			}
		}
	}
	return lines
}

func (i Item) problem() string {
	missing, first := 0, ""
	for _, f := range i.Files {
		if f.URL != "" {
			continue
		}
		if missing++; missing == 1 {
			first = change.OneLine(change.Clip(f.Path, 100)) + ": " + f.Problem
		}
	}
	switch {
	case i.Note != "":
		return i.Note
	case missing > 1:
		return fmt.Sprintf("%d of %d files were not copied (%s)", missing, len(i.Files), first)
	case missing == 1:
		return "not copied: " + first
	}
	return ""
}

// Whole reports whether all of it was copied.
func (i Item) Whole() bool {
	n, _ := i.Copied()
	return n > 0 && i.problem() == ""
}

// describe says how much there is.
func describe(files int, bytes int64) string {
	if files == 1 {
		return sizeText(bytes)
	}
	return fmt.Sprintf("%d files, %s", files, sizeText(bytes))
}

// sizeText writes a size for people.
func sizeText(n int64) string {
	units := []string{"kB", "MB", "GB", "TB", "PB", "EB"}
	switch {
	case n == 1:
		return "1 byte"
	case n < 1000:
		return fmt.Sprintf("%d bytes", n)
	}
	f, unit := float64(n)/1000, 0
	for f >= 999.5 && unit < len(units)-1 {
		f, unit = f/1000, unit+1
	}
	if f < 9.95 {
		return fmt.Sprintf("%.1f %s", f, units[unit])
	}
	return fmt.Sprintf("%.0f %s", f, units[unit])
}
