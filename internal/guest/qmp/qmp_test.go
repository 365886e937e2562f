// SPDX-License-Identifier: BSD-3-Clause

package qmp

import (
	"bufio"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

const greeting = `{"QMP": {"version": {"qemu": {"micro": 22, "minor": 2, "major": 7}}, "capabilities": ["oob"]}}` + "\n"

// serve plays QEMU: it greets, and answers what answer gives for each command.
func serve(t *testing.T, first string, answer func(name string, id uint64) string) net.Conn {
	t.Helper()
	ours, theirs := net.Pipe()
	t.Cleanup(func() { theirs.Close() })
	go func() {
		fmt.Fprint(theirs, first)
		lines := bufio.NewScanner(theirs)
		for lines.Scan() {
			var c struct {
				Execute string
				ID      uint64
			}
			if json.Unmarshal(lines.Bytes(), &c) != nil {
				break
			}
			text := fmt.Sprintf(`{"return": {}, "id": %d}`+"\n", c.ID)
			if c.Execute != "qmp_capabilities" {
				text = answer(c.Execute, c.ID)
			}
			if text == "" {
				break
			}
			fmt.Fprint(theirs, text)
		}
		theirs.Close()
	}()
	return ours
}

func TestExecute(t *testing.T) {
	t.Parallel()
	var mu sync.Mutex
	var events []string
	conn := serve(t, greeting, func(name string, id uint64) string {
		switch name {
		case "query-status":
			return fmt.Sprintf(`{"event": "GUEST_PANICKED", "data": {"action": "pause"}, "timestamp": {"seconds": 1, "microseconds": 2}}`+"\n"+
				`{"return": 1, "id": 999}`+"\n"+`{"return": {"status": "running"}, "id": %d}`+"\n", id)
		case "odd":
			return fmt.Sprintf(`{"return": [1], "id": %d}`+"\n", id)
		case "silent":
			return "{\"event\": \"X\"}\n"
		}
		return fmt.Sprintf(`{"error": {"class": "CommandNotFound", "desc": "no"}, "id": %d}`+"\n", id)
	})
	c, err := Open(t.Context(), conn, func(e Event) {
		mu.Lock()
		defer mu.Unlock()
		events = append(events, e.String())
	})
	if err != nil {
		t.Fatal(err)
	}
	var status struct{ Status string }
	if err := c.Execute(t.Context(), "query-status", map[string]any{"x": 1}, &status); err != nil || status.Status != "running" {
		t.Errorf("got %+v, %v", status, err)
	}
	mu.Lock()
	if len(events) != 1 || events[0] != `GUEST_PANICKED {"action": "pause"}` {
		t.Errorf("got the events %q", events)
	}
	mu.Unlock()
	if err := c.Execute(t.Context(), "no-such", nil, nil); !errors.Is(err, fault.Ours) || err.Error() != "QEMU refused no-such: no (CommandNotFound)" {
		t.Errorf("got %v", err)
	}
	if err := c.Execute(t.Context(), "odd", nil, &status); err == nil {
		t.Error("an answer of another kind was taken")
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	if err := c.Execute(ctx, "silent", nil, nil); !errors.Is(err, context.Canceled) {
		t.Errorf("got %v", err)
	}
	c.Close()
	<-c.Done()
	if err := c.Execute(t.Context(), "query-status", nil, nil); !errors.Is(err, fault.Ours) {
		t.Errorf("after the end: got %v", err)
	}
}

// TestBadServers: whatever is at the other end, it is told and nothing hangs.
func TestBadServers(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct{ first, want string }{
		"not QMP":  {"SSH-2.0-x\n", "does not speak QMP"},
		"too long": {strings.Repeat("x", maxLine+1), "token too long"},
		"ends":     {greeting[:20], "QMP"},
		"empty":    {"{}\n", "a message of 0 kinds"},
		"both":     {`{"return": {}, "event": "X"}` + "\n", "a message of 2 kinds"},
	} {
		conn := serve(t, c.first, nil)
		if name == "ends" {
			ours, theirs := net.Pipe()
			go func() {
				fmt.Fprint(theirs, c.first)
				theirs.Close()
			}()
			conn = ours
		}
		if _, err := Open(t.Context(), conn, func(Event) {}); !errors.Is(err, fault.Ours) || !strings.Contains(err.Error(), c.want) {
			t.Errorf("%s: got %v", name, err)
		}
	}
	ctx, cancel := context.WithCancel(t.Context())
	cancel()
	silent, _ := net.Pipe()
	if _, err := Open(ctx, silent, func(Event) {}); !errors.Is(err, context.Canceled) {
		t.Errorf("one that says nothing: got %v", err)
	}
}

// FuzzParse: a message is of one kind, and no text makes it panic.
func FuzzParse(f *testing.F) {
	for _, text := range []string{
		greeting, `{"return": {}, "id": 1}`, `{"error": {"class": "a", "desc": "b"}, "id": 2}`, `{"event": "STOP"}`, `{"id": -1, "return": {}}`, `null`, `[]`,
	} {
		f.Add([]byte(text))
	}
	f.Fuzz(func(t *testing.T, line []byte) {
		m, err := Parse(line)
		if err != nil {
			if !errors.Is(err, fault.Ours) {
				t.Errorf("got %v", err)
			}
			return
		}
		e := Event{Name: m.Event, data: m.Data}
		if e.Decode(new(struct{ Reason string })) == nil && strings.ContainsRune(e.Name, 0) {
			t.Skip()
		}
		again, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		if m2, err := Parse(again); err == nil && (m2.Event != m.Event || (m2.ID == nil) != (m.ID == nil)) {
			t.Errorf("got %+v, then %+v", m, m2)
		}
	})
}
