// SPDX-License-Identifier: BSD-3-Clause

package store

import (
	"context"
	"errors"
	"net/http"
	"time"

	"github.com/minio/minio-go/v7"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// call is one request to the storage.
type call struct {
	// doing ends "failed to ..." in errors.
	doing string
	// needs is the right that it takes, for hints.
	needs string
	// mayMiss says that a 404 is about the object.
	mayMiss bool
	// limit ends one try.
	limit time.Duration
	// try sends the request. The record tells what the server answered.
	try func(ctx context.Context, core *minio.Core, rec *record) error
}

// do makes a call up to maxTries times.
func (s *Store) do(ctx context.Context, q call) error {
	backoff := firstBackoff
	for try := 1; ; try++ {
		err := s.once(ctx, q)
		if s.follow(err) {
			err = s.once(ctx, q)
		}
		if err == nil || !errors.Is(err, fault.Transient) || try == maxTries || s.o.Sleep == nil {
			return err
		}
		if s.o.Sleep(ctx, max(backoff, fault.RetryAfter(err))) != nil {
			return err
		}
		backoff *= 2
	}
}

// once makes one try and classifies what went wrong.
func (s *Store) once(ctx context.Context, q call) error {
	if ctx.Err() != nil {
		return gaveUp(ctx, q)
	}
	tryCtx, cancel := context.WithTimeout(ctx, q.limit)
	defer cancel()
	rec := &record{stop: cancel, header: http.Header{}}
	err := q.try(context.WithValue(tryCtx, recordKey{}, rec), s.core.Load(), rec)
	switch {
	case err == nil && rec.err == nil && rec.answer == nil:
		return nil
	case ctx.Err() != nil:
		return gaveUp(ctx, q)
	}
	return s.explain(q, rec, err, errors.Is(tryCtx.Err(), context.DeadlineExceeded))
}

// gaveUp is nobody's failure: the caller ended the call.
func gaveUp(ctx context.Context, q call) error {
	return fault.New(fault.Unknown, "failed to %s: %w", q.doing, context.Cause(ctx))
}

// gaveUpOr returns err, or that the caller ended the call if that is why.
func gaveUpOr(ctx context.Context, doing string, err error) error {
	if ctx.Err() != nil {
		return gaveUp(ctx, call{doing: doing})
	}
	return err
}

// follow takes the region that the server says the bucket is in, if none was
// set, and reports whether the call should be made there.
func (s *Store) follow(err error) bool {
	e, ok := errors.AsType[*answerError](err)
	return ok && s.guessed && wrongRegion(e) && regionName.MatchString(e.Region) && s.connect(e.Region) == nil
}
