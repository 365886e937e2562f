// SPDX-License-Identifier: BSD-3-Clause

package store

import "time"

// All limits are here, so that they can be judged together.
const (
	// partSize is how much of an object is held in memory at a time. Amazon
	// wants at least 5 MiB, and some servers want all parts to have one size.
	partSize = 8 << 20
	// maxParts is S3's own limit.
	maxParts = 10000
	// MaxObject is the largest object that Put takes: 78 GiB.
	MaxObject = partSize * maxParts

	// defaultWorkers keep a fast line busy; more than maxWorkers are unkind to a
	// server.
	defaultWorkers = 4
	maxWorkers     = 16
	// copyBuffer is what is read at a time where no whole part is needed.
	copyBuffer = 256 << 10
	// maxState bounds the small files beside what is transferred: 10000 part
	// numbers have 60 kB.
	maxState = 128 << 10
	// maxRounds is how often a transfer begins anew because the server lost
	// what it had, or has something else now.
	maxRounds = 3

	// maxTries is how often a request is tried.
	maxTries = 4
	// firstBackoff is the wait after the first failed try; it doubles.
	firstBackoff = time.Second
	// maxWait is the longest wait that a server may ask for.
	maxWait = time.Minute

	// smallLimit ends one try of a request that moves little.
	smallLimit = 30 * time.Second
	// listLimit ends one try of a list of pageSize objects, S3's own page.
	listLimit = time.Minute
	pageSize  = 1000
	// fewKeys is the page when one key is looked for: others begin as it does.
	fewKeys = 10
	// partLimit ends one try of an upload of at most partSize: 28 kB/s.
	partLimit = 5 * time.Minute
	// joinLimit ends one try of the end of a multi-part upload: Amazon says that
	// it may take minutes.
	joinLimit = 10 * time.Minute
	// idleLimit is the longest silence in a download.
	idleLimit = 2 * time.Minute
	// cleanLimit ends the clean-up after an upload that failed, which goes on
	// although the caller gave up.
	cleanLimit = 15 * time.Second

	// maxAnswer bounds an answer that is not an object: a page of a list
	// with the longest names has 3.5 MB.
	maxAnswer = 4 << 20
	// maxErrorBody bounds an answer that is an error.
	maxErrorBody = 64 << 10
	// maxSkew is how far S3 lets the clocks be apart.
	maxSkew = 15 * time.Minute
	// maxDeleteFailures ends a clean-up that fails all the time.
	maxDeleteFailures = 5
)
