// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"errors"
	"fmt"
	"os"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Process is one process, and not another one that has its number later.
type Process struct {
	PID int `json:"pid"`
	// Start is the time of its start in ticks since the boot.
	Start uint64 `json:"start"`
	// Namespace is that of process numbers: a container has its own.
	Namespace string `json:"namespace,omitempty"`
	// Boot is the id of the boot.
	Boot string `json:"boot,omitempty"`
}

// Process returns the identity of a running process.
func (h *Host) Process(pid int) (Process, error) {
	st, err := h.stat(pid)
	if err != nil {
		return Process{}, fault.New(fault.Configuration, "there is no process %d: %w", pid, err).
			WithHint("give the number of a process that runs, as this process sees it: a container has numbers of its own")
	}
	return Process{PID: pid, Start: st.start, Namespace: h.namespace(), Boot: h.boot()}, nil
}

func (h *Host) namespace() string {
	name, err := os.Readlink(h.system("/proc/self/ns/pid"))
	if err != nil {
		return ""
	}
	return name
}

// life is what can be said of a process.
type life int

const (
	gone life = iota
	running
	unseen // it was recorded in a container: its number means nothing here
)

func (h *Host) life(p Process) life {
	if p.Boot != h.boot() {
		return gone
	}
	if p.Namespace != h.namespace() {
		return unseen
	}
	st, err := h.stat(p.PID)
	if err != nil || st.start != p.Start || st.state == 'Z' || st.state == 'X' {
		return gone
	}
	return running
}

// stat is what we need of /proc/PID/stat.
type stat struct {
	name   string
	state  byte
	parent int
	start  uint64
}

func (h *Host) stat(pid int) (stat, error) {
	if pid <= 0 {
		return stat{}, errors.New("it must be above 0")
	}
	text := h.text(fmt.Sprintf("/proc/%d/stat", pid))
	if text == "" {
		return stat{}, os.ErrNotExist
	}
	return parseStat(text)
}

// parseStat reads a line of proc(5). The name may hold blanks and parentheses.
func parseStat(text string) (stat, error) {
	odd := errors.New("its /proc/PID/stat is odd")
	open, shut := strings.IndexByte(text, '('), strings.LastIndexByte(text, ')')
	if open < 0 || shut < open {
		return stat{}, odd
	}
	fields := strings.Fields(text[shut+1:])
	const parentField, startField = 1, 19 // behind the name
	if len(fields) <= startField || len(fields[0]) != 1 {
		return stat{}, odd
	}
	parent, err := strconv.Atoi(fields[parentField])
	start, err2 := strconv.ParseUint(fields[startField], 10, 64)
	if err != nil || err2 != nil {
		return stat{}, odd
	}
	return stat{name: text[open+1 : shut], state: fields[0][0], parent: parent, start: start}, nil
}

// maxParents bounds the walk up to the first process.
const maxParents = 64

// Runner returns the number of the process in which GitHub's runner works on the
// job that this process is part of, or 0. It lives exactly as long as the job.
func (h *Host) Runner() int {
	pid := os.Getpid()
	for range maxParents {
		st, err := h.stat(pid)
		if err != nil {
			return 0
		}
		if st.name == "Runner.Worker" { // Runner.Worker.dll in actions/runner
			return pid
		}
		pid = st.parent
	}
	return 0
}
