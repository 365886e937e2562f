// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"bytes"
	"context"
	_ "embed" // nginx's configuration
	"fmt"
	"net"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"text/template"
	"time"
)

// The mirror's one account. GitHub takes any user name with a token; nginx needs
// a list, so the two names that git and Actions use are both in it.
const (
	MirrorUser  = "x-access-token"
	MirrorToken = "ghs_0123456789abcdefghijABCDEFGHIJ012345"
)

// cgiWorkers is how many requests the mirror serves at once: fcgiwrap serves
// one at a time.
const cgiWorkers = 6

//go:embed nginx.conf
var nginxConf string

// Mirror is C git's http-backend behind nginx: a stand-in for a hosted git
// server that is a real git server.
type Mirror struct {
	// URL is the base address without a final slash: URL/OWNER/NAME.git.
	URL   string
	dir   string
	nginx *process
	cgi   []*process
	seen  cursor
}

// StartMirror starts a server without repositories. Stop ends it.
func StartMirror(ctx context.Context) (*Mirror, error) {
	dir, err := os.MkdirTemp("", "rig-mirror-*")
	if err != nil {
		return nil, err
	}
	m := &Mirror{dir: dir}
	if err := m.start(ctx); err != nil {
		m.Stop()
		return nil, err
	}
	return m, nil
}

func (m *Mirror) start(ctx context.Context) error {
	for _, sub := range []string{"repos", "tmp"} {
		if err := os.Mkdir(filepath.Join(m.dir, sub), 0o755); err != nil {
			return err
		}
	}
	users := fmt.Sprintf("%s:{PLAIN}%s\ngit:{PLAIN}%s\n", MirrorUser, MirrorToken, MirrorToken)
	if err := os.WriteFile(filepath.Join(m.dir, "users"), []byte(users), 0o600); err != nil {
		return err
	}
	if err := m.startCGI(ctx); err != nil {
		return err
	}
	return m.startNginx(ctx)
}

// startCGI starts fcgiwrap several times on one listening socket, which each
// inherits as its standard input (FastCGI's own convention). Its own way to
// make workers leaves them behind when it is killed.
func (m *Mirror) startCGI(ctx context.Context) error {
	fcgiwrap, err := program("fcgiwrap")
	if err != nil {
		return err
	}
	l, err := net.Listen("unix", m.socket())
	if err != nil {
		return err
	}
	defer l.Close()
	l.(*net.UnixListener).SetUnlinkOnClose(false)
	stdin, err := l.(*net.UnixListener).File()
	if err != nil {
		return err
	}
	defer stdin.Close()
	for range cgiWorkers {
		cmd := exec.CommandContext(context.WithoutCancel(ctx), fcgiwrap, "-f")
		cmd.Env, cmd.Stdin = gitEnv(), stdin
		p, err := start("fcgiwrap", cmd, filepath.Join(m.dir, "fcgiwrap.log"))
		if err != nil {
			return err
		}
		m.cgi = append(m.cgi, p)
	}
	return nil
}

func (m *Mirror) startNginx(ctx context.Context) error {
	nginx, err := program("nginx")
	if err != nil {
		return err
	}
	core, err := Git{Dir: m.dir}.Run(ctx, "--exec-path")
	if err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	m.URL = fmt.Sprintf("http://127.0.0.1:%d", port)
	var conf bytes.Buffer
	err = template.Must(template.New("nginx").Parse(nginxConf)).Execute(&conf, map[string]any{
		"Dir": m.dir, "Port": port, "Socket": m.socket(), "Backend": filepath.Join(core, "git-http-backend"),
	})
	if err != nil {
		return err
	}
	file := filepath.Join(m.dir, "nginx.conf")
	if err := os.WriteFile(file, conf.Bytes(), 0o644); err != nil {
		return err
	}
	cmd := exec.CommandContext(context.WithoutCancel(ctx), nginx, "-p", m.dir, "-c", file)
	if m.nginx, err = start("nginx", cmd, filepath.Join(m.dir, "nginx.log")); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 20*time.Second)
	defer cancel()
	return m.nginx.await(ctx, func(ctx context.Context) error {
		req, err := http.NewRequestWithContext(ctx, http.MethodGet, m.URL+"/", nil)
		if err != nil {
			return err
		}
		resp, err := http.DefaultClient.Do(req)
		if err != nil {
			return err
		}
		return resp.Body.Close() // any answer will do
	})
}

// Stop ends the server and removes its repositories.
func (m *Mirror) Stop() {
	for _, p := range append(m.cgi, m.nginx) {
		if p != nil {
			p.stop()
		}
	}
	os.RemoveAll(m.dir)
}

// Create makes an empty repository OWNER/NAME that takes pushes.
func (m *Mirror) Create(ctx context.Context, repository string) error {
	dir := m.Repository(repository)
	if err := os.MkdirAll(filepath.Dir(dir), 0o755); err != nil {
		return err
	}
	if _, err := (Git{Dir: m.dir}).Run(ctx, "init", "-q", "--bare", "-b", "master", dir); err != nil {
		return err
	}
	return m.open(ctx, dir)
}

// Copy makes a repository OWNER/NAME that takes pushes from a bare one. Packs
// become hard links where the file system can: nothing is written to the disk.
func (m *Mirror) Copy(ctx context.Context, repository, from string) error {
	dir := m.Repository(repository)
	if _, err := (Git{Dir: m.dir}).Run(ctx, "clone", "-q", "--bare", "--local", from, dir); err != nil {
		return err
	}
	return m.open(ctx, dir)
}

// open lets a repository take pushes.
func (m *Mirror) open(ctx context.Context, dir string) error {
	git := Git{Dir: dir}
	for _, kv := range [][2]string{
		{"http.receivepack", "true"},
		{"receive.autogc", "false"}, // a background gc would disturb measurements
		{"uploadpack.allowAnySHA1InWant", "true"},
	} {
		if _, err := git.Run(ctx, "config", kv[0], kv[1]); err != nil {
			return err
		}
	}
	return nil
}

// GitURL returns a repository's address.
func (m *Mirror) GitURL(repository string) string { return m.URL + "/" + repository + ".git" }

// ReadOnlyURL is GitURL for an account without the right to push: receive-pack
// answers 403.
func (m *Mirror) ReadOnlyURL(repository string) string {
	return m.URL + "/readonly/" + repository + ".git"
}

// Repository returns the folder of a repository on the server.
func (m *Mirror) Repository(repository string) string {
	return filepath.Join(m.dir, "repos", filepath.FromSlash(strings.TrimSuffix(repository, ".git"))+".git")
}

// Git returns a git in dir that has the mirror's token.
func (m *Mirror) Git(dir string) Git {
	return Git{Dir: dir, User: MirrorUser, Password: MirrorToken}
}

// LogTail returns the end of the server's log, for errors.
func (m *Mirror) LogTail() string { return m.nginx.tail() }

func (m *Mirror) socket() string { return filepath.Join(m.dir, "cgi.sock") }
