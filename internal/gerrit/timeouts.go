// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"net/http"
	"strings"
	"time"
)

// All limits of a request are here, so that they can be judged together.
const (
	// queryDeadline ends one try of a query over many changes: files and labels
	// of a thousand changes take a busy server half a minute.
	queryDeadline = 2 * time.Minute
	// readDeadline ends one try of anything else.
	readDeadline = 45 * time.Second

	// tries is how often a GET is sent before its failure counts.
	tries = 3
	// maxRetryAfter is the longest wait that the server may ask for; if it asks
	// for more, the failure is handed up with the wait in it.
	maxRetryAfter = 2 * time.Minute

	// maxBody bounds an answer: 1000 changes take about 2 MB, a list of 100,000
	// files 15 MB.
	maxBody = 64 << 20
	// maxReason bounds how much of a failing answer is read for its reason.
	maxReason = 4 << 10
	// maxRedirects is how many redirects a request may follow.
	maxRedirects = 3

	// pageSize is how many changes one query asks for; a server that allows its
	// users less (500 by default) sends less.
	pageSize = 1000
	// smallPage is the size below which a page that is too large loses its files.
	smallPage = 20
	// settled is when a second is surely over and in the server's index, so that
	// nothing that was not listed can have been updated in it.
	settled = time.Minute
	// maxChanges ends a query whose server never stops.
	maxChanges = 200_000
	// maxIdlePages ends a query whose server repeats itself.
	maxIdlePages = 3
	// maxEmptyPages is how many empty pages in a row end a query that has more.
	maxEmptyPages = 10
	// maxMessages is how many messages of a change are kept, the newest ones;
	// Gerrit itself ends at 1000 (change.maxUpdates).
	maxMessages = 2000
	// maxMessageText bounds the text of a message that is read; Gerrit allows
	// 16 Ki characters.
	maxMessageText = 64 << 10
	// maxPosted bounds a message that is posted, in bytes: Gerrit counts UTF-16
	// units, of which no text has more (change.commentSizeLimit).
	maxPosted = 16 << 10
	// minPosted is the shortest message worth posting, in bytes.
	minPosted = 256
	// maxRefusals is how often a review is sent again without a part of it. Seven
	// parts, the votes, and what the server names by itself are fewer.
	maxRefusals = 16
	// maxComment bounds a comment on a file. Gerrit adds its path, tag and ids,
	// and allows the sum 16 Ki.
	maxComment = 8 << 10

	// closedChunk is how many changes are named in one query: about 1 KB of URL.
	closedChunk = 50
	// maxConfirmed is how many changes that a query does not show are looked at one
	// by one in a call of Visible.
	maxConfirmed = 50
	// maxGroups is how many groups, or labels, are named in an advice.
	maxGroups = 8
)

// backoff are the waits after the first and second try.
var backoff = [tries - 1]time.Duration{time.Second, 4 * time.Second}

// deadlineOf returns how long one try of a request may take, body included.
func deadlineOf(r *http.Request) time.Duration {
	if strings.HasSuffix(r.URL.Path, "/changes/") {
		return queryDeadline
	}
	return readDeadline
}
