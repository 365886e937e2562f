// SPDX-License-Identifier: BSD-3-Clause

//go:build bench && linux

package bench

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"strings"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// fetchBody is one protocol v2 fetch, written by hand: gitprotocol-v2(5).
func fetchBody(wants, haves []string) string {
	var b strings.Builder
	line := func(s string) { fmt.Fprintf(&b, "%04x%s", len(s)+4, s) }
	line("command=fetch\n")
	b.WriteString("0001")
	for _, option := range []string{"thin-pack", "ofs-delta", "no-progress"} {
		line(option + "\n")
	}
	for _, w := range wants {
		line("want " + w + "\n")
	}
	for _, h := range haves {
		line("have " + h + "\n")
	}
	line("done\n")
	b.WriteString("0000")
	return b.String()
}

// drain asks the source for a pack and throws it away: nothing that has to
// bring the pack somewhere can be faster. It returns the answer's size.
func (w *world) drain(ctx context.Context, wants, haves []string) (int64, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost,
		w.gerrit.GitURL(gerritProject)+"/git-upload-pack", strings.NewReader(fetchBody(wants, haves)))
	if err != nil {
		return 0, err
	}
	req.SetBasicAuth(rig.AdminUser, rig.AdminPassword)
	req.Header.Set("Content-Type", "application/x-git-upload-pack-request")
	req.Header.Set("Git-Protocol", "version=2")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return 0, err
	}
	defer resp.Body.Close()
	if resp.StatusCode != http.StatusOK {
		return 0, fmt.Errorf("git-upload-pack: %s", resp.Status)
	}
	return io.Copy(io.Discard, resp.Body)
}

// thinPack returns the size of the pack that C git makes on the server's
// repository. A bitmap there makes C git forgo thin deltas, as it does in
// daily use.
func (w *world) thinPack(ctx context.Context, wants, haves []string) (int64, error) {
	git := rig.Git{Dir: w.gerrit.Repository(gerritProject)}
	in := strings.Join(wants, "\n") + "\n^" + strings.Join(haves, "\n^") + "\n"
	out, err := git.Pipe(ctx, strings.NewReader(in), "pack-objects", "--thin", "--stdout", "--revs", "-q", "--delta-base-offset")
	return int64(len(out)), err
}
