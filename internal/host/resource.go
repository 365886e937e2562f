// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"regexp"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/durable"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Kind is what a resource is.
type Kind string

// The kinds of resources, and what cleaning one up means.
const (
	ProcessKind   Kind = "process"   // ended
	LoopKind      Kind = "loop"      // detached from its file
	MountKind     Kind = "mount"     // unmounted, with what is mounted below it
	PathKind      Kind = "path"      // deleted, a folder with all that is in it
	HugepagesKind Kind = "hugepages" // set to what it was
)

// Kinds are all of them.
func Kinds() []Kind { return []Kind{ProcessKind, LoopKind, MountKind, PathKind, HugepagesKind} }

// Resource is something that a job made or changed, and that must not outlive it.
type Resource struct {
	Kind Kind `json:"kind"`
	// Process is what is ended.
	Process *Process `json:"process,omitempty"`
	// Path is the loop device, the mount point, the file or folder, or the
	// kernel's file with the number of pages.
	Path string `json:"path,omitempty"`
	// Was is the loop device's file, or the number of pages before.
	Was string `json:"was,omitempty"`
	// Boot is the id of the boot that a loop device, a mount or a number of pages
	// is good for.
	Boot string `json:"boot,omitempty"`
}

// String says in a few words what it is.
func (r Resource) String() string {
	switch {
	case r.Kind == ProcessKind && r.Process != nil:
		return fmt.Sprintf("process %d", r.Process.PID)
	case r.Kind == "":
		return "the record"
	}
	return string(r.Kind) + " " + change.OneLine(r.Path)
}

// DefaultHugepages is the kernel's file with the number of pages of the default
// size.
const DefaultHugepages = "/proc/sys/vm/nr_hugepages"

// Describe makes a resource of what a job knows it by: the number of a process, a
// loop device that is attached, a mount point before it is used, a file or
// folder, or the kernel's file with a number of hugepages before it is changed.
func (h *Host) Describe(kind Kind, name string) (Resource, error) {
	r := Resource{Kind: kind, Path: name, Boot: h.boot()}
	bad := func(text string, args ...any) *fault.Error {
		return fault.New(fault.Configuration, "failed to record the %s %q: %w", kind, change.OneLine(name), fmt.Errorf(text, args...))
	}
	switch kind {
	case ProcessKind:
		pid, err := strconv.Atoi(name)
		if err != nil {
			return Resource{}, bad("it is no number")
		}
		p, err := h.Process(pid)
		if err != nil {
			return Resource{}, err
		}
		r = Resource{Kind: kind, Process: &p}
	case LoopKind:
		if r.Was = h.backingFile(name); r.Was == "" {
			return Resource{}, bad("it is no loop device with a file").WithHint("record it after losetup")
		}
	case HugepagesKind:
		if r.Was = h.text(name); r.Was == "" {
			return Resource{}, bad("there is no such file")
		}
	case MountKind:
		mounts, err := h.mounts()
		if err != nil {
			return Resource{}, err
		}
		if len(below(mounts, name)) > 0 {
			return Resource{}, bad("something is mounted there already").
				WithHint("record it before it is mounted: then nothing is left if the job is killed between the two")
		}
	case PathKind:
		r.Boot = "" // it outlives one
	}
	if err := h.check(r); err != nil {
		return Resource{}, bad("%w", err)
	}
	return r, nil
}

var (
	loopDevice   = regexp.MustCompile(`^/dev/loop[0-9]{1,6}$`)
	hugepageFile = regexp.MustCompile(`^(/proc/sys/vm/nr_hugepages|/sys/(kernel/mm|devices/system/node/node[0-9]{1,4})/hugepages/hugepages-[0-9]{1,9}kB/nr_hugepages)$`)
	pageCount    = regexp.MustCompile(`^[0-9]{1,9}$`)
)

