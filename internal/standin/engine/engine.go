// SPDX-License-Identifier: BSD-3-Clause

// Package engine plays the programs docker and qemu-img for tests: the test's own
// binary is started again under their names (Install) and obeys (Play).
//
// Its docker keeps an image as a folder of files: a Dockerfile's FROM, COPY and
// RUN lines are not carried out, but what was built from what is noted, and the
// file system is that of the build's context. Containers that tests run in are
// folders, and their command runs on this machine. Its qemu-img copies. Neither
// knows more than image building and such tests ask for, and they refuse all else.
package engine

import (
	"crypto/sha256"
	"encoding/hex"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"slices"
	"strings"
)

// Install puts the programs into a folder, which is to be first in PATH. What
// they are asked is written to the file "calls" there, a line each. A file
// "fail-VERB" makes docker's verb of that name fail with the file's text, and
// "smoke-status" is what a container's script ends with. More files of that kind
// are constants of this package.
func Install(dir string) error {
	self, err := os.Executable()
	for _, name := range []string{"docker", "qemu-img"} {
		if err == nil {
			err = os.Symlink(self, filepath.Join(dir, name))
		}
	}
	return err
}

// Play ends the process if it was started as one of the programs.
func Play() {
	p := program{dir: filepath.Dir(os.Args[0]), args: os.Args[1:]}
	play, ok := map[string]func() error{"docker": p.docker, "qemu-img": p.qemuImg}[filepath.Base(os.Args[0])]
	if !ok {
		return
	}
	p.note()
	if err := play(); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
	os.Exit(0)
}

// program is one run of docker or qemu-img.
type program struct {
	dir  string
	args []string
}

func (p program) note() {
	f, err := os.OpenFile(filepath.Join(p.dir, "calls"), os.O_APPEND|os.O_CREATE|os.O_WRONLY, 0o644)
	if err == nil {
		fmt.Fprintln(f, filepath.Base(os.Args[0]), strings.Join(p.args, " "))
		f.Close()
	}
}

// image is the folder of an image, by its name.
func (p program) image(name string) string {
	sum := sha256.Sum256([]byte(name))
	return filepath.Join(p.dir, "image-"+hex.EncodeToString(sum[:4]))
}

func (p program) docker() error {
	verb := p.args[0]
	if text, err := os.ReadFile(filepath.Join(p.dir, "fail-"+verb)); err == nil {
		return fmt.Errorf("%s", text)
	}
	last := p.args[len(p.args)-1]
	switch verb {
	case "version":
		fmt.Println("99.0")
	case "image": // inspect
		return p.inspect(last)
	case "build":
		return p.build(last)
	case "create":
		if p.flag("--workdir") != "" {
			return p.create()
		}
		fmt.Println("container-of-" + filepath.Base(p.image(p.args[1])))
	case "cp":
		return p.copy()
	case "start":
		return p.start(last)
	case "kill":
		return p.kill(last)
	case "inspect": // --format {{json .State}}
		s, err := p.container(last).state()
		return errors.Join(err, json.NewEncoder(os.Stdout).Encode(s))
	case "export":
		return tarOf(filepath.Join(p.dir, strings.TrimPrefix(last, "container-of-")), os.Stdout)
	case "rm":
		p.kill(last) // --force; those that were only made do not run
		return os.RemoveAll(string(p.container(last)))
	case "save":
		return p.save(p.flag("--output"), last)
	case "run":
		if p.flag("--entrypoint") != "" {
			return p.probe()
		}
		return p.script()
	default:
		return fmt.Errorf("docker: '%s' is not a docker command", verb)
	}
	return nil
}

// flag returns the value behind a flag.
func (p program) flag(name string) string {
	if i := slices.Index(p.args, name); i >= 0 && i+1 < len(p.args) {
		return p.args[i+1]
	}
	return ""
}

func (p program) inspect(name string) error {
	dir := p.image(name)
	if _, err := os.Stat(dir); err != nil {
		return fmt.Errorf("error: no such image: %s", name)
	}
	sum := sha256.Sum256([]byte(dir))
	fmt.Println("sha256:" + hex.EncodeToString(sum[:]))
	return nil
}

// build copies the context and notes the arguments in it.
func (p program) build(context string) error {
	dir := p.image(p.flag("--tag"))
	if err := os.RemoveAll(dir); err != nil {
		return err
	}
	if err := os.CopyFS(dir, os.DirFS(context)); err != nil {
		return err
	}
	var args []string
	for i, a := range p.args {
		if a == "--build-arg" {
			args = append(args, p.args[i+1])
		}
	}
	return os.WriteFile(filepath.Join(dir, "build-args"), []byte(strings.Join(args, "\n")), 0o644)
}

// script reads the script and ends with the status that is wanted.
func (p program) script() error {
	text, err := io.ReadAll(os.Stdin)
	if err != nil {
		return err
	}
	fmt.Printf("a script of %d lines\n", strings.Count(string(text), "\n"))
	if status, err := os.ReadFile(filepath.Join(p.dir, "smoke-status")); err == nil {
		var n int
		fmt.Sscan(string(status), &n)
		os.Exit(n)
	}
	return nil
}

func (p program) qemuImg() error {
	switch p.args[0] {
	case "--version":
		fmt.Println("qemu-img version 99.0\nmore")
	case "info":
		info, err := os.Stat(p.args[len(p.args)-1])
		if err != nil {
			return err
		}
		fmt.Printf(`{"format": "qcow2", "virtual-size": %d}`, info.Size())
	case "create": // an overlay: as if it were the file below it
		return copyFile(p.flag("-b"), p.flag("--"))
	case "convert":
		return copyFile(p.args[len(p.args)-2], p.args[len(p.args)-1])
	default:
		return fmt.Errorf("qemu-img: Command not found: %s", p.args[0])
	}
	return nil
}

func copyFile(from, to string) error {
	data, err := os.ReadFile(from)
	if err != nil {
		return err
	}
	return os.WriteFile(to, data, 0o644)
}
