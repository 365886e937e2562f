// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"archive/tar"
	"bytes"
	"compress/gzip"
	"crypto/sha256"
	"encoding/pem"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"os"
	"os/exec"
	"path/filepath"
	"runtime"
	"slices"
	"strings"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/standin/githttp"
)

// shell runs a script with nothing in its environment but what is given.
func shell(t *testing.T, dir, script string, env ...string) (string, error) {
	t.Helper()
	path, err := filepath.Abs(script)
	if err != nil {
		t.Fatal(err)
	}
	cmd := exec.CommandContext(t.Context(), "bash", path)
	cmd.Dir, cmd.Env = dir, append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + dir, "LC_ALL=C"}, env...)
	out, err := cmd.CombinedOutput()
	return string(out), err
}

func git(t *testing.T, dir string, args ...string) string {
	t.Helper()
	cmd := exec.CommandContext(t.Context(), "git", args...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_GLOBAL=/dev/null", "GIT_CONFIG_NOSYSTEM=1", "LC_ALL=C",
		"GIT_AUTHOR_NAME=a", "GIT_AUTHOR_EMAIL=a@example.org", "GIT_COMMITTER_NAME=a", "GIT_COMMITTER_EMAIL=a@example.org",
		"GIT_AUTHOR_DATE=2026-01-05T08:00:00Z", "GIT_COMMITTER_DATE=2026-01-05T08:00:00Z")
	out, err := cmd.CombinedOutput()
	if err != nil {
		t.Fatalf("git %v: %v\n%s", args, err, out)
	}
	return strings.TrimSpace(string(out))
}

// anySHA1 lets a stand-in serve commits by id, as GitHub does.
var anySHA1 = []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=uploadpack.allowAnySHA1InWant", "GIT_CONFIG_VALUE_0=true"}

// servers serves a mirror, example/spdk, and a Gerrit, gerrit/spdk/spdk. The
// mirror has one patchset, and Gerrit one more, with a submodule.
func servers(t *testing.T) (address, mirrored, unmirrored string) {
	t.Helper()
	root, work := t.TempDir(), t.TempDir()
	server := httptest.NewServer(&githttp.Handler{Root: root, Env: anySHA1})
	t.Cleanup(server.Close)
	for _, name := range []string{"example/spdk", "gerrit/spdk/spdk", "gerrit/spdk/dpdk"} {
		git(t, root, "init", "--quiet", "--bare", name)
	}
	git(t, work, "init", "--quiet", "dpdk")
	git(t, work+"/dpdk", "commit", "--quiet", "--allow-empty", "--message", "dpdk")
	git(t, work+"/dpdk", "push", "--quiet", root+"/gerrit/spdk/dpdk", "HEAD:refs/heads/main")
	git(t, work, "init", "--quiet", "spdk")
	dir := work + "/spdk"
	if err := os.WriteFile(dir+"/autorun.sh", []byte("#!/bin/sh\n"), 0o755); err != nil {
		t.Fatal(err)
	}
	git(t, dir, "add", ".")
	git(t, dir, "commit", "--quiet", "--message", "one")
	mirrored = git(t, dir, "rev-parse", "HEAD")
	git(t, dir, "push", "--quiet", root+"/example/spdk", "HEAD:refs/changes/01/27101/1")
	git(t, dir, "-c", "protocol.file.allow=always", "submodule", "--quiet", "add", work+"/dpdk", "dpdk")
	git(t, dir, "config", "--file", ".gitmodules", "submodule.dpdk.url", "../dpdk")
	git(t, dir, "commit", "--quiet", "--all", "--message", "two")
	unmirrored = git(t, dir, "rev-parse", "HEAD")
	git(t, dir, "push", "--quiet", root+"/gerrit/spdk/spdk", "HEAD:refs/changes/02/27102/1")
	return server.URL, mirrored, unmirrored
}