// check refuses what could be meant for something else, also when it is read
// from a record.
func (h *Host) check(r Resource) error {
	switch r.Kind {
	case ProcessKind:
		if r.Process == nil || r.Process.PID <= 1 || r.Path != "" {
			return errors.New("it is no process that may be ended")
		}
		return nil
	case LoopKind:
		if !loopDevice.MatchString(r.Path) || r.Was == "" {
			return errors.New("it is no loop device")
		}
	case HugepagesKind:
		if !hugepageFile.MatchString(r.Path) || !pageCount.MatchString(r.Was) {
			return errors.New("it is no file of the kernel with a number of hugepages")
		}
	case MountKind, PathKind:
		return h.checkPath(r.Path)
	default:
		return fmt.Errorf("%q is no kind of resource", change.OneLine(string(r.Kind)))
	}
	return nil
}

// checkPath refuses paths whose loss would be more than a job's.
func (h *Host) checkPath(path string) error {
	inside := func(path, dir string) bool { return path == dir || strings.HasPrefix(path, dir+"/") }
	switch {
	case !filepath.IsAbs(path) || filepath.Clean(path) != path:
		return errors.New("it must be an absolute path without \".\", \"..\" and a final slash")
	case strings.Count(path, "/") < 2:
		return errors.New("a folder at the top is not a job's")
	case inside(h.o.Dir, path), inside(path, h.o.Dir):
		return errors.New("the state of the host is there")
	}
	for _, system := range []string{"/proc", "/sys", "/dev", "/boot", "/etc", "/usr"} {
		if inside(path, system) && !strings.HasPrefix(path, "/dev/shm/") && !strings.HasPrefix(path, "/dev/hugepages/") {
			return fmt.Errorf("what is below %s is the system's", system)
		}
	}
	return nil
}

// recordPath is the file with the resources of a lease: a line for each.
func (h *Host) recordPath(id string) string { return h.path("resources", id+".jsonl") }

// Record notes a resource of a lease. Once it returned, the resource is cleaned
// up when the lease ends, also after a kill or a loss of power; so what can be
// recorded before it is made should be.
func (h *Host) Record(ctx context.Context, lease string, r Resource) error {
	if !leaseID.MatchString(lease) {
		return badLease(lease)
	}
	if err := h.check(r); err != nil {
		return fault.New(fault.Configuration, "failed to record %s: %w", r, err)
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return err
	}
	defer unlock()
	l, err := h.current()
	if err != nil {
		return err
	}
	if l == nil || l.ID != lease {
		return fault.New(fault.Configuration, "failed to record %s: the lease is not held any more", r).
			WithHint("it expired or was released, and another job may have the host: end this one")
	}
	if err := h.append(lease, r); err != nil {
		return broken("record "+r.String(), err)
	}
	return nil
}

func (h *Host) append(lease string, r Resource) error {
	line, err := json.Marshal(r)
	if err != nil {
		return err
	}
	file, err := os.OpenFile(h.recordPath(lease), os.O_RDWR|os.O_CREATE|os.O_APPEND, 0o644)
	if err != nil {
		return err
	}
	defer file.Close()
	// A process that was killed may have left half a line: it gets an end.
	info, err := file.Stat()
	if err != nil {
		return err
	}
	last := []byte{'\n'}
	if info.Size() > 0 {
		if _, err := file.ReadAt(last, info.Size()-1); err != nil {
			return err
		}
	}
	if last[0] != '\n' {
		line = append([]byte{'\n'}, line...)
	}
	if _, err := file.Write(append(line, '\n')); err != nil {
		return err
	}
	if err := file.Sync(); err != nil {
		return err
	}
	return durable.Sync(h.path("resources"))
}

// parseResources reads the record of a lease. Half a line, or a hole after a loss
// of power, is what a process left that was killed before it made anything, and is
// passed over. odd is the number of lines that are neither that nor ours.
func parseResources(data []byte) (list []Resource, odd int) {
	for line := range bytes.Lines(data) {
		line = bytes.Trim(line, " \t\r\n\x00")
		if len(line) == 0 {
			continue
		}
		var r Resource
		switch err := decode(line, &r); {
		case err == nil:
			list = append(list, r)
		case !errors.Is(err, io.ErrUnexpectedEOF):
			odd++
		}
	}
	return list, odd
}
