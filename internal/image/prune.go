// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// leftoverAge is how long objects without a manifest stay: an upload may still
// be going on.
const leftoverAge = 48 * time.Hour

// Policy says what prune keeps besides aliases.
type Policy struct {
	// Last is how many of the newest versions stay.
	Last int
	// Younger is how old the others may become.
	Younger time.Duration
}

// Decision is what becomes of one version, or of what is left of one.
type Decision struct {
	Version string
	Delete  bool
	// Reason is a short text for people.
	Reason string
	// Objects go in this order: the manifest first, so that nobody finds a version
	// whose disk is gone.
	Objects []string
	Bytes   int64
}

// PlanPrune decides about each version, newest first. It asks nobody.
func PlanPrune(now time.Time, c *Contents, p Policy) []Decision {
	var plan []Decision
	rank := 0
	for _, e := range c.Entries {
		if e.Created.IsZero() {
			plan = append(plan, leftovers(now, e, e.Objects, "it has no manifest"))
			continue
		}
		rank++
		d := Decision{Version: e.Version, Bytes: e.Bytes, Objects: manifestFirst(e.Objects)}
		age := now.Sub(e.Created)
		switch {
		case len(e.Aliases) > 0:
			d.Reason = strings.Join(e.Aliases, ", ") + " stands for it"
		case len(e.Former) > 0:
			d.Reason = strings.Join(e.Former, ", ") + " stood for it before"
		case rank <= p.Last:
			d.Reason = fmt.Sprintf("it is one of the last %d", p.Last)
		case age < p.Younger:
			d.Reason = fmt.Sprintf("it is %s old, less than %s", days(age), days(p.Younger))
		case e.Manifest == nil:
			d.Reason = "its manifest cannot be read: " + e.Problem
		default:
			d.Delete, d.Reason = true, fmt.Sprintf("it is %s old, not one of the last %d, and no alias stands for it", days(age), p.Last)
		}
		plan = append(plan, d)
		if spare := unnamed(e); !d.Delete && len(spare) > 0 {
			plan = append(plan, leftovers(now, e, spare, "its manifest does not name it"))
		}
	}
	return plan
}

// unnamed returns objects beside a manifest that it does not name: disks of
// builds that came second.
func unnamed(e Entry) []Object {
	var list []Object
	for _, o := range e.Objects {
		if e.Manifest != nil && o.Name != manifestName(e.Manifest.Name, e.Version) && (e.Manifest.Disk == nil || o.Name != diskName(e.Manifest)) {
			list = append(list, o)
		}
	}
	return list
}

// leftovers decides about objects that no version needs.
func leftovers(now time.Time, e Entry, objects []Object, why string) Decision {
	d := Decision{Version: e.Version, Delete: true, Reason: "left over: " + why, Objects: manifestFirst(objects)}
	for _, o := range objects {
		d.Bytes += o.Size
		if now.Sub(o.Modified) < leftoverAge {
			d.Delete, d.Reason = false, why+", but an upload may be going on"
		}
	}
	return d
}

func manifestFirst(objects []Object) []string {
	var names []string
	for _, o := range objects {
		if strings.HasSuffix(o.Name, "/"+manifestFile) {
			names = append([]string{o.Name}, names...)
		} else {
			names = append(names, o.Name)
		}
	}
	return names
}

func days(d time.Duration) string {
	if d < 48*time.Hour {
		return fmt.Sprintf("%d hours", int(d.Hours()))
	}
	return fmt.Sprintf("%d days", int(d.Hours()/24))
}

// Prune deletes what a plan says. One object that cannot be deleted does not
// stop the others, but keeps what is behind it in its own version.
func (im *Images) Prune(ctx context.Context, plan []Decision) error {
	var failed []error
	for _, d := range plan {
		if !d.Delete {
			continue
		}
		for _, name := range d.Objects {
			if err := im.Store.Delete(ctx, name); err != nil {
				failed = append(failed, err)
				break
			}
		}
		if ctx.Err() != nil {
			break
		}
	}
	if len(failed) == 0 {
		return nil
	}
	return fault.New(fault.KindOf(failed[0]), "failed to delete %d versions: %w", len(failed), errors.Join(failed...)).WithHint("%s", fault.HintOf(failed[0]))
}
