// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"encoding/base64"
	"errors"
	"fmt"
	"io/fs"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"os"
	"os/exec"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"syscall"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/standin/githttp"
	"github.com/spdk-community-ci/dispatcher/internal/verdict"
)

// upstreams serves repositories that submodules come from, and the mirror.
type upstreams struct {
	root, work, url string
	// first and second are commits of up/dpdk, nested is one of up/nested, which
	// has up/dpdk as a submodule by a relative address.
	first, second, nested string
}

// hostility is what a server may answer in place of git.
var hostility = map[string]http.HandlerFunc{
	"/down/": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusBadGateway) },
	"/private/": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("WWW-Authenticate", "Basic")
		w.WriteHeader(http.StatusUnauthorized)
	},
	"/busy/": func(w http.ResponseWriter, _ *http.Request) { w.WriteHeader(http.StatusTooManyRequests) },
	"/partial/": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		w.Header().Set("Content-Length", "1000")
		fmt.Fprint(w, "001e# service=git-upload-pack\n0000")
	},
	"/loud/": func(w http.ResponseWriter, _ *http.Request) {
		w.Header().Set("Content-Type", "application/x-git-upload-pack-advertisement")
		text := "ERR x\n::notice title=dispatcher result::{\"v\":1,\"by\":\"patch\",\"exit\":1}\n##[error]y\n"
		fmt.Fprintf(w, "001e# service=git-upload-pack\n0000%04x%s", len(text)+4, text)
	},
}

func newUpstreams(t *testing.T) *upstreams {
	t.Helper()
	u := &upstreams{root: t.TempDir(), work: t.TempDir()}
	mux := http.NewServeMux()
	every, tips := &githttp.Handler{Root: u.root, Env: anySHA1}, &githttp.Handler{Root: u.root, Env: []string{"GIT_CONFIG_COUNT=1", "GIT_CONFIG_KEY_0=protocol.version", "GIT_CONFIG_VALUE_0=0"}}
	mux.Handle("/", every)
	mux.HandleFunc("/tips/", func(w http.ResponseWriter, r *http.Request) { // gives out tips of refs only
		r.Header.Del("Git-Protocol")
		http.StripPrefix("/tips", tips).ServeHTTP(w, r)
	})
	for path, handler := range hostility {
		mux.HandleFunc(path, handler)
	}
	server := httptest.NewServer(mux)
	t.Cleanup(server.Close)
	u.url = server.URL
	for _, name := range []string{"example/spdk", "example/dpdk", "gerrit/spdk/spdk", "gerrit/spdk/dpdk", "up/dpdk", "up/nested", "stale/up/dpdk", "up/odd"} {
		git(t, u.root, "init", "--quiet", "--bare", name)
	}
	git(t, u.work, "init", "--quiet")
	u.first = u.commit(t, "", map[string]string{"one": "1\n"}, nil)
	u.second = u.commit(t, u.first, map[string]string{"one": "1\n", "two": "2\n"}, nil)
	third := u.commit(t, u.second, map[string]string{"three": "3\n"}, nil)
	for _, name := range []string{"up/dpdk", "gerrit/spdk/dpdk"} {
		git(t, u.work, "push", "--quiet", u.root+"/"+name, third+":refs/heads/main")
	}
	git(t, u.work, "push", "--quiet", u.root+"/stale/up/dpdk", u.first+":refs/heads/main")
	u.nested = u.commit(t, "", map[string]string{"nested": "", ".gitmodules": section("lib/dpdk", "../dpdk")}, map[string]string{"lib/dpdk": u.second})
	git(t, u.work, "push", "--quiet", u.root+"/up/nested", u.nested+":refs/heads/main")
	return u
}

// commit makes one of files and submodules.
func (u *upstreams) commit(t *testing.T, parent string, files, links map[string]string) string {
	t.Helper()
	git(t, u.work, "read-tree", "--empty")
	for name, text := range files {
		file := filepath.Join(u.work, "content")
		if err := os.WriteFile(file, []byte(text), 0o600); err != nil {
			t.Fatal(err)
		}
		id := git(t, u.work, "hash-object", "-w", "--no-filters", file)
		git(t, u.work, "update-index", "--add", "--cacheinfo", "100644,"+id+","+name)
	}
	for path, id := range links {
		git(t, u.work, "update-index", "--add", "--cacheinfo", "160000,"+id+","+path)
	}
	args := []string{"commit-tree", "-m", "x", git(t, u.work, "write-tree")}
	if parent != "" {
		args = append(args, "-p", parent)
	}
	return git(t, u.work, args...)
}

// section is one of .gitmodules.
func section(path, url string) string {
	return fmt.Sprintf("[submodule %q]\n\tpath = %s\n\turl = %s\n", path, path, url)
}

