// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"errors"
	"flag"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/guest"
	"github.com/spdk-community-ci/dispatcher/internal/guest/machine"
	"github.com/spdk-community-ci/dispatcher/internal/guest/qemu"
)

// guestFlags are what the command line of guest run says.
type guestFlags struct {
	options         guest.Options
	command         guest.Command
	machineFile     string
	settings        [][2]string // flags of the machine, in their order
	copyIn, copyOut []copying
	env             []string
	accel, dir      string
}

// copying is a file or a folder that travels.
type copying struct{ from, to string }

// parseGuest reads the flags and the description of the machine.
func (a *App) parseGuest(args []string) (guestFlags, error) {
	f := guestFlags{options: guest.Options{Now: a.Now, Sleep: a.Sleep, Findings: a.kvm}}
	set := f.flagSet()
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(a.Stdout, guestHelp)
		set.SetOutput(a.Stdout)
		set.PrintDefaults()
		return f, err
	case err != nil:
		return f, wrong("dispatcher guest run --help lists the flags", "%s", change.OneLine(err.Error()))
	}
	if f.command.Args = set.Args(); len(f.command.Args) == 0 {
		return f, wrong("put it behind the flags, after --", "there is no command to run")
	}
	if f.options.Image == "" {
		return f, wrong("give --image FILE, a qcow2 file", "there is no image to boot")
	}
	if f.options.BootTimeout < 0 || f.command.Timeout < 0 {
		return f, wrong("write it like 90s, 30m or 2h", "a time cannot be negative")
	}
	var err error
	if f.options.Accel, err = parseAccel(f.accel); err != nil {
		return f, err
	}
	f.command.Dir = f.dir
	if f.command.Dir == "" && len(f.copyIn) > 0 {
		f.command.Dir = f.copyIn[0].to
	}
	if f.command.Env, err = a.guestEnv(f.env); err != nil {
		return f, err
	}
	f.options.Machine, err = a.machine(f.machineFile, f.settings)
	return f, err
}

func (f *guestFlags) flagSet() *flag.FlagSet {
	set := flag.NewFlagSet("guest run", flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.StringVar(&f.options.Image, "image", "", "disk image to boot, a qcow2 or raw `file`")
	set.Var(&f.options.DiskSize, "disk-size", "enlarge the guest's disk to this `size`, like 40G")
	set.StringVar(&f.machineFile, "machine", "", "`file` that describes the machine, YAML or JSON; flags win over it")
	for _, m := range machine.Flags() {
		note := func(text string) error {
			f.settings = append(f.settings, [2]string{m.Name, text})
			return nil
		}
		if m.Switch {
			set.BoolFunc(m.Name, m.Description, note)
		} else {
			set.Func(m.Name, m.Description, note)
		}
	}
	set.StringVar(&f.accel, "accel", "auto", "what runs the guest: `auto`, kvm or tcg; auto is kvm where it works")
	set.StringVar(&f.options.User, "user", "root", "`account` that the command runs as; it is made if need be, and may use sudo")
	set.Func("copy-in", "copy a file, folder or tarball in: `FROM[:TO]`; TO is a folder, by default FROM's name in the home folder; may be repeated", addCopy(&f.copyIn, nameInGuest))
	set.Func("copy-out", "copy a file or folder out, also after a failure: `FROM[:TO]`; FROM is seen from the command's folder; may be repeated", addCopy(&f.copyOut, path.Base))
	set.StringVar(&f.dir, "dir", "", "`folder` in the guest to run in (default: that of the first --copy-in, or the home folder)")
	set.Func("env", "pass a variable to the command: `NAME` takes its value from here, NAME=VALUE sets it; may be repeated", func(text string) error {
		f.env = append(f.env, text)
		return nil
	})
	set.DurationVar(&f.command.Timeout, "timeout", time.Hour, "how `long` the command may run; 0 is for ever")
	set.DurationVar(&f.options.BootTimeout, "boot-timeout", 0, "how `long` the guest may take to boot (default 5m, 15m without KVM)")
	set.StringVar(&f.options.Console, "console", "", "`file` to save the guest's console to")
	set.StringVar(&f.options.TempDir, "temp-dir", "", "`folder` for the guest's disks (default: the system's for temporary files)")
	set.BoolVar(&f.options.Keep, "keep", false, "keep the guest's disks, for a look at them")
	set.StringVar(&f.options.QEMU, "qemu", "qemu-system-x86_64", "QEMU's `program`")
	set.StringVar(&f.options.QEMUImg, "qemu-img", "qemu-img", "`program` that makes QEMU's disk images")
	return set
}

// addCopy reads FROM[:TO].
func addCopy(list *[]copying, name func(string) string) func(string) error {
	return func(text string) error {
		from, to, _ := strings.Cut(text, ":")
		if from == "" {
			return errors.New("there is no name in front of the colon")
		}
		*list = append(*list, copying{from, cmp.Or(to, name(from))})
		return nil
	}
}

// nameInGuest is the last part of a path, without a tarball's ending.
func nameInGuest(from string) string {
	if abs, err := filepath.Abs(from); err == nil {
		from = abs
	}
	name := filepath.Base(from)
	if stem, _, ok := strings.Cut(name, ".tar"); ok && stem != "" {
		return stem
	}
	return strings.TrimSuffix(name, ".tgz")
}

func parseAccel(text string) (string, error) {
	switch text {
	case "auto":
		return "", nil
	case qemu.KVM, qemu.TCG:
		return text, nil
	}
	return "", wrong("write auto, kvm or tcg", "--accel: there is no accelerator %q", text)
}

var variableName = regexp.MustCompile(`^[A-Za-z_][A-Za-z0-9_]*$`)

// guestEnv completes the variables that are named alone.
func (a *App) guestEnv(given []string) ([]string, error) {
	var env []string
	for _, text := range given {
		name, value, valued := strings.Cut(text, "=")
		if !variableName.MatchString(name) {
			return nil, wrong("use letters, digits and _", "--env: %q cannot be the name of a variable", change.OneLine(name))
		}
		if !valued {
			if value = a.Getenv(name); value == "" {
				fmt.Fprintf(a.Stderr, "dispatcher: the variable %s is empty here, and so in the guest\n", name)
			}
		}
		env = append(env, name+"="+value)
	}
	return env, nil
}

// machine reads the description from a file and from flags.
func (a *App) machine(file string, settings [][2]string) (machine.Machine, error) {
	var data []byte
	if file != "" {
		var err error
		if data, err = a.ReadFile(file); err != nil {
			return machine.Machine{}, wrong("check the name", "failed to read the description of the machine: %v", err)
		}
	}
	r := machine.NewReader(file, data)
	for _, s := range settings {
		r.Set(s[0], s[1])
	}
	return r.Machine()
}
