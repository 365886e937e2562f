// SPDX-License-Identifier: BSD-3-Clause

package remote

import (
	"cmp"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/pkg/sftp"
	"golang.org/x/crypto/ssh"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// What can be wrong with a guest that is reached, besides what its commands do.
var (
	// ErrHostKey: somebody answers, but not with the key of this run. While a
	// guest boots for the first time that may be its own old key.
	ErrHostKey = errors.New("the SSH server does not have the key that the guest was given")
	// ErrLogin: the right guest answers, but does not let us in.
	ErrLogin = errors.New("the guest's SSH server does not accept the key of this run")
	// ErrLost: the connection ended while something was going on.
	ErrLost = errors.New("the connection to the guest was lost")
	// ErrDiskFull: the guest has no space left.
	ErrDiskFull = errors.New("the guest's disk is full")
)

// Client is a connection to one guest.
type Client struct {
	ssh *ssh.Client

	mu    sync.Mutex
	files *sftp.Client
}

// Dial logs in as user at address, HOST:PORT. It tries once; a guest that is
// still booting gives an error that is worth another try.
func Dial(ctx context.Context, address, user string, keys *Keys) (*Client, error) {
	conn, err := new(net.Dialer).DialContext(ctx, "tcp", address)
	if err != nil {
		return nil, fault.New(fault.Guest, "failed to reach the guest: %w", err)
	}
	return logIn(ctx, conn, address, user, keys)
}

// logIn makes a client of a connection, or closes it.
func logIn(ctx context.Context, conn net.Conn, address, user string, keys *Keys) (*Client, error) {
	patience, cancel := context.WithCancel(ctx)
	defer cancel()
	silence := time.AfterFunc(firstWord, cancel)
	defer silence.Stop()
	stop := context.AfterFunc(patience, func() { conn.Close() })
	var stranger bool
	config := &ssh.ClientConfig{
		User: user, Auth: []ssh.AuthMethod{ssh.PublicKeys(keys.client)},
		HostKeyAlgorithms: []string{ssh.KeyAlgoED25519},
		HostKeyCallback: func(_ string, _ net.Addr, key ssh.PublicKey) error {
			if string(key.Marshal()) != string(keys.host.Marshal()) {
				stranger = true
				return ErrHostKey
			}
			return nil
		},
	}
	c, channels, requests, err := ssh.NewClientConn(&patient{Conn: conn, silence: silence}, address, config)
	if !stop() {
		err = cmp.Or(ctx.Err(), errSilent)
	}
	if err != nil {
		conn.Close()
		return nil, whyNot(err, stranger)
	}
	return &Client{ssh: ssh.NewClient(c, channels, requests)}, nil
}

// firstWord is how long an SSH server may take to say its version. QEMU takes
// connections for a guest that cannot answer yet and keeps them waiting for
// longer than the guest needs to come up, so it is better to try again.
const firstWord = 2 * time.Second

// handshake is how long logging in may take after that: without KVM the
// guest's arithmetic is slow.
const handshake = time.Minute

// errSilent says that the time for one of them is over.
var errSilent = errors.New("the SSH server takes too long to answer")

// patient waits longer once the other side has said something.
type patient struct {
	net.Conn
	heard   bool
	silence *time.Timer
}

// Read notes that something came.
func (p *patient) Read(b []byte) (int, error) {
	n, err := p.Conn.Read(b)
	if n > 0 && !p.heard {
		p.heard = true
		p.silence.Reset(handshake)
	}
	return n, err
}

// whyNot classifies a failed handshake. The library has no type for a refused
// login, only a text.
func whyNot(err error, stranger bool) error {
	switch {
	case stranger:
		return fault.New(fault.Guest, "%w", ErrHostKey)
	case strings.Contains(err.Error(), "unable to authenticate"):
		return fault.New(fault.Guest, "%w", ErrLogin)
	}
	return fault.New(fault.Guest, "failed to log in to the guest: %w", err)
}

// Close ends the connection and everything that runs over it.
func (c *Client) Close() { c.ssh.Close() }

// sftp returns the connection for files, which is opened when it is first
// needed.
func (c *Client) sftp() (*sftp.Client, error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.files == nil {
		files, err := sftp.NewClient(c.ssh)
		if err != nil {
			return nil, fault.New(fault.Guest, "failed to open SFTP in the guest: %w", err).
				WithHint("the image must have an SFTP server (Debian: openssh-sftp-server)")
		}
		c.files = files
	}
	return c.files, nil
}

// Full returns ErrDiskFull if a file system of the guest has no space left
// where its commands write; it returns nil if it has, or if it cannot tell.
func (c *Client) Full(ctx context.Context) error {
	ctx, cancel := context.WithTimeout(ctx, 10*time.Second)
	defer cancel()
	answer := make(chan error, 1)
	go func() {
		files, err := c.sftp()
		if err != nil {
			answer <- nil
			return
		}
		for _, path := range []string{".", "/", "/tmp", "/var/tmp"} {
			const little = 1 << 20 // what is kept for root makes it hard to come to 0
			if st, err := files.StatVFS(path); err == nil && st.Blocks > 0 && st.Bavail*st.Frsize < little {
				answer <- fault.New(fault.Guest, "%w at %s", ErrDiskFull, path)
				return
			}
		}
		answer <- nil
	}()
	select {
	case err := <-answer:
		return err
	case <-ctx.Done():
		return nil
	}
}