// patch is a commit on the mirror.
func (u *upstreams) patch(t *testing.T, id string) string {
	t.Helper()
	git(t, u.work, "push", "--quiet", u.root+"/example/spdk", id+":refs/changes/"+id[:2]+"/"+id)
	return id
}

// TestSubmodules: submodules come from where users expect them; what the patchset
// itself got wrong is told in a mark, and nothing else is.
func TestSubmodules(t *testing.T) {
	t.Parallel()
	u := newUpstreams(t)
	gone := strings.Repeat("1", 40)
	dpdk := func(url string) map[string]string { return map[string]string{".gitmodules": section("dpdk", url)} }
	at := func(id string) map[string]string { return map[string]string{"dpdk": id} }
	good := dpdk(u.url + "/up/dpdk")
	for name, c := range map[string]struct {
		// before and after are .gitmodules and other files of the parent and of the
		// patchset, the links their submodules. Without a parent it is a first commit.
		before, after map[string]string
		from, to      map[string]string
		edits         []string // of the environment
		files         string   // that are there; none where it fails
		blame, fail   string   // the reason, if the patchset or something else is at fault
	}{
		"as they are":                  {after: good, to: at(u.first), files: "dpdk/one"},
		"nested, relative":             {after: map[string]string{".gitmodules": section("a/b", u.url+"/up/nested")}, to: map[string]string{"a/b": u.nested}, files: "a/b/nested a/b/lib/dpdk/two"},
		"relative to the mirror":       {after: dpdk("../../up/dpdk"), to: at(u.first), files: "dpdk/one"},
		"relative to Gerrit":           {after: dpdk("../dpdk"), to: at(u.first), edits: []string{"GERRIT_URL=" + u.url + "/gerrit", "GERRIT_PROJECT=spdk/spdk"}, files: "dpdk/one"},
		"relative to an address":       {after: dpdk("../dpdk"), to: at(u.first), edits: []string{"SUBMODULE_BASE=" + u.url + "/up/x"}, files: "dpdk/one"},
		"no single commits":            {after: dpdk(u.url + "/tips/up/dpdk"), to: at(u.first), files: "dpdk/one"},
		"from a mirror":                {after: dpdk("https://nowhere.invalid/up/dpdk"), to: at(u.first), edits: []string{"INSTEAD_OF=https://nowhere.invalid/ " + u.url + "/"}, files: "dpdk/one"},
		"from a folder":                {after: dpdk("https://nowhere.invalid/up/dpdk"), to: at(u.first), edits: []string{"INSTEAD_OF=https://nowhere.invalid/ " + u.root + "/"}, files: "dpdk/one"},
		"from a mirror that is behind": {after: good, to: at(u.second), edits: []string{"INSTEAD_OF=" + u.url + "/up/ " + u.url + "/stale/up/"}, files: "dpdk/two"},
		"by an address of SSH":         {after: dpdk("git@nowhere.invalid:up/dpdk"), to: at(u.first), edits: []string{"INSTEAD_OF=git@nowhere.invalid: " + u.url + "/"}, files: "dpdk/one"},
		"not asked for":                {after: map[string]string{"x": "", ".gitmodules": section("dpdk", "x") + "\tupdate = none\n"}, to: at(gone), files: "x"},
		"no submodules":                {after: map[string]string{"x": "", ".gitmodules": "rubbish"}, files: "x"},

		"a commit that is not there":                 {before: good, from: at(u.first), after: good, to: at(gone), blame: "the submodule dpdk wants the commit " + gone + ", which " + u.url + "/up/dpdk does not have"},
		"the same of a simple server":                {after: dpdk(u.url + "/tips/up/dpdk"), to: at(gone), blame: "the submodule dpdk wants the commit " + gone + ", which"},
		"the same behind a mirror":                   {after: good, to: at(gone), edits: []string{"INSTEAD_OF=" + u.url + "/up/ " + u.url + "/stale/up/"}, blame: "the submodule dpdk wants the commit " + gone + ", which " + u.url + "/up/dpdk"},
		"the same at depth 1":                        {before: good, from: at(u.first), after: good, to: at(gone), edits: []string{"DEPTH=1"}, blame: "the submodule dpdk wants the commit " + gone},
		"the same as before":                         {before: good, from: at(gone), after: map[string]string{"x": "", ".gitmodules": good[".gitmodules"]}, to: at(gone), fail: "does not have. The patchset did not change that"},
		"the same, in a list that changed elsewhere": {before: good, from: at(gone), after: map[string]string{".gitmodules": good[".gitmodules"] + "# x\n"}, to: at(gone), fail: "The patchset did not change that"},
		"another address":                            {before: good, from: at(u.first), after: dpdk(u.url + "/up/none"), to: at(u.first), blame: "the submodule dpdk has the address " + u.url + "/up/none, where no repository is"},
		"a server that is down":                      {before: good, from: at(u.first), after: dpdk(u.url + "/down/dpdk"), to: at(u.second), fail: "the submodule dpdk could not be had from " + u.url + "/down/dpdk: the server did not answer"},
		"a server that is busy":                      {after: dpdk(u.url + "/busy/dpdk"), to: at(u.second), fail: "the server did not answer as it should"},
		"half an answer":                             {after: dpdk(u.url + "/partial/dpdk"), to: at(u.second), fail: "the server did not answer as it should"},
		"a host that is not there":                   {after: dpdk("http://127.0.0.1:1/up/dpdk"), to: at(u.first), fail: "could not be had from http://127.0.0.1:1/up/dpdk"},
		"one that wants an account":                  {after: dpdk(u.url + "/private/dpdk"), to: at(u.first), fail: "the submodule dpdk may not be read"},
		"one that speaks to the runner":              {after: dpdk(u.url + "/loud/dpdk"), to: at(u.first), fail: "could not be had from"},
		"no list":                                    {after: map[string]string{"x": ""}, to: at(u.first), blame: "the submodule dpdk is not in .gitmodules"},
		"rubbish":                                    {after: map[string]string{".gitmodules": "[submodule \"x"}, to: at(u.first), blame: "git cannot read .gitmodules"},
		"rubbish of another":                         {before: map[string]string{".gitmodules": "[submodule"}, from: at(u.first), after: map[string]string{".gitmodules": "[submodule", "x": ""}, to: at(u.first), fail: "git cannot read .gitmodules. The patchset did not change that"},
		"no address":                                 {after: map[string]string{".gitmodules": "[submodule \"x\"]\n\tpath = dpdk\n"}, to: at(u.first), blame: "the submodule dpdk has no address"},
		"a command":                                  {after: map[string]string{".gitmodules": section("dpdk", "x") + "\tupdate = !touch /tmp/x\n"}, to: at(u.first), blame: "the submodule dpdk wants a command"},
		"a name that climbs":                         {after: map[string]string{".gitmodules": "[submodule \"../../x\"]\n\tpath = dpdk\n\turl = " + u.url + "/up/dpdk\n"}, to: at(u.first), blame: "the submodule dpdk has a name that git refuses: ../../x"},
		"ext":                                        {after: dpdk("ext::sh -c 'touch x'"), to: at(u.first), blame: "the submodule dpdk has an address that is not taken: ext::sh -c 'touch x'"},
		"ext without spaces":                         {after: dpdk("ext::id"), to: at(u.first), blame: "is not of a protocol that is taken (https http): ext::id"},
		"a file":                                     {after: dpdk("file://" + u.root + "/up/dpdk"), to: at(u.first), blame: "not of a protocol that is taken"},
		"a path":                                     {after: dpdk(u.root + "/up/dpdk"), to: at(u.first), blame: "not of a protocol that is taken"},
		"a file where folders are used":              {after: dpdk("file://" + u.root + "/up/dpdk"), to: at(u.first), edits: []string{"INSTEAD_OF=https://nowhere.invalid/ " + u.root + "/up/"}, blame: "not of a protocol that is taken"},
		"out of the folder":                          {after: dpdk("https://nowhere.invalid/../up/dpdk"), to: at(u.first), edits: []string{"INSTEAD_OF=https://nowhere.invalid/ " + u.root + "/up/"}, blame: "has an address that is not taken"},
		"out of it, hidden":                          {after: dpdk("https://nowhere.invalid/%2E%2e/up/dpdk"), to: at(u.first), edits: []string{"INSTEAD_OF=https://nowhere.invalid/ " + u.root + "/up/"}, blame: "has an address that is not taken"},
		"a dash":                                     {after: dpdk("--upload-pack=touch${IFS}x"), to: at(u.first), blame: "has an address that is not taken"},
		"a dash after a relative part":               {after: dpdk("./--upload-pack=x"), to: at(u.first), blame: "has an address that is not taken"},
		"out of the server":                          {after: dpdk("../../../../x"), to: at(u.first), blame: "the address of the submodule dpdk leads out of its server"},
		"a command of the runner":                    {after: dpdk("\"x\\n::error::y\""), to: at(u.first), blame: "has an address that is not taken: x?::error::y"},
		"SSH":                                        {after: dpdk("git@nowhere.invalid:up/dpdk"), to: at(u.first), blame: "not of a protocol that is taken"},

		"two of one path":                         {after: map[string]string{".gitmodules": good[".gitmodules"] + strings.Replace(good[".gitmodules"], `"dpdk"`, `"other"`, 1)}, to: at(u.first), blame: "the submodule dpdk is in .gitmodules twice"},
		"a path that is replaced":                 {after: map[string]string{".gitmodules": good[".gitmodules"] + "\tpath = x\n"}, to: at(u.first), blame: "the submodule dpdk is not in .gitmodules"},
		"no truth value":                          {after: map[string]string{".gitmodules": good[".gitmodules"] + "\tshallow = maybe\n"}, to: at(u.first), blame: "git cannot read .gitmodules: fatal: bad boolean config value 'maybe'"},
		"no value":                                {after: map[string]string{".gitmodules": good[".gitmodules"] + "\tupdate\n"}, to: at(u.first), blame: "git cannot read .gitmodules: error: missing value for 'submodule.dpdk.update'"},
		"no value of another":                     {before: map[string]string{".gitmodules": good[".gitmodules"] + "\tshallow = maybe\n"}, from: at(u.first), after: map[string]string{"x": "", ".gitmodules": good[".gitmodules"] + "\tshallow = maybe\n"}, to: at(u.first), fail: "The patchset did not change that"},
		"a file of this host":                     {after: map[string]string{".gitmodules": "[include]\n\tpath = /etc/passwd\n" + good[".gitmodules"]}, to: at(u.first), files: "dpdk/one"},
		"a new commit of an address that is gone": {before: dpdk(u.url + "/up/none"), from: at(u.first), after: dpdk(u.url + "/up/none"), to: at(u.second), fail: "where no repository is. The patchset did not change that"},
		"a file made a submodule of it":           {before: map[string]string{"dpdk": ""}, after: dpdk(u.url + "/up/none"), to: at(u.first), blame: "where no repository is"},

		"no such protocol":         {after: good, to: at(u.first), edits: []string{"SUBMODULE_PROTOCOLS=ext"}, fail: `submodule-protocols has "ext": it may have https, http, git and ssh`},
		"no such base":             {after: good, to: at(u.first), edits: []string{"SUBMODULE_BASE=x"}, fail: `submodule-base is "x"`},
		"no pair":                  {after: good, to: at(u.first), edits: []string{"INSTEAD_OF=https://x/"}, fail: `instead-of has the line "https://x/  "`},
		"no address for the token": {after: good, to: at(u.first), edits: []string{"TOKEN_FOR=github.com"}, fail: `token-for has the line "github.com"`},
	} {
		parent := ""
		if c.before != nil {
			parent = u.commit(t, "", c.before, c.from)
		}
		id := u.patch(t, u.commit(t, parent, c.after, c.to))
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			env := append([]string{"REVISION=" + id, "REPOSITORY=example/spdk", "SERVER_URL=" + u.url, "FOLDER=source", "SUBMODULES=true"}, c.edits...)
			dir := t.TempDir()
			out, err := shell(t, dir, "actions/checkout/checkout.sh", env...)
			if (err == nil) != (c.files != "") || !strings.Contains(out, c.fail) {
				t.Errorf("got %v, want %q in\n%s", err, c.fail, out)
			}
			for _, file := range strings.Fields(c.files) {
				if _, err := os.Stat(filepath.Join(dir, "source", file)); err != nil {
					t.Errorf("%v\n%s", err, out)
				}
			}
			if mark, text := markOf(t, out); (mark != nil) != (c.blame != "") || mark != nil && (mark.By != verdict.ByPatch || !strings.Contains(text, c.blame)) {
				t.Errorf("got the mark %+v, want %q in\n%s", mark, c.blame, out)
			}
		})
	}
}

