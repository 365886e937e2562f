// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"path"
	"path/filepath"
	"regexp"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/guest"
	"github.com/spdk-community-ci/dispatcher/internal/guest/machine"
	"github.com/spdk-community-ci/dispatcher/internal/guest/qemu"
	"github.com/spdk-community-ci/dispatcher/internal/strictyaml"
)

// The exit statuses of guest run that are not the command's own. They are out
// of the way of what programs and shells use.
const (
	exitGuestSetting     = 125 // a setting, the image or a program is wrong or missing: nothing ran
	exitGuestHost        = 250 // this host failed
	exitGuestFailed      = 251 // the guest did not come up, panicked or went away
	exitGuestTimeout     = 252 // the command did not end in time
	exitGuestCopy        = 253 // files could not be copied in or out
	exitGuestInterrupted = 254 // somebody stopped the run
)

const guestHelp = `Usage: dispatcher guest run [flags] -- COMMAND [ARGUMENT...]

Boots a disk image in QEMU, runs a command in it and ends with the command's
exit status. The image itself is not changed. It needs cloud-init and an SSH
server, as cloud images of all distributions have them, and must start from a
BIOS. KVM is used where it truly works, slow emulation otherwise.

  dispatcher guest run --image fedora.qcow2 -- uname -a
  dispatcher guest run --image fedora.qcow2 --cpus 12 --memory 12G \
    --copy-in spdk --copy-out ../output --nvme 1G+1G/4K,controllers=2 \
    -- sh -c './autorun.sh ../autorun.conf'

No shell looks at the command, unless you start one as above. It runs in the
folder of the first --copy-in. docs/guests.md explains descriptions of machines.

Exit status: the command's own (128+N if signal N ended it), or
  125  a setting, the image or a program is wrong or missing: nothing ran
  250  this host failed        251  the guest failed: no boot, panic, gone
  252  the command took longer than --timeout
  253  files could not be copied in or out
  254  the run was interrupted

`

// guestFlags are what the command line of guest run says.
type guestFlags struct {
	options           guest.Options
	command           guest.Command
	machineFile       string
	settings          [][2]string // flags of the machine, in their order
	copyIn, copyOut   []copying
	env               []string
	accel, dir, image string
}

// copying is a file or a folder that travels.
type copying struct{ from, to string }

// guest is the command of that name.
func (a *App) guest(ctx context.Context, args []string) int {
	switch {
	case len(args) > 0 && args[0] == "run":
		return a.guestRun(ctx, args[1:])
	case len(args) > 0 && (args[0] == "-h" || args[0] == "--help"):
		return a.guestRun(ctx, []string{"--help"})
	case len(args) == 0:
		a.guestRun(ctx, []string{"--help"})
		return exitGuestSetting
	}
	fmt.Fprintf(a.Stderr, "dispatcher guest: there is no command %q\n    hint: dispatcher guest run is the only one\n", args[0])
	return exitGuestSetting
}

func (a *App) guestRun(ctx context.Context, args []string) int {
	out := action.New(a.Getenv, a.Stdout)
	defer out.Close()
	flags, err := a.parseGuest(args)
	if errors.Is(err, flag.ErrHelp) {
		return ExitDone
	}
	if err != nil {
		a.tell(out, asConfigProblems(err))
		return exitGuestSetting
	}
	run := guestRun{app: a, out: out, flags: flags}
	return run.run(ctx)
}

// asConfigProblems lets tell print each problem with its own hint.
func asConfigProblems(err error) error {
	found, ok := errors.AsType[strictyaml.Problems](err)
	if !ok {
		return err
	}
	var problems config.Problems
	for _, p := range found {
		problems = append(problems, config.Problem{Place: config.Place{Input: ""}, Text: p.Place + ": " + p.Text, Hint: p.Hint})
	}
	return problems
}

func wrong(hint, format string, args ...any) error {
	return fault.New(fault.Configuration, format, args...).WithHint("%s", hint)
}

// parseGuest reads the flags and the description of the machine.
func (a *App) parseGuest(args []string) (guestFlags, error) {
	f := guestFlags{options: guest.Options{Now: a.Now, Sleep: a.Sleep}}
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
		return f, wrong("write it like 90s, 30m or 2h; 0 is no limit", "a time cannot be negative")
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
	set.StringVar(&f.accel, "accel", "auto", "auto, kvm or tcg; auto is kvm where it works")
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
