// SPDX-License-Identifier: BSD-3-Clause

package proctree

import (
	"errors"
	"os"
	"strconv"
	"strings"
	"syscall"
)

// Options of prctl(2).
const (
	getDumpable    = 3  // PR_GET_DUMPABLE
	setDumpable    = 4  // PR_SET_DUMPABLE
	setChildReaper = 36 // PR_SET_CHILD_SUBREAPER
)

// guard makes this process the parent of what loses its own, and shuts its
// memory, environment and open files to other processes of this account: code
// under test could look for secrets there, or write to the job's log. What is
// returned undoes both. Neither can fail with these arguments.
func guard() (undo func()) {
	before := prctl(getDumpable, 0)
	prctl(setChildReaper, 1)
	prctl(setDumpable, 0)
	return func() {
		prctl(setDumpable, before)
		prctl(setChildReaper, 0)
	}
}

func prctl(option, value uintptr) uintptr {
	got, _, _ := syscall.RawSyscall(syscall.SYS_PRCTL, option, value, 0)
	return got
}

// process is a line of /proc/PID/stat.
type process struct {
	pid, parent, session int
	ended                bool // and nobody asked how
}

// processes are all that can be seen.
func processes() map[int]process {
	all := map[int]process{}
	dir, err := os.Open("/proc")
	if err != nil {
		return nil
	}
	defer dir.Close()
	names, _ := dir.Readdirnames(-1) // what was read counts
	for _, name := range names {
		if name[0] < '0' || name[0] > '9' {
			continue
		}
		text, err := os.ReadFile("/proc/" + name + "/stat")
		if err != nil {
			continue // it is gone
		}
		if p, err := parseStat(string(text)); err == nil {
			all[p.pid] = p
		}
	}
	return all
}

var errStat = errors.New("this is no /proc/PID/stat")

// parseStat reads proc_pid_stat(5). The program's name stands in parentheses and
// may have anything in it.
func parseStat(text string) (p process, err error) {
	id, rest, ok := strings.Cut(text, " (")
	end := strings.LastIndexByte(rest, ')')
	if !ok || end < 0 {
		return p, errStat
	}
	fields := strings.Fields(rest[end+1:]) // state, ppid, pgrp, session, ...
	if len(fields) < 4 {
		return p, errStat
	}
	p.ended = ended(fields)
	for i, to := range []*int{&p.pid, &p.parent, &p.session} {
		if *to, err = strconv.Atoi([]string{id, fields[1], fields[3]}[i]); err != nil {
			return p, errStat
		}
	}
	return p, nil
}

// ended reads proc_pid_stat(5) from the state on. A process that ends gives its
// memory back before it closes its files and before it is a zombie, so whoever
// read the last of its output may still find it: nothing of it runs any more. A
// zombie with other threads has only lost its first one.
func ended(fields []string) bool {
	const threads, memory = 17, 20
	if len(fields) > memory && fields[threads] != "0" && fields[threads] != "1" {
		return false
	}
	return fields[0] == "Z" || fields[0] == "X" || len(fields) > memory && fields[memory] == "0"
}

// tree are the processes below this one that are in other sessions: what it
// starts itself is in its own.
func tree() map[int]process {
	all, self := processes(), os.Getpid()
	own := all[self].session
	found := map[int]process{}
	for pid, p := range all {
		if p.session == own {
			continue
		}
		for up, steps := p, 0; steps < len(all); steps++ {
			if up.parent == self {
				found[pid] = p
				break
			}
			next, ok := all[up.parent]
			if !ok {
				break
			}
			up = next
		}
	}
	return found
}

// remaining are the processes of the tree that have not ended.
func remaining(int) (pids []int) {
	for pid, p := range tree() {
		if !p.ended {
			pids = append(pids, pid)
		}
	}
	return pids
}

// reap collects adopted processes that have ended. Somebody else waits for the
// first one.
func reap(first int) {
	self := os.Getpid()
	for pid, p := range tree() {
		if p.ended && p.parent == self && pid != first {
			_, _ = syscall.Wait4(pid, nil, syscall.WNOHANG, nil)
		}
	}
}
