// SPDX-License-Identifier: BSD-3-Clause

//go:build bench && linux

package bench

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
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

// fetch asks the source for a pack and returns its answer as it is. Nothing that
// has to bring the pack somewhere can be faster.
func (w *world) fetch(ctx context.Context, wants, haves []string) ([]byte, error) {
	return post(ctx, w.gerrit.GitURL(gerritProject), "git-upload-pack", rig.AdminUser, rig.AdminPassword, []byte(fetchBody(wants, haves)))
}

// push creates refs on the mirror with a pack that lies in memory.
func (w *world) push(ctx context.Context, mirror string, changes []rig.Change, pack []byte) error {
	var b bytes.Buffer
	for i, c := range changes {
		line := fmt.Sprintf("%040d %s %s", 0, c.Revision, c.Ref())
		if i == 0 {
			line += "\x00report-status ofs-delta"
		}
		fmt.Fprintf(&b, "%04x%s", len(line)+4, line)
	}
	b.WriteString("0000")
	b.Write(pack)
	answer, err := post(ctx, w.mirror.GitURL(mirror), "git-receive-pack", rig.MirrorUser, rig.MirrorToken, b.Bytes())
	if err == nil && (!bytes.Contains(answer, []byte("unpack ok\n")) || bytes.Contains(answer, []byte("ng refs/"))) {
		err = fmt.Errorf("git-receive-pack: %q", answer)
	}
	return err
}

func post(ctx context.Context, repository, service, user, password string, body []byte) ([]byte, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, repository+"/"+service, bytes.NewReader(body))
	if err != nil {
		return nil, err
	}
	req.SetBasicAuth(user, password)
	req.Header.Set("Content-Type", "application/x-"+service+"-request")
	req.Header.Set("Git-Protocol", "version=2")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return nil, err
	}
	defer resp.Body.Close()
	answer, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s: %s: %q", service, resp.Status, answer)
	}
	return answer, err
}

// packOf takes the pack out of a fetch's answer: the first side-band.
func packOf(answer []byte) ([]byte, error) {
	var pack []byte
	for {
		if len(answer) < 4 {
			return nil, errors.New("the answer ends without a flush")
		}
		n, err := strconv.ParseUint(string(answer[:4]), 16, 16)
		switch {
		case err != nil:
			return nil, err
		case n == 0:
			return pack, nil
		case n < 5 || int(n) > len(answer):
			return nil, fmt.Errorf("odd length %d of a line", n)
		case answer[4] == 1:
			pack = append(pack, answer[5:n]...)
		}
		answer = answer[n:]
	}
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
