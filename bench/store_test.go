// SPDX-License-Identifier: BSD-3-Clause

//go:build bench && linux

package bench

import (
	"context"
	"crypto/rand"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"path/filepath"
	"strings"
	"sync/atomic"
	"testing"
	"time"

	"github.com/minio/minio-go/v7"
	"github.com/minio/minio-go/v7/pkg/credentials"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
	"github.com/spdk-community-ci/dispatcher/internal/store"
)

const (
	imageBytes = 1 << 30
	// hugeBytes is a sparse image, for memory.
	hugeBytes = 4 << 30
)

// transfers are what images cost on their way to storage and back.
type transfers struct {
	up, down   sample // with all checks
	plainUp    sample // one plain request, without any
	plainDown  sample
	partsUp    sample // the client library's own upload in parts, without any
	copied     sample // cp, on the same disk
	peak       int64  // memory of the process that moves hugeBytes
	wastedUp   int64  // bytes that travelled twice after a cut
	wastedDown int64
}

// transferring is the variable that makes the test binary a process that moves
// one file: "upload|download ADDRESS PATH".
const transferring = "BENCH_TRANSFER"

func TestMain(m *testing.M) {
	if what := strings.Fields(os.Getenv(transferring)); len(what) == 3 {
		if err := transfer(what[0], what[1], what[2]); err != nil {
			fmt.Fprintln(os.Stderr, err)
			os.Exit(1)
		}
		os.Exit(0)
	}
	os.Exit(m.Run())
}

func transfer(what, address, path string) error {
	st, err := openStore(address, nil)
	if err != nil {
		return err
	}
	if what == "upload" {
		return st.Upload(context.Background(), "huge", path, store.UploadOptions{})
	}
	return st.Download(context.Background(), "huge", path, store.DownloadOptions{})
}

func openStore(address string, transport http.RoundTripper) (*store.Store, error) {
	return store.Open(store.Options{
		Endpoint: "http://" + address, Key: rig.BucketsKey, Secret: rig.BucketsSecret, Bucket: "images",
		Transport: transport, Now: time.Now,
	})
}

// measureTransfers moves images to a real S3 server on this machine and back.
func measureTransfers(t *testing.T, times int) transfers {
	t.Helper()
	server, err := rig.StartBuckets(t.Context(), "images")
	must(t, err)
	defer server.Stop()
	st, err := openStore(server.Address, nil)
	must(t, err)
	dir := t.TempDir()
	image, back := filepath.Join(dir, "image"), filepath.Join(dir, "back")
	file, err := os.Create(image)
	must(t, err)
	_, err = io.CopyN(file, rand.Reader, imageBytes)
	must(t, errors.Join(err, file.Close()))

	var m transfers
	for range times {
		m.copied = append(m.copied, repeat(t, 1, func() error { return copyFile(image, back) })...)
		m.plainUp = append(m.plainUp, repeat(t, 1, func() error { return plainPut(t.Context(), server.Address, image, true) })...)
		m.partsUp = append(m.partsUp, repeat(t, 1, func() error { return plainPut(t.Context(), server.Address, image, false) })...)
		must(t, st.Delete(t.Context(), "image"))
		m.up = append(m.up, repeat(t, 1, func() error { return st.Upload(t.Context(), "image", image, store.UploadOptions{}) })...)
		m.plainDown = append(m.plainDown, repeat(t, 1, func() error { return plainGet(t.Context(), server.Address, back) })...)
		m.down = append(m.down, repeat(t, 1, func() error { return st.Download(t.Context(), "image", back, store.DownloadOptions{}) })...)
	}
	if digest(t, image) != digest(t, back) {
		t.Error("other bytes came back")
	}
	m.measureResume(t, server.Address, image, back)
	must(t, os.Remove(image))
	m.measureMemory(t, server.Address, dir)
	return m
}

// measureResume cuts a transfer in its middle, resumes it, and counts.
func (m *transfers) measureResume(t *testing.T, address, image, back string) {
	t.Helper()
	moved := &meter{next: &http.Transport{}}
	st, err := openStore(address, moved)
	must(t, err)
	must(t, st.Delete(t.Context(), "image"))
	cut := func(transfer func(context.Context, func(done, total int64)) error) {
		ctx, cancel := context.WithCancel(t.Context())
		defer cancel()
		err := transfer(ctx, func(done, total int64) {
			if done > total/2 {
				cancel()
			}
		})
		if !errors.Is(err, context.Canceled) {
			t.Fatalf("it was not cut: %v", err)
		}
		must(t, transfer(t.Context(), nil))
	}
	cut(func(ctx context.Context, tell func(done, total int64)) error {
		return st.Upload(ctx, "image", image, store.UploadOptions{Progress: tell})
	})
	m.wastedUp = moved.up.Load() - imageBytes
	cut(func(ctx context.Context, tell func(done, total int64)) error {
		return st.Download(ctx, "image", back, store.DownloadOptions{Progress: tell})
	})
	m.wastedDown = moved.down.Load() - imageBytes
}

// measureMemory moves a huge image in a process of its own.
func (m *transfers) measureMemory(t *testing.T, address, dir string) {
	t.Helper()
	huge := filepath.Join(dir, "huge")
	must(t, os.WriteFile(huge, nil, 0o644))
	must(t, os.Truncate(huge, hugeBytes))
	for _, what := range []string{"upload", "download"} {
		r, err := rig.Run(t.Context(), os.Args[0], append(os.Environ(), transferring+"="+strings.Join([]string{what, address, huge}, " ")), nil)
		must(t, err)
		if r.Code != 0 {
			t.Fatal(r)
		}
		t.Logf("%s of %s: %s, %s of memory", what, bytesText(hugeBytes), round(r.Wall), bytesText(r.Peak))
		m.peak = max(m.peak, r.Peak)
	}
}

