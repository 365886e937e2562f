// SPDX-License-Identifier: BSD-3-Clause

package host

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"slices"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Cleaned says what became of one recorded resource.
type Cleaned struct {
	Resource Resource
	// Did says what was done; empty if there was nothing left to do.
	Did string
	// Err says why it is still there.
	Err error
}

// problems says in one line what is still there; empty if nothing is.
func problems(list []Cleaned) string {
	var left []string
	for _, c := range list {
		if c.Err != nil {
			left = append(left, fmt.Sprintf("%s: %v", c.Resource, c.Err))
		}
	}
	return strings.Join(left, "; ")
}

// Clean cleans up what ended leases left, and with mine, a lease's id, what was
// recorded for that so far. What belongs to another lease that is held stays.
func (h *Host) Clean(ctx context.Context, mine string, lift bool) (list []Cleaned, lifted bool, err error) {
	if mine != "" && !leaseID.MatchString(mine) {
		return nil, false, badLease(mine)
	}
	unlock, err := h.lock(ctx)
	if err != nil {
		return nil, false, err
	}
	defer unlock()
	if lift {
		if lifted, err = h.lift(); err != nil {
			return nil, false, err
		}
	}
	list, err = h.clean(ctx, mine)
	return list, lifted, err
}

// clean does it with the lock held.
func (h *Host) clean(ctx context.Context, mine string) ([]Cleaned, error) {
	current, err := h.current()
	if err != nil {
		return nil, err
	}
	ids, err := h.recorded()
	if err != nil {
		return nil, err
	}
	var all []Cleaned
	for _, id := range ids {
		if current != nil && id == current.ID && id != mine && h.ended(current) == "" {
			continue
		}
		list, err := h.cleanLease(ctx, id)
		all = append(all, list...)
		if err != nil {
			return all, err
		}
	}
	return all, nil
}

// recorded lists the leases with resources.
func (h *Host) recorded() ([]string, error) {
	list, err := os.ReadDir(h.path("resources"))
	if err != nil {
		return nil, broken("list what was recorded", err)
	}
	var ids []string
	for _, f := range list {
		if id, ok := strings.CutSuffix(f.Name(), ".jsonl"); ok && leaseID.MatchString(id) {
			ids = append(ids, id)
		}
	}
	return ids, nil
}

// cleanLease cleans up after one lease. The record goes when nothing is left: all
// this may be done twice, but not half.
func (h *Host) cleanLease(ctx context.Context, id string) ([]Cleaned, error) {
	data, err := h.read("resources/" + id + ".jsonl")
	if data == nil || err != nil {
		return nil, err
	}
	resources, odd := parseResources(data)
	all, err := h.cleanAll(ctx, resources)
	if err != nil {
		return all, err
	}
	if odd > 0 {
		all = append(all, Cleaned{Err: fmt.Errorf("%d lines of %s cannot be read: see what they were about, then delete it", odd, h.recordPath(id))})
	}
	if problems(all) != "" {
		return all, nil
	}
	if err := os.Remove(h.recordPath(id)); err != nil {
		return all, broken("forget what was cleaned up", err)
	}
	return all, nil
}

// cleanAll takes what was recorded last first, but processes before all, since
// they use the rest. What fails is tried again as long as others go away: it may
// have been in their use.
func (h *Host) cleanAll(ctx context.Context, resources []Resource) ([]Cleaned, error) {
	slices.Reverse(resources)
	slices.SortStableFunc(resources, func(a, b Resource) int {
		return cmp.Compare(btoi(a.Kind != ProcessKind), btoi(b.Kind != ProcessKind))
	})
	var all []Cleaned
	for {
		var failed []Cleaned
		progress := false
		for _, r := range resources {
			if ctx.Err() != nil {
				return all, fault.New(fault.Unknown, "failed to clean up: %w", context.Cause(ctx))
			}
			c := Cleaned{Resource: r}
			if c.Err = h.check(r); c.Err == nil {
				c.Did, c.Err = h.cleaners()[r.Kind](ctx, r)
			}
			if c.Err != nil {
				failed = append(failed, c)
				continue
			}
			progress = progress || c.Did != ""
			all = append(all, c)
		}
		if !progress || len(failed) == 0 {
			return append(all, failed...), nil
		}
		resources = nil
		for _, c := range failed {
			resources = append(resources, c.Resource)
		}
	}
}

func btoi(b bool) int {
	if b {
		return 1
	}
	return 0
}

func (h *Host) cleaners() map[Kind]func(context.Context, Resource) (string, error) {
	return map[Kind]func(context.Context, Resource) (string, error){
		ProcessKind: h.endProcess, LoopKind: h.detachFile, MountKind: h.unmountAll,
		PathKind: h.deletePath, HugepagesKind: h.restorePages,
	}
}

// backingFile is the file behind a loop device, or empty.
func (h *Host) backingFile(device string) string {
	if !loopDevice.MatchString(device) {
		return ""
	}
	return strings.TrimSuffix(h.text("/sys/block/"+filepath.Base(device)+"/loop/backing_file"), " (deleted)")
}

func (h *Host) detachFile(_ context.Context, r Resource) (string, error) {
	if r.Boot != h.boot() || h.backingFile(r.Path) != r.Was {
		return "", nil // it is somebody else's now, or nobody's
	}
	if err := h.detach(h.system(r.Path)); err != nil {
		return "", err
	}
	if h.backingFile(r.Path) == r.Was {
		return "", errors.New("it is still in use: the kernel detaches it when the last user closes it")
	}
	return "detached from " + change.OneLine(r.Was), nil
}

// maxUnmounts bounds the work on a path that somebody mounts again and again.
const maxUnmounts = 64

func (h *Host) unmountAll(_ context.Context, r Resource) (string, error) {
	if r.Boot != h.boot() {
		return "", nil
	}
	for n := 0; ; n++ {
		points, err := h.mounts()
		if err != nil {
			return "", err
		}
		points = below(points, r.Path)
		switch {
		case len(points) == 0 && n == 0:
			return "", nil
		case len(points) == 0:
			return "unmounted", nil
		case n == maxUnmounts:
			return "", errors.New("it is mounted again and again")
		}
		if err := h.unmount(points[0]); err != nil {
			return "", fmt.Errorf("failed to unmount %s: %w", change.OneLine(points[0]), err)
		}
	}
}

func (h *Host) deletePath(ctx context.Context, r Resource) (string, error) {
	if _, err := os.Lstat(r.Path); errors.Is(err, fs.ErrNotExist) {
		return "", nil
	}
	if err := h.remove(ctx, r.Path); err != nil {
		return "", err
	}
	return "deleted", nil
}

func (h *Host) restorePages(_ context.Context, r Resource) (string, error) {
	now := h.text(r.Path)
	if r.Boot != h.boot() || now == r.Was {
		return "", nil
	}
	if err := os.WriteFile(h.system(r.Path), []byte(r.Was), 0o644); err != nil {
		return "", err
	}
	if got := h.text(r.Path); got != r.Was {
		return "", fmt.Errorf("the kernel gave %s pages, not %s: some are in use, or memory is short", got, r.Was)
	}
	return "set from " + change.OneLine(now) + " to " + r.Was, nil
}
