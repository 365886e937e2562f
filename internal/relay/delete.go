// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"context"
	"errors"
	"net/http"
	"slices"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gitwire"
)

// maxDeletes is how many refs one push deletes. GitHub's server caps the
// commands of a push at a number that it keeps to itself.
const maxDeletes = 500

// Delete removes refs, each only if it still has its old value. Deletes never
// share a push with other updates: GitHub's server checks such a mixture ref by
// ref. A ref that is gone already is Done.
func (r *Relay) Delete(ctx context.Context, updates []Update) []UpdateResult {
	works := make([]progress, len(updates))
	var open []*progress
	ready := r.ready()
	for i, u := range updates {
		p := &works[i]
		p.Update = u
		err := ready
		if err == nil {
			err = r.checkDelete(u)
		}
		if err != nil {
			p.settle(NotTried, err)
			continue
		}
		open = append(open, p)
	}
	var end error
	for part := range slices.Chunk(open, maxDeletes) {
		if end == nil {
			end = r.deleteSome(ctx, part)
		}
		for _, p := range part {
			if !p.settled {
				p.settle(NotTried, end)
			}
		}
	}
	results := make([]UpdateResult, len(works))
	for i := range works {
		results[i] = works[i].UpdateResult
	}
	return results
}

// deleteSome makes one push, and again what is left of it after a failure that
// may pass. An error is everybody's.
func (r *Relay) deleteSome(ctx context.Context, part []*progress) error {
	for n := 0; ; n++ {
		part = slices.DeleteFunc(slices.Clone(part), func(p *progress) bool { return p.settled })
		if len(part) == 0 {
			return nil
		}
		if err := r.pace(ctx); err != nil {
			return err
		}
		rep, err := r.push(ctx, deletions(part), nil)
		if err == nil {
			return r.deleted(ctx, part, rep)
		}
		failed := fault.New(kindOr(err, fault.Transient), "failed to delete refs of the mirror: %w", err)
		if errors.Is(failed, fault.Configuration) {
			return failed
		}
		enough := r.retry(ctx, n, throttleWait(failed)) != nil
		if err := r.gone(ctx, part); err != nil || enough {
			return errors.Join(failed, err)
		}
	}
}

func deletions(part []*progress) []gitwire.Command {
	cmds := make([]gitwire.Command, len(part))
	for i, p := range part {
		cmds[i] = gitwire.Command{Ref: p.Ref, Old: string(p.Old)}
	}
	return cmds
}

// throttleWait gives a 429 without a wait the usual first one.
func throttleWait(err *fault.Error) error {
	if statusOf(err) == http.StatusTooManyRequests && fault.RetryAfter(err) == 0 {
		return err.WithRetryAfter(firstThrottle)
	}
	return err
}

// gone reads what became of the refs, and leaves open those that are as before.
func (r *Relay) gone(ctx context.Context, part []*progress) error {
	refs := make([]string, len(part))
	for i, p := range part {
		refs[i] = p.Ref
	}
	now, err := r.values(ctx, refs)
	for _, p := range part {
		switch v := now[p.Ref]; {
		case err != nil:
			p.settle(Unsettled, errLost(p.Update, err))
		case v == "":
			p.settle(Done, nil)
		case v != p.Old:
			p.settle(Refused, errMoved(p.Update, v))
		}
	}
	return err
}

// deleted reads a report, and the refs again where it says no.
func (r *Relay) deleted(ctx context.Context, part []*progress, rep *gitwire.Report) error {
	causes := map[*progress]error{}
	var no []*progress
	for i, p := range part {
		if reason := rep.Results[i].Reason; reason == "" && rep.Unpack == "ok" {
			p.settle(Done, nil)
		} else {
			causes[p] = refCause(p.Ref, reason, rep.Messages).err
			no = append(no, p)
		}
	}
	if len(no) == 0 {
		return nil
	}
	if err := r.gone(ctx, no); err != nil {
		return err
	}
	for _, p := range no {
		if !p.settled {
			p.settle(Refused, causes[p])
		}
	}
	return nil
}
