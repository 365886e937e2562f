// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"fmt"
	"io"

	"github.com/spdk-community-ci/dispatcher/internal/change"
)

// progress is one line on a terminal that says what is being done.
type progress struct {
	out   io.Writer
	on    bool
	shown bool
}

func (p *progress) show(text string) {
	p.draw(change.Clip(change.OneLine(text), 100) + " ...")
}

// draw puts a line that is fit for a terminal in place of the one before.
func (p *progress) draw(line string) {
	if !p.on {
		return
	}
	// Carriage return, then ANSI "erase to the end of the line".
	fmt.Fprint(p.out, "\r\x1b[K"+line)
	p.shown = true
}

func (p *progress) clear() {
	if p.shown {
		fmt.Fprint(p.out, "\r\x1b[K")
		p.shown = false
	}
}