// markOf returns what the runner would obey of an output: a mark, and the last error.
func markOf(t *testing.T, out string) (mark *verdict.Mark, text string) {
	t.Helper()
	word := ""
	for line := range strings.Lines(out) {
		line = strings.TrimSpace(line)
		if word != "" {
			if line == "::"+word+"::" {
				word = ""
			}
			continue
		}
		if w, ok := strings.CutPrefix(line, "::stop-commands::"); ok {
			word = w
		} else if data, ok := strings.CutPrefix(line, "::notice title=dispatcher result::"); ok {
			m, ok := verdict.ParseMark(data)
			if !ok {
				t.Errorf("nobody can read the mark %q", data)
			}
			mark = &m
		} else if data, ok := strings.CutPrefix(line, "::error::"); ok {
			text = data
		} else if strings.Contains(line, "##[") {
			t.Errorf("the runner would obey %q", line)
		}
	}
	if word != "" {
		t.Errorf("the runner is left deaf:\n%s", out)
	}
	return mark, text
}

// TestHostileTrees: names that would lead out of the folder end the checkout, and
// are the patchset's fault.
func TestHostileTrees(t *testing.T) {
	t.Parallel()
	u := newUpstreams(t)
	blob := git(t, u.work, "hash-object", "-w", "--stdin")
	tree := func(line string) string {
		cmd := exec.CommandContext(t.Context(), "git", "mktree")
		cmd.Dir, cmd.Stdin = u.work, strings.NewReader(line+"\n")
		out, err := cmd.Output()
		if err != nil {
			t.Fatal(err)
		}
		return strings.TrimSpace(string(out))
	}
	inner := tree("100644 blob " + blob + "\tconfig")
	for name, c := range map[string]struct{ tree, want string }{
		".git":               {tree("040000 tree " + inner + "\t.git"), "error: The following untracked working tree files would be overwritten"},
		"a link .git":        {tree("120000 blob " + blob + "\t.git"), "error: invalid path '.git'"},
		"..":                 {tree("040000 tree " + inner + "\t.."), "error: invalid path '../config'"},
		"a link .gitmodules": {tree("120000 blob " + blob + "\t.gitmodules"), "error: invalid path '.gitmodules'"},
		"a long name":        {tree("100644 blob " + blob + "\t" + strings.Repeat("x", 300) + ""), "cannot be checked out: error: cannot stat 'xxx"},
	} {
		t.Run(name, func(t *testing.T) {
			id := git(t, u.work, "commit-tree", "-m", "x", c.tree)
			git(t, u.root+"/example/spdk", "fetch", "--quiet", u.work, id+":refs/changes/"+id[:2]+"/"+id)
			out, err := shell(t, t.TempDir(), "actions/checkout/checkout.sh", "REVISION="+id, "REPOSITORY=example/spdk", "SERVER_URL="+u.url, "FOLDER=source", "SUBMODULES=true")
			if mark, text := markOf(t, out); err == nil || mark == nil || mark.By != verdict.ByPatch || !strings.Contains(text, c.want) {
				t.Errorf("got %v, want %q in\n%s", err, c.want, out)
			}
		})
	}
}

