// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"context"
	_ "embed" // the launcher's source
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// launcher is compiled by java itself each time: it is ten lines.
//
//go:embed Launch.java
var launcher []byte

// launch returns the command that runs one of Gerrit's programs.
func launch(ctx context.Context, dir, heap string, args ...string) (*exec.Cmd, error) {
	java, err := java()
	if err != nil {
		return nil, err
	}
	jars, err := classPath()
	if err != nil {
		return nil, err
	}
	source := filepath.Join(dir, "Launch.java")
	if err := os.WriteFile(source, launcher, 0o644); err != nil {
		return nil, err
	}
	cmd := exec.CommandContext(ctx, java, append([]string{
		"-Xmx" + heap, "-Duser.timezone=UTC", "-Duser.home=" + dir,
		"-cp", jars, source,
	}, args...)...)
	cmd.Dir = dir
	cmd.Env = append(os.Environ(), "GIT_CONFIG_NOSYSTEM=1", "HOME="+dir, "XDG_CONFIG_HOME="+dir)
	return cmd, nil
}

// siteTemplate returns a site that Init has just made, and makes it once. A name
// with the version keeps apart what different releases wrote.
func siteTemplate(ctx context.Context) (string, error) {
	cache, err := CacheDir()
	if err != nil {
		return "", err
	}
	site := filepath.Join(cache, "gerrit-site-"+GerritVersion())
	if _, err := os.Stat(site); err == nil {
		return site, nil
	}
	work, err := os.MkdirTemp(cache, "init-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(work)
	fresh := filepath.Join(work, "site")
	cmd, err := launch(ctx, work, "512m", "Init", "--batch", "--dev", "--no-auto-start", "-d", fresh)
	if err != nil {
		return "", err
	}
	if out, err := cmd.CombinedOutput(); err != nil {
		return "", fmt.Errorf("failed to make a Gerrit site: %w\n%s", err, out)
	}
	os.Remove(filepath.Join(fresh, "bin/gerrit.war")) // a copy of the jar that nobody runs
	if err := os.Rename(fresh, site); err != nil && !os.IsExist(err) {
		return "", fmt.Errorf("failed to keep the Gerrit site: %w", err)
	}
	return site, nil
}

// configure changes the site from what Init chose to what a test needs.
func configure(ctx context.Context, site, listen string) error {
	git := Git{Dir: site}
	for _, kv := range [][2]string{
		{"gerrit.canonicalWebUrl", listen},
		{"httpd.listenUrl", listen},
		{"httpd.requestLog", "true"},
		{"sshd.listenAddress", "off"},
		{"sendemail.enable", "false"},
	} {
		if _, err := git.Run(ctx, "config", "-f", "etc/gerrit.config", "--replace-all", kv[0], kv[1]); err != nil {
			return err
		}
	}
	return takeImported(ctx, site)
}
