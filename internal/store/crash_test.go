// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"bytes"
	"context"
	"fmt"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
)

// crashing is the variable that makes the test binary a process to be killed:
// "upload ENDPOINT PATH" or "download ENDPOINT PATH".
const crashing = "STORE_TEST_CRASH"

func TestMain(m *testing.M) {
	if what := os.Getenv(crashing); what != "" {
		fmt.Println(transfer(strings.Fields(what)))
		os.Exit(1)
	}
	os.Exit(m.Run())
}

// transfer is the process to be killed.
func transfer(args []string) error {
	s, err := Open(Options{
		Endpoint: args[1], Key: testKey, Secret: strings.ReplaceAll(testSecret, " ", "_"), Bucket: "results", Prefix: "ci", Now: time.Now,
	})
	if err != nil {
		return err
	}
	s.part = testPart
	if args[0] == "upload" {
		return s.Upload(context.Background(), "image", args[2], UploadOptions{Workers: 1})
	}
	return s.Download(context.Background(), "image", args[2], DownloadOptions{Workers: 1})
}

// killAt runs a transfer in a process of its own, which is killed when its
// request of that number comes in. It reports whether there was such a request.
func (b *bed) killAt(request int, do, path string) bool {
	b.t.Helper()
	cmd := exec.Command(os.Args[0])
	cmd.Env = append(os.Environ(), crashing+"="+strings.Join([]string{do, b.endpoint, path}, " "))
	var out bytes.Buffer
	cmd.Stdout = &out
	started, killed := make(chan struct{}), make(chan struct{})
	b.server.Faults.Add(faults.Rule{Skip: request - 1, Times: 1, Do: func(http.Handler) http.Handler {
		<-started
		close(killed)
		cmd.Process.Kill()
		return http.HandlerFunc(func(http.ResponseWriter, *http.Request) { panic(http.ErrAbortHandler) })
	}})
	if err := cmd.Start(); err != nil {
		b.t.Fatal(err)
	}
	close(started)
	err := cmd.Wait()
	b.server.Faults.Clear()
	select {
	case <-killed:
		return true
	default:
	}
	if out.String() != "<nil>\n" {
		b.t.Errorf("%s: got %q, %v", do, out.String(), err)
	}
	return false
}

// TestKilledUpload: whenever the process dies, the next one goes on.
func TestKilledUpload(t *testing.T) {
	t.Parallel()
	const parts, before = 4, 2 // the look and the begin
	for request := 1; ; request++ {
		b := newBed(t, s3.Options{})
		path, data := sourceOf(t, parts*testPart)
		killed := b.killAt(request, "upload", path)
		b.server.Requests()
		if err := b.Upload(t.Context(), "image", path, UploadOptions{}); err != nil {
			t.Fatalf("killed at request %d: %v", request, err)
		}
		want := parts - max(0, min(parts, request-before-1))
		if n := b.sent("PUT", "partNumber"); killed && n != want {
			t.Errorf("killed at request %d: got %d parts sent, want %d", request, n, want)
		}
		b.wantStored(fmt.Sprint("killed at request ", request), "image", path, data)
		if !killed {
			if request != before+parts+2 {
				t.Errorf("got %d requests", request-1)
			}
			return
		}
	}
}

func TestKilledDownload(t *testing.T) {
	t.Parallel()
	const parts, before = 4, 1 // the look
	b := newBed(t, s3.Options{})
	data := b.stored(parts * testPart)
	for request := 1; ; request++ {
		path := filepath.Join(t.TempDir(), "image")
		killed := b.killAt(request, "download", path)
		b.server.Requests()
		if err := b.Download(t.Context(), "image", path, DownloadOptions{}); err != nil {
			t.Fatalf("killed at request %d: %v", request, err)
		}
		want := parts - max(0, min(parts, request-before-1))
		if n := b.sent("GET", ""); killed && n != want {
			t.Errorf("killed at request %d: got %d parts, want %d", request, n, want)
		}
		wantFile(t, fmt.Sprint("killed at request ", request), path, data)
		if !killed {
			if request != before+parts+1 {
				t.Errorf("got %d requests", request-1)
			}
			return
		}
	}
}