// TestCheckout: a commit comes from the mirror, or else from Gerrit; what cannot
// be had or is not what it should be is an annotation that says what to do.
func TestCheckout(t *testing.T) {
	t.Parallel()
	address, mirrored, unmirrored := servers(t)
	gone := strings.Repeat("0", 40)
	for name, c := range map[string]struct {
		edits []string
		want  string // of the output
		files string
	}{
		"mirror":        {[]string{"REVISION=" + mirrored}, "checked out " + mirrored + " from " + address + "/example/spdk\n", "autorun.sh"},
		"with a token":  {[]string{"REVISION=" + mirrored, "TOKEN=ghp-secret"}, "checked out " + mirrored, "autorun.sh"},
		"gerrit":        {[]string{"REVISION=" + unmirrored}, "checked out " + unmirrored + " from " + address + "/gerrit/spdk/spdk\n", "autorun.sh dpdk"},
		"submodules":    {[]string{"REVISION=" + unmirrored, "SUBMODULES=true"}, "checked out " + unmirrored, "autorun.sh dpdk dpdk/.git"},
		"another":       {[]string{"REVISION=" + gone}, "::error::the commit " + gone + " is gone", ""},
		"no gerrit":     {[]string{"REVISION=" + unmirrored, "GERRIT_URL="}, "::error::the commit " + unmirrored + " is gone", ""},
		"hostile ref":   {[]string{"REVISION=" + unmirrored, "GERRIT_REF=--upload-pack=touch x"}, "::error::the commit " + unmirrored + " is gone", ""},
		"no revision":   {[]string{"REVISION="}, `::error::revision is "", not a commit`, ""},
		"hostile":       {[]string{"REVISION=$(id)\n::error::x"}, `::error::revision is "??id??::error::x", not a commit`, ""},
		"no repository": {[]string{"REVISION=" + mirrored, "REPOSITORY=spdk"}, `::error::repository is "spdk", not OWNER/NAME`, ""},
		"hostile name":  {[]string{"REVISION=" + mirrored, "REPOSITORY=a/b c;"}, `::error::repository is "a/b c?", not OWNER/NAME`, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			env := append([]string{
				"REPOSITORY=example/spdk", "SERVER_URL=" + address, "GERRIT_URL=" + address + "/gerrit/", "GERRIT_PROJECT=spdk/spdk",
				"GERRIT_REF=refs/changes/02/27102/1", "FOLDER=source",
			}, c.edits...)
			out, err := shell(t, dir, "actions/checkout/checkout.sh", env...)
			if (err == nil) != (c.files != "") || !strings.Contains(out, c.want) || strings.Contains(out, "ghp-secret") {
				t.Errorf("got %v, want %q in\n%s", err, c.want, out)
			}
			for _, file := range strings.Fields(c.files) {
				if info, err := os.Stat(filepath.Join(dir, "source", file)); err != nil || file == "autorun.sh" && info.Mode().Perm()&0o100 == 0 {
					t.Errorf("%s: %v", file, err)
				}
			}
			if config, err := os.ReadFile(dir + "/source/.git/config"); err == nil && strings.Contains(string(config), "xtraheader") {
				t.Errorf("the token stays in\n%s", config)
			}
		})
	}
}

// TestCheckoutHistory: git describe finds a tag at any depth, a commit can be
// compared with its parent, and tags of the server come where they are asked for.
func TestCheckoutHistory(t *testing.T) {
	t.Parallel()
	root, work := t.TempDir(), t.TempDir()
	server := httptest.NewServer(&githttp.Handler{Root: root, Env: anySHA1})
	t.Cleanup(server.Close)
	git(t, root, "init", "--quiet", "--bare", "example/spdk")
	git(t, work, "init", "--quiet")
	for _, name := range []string{"a", "b", "c", "d"} {
		if err := os.WriteFile(filepath.Join(work, name), nil, 0o644); err != nil {
			t.Fatal(err)
		}
		git(t, work, "add", ".")
		git(t, work, "commit", "--quiet", "--message", name)
		if name == "b" {
			git(t, work, "tag", "v26.01")
		}
	}
	revision := git(t, work, "rev-parse", "HEAD")
	git(t, work, "push", "--quiet", "--tags", root+"/example/spdk", "HEAD:refs/changes/01/27101/1")
	local := "patchset-" + revision[:12]
	for name, c := range map[string]struct {
		edits                      string
		commits, describe, changed string
		failure                    string
	}{
		"as it is":         {"", "2", local, "d", ""},
		"alone":            {"DEPTH=1", "1", local, "", ""},
		"with leading 0":   {"DEPTH=03", "3", local, "d", ""},
		"whole":            {"DEPTH=0", "4", local, "d", ""},
		"release":          {"DEPTH=0 TAGS=all", "4", "v26.01-2-g" + revision[:7], "d", ""},
		"release too deep": {"TAGS=all", "2", local, "d", ""},
		"none":             {"TAGS=none", "2", "", "d", ""},
		"no depth":         {"DEPTH=all", "", "", "", `::error::depth is "all", not a number of commits`},
		"hostile depth":    {"DEPTH=-1", "", "", "", `::error::depth is "-1", not`},
		"no tags":          {"TAGS=yes", "", "", "", `::error::tags is "yes": it may be local, all or none`},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			out, err := shell(t, dir, "actions/checkout/checkout.sh", append(strings.Fields(c.edits),
				"REVISION="+revision, "REPOSITORY=example/spdk", "SERVER_URL="+server.URL, "FOLDER=source")...)
			if c.failure != "" {
				if err == nil || !strings.Contains(out, c.failure) {
					t.Errorf("got %v, want %q in\n%s", err, c.failure, out)
				}
				return
			}
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			ask := func(args ...string) string {
				cmd := exec.CommandContext(t.Context(), "git", args...)
				cmd.Dir = filepath.Join(dir, "source")
				out, _ := cmd.Output() // an error leaves nothing
				return strings.TrimSpace(string(out))
			}
			got := []string{ask("rev-list", "--count", "HEAD"), ask("describe", "--tags"), ask("diff-tree", "--no-commit-id", "--name-only", "-r", "HEAD")}
			if want := []string{c.commits, c.describe, c.changed}; !slices.Equal(got, want) {
				t.Errorf("got %q, want %q", got, want)
			}
			if c.describe == local && ask("describe") != local {
				t.Error("git describe without --tags finds no tag")
			}
		})
	}
}

