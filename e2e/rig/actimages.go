// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"bytes"
	"context"
	"crypto/sha256"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
)

// docker runs Docker's program and returns what it printed.
func docker(ctx context.Context, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "docker", args...)
	var out, errOut bytes.Buffer
	cmd.Stdout, cmd.Stderr = &out, &errOut
	cmd.Env = append(os.Environ(), "DOCKER_BUILDKIT=0") // Debian has no buildx
	if err := cmd.Run(); err != nil {
		return "", fmt.Errorf("docker %s: %w\n%s%s", args[0], err, out.String(), errOut.String())
	}
	return strings.TrimSpace(out.String()), nil
}

// RunnerImage makes the image that act runs jobs in, unless it is there, and
// returns its name. The Dockerfile starts from the image base.
func RunnerImage(ctx context.Context, dockerfile, base string) (string, error) {
	text, err := os.ReadFile(dockerfile)
	if err != nil {
		return "", err
	}
	dir, err := os.MkdirTemp("", "rig-runner-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	name := fmt.Sprintf("dispatcher-e2e/act-runner:%x", sha256.Sum256(append([]byte(base+"\n"), text...)))[:48]
	return name, buildOnce(ctx, name, dockerfile, base, dir)
}

// buildOnce builds an image unless one of that name is there.
func buildOnce(ctx context.Context, name, dockerfile, base, dir string) error {
	if imageExists(ctx, name) {
		return nil
	}
	_, err := docker(ctx, "build", "--quiet", "--network", "host", "--label", actLabel, "--build-arg", "BASE="+base, "--file", dockerfile, "--tag", name, dir)
	return err
}

func imageExists(ctx context.Context, name string) bool {
	_, err := docker(ctx, "image", "inspect", name)
	return err == nil
}

// BuildImage makes the image that our own Dockerfile builds in where no registry
// and no module proxy can be asked, unless it is there: this machine's Go, all
// modules, and those compiled already. It returns its name.
func BuildImage(ctx context.Context, dockerfile, base string) (string, error) {
	root, err := ModuleRoot(ctx)
	if err != nil {
		return "", err
	}
	packages, err := goTool(ctx, root, "list", "-deps", "-f", "{{with .Module}}{{if not .Main}}{{$.ImportPath}}{{end}}{{end}}", ".")
	if err != nil {
		return "", err
	}
	version, err := goTool(ctx, root, "version")
	if err != nil {
		return "", err
	}
	h := sha256.New()
	fmt.Fprintln(h, version, packages)
	for _, file := range []string{filepath.Join(root, "go.mod"), filepath.Join(root, "go.sum"), dockerfile} {
		data, err := os.ReadFile(file)
		if err != nil {
			return "", err
		}
		h.Write(data)
	}
	name := fmt.Sprintf("dispatcher-e2e/build:%x", h.Sum(nil)[:8])
	if imageExists(ctx, name) {
		return name, nil
	}
	dir, err := os.MkdirTemp("", "rig-build-*")
	if err != nil {
		return "", err
	}
	defer os.RemoveAll(dir)
	if err := buildContext(ctx, root, dir, packages); err != nil {
		return "", err
	}
	return name, buildOnce(ctx, name, dockerfile, base, dir)
}

// buildContext fills a folder with Go, and with the module's dependencies.
func buildContext(ctx context.Context, root, dir, packages string) error {
	goroot, err := goTool(ctx, root, "env", "GOROOT")
	if err != nil {
		return err
	}
	for _, part := range []string{"bin", "pkg", "src"} {
		if err := os.CopyFS(filepath.Join(dir, "go", part), os.DirFS(filepath.Join(goroot, part))); err != nil {
			return err
		}
	}
	src := filepath.Join(dir, "src")
	if _, err := goTool(ctx, root, "mod", "vendor", "-o", filepath.Join(src, "vendor")); err != nil {
		return err
	}
	files := map[string]string{filepath.Join(src, "packages"): packages + "\n"}
	for to, from := range map[string]string{
		filepath.Join(dir, "go/VERSION"): filepath.Join(goroot, "VERSION"), filepath.Join(dir, "go/go.env"): filepath.Join(goroot, "go.env"),
		filepath.Join(src, "go.mod"): filepath.Join(root, "go.mod"), filepath.Join(src, "go.sum"): filepath.Join(root, "go.sum"),
	} {
		data, err := os.ReadFile(from)
		if err != nil {
			return err
		}
		files[to] = string(data)
	}
	return writeFiles(files)
}

func writeFiles(files map[string]string) error {
	for name, text := range files {
		if err := os.MkdirAll(filepath.Dir(name), 0o755); err != nil {
			return err
		}
		if err := os.WriteFile(name, []byte(text), 0o644); err != nil {
			return err
		}
	}
	return nil
}

// ModuleRoot is the folder of the module under test.
func ModuleRoot(ctx context.Context) (string, error) {
	return goTool(ctx, ".", "list", "-m", "-f", "{{.Dir}}")
}

// goTool runs the go command as the release is built: without cgo.
func goTool(ctx context.Context, dir string, args ...string) (string, error) {
	cmd := exec.CommandContext(ctx, "go", args...)
	cmd.Dir, cmd.Env = dir, append(os.Environ(), "CGO_ENABLED=0")
	var errOut bytes.Buffer
	cmd.Stderr = &errOut
	out, err := cmd.Output()
	if err != nil {
		return "", fmt.Errorf("go %s: %w\n%s", args[0], err, errOut.String())
	}
	return strings.TrimSpace(string(out)), nil
}
