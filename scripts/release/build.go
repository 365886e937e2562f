// SPDX-License-Identifier: BSD-3-Clause

package main

import (
	"bytes"
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/registry"
)

// architectures are those of Linux that a release is for.
var architectures = []string{"amd64", "arm64"}

// programName is a program's file, of a release and in dist; containerName that of
// the smaller one which goes into the container.
func programName(arch string) string   { return "dispatcher-linux-" + arch }
func containerName(arch string) string { return "container-linux-" + arch }

const certificatesName = "ca-certificates.crt"

// build makes the programs of a release from its commit, not from the files that
// happen to be here, and writes them with their checksums to dist.
func (r *releaser) build(ctx context.Context) (err error) {
	s, err := r.look(ctx)
	if err != nil {
		return err
	}
	tree, err := os.MkdirTemp("", "release-*")
	if err != nil {
		return err
	}
	defer os.RemoveAll(tree)
	if _, err := r.git(ctx, "worktree", "add", "--quiet", "--force", "--detach", tree, s.source); err != nil {
		return err
	}
	defer func() {
		_, removeErr := r.git(context.WithoutCancel(ctx), "worktree", "remove", "--force", tree)
		err = errors.Join(err, removeErr)
	}()
	toolchain, err := r.goVersion(ctx, tree, s.toolchain)
	if err != nil {
		return err
	}
	if err := os.MkdirAll(r.dist, 0o755); err != nil {
		return err
	}
	var sums strings.Builder
	fmt.Fprintf(&sums, "# %s\n# %s, commit %s\n", r.version, toolchain, s.source)
	for _, arch := range architectures {
		for file, tags := range map[string]string{programName(arch): "", containerName(arch): "action"} {
			if err := r.compile(ctx, tree, toolchain, arch, tags, filepath.Join(r.dist, file)); err != nil {
				return fault.New(fault.Ours, "failed to build %s: %w", file, err)
			}
		}
		data, err := os.ReadFile(filepath.Join(r.dist, programName(arch)))
		if err != nil {
			return err
		}
		fmt.Fprintf(&sums, "%x  %s\n", sha256.Sum256(data), programName(arch))
	}
	authorities, err := os.ReadFile(r.certificates)
	if err != nil {
		return fault.New(fault.Configuration, "failed to read the certificates for the container: %w", err).WithHint("install ca-certificates")
	}
	if err := os.WriteFile(filepath.Join(r.dist, certificatesName), authorities, 0o644); err != nil {
		return err
	}
	r.say("built from %s with %s:\n%s", s.source, toolchain, strings.TrimSpace(sums.String()))
	return os.WriteFile(filepath.Join(r.dist, "checksums.txt"), []byte(sums.String()), 0o644)
}

// goVersion is the Go that builds a tree: the one that is asked for, or else what
// is here and its go.mod allows.
func goVersion(ctx context.Context, tree, want string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", "env", "GOVERSION")
	cmd.Dir, cmd.Env = tree, goEnv(want)
	out, err := cmd.Output()
	if err != nil {
		return "", fault.New(fault.Ours, "failed to run Go (%s): %w", want, err)
	}
	return strings.TrimSpace(string(out)), nil
}

func goEnv(toolchain string) []string {
	env := append(publicEnv(), "GOFLAGS=", "GOEXPERIMENT=", "GOWORK=off")
	if toolchain != "" {
		env = append(env, "GOTOOLCHAIN="+toolchain)
	}
	return env
}

// compileGo builds one program. Nothing of this machine goes in, so that anybody
// with the same Go can build the same bytes.
func (r *releaser) compileGo(ctx context.Context, tree, toolchain, arch, tags, to string) error {
	to, err := filepath.Abs(to)
	if err != nil {
		return err
	}
	cmd := exec.CommandContext(ctx, "go", "build", "-trimpath", "-buildvcs=false", "-tags", tags,
		"-ldflags", "-s -w -X github.com/spdk-community-ci/dispatcher/internal/app.linkedVersion="+r.version.String(), "-o", to, ".")
	cmd.Dir = tree
	cmd.Env = append(goEnv(toolchain), "CGO_ENABLED=0", "GOOS=linux", "GOARCH="+arch, "GOAMD64=v1", "GOARM64=v8.0")
	if out, err := cmd.CombinedOutput(); err != nil {
		return fmt.Errorf("%w\n%s", err, bytes.TrimSpace(out))
	}
	return nil
}

// built is what a folder dist holds.
type built struct {
	checksums string
	files     map[string][]byte // of the release, by name
	container *registry.Container
}

// readDist reads what was built for a state, and refuses anything else.
func (r *releaser) readDist(s *state) (*built, error) {
	checksums, err := os.ReadFile(filepath.Join(r.dist, "checksums.txt"))
	if err != nil {
		return nil, fault.New(fault.Configuration, "nothing was built: %w", err).WithHint("begin with: go run ./scripts/release build")
	}
	b := &built{checksums: string(checksums), files: map[string][]byte{"checksums.txt": checksums}}
	p := registry.Program{Name: "dispatcher", Labels: map[string]string{
		"org.opencontainers.image.source":   strings.TrimSuffix(r.remote, ".git"), // ties the package to the repository
		"org.opencontainers.image.revision": s.source, "org.opencontainers.image.version": r.version.String(), "org.opencontainers.image.licenses": "BSD-3-Clause",
	}}
	if !strings.HasPrefix(b.checksums, "# "+r.version.String()+"\n") || !strings.Contains(b.checksums, ", commit "+s.source+"\n") {
		return nil, fault.New(fault.Configuration, "what was built in %s is not %s from %s", r.dist, r.version, s.source).WithHint("build it anew")
	}
	for _, arch := range architectures {
		data, err := os.ReadFile(filepath.Join(r.dist, programName(arch)))
		if err != nil {
			return nil, err
		}
		b.files[programName(arch)] = data
		if !strings.Contains(b.checksums, fmt.Sprintf("\n%x  %s\n", sha256.Sum256(data), programName(arch))) {
			return nil, fault.New(fault.Configuration, "%s in %s is not what checksums.txt says", programName(arch), r.dist).WithHint("build it anew")
		}
		data, err = os.ReadFile(filepath.Join(r.dist, containerName(arch)))
		if err != nil {
			return nil, err
		}
		p.Platforms = append(p.Platforms, registry.Platform{Architecture: arch, Data: data})
	}
	if p.Certificates, err = os.ReadFile(filepath.Join(r.dist, certificatesName)); err != nil {
		return nil, err
	}
	if s.commit != "" && b.checksums != s.checksums {
		return nil, fault.New(fault.Configuration, "the programs that were built here are not those that the commit of %s names", r.version).
			WithHint("if it cannot be completed by hand, release the next version")
	}
	b.container, err = registry.Assemble(p)
	return b, err
}