// TestSetup: a program is installed only if it is the one that the commit names.
func TestSetup(t *testing.T) {
	t.Parallel()
	bin := t.TempDir() // all that the script needs, and no Go
	for _, name := range strings.Fields("bash dirname mkdir uname curl sha256sum sed awk mv cp chmod tee") {
		path, err := exec.LookPath(name)
		if err != nil || os.Symlink(path, filepath.Join(bin, name)) != nil {
			t.Skipf("it needs %s: %v", name, err)
		}
	}
	program := "#!/bin/sh\necho dispatcher v1.2.3\n"
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if r.URL.Path != "/v1.2.3/dispatcher-linux-"+runtime.GOARCH {
			w.WriteHeader(http.StatusNotFound)
			return
		}
		fmt.Fprint(w, program)
	}))
	t.Cleanup(server.Close)
	secure := httptest.NewTLSServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		if name, ok := strings.CutPrefix(r.URL.Path, "/clear"); ok {
			http.Redirect(w, r, server.URL+name, http.StatusFound)
			return
		}
		server.Config.Handler.ServeHTTP(w, r)
	}))
	t.Cleanup(secure.Close)
	authority := filepath.Join(t.TempDir(), "ca.pem")
	if err := os.WriteFile(authority, pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: secure.Certificate().Raw}), 0o644); err != nil {
		t.Fatal(err)
	}
	sum := func(version, text string) string {
		return fmt.Sprintf("# %s\n# go1.26.7, commit %s\n%x  dispatcher-linux-amd64\n%[3]x  dispatcher-linux-arm64\n", version, strings.Repeat("0a", 20), sha256.Sum256([]byte(text)))
	}
	for name, c := range map[string]struct{ checksums, env, want string }{
		"release":           {sum("v1.2.3", program), "BINARY=", "version=v1.2.3"},
		"by https":          {sum("v1.2.3", program), "DISPATCHER_DOWNLOADS=" + secure.URL, "version=v1.2.3"},
		"led to http":       {sum("v1.2.3", program), "DISPATCHER_DOWNLOADS=" + secure.URL + "/clear", "::error::the dispatcher v1.2.3 could not be downloaded"},
		"another program":   {sum("v1.2.3", "another"), "BINARY=", "::error::what was downloaded as the dispatcher v1.2.3 has another checksum than its release"},
		"no such release":   {sum("v9.9.9", program), "BINARY=", "::error::the dispatcher v9.9.9 could not be downloaded"},
		"damaged":           {"# v1.2.3\n", "BINARY=", "::error::checksums.txt does not name dispatcher-linux-"},
		"no Go, no release": {"", "BINARY=", "::error::this commit of the dispatcher is no release, and there is no Go here"},
		"own program":       {"", "BINARY=own", "version=v1.2.3"},
		"the runner's":      {"", "DISPATCHER_BINARY=own", "version=v1.2.3"},
		"no such program":   {"", "DISPATCHER_BINARY=none", "::error::DISPATCHER_BINARY, or the input binary, names none, which is no program here"},
		"a folder":          {"", "BINARY=setup", "::error::DISPATCHER_BINARY, or the input binary, names setup, which is no program here"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			script, err := os.ReadFile("actions/setup/install.sh")
			if err != nil {
				t.Fatal(err)
			}
			for file, text := range map[string]string{"setup/install.sh": string(script), "setup/checksums.txt": c.checksums, "own": program} {
				if err := os.MkdirAll(filepath.Join(dir, filepath.Dir(file)), 0o755); err != nil {
					t.Fatal(err)
				}
				if err := os.WriteFile(filepath.Join(dir, file), []byte(text), 0o755); err != nil {
					t.Fatal(err)
				}
			}
			out, err := shell(t, dir, filepath.Join(dir, "setup/install.sh"), "PATH="+bin, "RUNNER_TEMP="+dir+"/temp",
				"GITHUB_PATH="+dir+"/path", "GITHUB_OUTPUT="+dir+"/output", "CURL_CA_BUNDLE="+authority, "DISPATCHER_DOWNLOADS="+server.URL, c.env)
			failed := strings.HasPrefix(c.want, "::error::")
			if (err != nil) != failed || !strings.Contains(out, c.want) {
				t.Errorf("got %v, want %q in\n%s", err, c.want, out)
			}
			if _, err := os.Stat(dir + "/temp/dispatcher-bin/dispatcher"); (err != nil) != failed {
				t.Errorf("the program is installed: %v", err)
			}
		})
	}
}

