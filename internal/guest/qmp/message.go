// SPDX-License-Identifier: BSD-3-Clause

// Package qmp speaks QEMU's machine protocol: one JSON object a line over a
// unix socket (docs/interop/qmp-spec in QEMU).
//
// It knows the frame of the protocol and no single command, and it starts no
// process.
package qmp

import (
	"encoding/json"
	"fmt"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Message is one line from QEMU: a greeting, an answer or an event.
type Message struct {
	// Greeting is set in the first line only.
	Greeting json.RawMessage `json:"QMP"`
	// ID is that of the command which this answers.
	ID *uint64 `json:"id"`
	// Return is what the command gave, Error why it failed.
	Return json.RawMessage `json:"return"`
	Error  *Failure        `json:"error"`
	// Event is the name of an event, Data what is said about it.
	Event string          `json:"event"`
	Data  json.RawMessage `json:"data"`
}

// Failure is QEMU's reason why a command failed.
type Failure struct {
	Class       string `json:"class"`
	Description string `json:"desc"`
}

// Parse reads one line.
func Parse(line []byte) (Message, error) {
	var m Message
	if err := json.Unmarshal(line, &m); err != nil {
		return Message{}, fault.New(fault.Ours, "QEMU's monitor does not speak QMP: %w", err)
	}
	kinds := 0
	for _, is := range []bool{m.Greeting != nil, m.Return != nil, m.Error != nil, m.Event != ""} {
		if is {
			kinds++
		}
	}
	if kinds != 1 {
		return Message{}, fault.New(fault.Ours, "QEMU's monitor sent a message of %d kinds", kinds)
	}
	return m, nil
}

// command is one line to QEMU.
type command struct {
	Execute   string `json:"execute"`
	Arguments any    `json:"arguments,omitempty"`
	ID        uint64 `json:"id"`
}

// Event is something that happened to the guest.
type Event struct {
	// Name is QEMU's, such as SHUTDOWN or GUEST_PANICKED.
	Name string
	data json.RawMessage
}

// Decode reads what is said about the event; what is missing stays as it is.
func (e Event) Decode(into any) error {
	if len(e.data) == 0 {
		return nil
	}
	return json.Unmarshal(e.data, into)
}

// String returns the name and what is said about the event.
func (e Event) String() string {
	return strings.TrimSpace(fmt.Sprintf("%s %s", e.Name, e.data))
}