// TestPrivateMirror: git gets the token for the mirror and for what is named, where
// it needs it, and it is nowhere else: in no command line, no file and no output.
func TestPrivateMirror(t *testing.T) {
	t.Parallel()
	const secret = "ghp-secret"
	basic := base64.StdEncoding.EncodeToString([]byte("x-access-token:" + secret))
	u := newUpstreams(t)
	sees := map[string]bool{} // whether a repository was ever sent a token
	var mu sync.Mutex
	target, err := url.Parse(u.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	private := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		given := r.Header.Get("Authorization")
		repository := strings.Join(strings.SplitN(r.URL.Path, "/", 4)[1:3], "/")
		mu.Lock()
		sees[repository] = sees[repository] || given != ""
		mu.Unlock()
		if repository != "up/dpdk" && given != "Basic "+basic {
			w.Header().Set("WWW-Authenticate", "Basic")
			w.WriteHeader(http.StatusUnauthorized)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(private.Close)
	id := u.patch(t, u.commit(t, "", map[string]string{".gitmodules": section("dpdk", private.URL+"/up/dpdk") + section("nested", private.URL+"/up/nested")},
		map[string]string{"dpdk": u.first, "nested": u.nested}))

	real, err := exec.LookPath("git")
	if err != nil {
		t.Fatal(err)
	}
	for name, c := range map[string]struct {
		edits []string
		want  string
		sees  string // repositories that are sent the token
	}{
		"named":                   {[]string{"TOKEN=" + secret, "TOKEN_FOR=" + private.URL + "/up/nested"}, "checked out " + id, "example/spdk up/nested"},
		"not named":               {[]string{"TOKEN=" + secret}, "the submodule nested may not be read", "example/spdk"},
		"whole history, in parts": {[]string{"TOKEN=" + secret, "DEPTH=0", "SUBMODULES=", "FILTER=blob:none"}, "checked out " + id, "example/spdk"},
		"no token":                {nil, "::error::the commit " + id + " is gone", ""},
		"an old one":              {[]string{"TOKEN=ghp-older"}, "::error::the commit " + id + " is gone", "example/spdk"},
	} {
		t.Run(name, func(t *testing.T) {
			clear(sees)
			dir, bin := t.TempDir(), t.TempDir()
			spy := "#!/bin/bash\n{ echo \"$@\"; grep -la ghp- /proc/[0-9]*/cmdline; env | grep -c -e ghp- -e " + basic + "; } >>" + bin + "/log 2>/dev/null\nexec " + real + " \"$@\"\n"
			if err := os.WriteFile(bin+"/git", []byte(spy), 0o755); err != nil {
				t.Fatal(err)
			}
			out, err := shell(t, dir, "actions/checkout/checkout.sh", append([]string{"PATH=" + bin + ":" + os.Getenv("PATH"), "RUNNER_TEMP=" + dir,
				"REVISION=" + id, "REPOSITORY=example/spdk", "SERVER_URL=" + private.URL, "FOLDER=" + dir + "/source", "SUBMODULES=true"}, c.edits...)...)
			if !strings.Contains(out, c.want) {
				t.Errorf("got %v, want %q in\n%s", err, c.want, out)
			}
			var sent []string
			for repository, seen := range sees {
				if seen {
					sent = append(sent, repository)
				}
			}
			if slices.Sort(sent); strings.Join(sent, " ") != c.sees {
				t.Errorf("the token was sent to %q, want %q", sent, c.sees)
			}
			log, err := os.ReadFile(bin + "/log")
			if err != nil || !strings.Contains(string(log), "fetch") {
				t.Fatalf("%v: %s", err, log)
			}
			for _, text := range []string{out, string(log)} {
				if strings.Contains(text, "ghp-") || strings.Contains(text, basic) || strings.Contains(text, "cmdline") {
					t.Errorf("the token shows in\n%s", text)
				}
			}
			err = filepath.WalkDir(dir, func(path string, d fs.DirEntry, err error) error {
				if err != nil || !d.Type().IsRegular() {
					return err
				}
				text, err := os.ReadFile(path)
				if strings.Contains(string(text), "ghp-") || strings.Contains(string(text), basic) {
					t.Errorf("the token is in %s", path)
				}
				return err
			})
			if err != nil {
				t.Error(err)
			}
		})
	}
}

// TestRedirect: the token does not follow where a server leads, nor are passwords of
// the host's own used; what is public is had all the same.
func TestRedirect(t *testing.T) {
	t.Parallel()
	u := newUpstreams(t)
	target, err := url.Parse(u.url)
	if err != nil {
		t.Fatal(err)
	}
	proxy := httputil.NewSingleHostReverseProxy(target)
	var mu sync.Mutex
	var heard []string
	elsewhere := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		mu.Lock()
		heard = append(heard, r.Method+" "+r.URL.Path+" "+r.Header.Get("Authorization"))
		mu.Unlock()
		if strings.HasPrefix(r.URL.Path, "/private/") {
			hostility["/private/"](w, r)
			return
		}
		proxy.ServeHTTP(w, r)
	}))
	t.Cleanup(elsewhere.Close)
	leads := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		http.Redirect(w, r, strings.Replace(elsewhere.URL, "127.0.0.1", "localhost", 1)+r.URL.String(), http.StatusFound)
	}))
	t.Cleanup(leads.Close)
	dpdk := func(url string) string {
		return u.patch(t, u.commit(t, "", map[string]string{".gitmodules": section("dpdk", url)}, map[string]string{"dpdk": u.first}))
	}
	for name, c := range map[string]struct{ server, id, want string }{
		"a public submodule":  {u.url, dpdk(leads.URL + "/up/dpdk"), "checked out "},
		"a private submodule": {u.url, dpdk(leads.URL + "/private/dpdk"), "::error::the submodule dpdk could not be had from " + leads.URL + "/private/dpdk: it redirects"},
		"the mirror":          {leads.URL, dpdk(u.url + "/up/dpdk"), "checked out "},
		"passwords of a host": {u.url, dpdk(elsewhere.URL + "/private/dpdk"), "::error::the submodule dpdk may not be read"},
	} {
		t.Run(name, func(t *testing.T) {
			heard = nil
			home := t.TempDir()
			write(t, home+"/.netrc", "machine 127.0.0.1 login joe password hunter2\nmachine localhost login joe password hunter2\n", 0o600)
			out, _ := shell(t, t.TempDir(), "actions/checkout/checkout.sh", "REVISION="+c.id, "REPOSITORY=example/spdk", "SERVER_URL="+c.server, "FOLDER=source",
				"SUBMODULES=true", "HOME="+home, "TOKEN=ghp-secret", "TOKEN_FOR="+leads.URL+"/up/dpdk\n"+leads.URL+"/private/dpdk")
			if !strings.Contains(out, c.want) {
				t.Errorf("want %q in\n%s", c.want, out)
			}
			if len(heard) == 0 || strings.Contains(strings.Join(heard, "\n"), "Basic ") {
				t.Errorf("the other server heard %q", heard)
			}
		})
	}
}