// TestLookForSource: what is not there whole, or is of another commit, is made, and
// said to be.
func TestLookForSource(t *testing.T) {
	t.Parallel()
	revision := strings.Repeat("0a", 20)
	pack := func(head string) string {
		var text bytes.Buffer
		z := gzip.NewWriter(&text)
		w := tar.NewWriter(z)
		junk := make([]byte, 1<<16)
		for i := range junk {
			junk[i] = byte(i * i >> 3)
		}
		for name, content := range map[string]string{"source/.git/HEAD": head + "\n", "source/README": string(junk)} {
			err := w.WriteHeader(&tar.Header{Name: name, Mode: 0o644, Size: int64(len(content))})
			if _, writeErr := io.WriteString(w, content); err != nil || writeErr != nil {
				t.Fatal(err, writeErr)
			}
		}
		if err := errors.Join(w.Close(), z.Close()); err != nil {
			t.Fatal(err)
		}
		return text.String()
	}
	whole := pack(revision)
	for name, c := range map[string]struct{ file, make, want string }{
		"whole":              {whole, "false", "missing=false\n"},
		"cut short":          {whole[:len(whole)/2], "false", "missing=true\n"},
		"the end is missing": {whole[:len(whole)-1], "false", "missing=true\n"},
		"of another commit":  {pack(strings.Repeat("0b", 20)), "false", "missing=true\n"},
		"of a branch":        {pack("ref: refs/heads/main"), "false", "missing=true\n"},
		"none":               {"", "false", "missing=true\n"},
		"to be made":         {"", "true", "missing=true\n"},
		"no such file":       {"-", "", "missing=true\n"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			if c.file != "-" {
				if err := os.WriteFile(dir+"/source.tar.gz", []byte(c.file), 0o600); err != nil {
					t.Fatal(err)
				}
			}
			said, err := shell(t, dir, "actions/source/look.sh", "GITHUB_OUTPUT="+dir+"/output", "MAKE="+c.make, "REVISION="+revision)
			if err != nil {
				t.Fatalf("%v: %s", err, said)
			}
			if got, err := os.ReadFile(dir + "/output"); err != nil || string(got) != c.want {
				t.Errorf("got %s, %v, want %s", got, err, c.want)
			}
			text := "::notice::the packed source of this run is gone"
			if strings.HasPrefix(name, "of a") {
				text = "::warning::the artifact source of this run does not have the revision"
			}
			if tells := strings.Contains(said, text); tells != (c.want == "missing=true\n" && c.make != "true") {
				t.Errorf("it says %q", said)
			}
		})
	}
}
