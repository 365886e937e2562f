// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strconv"
	"strings"
	"time"
)

// SoftServe is a running soft-serve (github.com/charmbracelet/soft-serve) with
// one account, an administrator.
type SoftServe struct {
	// URL is the address of its HTTP side, Token the administrator's.
	URL, Token string
	dir        string
	ssh        int // port
	server     *process
}

// StartSoftServe starts a server with no repositories, with env added to its
// environment. Stop ends it.
func StartSoftServe(ctx context.Context, env ...string) (*SoftServe, error) {
	dir, err := os.MkdirTemp("", "rig-soft-*")
	if err != nil {
		return nil, err
	}
	s := &SoftServe{dir: dir}
	if err := s.start(ctx, env); err != nil {
		s.Stop()
		return nil, err
	}
	return s, nil
}

func (s *SoftServe) start(ctx context.Context, env []string) error {
	soft, err := installed("soft")
	if err != nil {
		return err
	}
	if out, err := exec.CommandContext(ctx, "ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", s.key()).CombinedOutput(); err != nil {
		return fmt.Errorf("failed to make a key: %w (%s)\n%s", err, installHint, out)
	}
	public, err := os.ReadFile(s.key() + ".pub")
	if err != nil {
		return err
	}
	web, err := freePort()
	if err != nil {
		return err
	}
	if s.ssh, err = freePort(); err != nil {
		return err
	}
	s.URL = fmt.Sprintf("http://127.0.0.1:%d", web)
	cmd := exec.CommandContext(context.WithoutCancel(ctx), soft, "serve")
	cmd.Dir = s.dir
	cmd.Env = append(gitEnv(), append(env,
		"SOFT_SERVE_DATA_PATH="+filepath.Join(s.dir, "data"),
		"SOFT_SERVE_INITIAL_ADMIN_KEYS="+string(bytes.TrimSpace(public)),
		fmt.Sprintf("SOFT_SERVE_HTTP_LISTEN_ADDR=127.0.0.1:%d", web), "SOFT_SERVE_HTTP_PUBLIC_URL="+s.URL,
		fmt.Sprintf("SOFT_SERVE_SSH_LISTEN_ADDR=127.0.0.1:%d", s.ssh),
		"SOFT_SERVE_GIT_ENABLED=false", "SOFT_SERVE_STATS_ENABLED=false", "SOFT_SERVE_LFS_ENABLED=false",
	)...)
	if s.server, err = start("soft-serve", cmd, filepath.Join(s.dir, "log")); err != nil {
		return err
	}
	ready, cancel := context.WithTimeout(ctx, time.Minute)
	defer cancel()
	if err := s.server.await(ready, func(context.Context) error {
		for _, port := range []int{web, s.ssh} {
			conn, err := net.Dial("tcp", fmt.Sprintf("127.0.0.1:%d", port))
			if err != nil {
				return err
			}
			conn.Close()
		}
		return nil
	}); err != nil {
		return err
	}
	out, err := s.run(ctx, "token", "create", "rig")
	if err != nil {
		return err
	}
	fields := strings.Fields(out) // the token, and where a terminal would be a notice
	if len(fields) == 0 {
		return fmt.Errorf("soft-serve made no token: %q", out)
	}
	s.Token = fields[len(fields)-1]
	return nil
}

// run runs one of the server's own commands, which it takes over SSH.
func (s *SoftServe) run(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "ssh", append([]string{
		"-F", "none", "-T", "-p", strconv.Itoa(s.ssh), "-i", s.key(), "-o", "IdentitiesOnly=yes", "-o", "BatchMode=yes",
		"-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null", "-o", "LogLevel=ERROR", "127.0.0.1",
	}, args...)...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("soft-serve: %s: %w\n%s%s", strings.Join(args, " "), err, out.Bytes(), errOut.Bytes())
	}
	return out.String(), nil
}

// Create makes an empty repository.
func (s *SoftServe) Create(ctx context.Context, name string) (Hosted, error) {
	if _, err := s.run(ctx, "repo", "create", name); err != nil {
		return Hosted{}, err
	}
	return Hosted{
		URL: s.URL + "/" + name + ".git", Token: s.Token,
		Dir: filepath.Join(s.dir, "data/repos", filepath.FromSlash(name)+".git"),
	}, nil
}

// Stop ends the server and deletes what it has.
func (s *SoftServe) Stop() {
	if s.server != nil {
		s.server.stop()
	}
	os.RemoveAll(s.dir)
}

// LogTail returns the end of the server's log, for errors.
func (s *SoftServe) LogTail() string { return s.server.tail() }

func (s *SoftServe) key() string { return filepath.Join(s.dir, "key") }
