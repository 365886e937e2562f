// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"bytes"
	"context"
	_ "embed" // Gitea's configuration
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"os/user"
	"path/filepath"
	"regexp"
	"strings"
	"text/template"
	"time"
)

// GiteaUser is the one account of a Gitea, its administrator.
const GiteaUser = "forge"

// giteaToken is a token among the lines that Gitea logs at the same time.
var giteaToken = regexp.MustCompile(`(?m)^[0-9a-f]{40}$`)

//go:embed gitea.ini
var giteaConf string

// Gitea is a running Gitea (code.gitea.io/gitea) with Actions switched on.
type Gitea struct {
	// URL is the base address without a final slash, Token the administrator's.
	URL, Token string
	dir        string
	program    string
	env        []string
	server     *process
}

// StartGitea starts a server with no repositories, with env added to its
// environment. Stop ends it.
func StartGitea(ctx context.Context, env ...string) (*Gitea, error) {
	dir, err := os.MkdirTemp("", "rig-gitea-*")
	if err != nil {
		return nil, err
	}
	g := &Gitea{dir: dir, env: append(append(os.Environ(), "HOME="+dir), env...)}
	if err := g.start(ctx); err != nil {
		g.Stop()
		return nil, err
	}
	return g, nil
}

func (g *Gitea) start(ctx context.Context) (err error) {
	if g.program, err = installed("gitea"); err != nil {
		return err
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	g.URL = fmt.Sprintf("http://127.0.0.1:%d", port)
	if err := g.configure(port); err != nil {
		return err
	}
	if _, err := g.run(ctx, "migrate"); err != nil {
		return err
	}
	_, err = g.run(ctx, "admin", "user", "create", "--admin", "--username", GiteaUser, "--email", GiteaUser+"@example.com",
		"--random-password", "--must-change-password=false")
	if err != nil {
		return err
	}
	out, err := g.run(ctx, "admin", "user", "generate-access-token", "--username", GiteaUser, "--scopes", "all", "--raw")
	if err != nil {
		return err
	}
	if g.Token = giteaToken.FindString(out); g.Token == "" {
		return fmt.Errorf("Gitea made no token: %q", out)
	}
	if g.server, err = start("Gitea", g.command(context.WithoutCancel(ctx), "web"), filepath.Join(g.dir, "log")); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	return g.server.await(ctx, func(ctx context.Context) error {
		return g.Call(ctx, http.MethodGet, "/version", nil, nil)
	})
}

func (g *Gitea) configure(port int) error {
	who, err := user.Current()
	if err != nil {
		return err
	}
	static, err := g.static()
	if err != nil {
		return err
	}
	var conf bytes.Buffer
	err = template.Must(template.New("gitea").Parse(giteaConf)).Execute(&conf, map[string]any{
		"Dir": g.dir, "Port": port, "URL": g.URL, "Static": static, "User": who.Username,
	})
	if err != nil {
		return err
	}
	return os.WriteFile(g.ini(), conf.Bytes(), 0o600)
}

// static returns the folder of the module that the program was built from; it
// has the texts and pages that the program reads.
func (g *Gitea) static() (string, error) {
	out, err := exec.Command(g.program, "--version").Output()
	if err != nil {
		return "", fmt.Errorf("failed to ask Gitea for its version: %w", err)
	}
	words := strings.Fields(string(out)) // gitea version 1.25.5 built with ...
	if len(words) < 3 {
		return "", fmt.Errorf("%q does not tell Gitea's version (%s)", out, installHint)
	}
	cache, err := exec.Command("go", "env", "GOMODCACHE").Output()
	if err != nil {
		return "", err
	}
	dir := filepath.Join(strings.TrimSpace(string(cache)), "code.gitea.io/gitea@v"+words[2])
	if _, err := os.Stat(dir); err != nil {
		return "", fmt.Errorf("failed to find Gitea's files: %w (%s)", err, installHint)
	}
	return dir, nil
}

// command returns one of the server's own commands.
func (g *Gitea) command(ctx context.Context, args ...string) *exec.Cmd {
	cmd := exec.CommandContext(ctx, g.program, append(args, "--config", g.ini(), "--work-path", g.dir)...)
	cmd.Dir, cmd.Env = g.dir, g.env
	return cmd
}

func (g *Gitea) run(ctx context.Context, args ...string) (string, error) {
	cmd := g.command(ctx, args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("gitea %s: %w\n%s%s", strings.Join(args, " "), err, out.Bytes(), errOut.Bytes())
	}
	return strings.TrimSpace(out.String()), nil
}

// Create makes an empty repository of the administrator's.
func (g *Gitea) Create(ctx context.Context, name string) (Hosted, error) {
	err := g.Call(ctx, http.MethodPost, "/user/repos", map[string]any{"name": name, "default_branch": "main", "private": true}, nil)
	if err != nil {
		return Hosted{}, err
	}
	return Hosted{
		URL: g.URL + "/" + GiteaUser + "/" + name + ".git", Token: g.Token,
		Dir: filepath.Join(g.dir, "repositories", GiteaUser, name+".git"),
	}, nil
}

// Call sends in to path, relative to the API, as the administrator, and reads
// the answer into out. Either may be nil.
func (g *Gitea) Call(ctx context.Context, method, path string, in, out any) error {
	var body io.Reader
	if in != nil {
		data, err := json.Marshal(in)
		if err != nil {
			return err
		}
		body = bytes.NewReader(data)
	}
	req, err := http.NewRequestWithContext(ctx, method, g.URL+"/api/v1"+path, body)
	if err != nil {
		return err
	}
	req.Header.Set("Authorization", "token "+g.Token)
	req.Header.Set("Content-Type", "application/json")
	resp, err := http.DefaultClient.Do(req)
	if err != nil {
		return err
	}
	return readJSON(resp, method+" "+path, out)
}

// Stop ends the server and deletes what it has.
func (g *Gitea) Stop() {
	if g.server != nil {
		g.server.stop()
	}
	os.RemoveAll(g.dir)
}

// LogTail returns the end of the server's log, for errors.
func (g *Gitea) LogTail() string { return g.server.tail() }

func (g *Gitea) ini() string { return filepath.Join(g.dir, "app.ini") }
