// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// Hosted is a repository on a git server of others.
type Hosted struct {
	// URL is its git address, Token what its account says there, User the name
	// that must come with the token; empty is any name.
	URL, User, Token string
	// Dir is its bare repository on this machine's disk.
	Dir string
}

// Hook makes a script the repository's own pre-receive hook, or removes it if it
// is empty. Servers that run hooks of their own run it beside those.
func (h Hosted) Hook(script string) error {
	file := filepath.Join(h.Dir, "hooks", "pre-receive")
	if _, err := os.Stat(file + ".d"); err == nil {
		file = filepath.Join(file+".d", "zz-rig")
	}
	if script == "" {
		return os.RemoveAll(file)
	}
	if err := os.MkdirAll(filepath.Dir(file), 0o755); err != nil {
		return err
	}
	return os.WriteFile(file, []byte("#!/bin/sh\n"+script), 0o755)
}

// KillNextUnpack has the next git process that unpacks a push be killed, as by
// the kernel for want of memory. The server must run with UnpackKiller's Env.
func (h Hosted) KillNextUnpack() error {
	return os.WriteFile(filepath.Join(h.Dir, killFile), nil, 0o644)
}

// UnpackToBeKilled reports whether KillNextUnpack has killed nothing yet.
func (h Hosted) UnpackToBeKilled() bool {
	_, err := os.Stat(filepath.Join(h.Dir, killFile))
	return err == nil
}

// Refs returns the repository's refs, read from the disk.
func (h Hosted) Refs(ctx context.Context) (map[string]string, error) {
	out, err := h.git().Run(ctx, "for-each-ref", "--format=%(refname) %(objectname)")
	if err != nil {
		return nil, err
	}
	refs := map[string]string{}
	for line := range strings.Lines(out) {
		name, oid, _ := strings.Cut(strings.TrimSpace(line), " ")
		refs[name] = oid
	}
	return refs, nil
}

// Check has git look whether each ref has all its objects.
func (h Hosted) Check(ctx context.Context) error {
	_, err := h.git().Run(ctx, "fsck", "--full", "--connectivity-only", "--no-dangling")
	return err
}

// Configure sets a value in the repository's git configuration.
func (h Hosted) Configure(ctx context.Context, key, value string) error {
	_, err := h.git().Run(ctx, "config", "--add", key, value)
	return err
}

func (h Hosted) git() Git { return Git{Dir: h.Dir} }

// killFile lies in a repository whose next unpacking process is to be killed.
const killFile = "rig-kill-unpack"

// UnpackKiller writes a folder of git programs into dir in which git may be
// killed (see KillNextUnpack), and returns the environment that has a server use
// it.
func UnpackKiller(ctx context.Context, dir string) (env []string, err error) {
	core, err := Git{Dir: dir}.Run(ctx, "--exec-path")
	if err != nil {
		return nil, err
	}
	git, err := exec.LookPath("git")
	if err != nil {
		return nil, err
	}
	programs, err := os.ReadDir(core)
	if err != nil {
		return nil, err
	}
	bin := filepath.Join(dir, "git-core")
	if err := os.Mkdir(bin, 0o755); err != nil {
		return nil, err
	}
	for _, p := range programs {
		if p.Name() == "git" {
			continue
		}
		if err := os.Symlink(filepath.Join(core, p.Name()), filepath.Join(bin, p.Name())); err != nil {
			return nil, err
		}
	}
	script := fmt.Sprintf(`#!/bin/sh
case " $* " in
  *" index-pack "* | *" unpack-objects "*) if rm %s 2>/dev/null; then kill -9 $$; fi ;;
esac
exec %s "$@"
`, killFile, git)
	if err := os.WriteFile(filepath.Join(bin, "git"), []byte(script), 0o755); err != nil {
		return nil, err
	}
	return []string{"GIT_EXEC_PATH=" + bin, "PATH=" + bin + ":" + os.Getenv("PATH")}, nil
}

// installed finds a program that scripts/install-tools.sh makes with Go.
func installed(name string) (string, error) {
	if path, err := exec.LookPath(name); err == nil {
		return path, nil
	}
	home, _ := os.UserHomeDir() // without one nothing is found
	path := filepath.Join(home, "go/bin", name)
	if _, err := os.Stat(path); err != nil {
		return "", fmt.Errorf("failed to find %s: %w (%s)", name, err, installHint)
	}
	return path, nil
}
