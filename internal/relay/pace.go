// SPDX-License-Identifier: BSD-3-Clause

package relay

import (
	"context"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

const (
	// pushWindow and pushesPerWindow are GitHub's advice for one repository:
	// at most six pushes a minute (its page on repository limits).
	pushWindow      = time.Minute
	pushesPerWindow = 6
	// maxPushes ends a Move whose batch falls into ever smaller pieces: six
	// minutes at that pace, which finds about three culprits among a hundred.
	// What has landed stays, and the next pass goes on.
	maxPushes = 36
	// maxTagPushes does so for tags, which nobody waits for.
	maxTagPushes = 6
	// maxFetches does the same for the review server, where one deleted change
	// costs one fetch.
	maxFetches = 200
	// maxThrottled is how long a Move waits in all because a server asks it to.
	maxThrottled = 5 * time.Minute
	// firstThrottle is the wait where the server names none; it doubles.
	firstThrottle = time.Minute
)

// backOff are the waits before the second and the third try.
var backOff = [...]time.Duration{2 * time.Second, 8 * time.Second}

// pace waits until one more push is allowed. The pack must not be open yet: its
// server would wait with us.
func (r *Relay) pace(ctx context.Context) error {
	if len(r.pushed) < pushesPerWindow {
		return nil
	}
	wait := r.pushed[0].Add(pushWindow).Sub(r.Now())
	if wait <= 0 {
		return nil
	}
	r.logf("wait %v: at most %d pushes in %v", wait, pushesPerWindow, pushWindow)
	if err := r.Sleep(ctx, wait); err != nil {
		return fault.New(fault.Transient, "the relay was interrupted: %w", err)
	}
	return nil
}

// note counts a push that begins now.
func (r *Relay) note() {
	r.pushed = append(r.pushed, r.Now())
	r.pushed = r.pushed[max(0, len(r.pushed)-pushesPerWindow):]
}

// retry waits before try number n+2 of something that failed with err. It
// returns err when there have been enough tries.
func (r *Relay) retry(ctx context.Context, n int, err error) error {
	if n >= len(backOff) || !retryable(err) || ctx.Err() != nil {
		return err
	}
	wait := max(backOff[n], fault.RetryAfter(err))
	if wait > maxThrottled {
		return err
	}
	if r.Sleep(ctx, wait) != nil {
		return err
	}
	return nil
}

// wait waits before try number n+2 of something.
func (r *Relay) wait(ctx context.Context, n int) error {
	return r.Sleep(ctx, backOff[min(n, len(backOff)-1)])
}

func retryable(err error) bool { return kindOr(err, fault.Transient) == fault.Transient }
