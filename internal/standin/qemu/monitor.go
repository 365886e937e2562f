// SPDX-License-Identifier: BSD-3-Clause

//go:build unix

package qemu

import (
	"encoding/json"
	"fmt"
	"net"
	"os"
	"os/signal"
	"sync"
)

// monitor serves QMP to one client.
type monitor struct {
	mu   sync.Mutex
	conn net.Conn
	does map[string]bool
	read int // bytes, as far as was told
}

func (m *monitor) serve(path string, does map[string]bool) error {
	l, err := net.Listen("unix", path)
	if err != nil {
		return err
	}
	m.does = does
	go func() {
		conn, err := l.Accept()
		if err != nil {
			return
		}
		m.mu.Lock()
		m.conn = conn
		m.mu.Unlock()
		m.send(`{"QMP": {"version": {"qemu": {"major": 7}}, "capabilities": []}}`)
		commands := json.NewDecoder(conn)
		for {
			var c struct {
				Execute string `json:"execute"`
				ID      uint64 `json:"id"`
			}
			if commands.Decode(&c) != nil {
				return
			}
			m.obey(c.Execute, c.ID)
		}
	}()
	return nil
}

func (m *monitor) obey(command string, id uint64) {
	switch command {
	case "qmp_capabilities":
		m.send(fmt.Sprintf(`{"return": {}, "id": %d}`, id))
	case "system_powerdown":
		m.send(fmt.Sprintf(`{"return": {}, "id": %d}`, id))
		if !m.does[Deaf] {
			m.end("guest-shutdown")
		}
	case "query-blockstats":
		writes := 0
		if m.does[Reads] {
			m.read += 4 << 20
		}
		if m.does[Writes] {
			writes = 1
		}
		m.send(fmt.Sprintf(`{"return": [{"device": "seed", "stats": {}}, {"device": "disk", "stats": {"rd_bytes": %d, "wr_operations": %d}}], "id": %d}`, m.read, writes, id))
	default:
		m.send(fmt.Sprintf(`{"error": {"class": "CommandNotFound", "desc": "The command %s has not been found"}, "id": %d}`, command, id))
	}
}

func (m *monitor) send(line string) {
	m.mu.Lock()
	defer m.mu.Unlock()
	if m.conn != nil {
		fmt.Fprintln(m.conn, line)
	}
}

func (m *monitor) event(name, data string) {
	m.send(fmt.Sprintf(`{"timestamp": {"seconds": 1, "microseconds": 2}, "event": %q, "data": %s}`, name, data))
}

// end switches the machine off.
func (m *monitor) end(reason string) {
	m.event("SHUTDOWN", fmt.Sprintf(`{"guest": true, "reason": %q}`, reason))
	os.Exit(0)
}

// obeySignals lets things happen for as long as the process lives.
func (m *machine) obeySignals() {
	c := make(chan os.Signal, 1)
	signal.Notify(c, PanicSignal, ResetSignal, DiskFullSignal)
	for s := range c {
		switch s {
		case PanicSignal:
			m.panic()
		case ResetSignal:
			m.mon.end("guest-reset")
		case DiskFullSignal:
			m.mon.event("BLOCK_IO_ERROR", `{"device": "disk", "operation": "write", "action": "stop", "nospace": true, "reason": "No space left on device"}`)
		}
	}
}
