// SPDX-License-Identifier: BSD-3-Clause

//go:build bench && linux

package bench

import (
	"bufio"
	"context"
	"fmt"
	"io"
	"math/rand/v2"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// The measured project is about the size of a storage stack's: SPDK had 30,000
// commits and 75 MB when this was written. A change here needs another
// projectName, which names the cached copy.
const (
	projectName = "bench-project-5.git"
	commits     = 60_000
	modules     = 40
	filesEach   = 25
	linesEach   = 160
)

// project is a source tree whose files are edited commit by commit.
type project struct {
	rng   *rand.Rand
	words []string
	paths []string
	files [][]string
}

// projectRepository returns a bare repository with the whole history. It is
// made once in a few minutes, and kept.
func projectRepository(tb testing.TB) string {
	tb.Helper()
	cache, err := rig.CacheDir()
	if err != nil {
		tb.Fatal(err)
	}
	dir := filepath.Join(cache, projectName)
	if _, err := os.Stat(dir); err == nil {
		return dir
	}
	tb.Logf("making a project of %d commits in %s; this takes minutes, once", commits, dir)
	fresh := dir + fmt.Sprintf(".%d", os.Getpid())
	defer os.RemoveAll(fresh)
	if err := makeProject(tb.Context(), fresh); err != nil {
		tb.Fatal(err)
	}
	if err := os.Rename(fresh, dir); err != nil && !os.IsExist(err) {
		tb.Fatal(err)
	}
	return dir
}

func makeProject(ctx context.Context, dir string) error {
	if _, err := (rig.Git{}).Run(ctx, "init", "-q", "--bare", "-b", "master", dir); err != nil {
		return err
	}
	git := rig.Git{Dir: dir}
	in, out := io.Pipe()
	go func() {
		w := bufio.NewWriterSize(out, 1<<20)
		newProject().write(w)
		out.CloseWithError(w.Flush())
	}()
	if _, err := git.Pipe(ctx, in, "-c", "core.compression=1", "fast-import", "--quiet"); err != nil {
		in.CloseWithError(err)
		return err
	}
	// A server that is cared for has one pack with good deltas and a bitmap.
	_, err := git.Run(ctx, "repack", "-q", "-a", "-d", "-f", "--window=10", "--depth=50", "--write-bitmap-index")
	return err
}

func newProject() *project {
	p := &project{rng: rand.New(rand.NewPCG(20260102, 3))}
	for range 4000 {
		p.words = append(p.words, p.word())
	}
	for m := range modules {
		for f := range filesEach {
			p.paths = append(p.paths, fmt.Sprintf("lib/mod%02d/file%02d.c", m, f))
			p.files = append(p.files, p.lines(linesEach))
		}
	}
	return p
}

// write puts the history into a fast-import stream. The writer keeps its error.
func (p *project) write(w *bufio.Writer) {
	start := time.Date(2013, 1, 1, 0, 0, 0, 0, time.UTC)
	for i := range commits {
		var touched []int
		if i == 0 {
			for f := range p.files {
				touched = append(touched, f)
			}
		} else {
			for range 1 + p.rng.IntN(2) {
				touched = append(touched, p.edit())
			}
		}
		author := p.rng.IntN(60)
		when := start.Add(time.Duration(i) * 2 * time.Hour).Unix()
		fmt.Fprintf(w, "commit refs/heads/master\nmark :%d\n", i+1)
		fmt.Fprintf(w, "author Dev %d <dev%d@example.com> %d +0000\ncommitter Dev %d <dev%d@example.com> %d +0000\n",
			author, author, when, author, author, when)
		text(w, fmt.Sprintf("%s\n\n%s\n%s\n", p.line(), p.line(), p.line()))
		for _, f := range touched {
			fmt.Fprintf(w, "M 100644 inline %s\n", p.paths[f])
			text(w, strings.Join(p.files[f], "\n")+"\n")
		}
		if i%1000 == 999 {
			fmt.Fprintf(w, "reset refs/tags/v%d\nfrom :%d\n\n", i/1000, i+1)
		}
	}
}

func text(w *bufio.Writer, s string) { fmt.Fprintf(w, "data %d\n%s\n", len(s), s) }

// edit changes one file in a few places and returns its index. Files at the
// front change most, as in real projects.
func (p *project) edit() int {
	f := int(float64(len(p.files)) * p.rng.Float64() * p.rng.Float64())
	lines := p.files[f]
	for range 1 + p.rng.IntN(3) {
		at, length := p.rng.IntN(len(lines)-8), 1+p.rng.IntN(8)
		tail := append(p.lines(1+p.rng.IntN(11)), lines[at+length:]...)
		lines = append(lines[:at:at], tail...)
	}
	if len(lines) > 2*linesEach {
		lines = lines[:linesEach]
	}
	for len(lines) < linesEach/2 {
		lines = append(lines, p.line())
	}
	p.files[f] = lines
	return f
}

func (p *project) lines(n int) []string {
	lines := make([]string, n)
	for i := range lines {
		lines[i] = p.line()
	}
	return lines
}

// line returns a few words with an indent, like code or prose.
func (p *project) line() string {
	var b strings.Builder
	for range p.rng.IntN(4) {
		b.WriteByte('\t')
	}
	for i := range 2 + p.rng.IntN(8) {
		if i > 0 {
			b.WriteByte(' ')
		}
		b.WriteString(p.words[p.rng.IntN(len(p.words))])
	}
	return b.String()
}

func (p *project) word() string {
	b := make([]byte, 2+p.rng.IntN(9))
	for i := range b {
		b[i] = 'a' + byte(p.rng.IntN(26))
	}
	return string(b)
}
