// SPDX-License-Identifier: BSD-3-Clause

package github

import "time"

// All limits of a request are here, so that they can be judged together.
const (
	// readDeadline ends one try of a small read.
	readDeadline = 30 * time.Second
	// listDeadline ends one try of a page of runs: GitHub takes up to ten
	// seconds for one and answers 502 after that.
	listDeadline = time.Minute
	// dispatchDeadline ends a dispatch. It is not tried again, so it waits.
	dispatchDeadline = time.Minute
	// tokenDeadline ends one try of getting an installation token.
	tokenDeadline = 30 * time.Second

	// actDeadline ends a call that changes something, a dispatch excepted.
	actDeadline = 30 * time.Second
	// uploadDeadline ends the upload of a file of a release: 20 MB at 70 kB/s.
	uploadDeadline = 5 * time.Minute
	// logDeadline ends one try of reading a log; some have hundreds of MB.
	logDeadline = 5 * time.Minute
	// artifactDeadline ends the download of an artifact: 2 GB at 600 kB/s.
	artifactDeadline = time.Hour
	// downloadIdle is the longest silence of a server that sends a log or an
	// artifact.
	downloadIdle = time.Minute

	// maxTries is how often a read is tried.
	maxTries = 3
	// firstBackoff is the wait after the first failed try; it doubles.
	firstBackoff = time.Second
	// maxWait is the longest wait before one more try; what GitHub wants later
	// than that is left to the next pass.
	maxWait = 2 * time.Minute
	// maxSlept bounds all waits of a client for rate limits together.
	maxSlept = 5 * time.Minute

	// defaultRetryAfter is the wait after a limit that names none (GitHub's
	// documentation: at least one minute).
	defaultRetryAfter = time.Minute
	// maxLimit is the longest that a limit is believed to last: primary limits
	// are reset every hour.
	maxLimit = 2 * time.Hour

	// maxBody bounds an answer: a page of 100 runs has about 2 MB.
	maxBody = 32 << 20
	// maxErrorBody bounds the body of an answer that is an error.
	maxErrorBody = 64 << 10
	// maxWorkflowFile bounds a workflow file; GitHub's own limit is 512 KiB.
	maxWorkflowFile = 1 << 20
	// maxLog bounds how much of a log is read.
	maxLog = 1 << 30
	// maxLine is how many bytes of a log's line are kept.
	maxLine = 4 << 10
	// maxTail is the most lines that JobLog gives.
	maxTail = 1000
	// maxJobs is the most jobs that a run may have here; GitHub allows 256 for
	// each matrix.
	maxJobs = 5000
	// maxAnnotations is how many annotations of one job are read.
	maxAnnotations = 200
	// maxArtifacts is how many artifacts of one run are listed.
	maxArtifacts = 1000
	// maxComment is the longest comment: GitHub takes 65,536 characters, and a
	// byte is never more than one.
	maxComment = 65536
	// maxRedirects is how many redirects are followed.
	maxRedirects = 3
)