// TestPartialClone: files of old commits are left out where the server can do that,
// and fetched with the token as far as a comparison with the parent wants them.
func TestPartialClone(t *testing.T) {
	t.Parallel()
	u := newUpstreams(t)
	able := httptest.NewServer(&githttp.Handler{Root: u.root, Env: append([]string{"GIT_CONFIG_KEY_1=uploadpack.allowFilter", "GIT_CONFIG_VALUE_1=true"},
		strings.Replace(anySHA1[0], "1", "2", 1), anySHA1[1], anySHA1[2])})
	t.Cleanup(able.Close)
	id := ""
	for _, text := range []string{"1\n", "2\n", "3\n", "4\n"} {
		id = u.commit(t, id, map[string]string{"x": text}, nil)
	}
	u.patch(t, id)
	for name, c := range map[string]struct {
		server, edit string
		missing      int // objects
		partial      string
	}{
		"as it is":                {able.URL, "", 0, ""},
		"whole history":           {able.URL, "DEPTH=0", 2, "blob:none"},
		"whole history of others": {u.url, "DEPTH=0", 0, ""},
		"some of it":              {able.URL, "DEPTH=3 FILTER=blob:none", 1, "blob:none"},
		"all of it":               {able.URL, "DEPTH=0 FILTER=none", 0, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			dir := t.TempDir()
			out, err := shell(t, dir, "actions/checkout/checkout.sh", append(strings.Fields(c.edit),
				"REVISION="+id, "REPOSITORY=example/spdk", "SERVER_URL="+c.server, "FOLDER=source")...)
			if err != nil {
				t.Fatalf("%v\n%s", err, out)
			}
			list := git(t, dir+"/source", "rev-list", "--objects", "--missing=print", "HEAD")
			if got := strings.Count("\n"+list, "\n?"); got != c.missing {
				t.Errorf("%d objects are missing, want %d:\n%s", got, c.missing, list)
			}
			config, err := os.ReadFile(dir + "/source/.git/config")
			if _, filter, _ := strings.Cut(string(config), "partialclonefilter = "); err != nil || !strings.HasPrefix(filter, c.partial) || c.partial == "" && filter+"x" != "x" {
				t.Errorf("%v, want the filter %q in\n%s", err, c.partial, config)
			}
			git(t, dir+"/source", "remote", "set-url", "origin", "http://127.0.0.1:1/") // no network from here on
			if got := git(t, dir+"/source", "diff", "HEAD~1"); !strings.Contains(got, "-3\n+4") {
				t.Errorf("got the difference %q", got)
			}
		})
	}
}