// meter counts what travels in bodies.
type meter struct {
	next     http.RoundTripper
	up, down atomic.Int64
}

func (m *meter) RoundTrip(r *http.Request) (*http.Response, error) {
	if r.Body != nil {
		r.Body = rig.Counted{ReadCloser: r.Body, N: &m.up}
	}
	resp, err := m.next.RoundTrip(r)
	if err == nil && r.Method == http.MethodGet {
		resp.Body = rig.Counted{ReadCloser: resp.Body, N: &m.down}
	}
	return resp, err
}

// plainClient makes one request for a whole object, and checks nothing.
func plainClient(address string) (*minio.Client, error) {
	return minio.New(address, &minio.Options{Creds: credentials.NewStaticV4(rig.BucketsKey, rig.BucketsSecret, "")})
}

func plainPut(ctx context.Context, address, path string, whole bool) error {
	client, err := plainClient(address)
	if err != nil {
		return err
	}
	_, err = client.FPutObject(ctx, "images", "plain", path, minio.PutObjectOptions{DisableMultipart: whole, PartSize: 8 << 20, DisableContentSha256: true})
	return err
}

func plainGet(ctx context.Context, address, path string) error {
	client, err := plainClient(address)
	if err != nil {
		return err
	}
	body, err := client.GetObject(ctx, "images", "plain", minio.GetObjectOptions{})
	if err != nil {
		return err
	}
	defer body.Close()
	return writeSynced(path, body)
}

func copyFile(from, to string) error {
	in, err := os.Open(from)
	if err != nil {
		return err
	}
	defer in.Close()
	return writeSynced(to, struct{ io.Reader }{in}) // hidden: no copy within the kernel
}

func writeSynced(path string, from io.Reader) error {
	out, err := os.Create(path)
	if err != nil {
		return err
	}
	_, err = io.CopyBuffer(struct{ io.Writer }{out}, from, make([]byte, 256<<10))
	return errors.Join(err, out.Sync(), out.Close())
}

func digest(t *testing.T, path string) [sha256.Size]byte {
	t.Helper()
	file, err := os.Open(path)
	must(t, err)
	defer file.Close()
	sum := sha256.New()
	_, err = io.Copy(sum, file)
	must(t, err)
	return [sha256.Size]byte(sum.Sum(nil))
}

// section writes the table about images.
func (m transfers) section(b *strings.Builder) {
	rate := func(s sample) string {
		return fmt.Sprintf("%.0f MB/s (%s)", imageBytes/1e6/s.median().Seconds(), s)
	}
	b.WriteString("\n## Images\n\n")
	fmt.Fprintf(b, "An image of %s to a real S3 server (versitygw) on the same machine and back. A plain copy is one\nrequest for the whole, which checks nothing and cannot be resumed; cp copies the file on the same disk.\n\n", bytesText(imageBytes))
	b.WriteString("| work | plain copy | dispatcher, every byte checked | ratio |\n|---|---|---|---|\n")
	fmt.Fprintf(b, "| upload | %s | %s | %.2f |\n", rate(m.plainUp), rate(m.up), ratio(m.up.median(), m.plainUp.median()))
	fmt.Fprintf(b, "| upload in parts, unchecked (the client library's) | %s | the same | %.2f |\n", rate(m.partsUp), ratio(m.up.median(), m.partsUp.median()))
	fmt.Fprintf(b, "| download | %s | %s | %.2f |\n", rate(m.plainDown), rate(m.down), ratio(m.down.median(), m.plainDown.median()))
	fmt.Fprintf(b, "| cp | %s |  |  |\n", rate(m.copied))
	b.WriteString("\nThis server writes what comes in parts twice: it joins them in a file of its own. Client and server compute\ntheir digests on the same two cores here.\n")
	b.WriteString("\n| what | measured | goal |\n|---|---|---|\n")
	fmt.Fprintf(b, "| peak memory, an image of %s up and down | %s | under 64 MB |\n", bytesText(hugeBytes), bytesText(m.peak))
	fmt.Fprintf(b, "| bytes that travel twice, an upload cut in its middle and resumed | %s | at most 4 parts, 34 MB |\n", bytesText(m.wastedUp))
	fmt.Fprintf(b, "| the same, a download | %s | at most 4 parts, 34 MB |\n", bytesText(m.wastedDown))
}

// TestTransferPerformance measures transfers alone; with -write it replaces that
// section of the page.
func TestTransferPerformance(t *testing.T) {
	var b strings.Builder
	measureTransfers(t, *rounds).section(&b)
	t.Log(b.String())
	if !*write || t.Failed() {
		return
	}
	const name = "../docs/performance.md"
	text := read(t, name)
	if head, rest, ok := strings.Cut(text, "\n## Images\n"); ok {
		text = head + rest[strings.Index(rest, "\n## "):]
	}
	head, notes, ok := strings.Cut(text, "\n## Reading the numbers")
	if !ok {
		t.Fatal("the page has lost its notes")
	}
	must(t, os.WriteFile(name, []byte(head+b.String()+"\n## Reading the numbers"+notes), 0o644))
}
