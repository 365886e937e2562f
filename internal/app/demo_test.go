// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"context"
	"io"
	"net/http"
	"os"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

var port = regexp.MustCompile(`127\.0\.0\.1:[0-9]+`)

// demoApp returns the program as a newcomer runs it: nothing is set.
func demoApp(out io.Writer) *App {
	return &App{
		Stdout: out, Stderr: out, Getenv: func(string) string { return "" }, ReadFile: os.ReadFile,
		Now: func() time.Time { return time.Date(2026, 11, 24, 12, 0, 0, 0, time.UTC) }, Sleep: sleep,
	}
}

// TestDemo runs the README's first command and holds the README to its output.
func TestDemo(t *testing.T) {
	t.Parallel()
	var out bytes.Buffer
	if status := demoApp(&out).Main(t.Context(), []string{"demo"}); status != ExitDone {
		t.Fatalf("got status %d, want %d:\n%s", status, ExitDone, &out)
	}
	got := port.ReplaceAllString(out.String(), "127.0.0.1:8080")
	golden.Compare(t, "testdata/demo.txt", got)

	const begin, end = "<!-- demo -->\n", "<!-- /demo -->"
	readme, err := os.ReadFile("../../README.md")
	if err != nil {
		t.Fatal(err)
	}
	head, rest, _ := strings.Cut(string(readme), begin)
	shown, tail, found := strings.Cut(rest, end)
	if !found {
		t.Fatalf("README.md has no block between %q and %q", begin, end)
	}
	want := "```\n" + got + "```\n"
	if golden.Update() {
		if err := os.WriteFile("../../README.md", []byte(head+begin+want+end+tail), 0o644); err != nil {
			t.Fatal(err)
		}
		return
	}
	if diff := cmp.Diff(want, shown); diff != "" {
		t.Errorf("README.md shows another output (-want +got):\n%s", diff)
	}
}

// TestDemoPage reads the page that --serve leaves open.
func TestDemoPage(t *testing.T) {
	t.Parallel()
	reader, writer := io.Pipe()
	status := make(chan int, 1)
	ctx, stop := context.WithCancel(t.Context())
	defer stop()
	go func() {
		status <- demoApp(writer).Main(ctx, []string{"demo", "--serve"})
		writer.Close()
	}()
	url := make(chan string, 1)
	go func() {
		text, opened := "", regexp.MustCompile(`Open (http://127\.0\.0\.1:[0-9]+)`)
		buf := make([]byte, 4096)
		for {
			n, err := reader.Read(buf)
			text += string(buf[:n])
			if m := opened.FindStringSubmatch(text); m != nil {
				url <- m[1]
				io.Copy(io.Discard, reader)
				return
			}
			if err != nil {
				close(url)
				return
			}
		}
	}()
	resp, err := http.Get(<-url)
	if err != nil {
		t.Fatal(err)
	}
	defer resp.Body.Close()
	page, err := io.ReadAll(resp.Body)
	if err != nil || resp.StatusCode != http.StatusOK {
		t.Fatalf("got status %d, %v", resp.StatusCode, err)
	}
	for _, want := range []string{"refs/changes/02/27102/2", "27105/1/autorun.yml/1", "in doubt", "6 runs: one for each"} {
		if !strings.Contains(string(page), want) {
			t.Errorf("the page lacks %q", want)
		}
	}
	stop()
	if got := <-status; got != ExitDone {
		t.Errorf("got status %d after the end, want %d", got, ExitDone)
	}
}
