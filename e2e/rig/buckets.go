// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"context"
	"crypto/md5"
	"encoding/base64"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"sync/atomic"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/s3"
)

// The account of every Buckets.
const (
	BucketsKey    = "rig-key"
	BucketsSecret = "rig-secret"
)

// Buckets is a real S3 server: versitygw over a folder, or moto.
type Buckets struct {
	// Address is HOST:PORT.
	Address string
	dir     string
	server  *process
}

// StartBuckets starts a server with some empty buckets. Stop ends it.
func StartBuckets(ctx context.Context, buckets ...string) (*Buckets, error) {
	dir, err := os.MkdirTemp("", "rig-buckets-*")
	if err != nil {
		return nil, err
	}
	b := &Buckets{dir: dir}
	if err := b.start(ctx, buckets); err != nil {
		b.Stop()
		return nil, err
	}
	return b, nil
}

// StartMoto starts moto, which has more of Amazon's API than versitygw (lifecycle
// rules), checks no signatures and keeps everything in memory.
func StartMoto(ctx context.Context) (*Buckets, error) {
	dir, err := os.MkdirTemp("", "rig-moto-*")
	if err != nil {
		return nil, err
	}
	b := &Buckets{dir: dir}
	moto, err := installed("moto_server")
	var port int
	if err == nil {
		port, err = freePort()
	}
	if err == nil {
		err = b.run(ctx, "moto", exec.Command(moto, "--host", "127.0.0.1", "--port", strconv.Itoa(port)), port)
	}
	if err != nil {
		b.Stop()
		return nil, err
	}
	return b, nil
}

// Do sends a signed request to the server's API, to set up what the dispatcher never
// changes, and returns the answer.
func (b *Buckets) Do(ctx context.Context, method, path, body string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, method, "http://"+b.Address+path, strings.NewReader(body))
	if err != nil {
		return "", err
	}
	sum := md5.Sum([]byte(body)) // lifecycle rules want it
	req.Header.Set("Content-Md5", base64.StdEncoding.EncodeToString(sum[:]))
	s3.Sign(req, BucketsKey, BucketsSecret, "us-east-1", body, time.Now())
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return "", err
	}
	defer resp.Body.Close()
	text, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode >= 300 {
		err = fmt.Errorf("%s %s: %s: %s", method, path, resp.Status, text)
	}
	return string(text), err
}

func (b *Buckets) start(ctx context.Context, buckets []string) error {
	if err := os.Mkdir(filepath.Join(b.dir, "versions"), 0o755); err != nil {
		return err
	}
	for _, name := range buckets {
		if err := os.MkdirAll(filepath.Join(b.dir, "data", name), 0o755); err != nil {
			return err
		}
	}
	gateway, err := installed("versitygw")
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	cmd := exec.Command(gateway, "--quiet", "--port", fmt.Sprintf("127.0.0.1:%d", port),
		"posix", "--versioning-dir", filepath.Join(b.dir, "versions"), filepath.Join(b.dir, "data"))
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+BucketsKey, "ROOT_SECRET_KEY="+BucketsSecret)
	return b.run(ctx, "versitygw", cmd, port)
}

// run starts a server and waits until it answers.
func (b *Buckets) run(ctx context.Context, name string, cmd *exec.Cmd, port int) (err error) {
	b.Address = fmt.Sprintf("127.0.0.1:%d", port)
	if b.server, err = start(name, cmd, filepath.Join(b.dir, "log")); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return b.server.await(ctx, func(context.Context) error {
		conn, err := net.Dial("tcp", b.Address)
		if err == nil {
			err = conn.Close()
		}
		return err
	})
}

// Stop ends the server and deletes what it has.
func (b *Buckets) Stop() {
	if b.server != nil {
		b.server.stop()
	}
	os.RemoveAll(b.dir)
}

// Counted is a body that adds what is read from it to N.
type Counted struct {
	io.ReadCloser
	N *atomic.Int64
}

// Read implements io.Reader.
func (c Counted) Read(p []byte) (int, error) {
	n, err := c.ReadCloser.Read(p)
	c.N.Add(int64(n))
	return n, err
}
