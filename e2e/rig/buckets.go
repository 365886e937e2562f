// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"context"
	"fmt"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"sync/atomic"
	"time"
)

// The account of every Buckets.
const (
	BucketsKey    = "rig-key"
	BucketsSecret = "rig-secret"
)

// Buckets is a real S3 server, versitygw over a folder.
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

func (b *Buckets) start(ctx context.Context, buckets []string) error {
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
	b.Address = fmt.Sprintf("127.0.0.1:%d", port)
	cmd := exec.Command(gateway, "--quiet", "--port", b.Address, "posix", filepath.Join(b.dir, "data"))
	cmd.Env = append(os.Environ(), "ROOT_ACCESS_KEY="+BucketsKey, "ROOT_SECRET_KEY="+BucketsSecret)
	if b.server, err = start("versitygw", cmd, filepath.Join(b.dir, "log")); err != nil {
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
