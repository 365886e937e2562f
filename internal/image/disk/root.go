// SPDX-License-Identifier: BSD-3-Clause

package disk

import (
	"context"
	"encoding/json"
	"io"
	"os"
	"path/filepath"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// Assembler makes disks with the programs of this host. What is in a disk belongs
// to many accounts, so root must make it: for another account, Sudo begins a command
// that does as root what Check and Assemble do, and calls AsRoot.
type Assembler struct {
	// Sudo is the command and its first arguments; nil for root.
	Sudo []string
}

// Check says which program or right is missing before anything is built.
func (a Assembler) Check(ctx context.Context, tools tool.Tools) error {
	if a.Sudo == nil {
		return check(tools)
	}
	err := a.sudo(ctx, tools, "look for what makes disks", nil, "check")
	if err == nil {
		return nil
	}
	return fault.New(fault.Configuration, "a disk's files get their owners from root, and this is user %d: %w", os.Geteuid(), err).
		WithHint("let this account use sudo without a password, or run it as root, or in a user namespace: podman unshare")
}

// Assemble makes a raw disk of a file system, which is a tarball, and returns the
// file's name, which is in Work.
func (a Assembler) Assemble(ctx context.Context, tools tool.Tools, system io.Reader, o Options) (string, error) {
	if err := checkCmdline(o.Cmdline); err != nil {
		return "", err
	}
	if o.Size < minSize || o.Size%mib != 0 {
		return "", fault.New(fault.Configuration, "a disk cannot have %d bytes", o.Size).WithHint("give whole MiB, and at least %dM", minSize/mib)
	}
	if a.Sudo == nil {
		return assemble(ctx, tools, system, o)
	}
	text, err := json.Marshal(o)
	file := filepath.Join(o.Work, "options.json")
	if err == nil {
		err = os.WriteFile(file, text, 0o600)
	}
	if err != nil {
		return "", fault.New(fault.Ours, "failed to write the disk's options: %w", err)
	}
	raw := filepath.Join(o.Work, rawFile)
	f, err := os.Create(raw) // so that it is ours
	if err == nil {
		err = f.Close()
	}
	if err != nil {
		return "", fault.New(fault.Ours, "failed to make the disk: %w", err)
	}
	err = a.sudo(ctx, tools, "make the disk as root", system, "disk", file)
	if exit := exitOf(err); exit != nil && exit.Status == ExitConfiguration {
		err = fault.New(fault.Configuration, "%w", err)
	}
	return raw, err
}

// ExitConfiguration is the exit status of AsRoot's program if a person must change
// something.
const ExitConfiguration = 2

func (a Assembler) sudo(ctx context.Context, tools tool.Tools, doing string, in io.Reader, args ...string) error {
	return tools.Run(ctx, tool.Command{Doing: doing, Name: a.Sudo[0], Args: append(a.Sudo[1:len(a.Sudo):len(a.Sudo)], args...), Stdin: in})
}

// AsRoot does what another account's Assembler asked for: "check", or "disk FILE"
// with the options in a file and the system on in.
func AsRoot(ctx context.Context, tools tool.Tools, in io.Reader, args []string) error {
	switch {
	case len(args) == 1 && args[0] == "check":
		return check(tools)
	case len(args) == 2 && args[0] == "disk":
		text, err := os.ReadFile(args[1])
		var o Options
		if err == nil {
			err = json.Unmarshal(text, &o)
		}
		if err != nil {
			return fault.New(fault.Ours, "failed to read the disk's options: %w", err)
		}
		_, err = assemble(ctx, tools, in, o)
		return err
	}
	return fault.New(fault.Configuration, "there is no such work for root: %q", args)
}

// unpack lets tar give each file its owner, mode and attributes.
func unpack(ctx context.Context, tools tool.Tools, system io.Reader, to string) error {
	if err := os.Mkdir(to, 0o755); err != nil {
		return fault.New(fault.Ours, "failed to make a folder for the system: %w", err)
	}
	return tools.Run(ctx, tool.Command{
		Doing: "unpack the system", Name: "tar", Stdin: system,
		Args: []string{"--extract", "--file=-", "--numeric-owner", "--preserve-permissions", "--xattrs", "--xattrs-include=*", "--directory=" + to},
	})
}

// assemble is Assemble for root. The system is gone in the end: it is of accounts
// whose files not everybody may remove.
func assemble(ctx context.Context, tools tool.Tools, system io.Reader, o Options) (raw string, err error) {
	b := &builder{Options: o, tools: tools, id: idsOf(o.Seed), root: filepath.Join(o.Work, "system"), raw: filepath.Join(o.Work, rawFile)}
	defer os.RemoveAll(b.root)
	if err := unpack(ctx, tools, system, b.root); err != nil {
		return "", err
	}
	for _, step := range []func(context.Context) error{b.system, b.table, b.rootFS, b.bios, b.efi} {
		if err := step(ctx); err != nil {
			return "", err
		}
	}
	return b.raw, nil
}