// TestLeftFolder: what an earlier job has left is not used, whoever owns it. Runners
// are ordinary users, and their jobs may be root in containers.
func TestLeftFolder(t *testing.T) {
	t.Parallel()
	u := newUpstreams(t)
	id := u.patch(t, u.commit(t, "", map[string]string{"x": "1\n", "y": "2\n"}, nil))
	const runner = 1001
	for name, c := range map[string]struct {
		edits []string
		leave func(t *testing.T, workspace string)
		root  bool // what is left is root's, and the runner is not
		want  string
	}{
		"nothing": {nil, func(*testing.T, string) {}, false, "checked out"},
		"a repository of a patch": {nil, func(t *testing.T, w string) {
			git(t, w, "init", "--quiet", "source")
			hook := "#!/bin/sh\ntouch " + w + "/ran\n"
			write(t, w+"/source/.git/hooks/post-checkout", hook, 0o755)
			write(t, w+"/source/.git/hooks/reference-transaction", hook, 0o755)
			for key, value := range map[string]string{"core.hooksPath": w + "/source/.git/hooks", "core.fsmonitor": w + "/source/.git/hooks/post-checkout",
				"filter.x.smudge": w + "/source/.git/hooks/post-checkout", "core.sshCommand": "touch " + w + "/ran", "url.file:///.insteadOf": u.url + "/"} {
				git(t, w+"/source", "config", key, value)
			}
			write(t, w+"/source/.git/index.lock", "", 0o644)
			write(t, w+"/source/.git/info/attributes", "* filter=x\n", 0o644)
			write(t, w+"/source/.git/objects/info/alternates", w+"/objects\n", 0o644)
			write(t, w+"/source/left", "", 0o644)
		}, false, "removing what an earlier job has left in source"},
		"without rights": {nil, func(t *testing.T, w string) {
			write(t, w+"/source/a/b/c", "", 0o400)
			for _, dir := range []string{"a/b", "a", ""} {
				if err := os.Chmod(w+"/source/"+dir, 0o555); err != nil {
					t.Fatal(err)
				}
			}
		}, false, "checked out"},
		"of root's": {nil, func(t *testing.T, w string) { write(t, w+"/source/.git/config", "[core]\n\tbare = true\n", 0o600) }, true, "belongs to another account: it is in "},
		"a link out of it": {nil, func(t *testing.T, w string) {
			write(t, w+"/precious/x", "0\n", 0o644)
			if err := os.Symlink(w+"/precious", w+"/source"); err != nil {
				t.Fatal(err)
			}
		}, false, "checked out"},
		"a dangling link": {nil, func(t *testing.T, w string) {
			if err := os.Symlink(w+"/nowhere", w+"/source"); err != nil {
				t.Fatal(err)
			}
		}, false, "checked out"},
		"the workspace itself": {[]string{"FOLDER=."}, func(t *testing.T, w string) { write(t, w+"/mine", "", 0o644) }, false, "::error::the folder . is not empty, and not one that an earlier job left"},
		"above the workspace":  {[]string{"FOLDER=../other"}, func(t *testing.T, w string) { write(t, w+"/../other/mine", "", 0o644) }, false, "::error::the folder ../other is not empty"},
		"no workspace":         {[]string{"GITHUB_WORKSPACE="}, func(t *testing.T, w string) { write(t, w+"/source/mine", "", 0o644) }, false, "::error::the folder source is not empty"},
		"what a shell has set": {[]string{"GIT_DIR=/nowhere", "GIT_WORK_TREE=/", "GIT_INDEX_FILE=/x", "GIT_OBJECT_DIRECTORY=/y", "GIT_TRACE=1", "GIT_SSH_COMMAND=x", "GIT_CONFIG_PARAMETERS='core.bare=true'"},
			func(*testing.T, string) {}, false, "checked out"},
	} {
		t.Run(name, func(t *testing.T) {
			if c.root && os.Getuid() != 0 {
				t.Skip("root's files can be left by root only")
			}
			top, err := os.MkdirTemp("", "left") // unlike those of tests, all may enter it
			if err != nil {
				t.Fatal(err)
			}
			t.Cleanup(func() { os.RemoveAll(top) })
			w := top + "/workspace"
			for _, dir := range []string{top, w, top + "/temp", top + "/action"} {
				if err := errors.Join(os.MkdirAll(dir, 0o755), os.Chmod(dir, 0o755)); err != nil {
					t.Fatal(err)
				}
			}
			for _, file := range []string{"checkout.sh", "git.sh", "folder.sh", "submodules.sh"} {
				text, err := os.ReadFile("actions/checkout/" + file)
				if err != nil {
					t.Fatal(err)
				}
				write(t, top+"/action/"+file, string(text), 0o755)
			}
			c.leave(t, w)
			cmd := exec.CommandContext(t.Context(), "bash", top+"/action/checkout.sh")
			cmd.Dir, cmd.Env = w, append([]string{"PATH=" + os.Getenv("PATH"), "HOME=" + top, "GITHUB_WORKSPACE=" + w, "RUNNER_TEMP=" + top + "/temp",
				"REVISION=" + id, "REPOSITORY=example/spdk", "SERVER_URL=" + u.url, "FOLDER=source", "SUBMODULES=true"}, c.edits...)
			if os.Getuid() == 0 {
				cmd.SysProcAttr = &syscall.SysProcAttr{Credential: &syscall.Credential{Uid: runner, Gid: runner}}
				give(t, top, runner, c.root)
			}
			out, err := cmd.CombinedOutput()
			if !strings.Contains(string(out), c.want) || (err == nil) == strings.HasPrefix(c.want, "::error::") {
				t.Fatalf("got %v, want %q in\n%s", err, c.want, out)
			}
			if _, err := os.Stat(w + "/ran"); err == nil {
				t.Errorf("something that was left ran:\n%s", out)
			}
			if left, err := filepath.Glob(top + "/temp/*"); err != nil || len(left) > 0 {
				t.Errorf("there is still %q: %v", left, err)
			}
			if err := exec.CommandContext(t.Context(), "test", "-e", w+"/precious/x", "-o", "!", "-e", w+"/precious").Run(); err != nil {
				t.Error("what a link showed is gone")
			}
			if strings.HasPrefix(c.want, "::error::") {
				return
			}
			names, err := filepath.Glob(w + "/source/*")
			if got := strings.ReplaceAll(strings.Join(names, " "), w+"/source/", ""); err != nil || got != ".git x y" {
				t.Errorf("got %q: %v\n%s", got, err, out)
			}
			if hooks, err := filepath.Glob(w + "/source/.git/hooks/*"); err != nil || len(hooks) > 0 {
				t.Errorf("there are the hooks %q: %v", hooks, err)
			}
		})
	}
}

// write makes a file and the folders it is in.
func write(t *testing.T, file, text string, mode os.FileMode) {
	t.Helper()
	if err := errors.Join(os.MkdirAll(filepath.Dir(file), 0o755), os.WriteFile(file, []byte(text), mode)); err != nil {
		t.Fatal(err)
	}
}

// give makes a folder somebody's, without what is left in the workspace if that
// stays root's.
func give(t *testing.T, top string, uid int, without bool) {
	t.Helper()
	err := filepath.WalkDir(top, func(path string, _ fs.DirEntry, err error) error {
		if err != nil || without && strings.HasPrefix(path, top+"/workspace/") {
			return err
		}
		return os.Lchown(path, uid, uid)
	})
	if err != nil {
		t.Fatal(err)
	}
}
