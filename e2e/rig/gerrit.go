// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"os"
	"path/filepath"
	"time"
)

// subPath is where Gerrit is served: a path, so that every address that forgets
// the configured one fails.
const subPath = "/gerrit/"

// The account that Init --dev makes.
const (
	AdminUser     = "admin"
	AdminPassword = "secret"
)

// GerritOptions are the choices for a server.
type GerritOptions struct {
	// Repositories are bare repositories to copy in before the start, by
	// project name.
	Repositories map[string]string
	// Site is a folder that Save wrote, to begin with instead of a new site.
	Site string
	// Prepare, if not nil, may change the site before the start.
	Prepare func(site string) error
	// Heap is Java's limit (-Xmx); empty is 1g.
	Heap string
}

// Gerrit is a running server with its own site.
type Gerrit struct {
	// URL is the base address without a final slash.
	URL  string
	dir  string
	proc *process
	http http.Client
	seen cursor
}

// StartGerrit makes a site and starts a server on it. Stop ends it.
func StartGerrit(ctx context.Context, o GerritOptions) (*Gerrit, error) {
	from := o.Site
	if from == "" {
		var err error
		if from, err = siteTemplate(ctx); err != nil {
			return nil, err
		}
	}
	dir, err := os.MkdirTemp("", "rig-gerrit-*")
	if err != nil {
		return nil, err
	}
	g := &Gerrit{dir: dir}
	if err := g.start(ctx, from, o); err != nil {
		g.Stop()
		return nil, err
	}
	return g, nil
}

func (g *Gerrit) start(ctx context.Context, from string, o GerritOptions) error {
	site := g.site()
	if err := os.CopyFS(site, os.DirFS(from)); err != nil {
		return fmt.Errorf("failed to copy the Gerrit site: %w", err)
	}
	for project, repository := range o.Repositories {
		if err := os.CopyFS(filepath.Join(site, "git", project+".git"), os.DirFS(repository)); err != nil {
			return fmt.Errorf("failed to copy %s into the site: %w", project, err)
		}
	}
	if o.Prepare != nil {
		if err := o.Prepare(site); err != nil {
			return fmt.Errorf("failed to prepare the Gerrit site: %w", err)
		}
	}
	port, err := freePort()
	if err != nil {
		return err
	}
	g.URL = fmt.Sprintf("http://127.0.0.1:%d%s", port, subPath[:len(subPath)-1])
	if err := configure(ctx, site, g.URL+"/"); err != nil {
		return err
	}
	heap := o.Heap
	if heap == "" {
		heap = "1g"
	}
	cmd, err := launch(context.WithoutCancel(ctx), g.dir, heap, "Daemon", "-d", site, "--headless", "--console-log")
	if err != nil {
		return err
	}
	if g.proc, err = start("Gerrit", cmd, filepath.Join(g.dir, "daemon.log")); err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, 5*time.Minute)
	defer cancel()
	return g.proc.await(ctx, func(ctx context.Context) error {
		return g.Get(ctx, "config/server/version", nil)
	})
}

// Save ends the server and copies its site to a new folder.
func (g *Gerrit) Save(dir string) error {
	g.proc.stop()
	return os.CopyFS(dir, os.DirFS(g.site()))
}

// Stop ends the server and removes its site.
func (g *Gerrit) Stop() {
	if g.proc != nil {
		g.proc.stop()
	}
	os.RemoveAll(g.dir)
}

// GitURL returns a project's git address for authenticated users.
func (g *Gerrit) GitURL(project string) string { return g.URL + "/a/" + project }

// Git returns a git in dir that speaks to the server as its administrator.
func (g *Gerrit) Git(dir string) Git {
	return Git{Dir: dir, User: AdminUser, Password: AdminPassword}
}

// Repository returns the folder of a project's repository on the server.
func (g *Gerrit) Repository(project string) string {
	return filepath.Join(g.site(), "git", project+".git")
}

// LogTail returns the end of the server's log, for errors.
func (g *Gerrit) LogTail() string { return g.proc.tail() }

func (g *Gerrit) site() string { return filepath.Join(g.dir, "site") }

// freePort returns a port of 127.0.0.1 that nobody listens on right now.
func freePort() (int, error) {
	l, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return 0, fmt.Errorf("failed to find a free port: %w", err)
	}
	defer l.Close()
	return l.Addr().(*net.TCPAddr).Port, nil
}
