// SPDX-License-Identifier: BSD-3-Clause

package qmp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"io"
	"net"
	"sync"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// maxLine bounds one message; the longest that QEMU sends to the commands of
// this program has a few kilobytes.
const maxLine = 1 << 20

// Client is a connection to one QEMU. It may be used by several goroutines.
type Client struct {
	conn  net.Conn
	done  chan struct{}
	event func(Event)

	mu      sync.Mutex
	last    uint64
	waiting map[uint64]chan Message
	err     error // why the connection ended, valid after done
}

// Open takes over a connection to a monitor and makes it ready for commands.
// event, which must not block, is called for everything that happens.
func Open(ctx context.Context, conn net.Conn, event func(Event)) (*Client, error) {
	c := &Client{conn: conn, done: make(chan struct{}), event: event, waiting: map[uint64]chan Message{}}
	greeted := make(chan struct{})
	go c.read(greeted)
	select {
	case <-greeted:
	case <-c.done:
		return nil, c.ended()
	case <-ctx.Done():
		c.Close()
		return nil, fault.New(fault.Ours, "QEMU's monitor did not answer: %w", ctx.Err())
	}
	if err := c.Execute(ctx, "qmp_capabilities", nil, nil); err != nil {
		c.Close()
		return nil, err
	}
	return c, nil
}

// Execute runs a command and decodes what it returns, unless result is nil.
func (c *Client) Execute(ctx context.Context, name string, arguments, result any) error {
	id, answer := c.expect()
	defer c.forget(id)
	line, err := json.Marshal(command{Execute: name, Arguments: arguments, ID: id})
	if err != nil {
		return fault.New(fault.Ours, "failed to ask QEMU for %s: %w", name, err)
	}
	if deadline, ok := ctx.Deadline(); ok {
		c.conn.SetWriteDeadline(deadline)
	}
	if _, err := c.conn.Write(append(line, '\n')); err != nil {
		return fault.New(fault.Ours, "failed to ask QEMU for %s: %w", name, err)
	}
	select {
	case m := <-answer:
		if m.Error != nil {
			return fault.New(fault.Ours, "QEMU refused %s: %s (%s)", name, m.Error.Description, m.Error.Class)
		}
		if result == nil {
			return nil
		}
		if err := json.Unmarshal(m.Return, result); err != nil {
			return fault.New(fault.Ours, "failed to read QEMU's answer to %s: %w", name, err)
		}
		return nil
	case <-c.done:
		return c.ended()
	case <-ctx.Done():
		return fault.New(fault.Ours, "QEMU did not answer %s: %w", name, ctx.Err())
	}
}

// Done is closed when the connection has ended.
func (c *Client) Done() <-chan struct{} { return c.done }

// Close ends the connection.
func (c *Client) Close() { c.conn.Close() }

func (c *Client) expect() (uint64, <-chan Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.last++
	answer := make(chan Message, 1)
	c.waiting[c.last] = answer
	return c.last, answer
}

func (c *Client) forget(id uint64) {
	c.mu.Lock()
	defer c.mu.Unlock()
	delete(c.waiting, id)
}

func (c *Client) ended() error {
	c.mu.Lock()
	defer c.mu.Unlock()
	return fault.New(fault.Ours, "the connection to QEMU's monitor ended: %w", c.err)
}

// read hands out messages until the connection ends.
func (c *Client) read(greeted chan<- struct{}) {
	defer close(c.done)
	defer c.conn.Close()
	lines := bufio.NewScanner(c.conn)
	lines.Buffer(make([]byte, 0, 4<<10), maxLine)
	for lines.Scan() {
		m, err := Parse(lines.Bytes())
		if err != nil {
			c.fail(err)
			return
		}
		switch {
		case m.Greeting != nil && greeted != nil:
			close(greeted)
			greeted = nil
		case m.Event != "":
			c.event(Event{Name: m.Event, data: m.Data})
		case m.ID != nil:
			c.hand(*m.ID, m)
		}
	}
	err := lines.Err()
	if err == nil || errors.Is(err, net.ErrClosed) {
		err = io.EOF
	}
	c.fail(err)
}

func (c *Client) fail(err error) {
	c.mu.Lock()
	defer c.mu.Unlock()
	c.err = err
}

// hand gives an answer to the one who waits for it, if anybody does.
func (c *Client) hand(id uint64, m Message) {
	c.mu.Lock()
	defer c.mu.Unlock()
	if answer, ok := c.waiting[id]; ok {
		answer <- m
		delete(c.waiting, id)
	}
}
