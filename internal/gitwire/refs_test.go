// SPDX-License-Identifier: BSD-3-Clause

package gitwire

import (
	"errors"
	"net/http"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
)

// eachProtocol runs a test against a server that speaks v2 and one that does
// not know it.
func eachProtocol(t *testing.T, test func(t *testing.T, b *bed)) {
	for _, v0 := range []bool{false, true} {
		name := map[bool]string{false: "v2", true: "v0"}[v0]
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			b := newBed(t)
			b.v0 = v0
			test(t, b)
		})
	}
}

func TestListRefs(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, b *bed) {
		src := b.repo("src.git")
		ids := src.history("refs/heads/master", 3, 1)
		src.git("update-ref", "refs/changes/01/1/1", ids[0])
		src.git("update-ref", "refs/changes/02/2/1", ids[1])
		src.git("tag", "-a", "-m", "a tag", "v1", ids[0])
		tag := src.rev("refs/tags/v1")
		r := b.remote("src.git", Options{})
		cases := []struct {
			prefixes []string
			want     []Ref
		}{
			{nil, []Ref{{"HEAD", ids[2]}, {"refs/changes/01/1/1", ids[0]}, {"refs/changes/02/2/1", ids[1]}, {"refs/heads/master", ids[2]}, {"refs/tags/v1", tag}}},
			{[]string{"refs/changes/01", "refs/heads/"}, []Ref{{"refs/changes/01/1/1", ids[0]}, {"refs/heads/master", ids[2]}}},
			{[]string{"refs/heads/none"}, nil},
		}
		for _, c := range cases {
			if diff := cmp.Diff(c.want, listAll(t, r, c.prefixes...)); diff != "" {
				t.Errorf("prefixes %q (-want +got):\n%s", c.prefixes, diff)
			}
		}
	})
}

func TestListRefsAsksOnceForTheProtocol(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, b *bed) {
		b.repo("src.git").history("refs/heads/master", 1, 1)
		r := b.remote("src.git", Options{})
		listAll(t, r)
		listAll(t, r)
		post, get := "POST /src.git/git-upload-pack", "GET /src.git/info/refs?service=git-upload-pack"
		want := []string{post, post}
		if b.v0 {
			want = []string{post, get, get, get} // found out, and then two listings
		}
		if diff := cmp.Diff(want, b.seen()); diff != "" {
			t.Errorf("requests (-want +got):\n%s", diff)
		}
	})
}

func TestListRefsOfAnEmptyRepository(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, b *bed) {
		b.repo("empty.git")
		if refs := listAll(t, b.remote("empty.git", Options{})); len(refs) != 0 {
			t.Errorf("got %v, want no refs", refs)
		}
	})
}

func TestListRefsStopsWithTheVisitor(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, b *bed) {
		b.repo("src.git").history("refs/heads/master", 1, 1)
		enough, calls := errors.New("enough"), 0
		err := b.remote("src.git", Options{}).ListRefs(t.Context(), nil, func(Ref) error {
			calls++
			return enough
		})
		wantError(t, err, "enough", enough)
		if calls != 1 {
			t.Errorf("visited %d times, want 1", calls)
		}
	})
}

func TestListRefsRefusesSHA256(t *testing.T) {
	t.Parallel()
	eachProtocol(t, func(t *testing.T, b *bed) {
		runGit(t, b.root, "", "init", "--quiet", "--bare", "--object-format=sha256", b.root+"/src.git")
		src := repo{t, b.root + "/src.git"}
		src.git("update-ref", "refs/heads/master", strings.TrimSpace(src.git("commit-tree", "-m", "x", strings.TrimSpace(src.git("hash-object", "-t", "tree", "-w", "/dev/null")))))
		err := b.remote("src.git", Options{}).ListRefs(t.Context(), nil, func(Ref) error { return nil })
		wantError(t, err, "SHA-256", fault.Configuration)
	})
}

func TestListRefsCutShort(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.repo("src.git").history("refs/heads/master", 1, 1)
	r := b.remote("src.git", Options{})
	b.breakOnce("upload-pack", faults.Truncate(70))
	err := r.ListRefs(t.Context(), nil, func(Ref) error { return nil })
	wantError(t, err, "failed to list the refs of "+b.url+"/src.git", ErrTruncated, fault.Transient)
	b.breakOnce("upload-pack", faults.Cut(70))
	err = r.ListRefs(t.Context(), nil, func(Ref) error { return nil })
	wantError(t, err, "connection", fault.Transient)
}

func TestAnEmptyAnswerOfAServerThatSpeaksV2(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.repo("src.git").history("refs/heads/master", 1, 1)
	b.breakOnce("upload-pack", faults.Answer(200, "", "Content-Type", "application/x-git-upload-pack-result"))
	r := b.remote("src.git", Options{})
	err := r.ListRefs(t.Context(), nil, func(Ref) error { return nil })
	wantError(t, err, "empty", ErrTruncated, fault.Transient)
	if len(listAll(t, r)) != 2 {
		t.Error("the next listing failed, want HEAD and master")
	}
	want := []string{"POST /src.git/git-upload-pack", "GET /src.git/info/refs?service=git-upload-pack", "POST /src.git/git-upload-pack"}
	if diff := cmp.Diff(want, b.seen()); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

// TestOtherWaysToNotKnowV2: JGit reports an error, a strict proxy a bad request.
func TestOtherWaysToNotKnowV2(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	b.v0 = true
	b.repo("src.git").history("refs/heads/master", 1, 1)
	for name, do := range map[string]func(http.Handler) http.Handler{
		"ERR": faults.Answer(200, packets("ERR invalid want line"), "Content-Type", "application/x-git-upload-pack-result"),
		"400": faults.Answer(400, "bad request"),
	} {
		b.breakOnce("upload-pack$", do)
		if refs := listAll(t, b.remote("src.git", Options{})); len(refs) != 2 {
			t.Errorf("%s: got %v, want HEAD and master", name, refs)
		}
	}
}

func TestListRefsRefusesBadPrefixes(t *testing.T) {
	t.Parallel()
	b := newBed(t)
	for _, prefix := range []string{"refs/a\nb", strings.Repeat("x", maxRefName+1)} {
		err := b.remote("src.git", Options{}).ListRefs(t.Context(), []string{prefix}, nil)
		wantError(t, err, "cannot be the beginning of a ref", fault.Ours)
	}
	if got := b.seen(); got != nil {
		t.Errorf("got requests %v, want none", got)
	}
}

func TestParseRef(t *testing.T) {
	t.Parallel()
	id := strings.Repeat("a", 40)
	good := map[string]Ref{
		id + " HEAD symref-target:refs/heads/x": {"HEAD", id},
		id + " refs/tags/v1 peeled:" + id:       {"refs/tags/v1", id},
	}
	for line, want := range good {
		if got, err := parseRef(dataPacket, []byte(line)); err != nil || got != want {
			t.Errorf("parseRef(%q) = %v, %v; want %v", line, got, err, want)
		}
	}
	for _, line := range []string{"", id, id + " ", "x" + id[1:] + " r", id[1:] + " r", id + " a\x01b", strings.ToUpper(id) + " r"} {
		if got, err := parseRef(dataPacket, []byte(line)); !errors.Is(err, fault.Permanent) {
			t.Errorf("parseRef(%q) = %v, %v; want an error", line, got, err)
		}
	}
	_, err := parseRef(dataPacket, []byte(id+id[:24]+" refs/heads/x"))
	wantError(t, err, "SHA-256", fault.Configuration)
	_, err = parseRef(delimPacket, nil)
	wantError(t, err, "not a line of refs", fault.Permanent)
}
