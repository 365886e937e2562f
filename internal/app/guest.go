// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"flag"
	"fmt"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/environments"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/strictyaml"
)

// The exit statuses of guest run that are not the command's own. They are out
// of the way of what most programs and shells use; who must know for certain
// reads the mark (ending.mark).
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

In GitHub Actions an annotation "dispatcher result" says whether a status is the
command's own.

`

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
	end := ending{status: exitGuestSetting, rig: err}
	if err != nil {
		a.tell(out, asConfigProblems(err))
	} else {
		end = guestRun{app: a, out: out, flags: flags}.run(ctx)
	}
	end.mark(out, environments.Cell{})
	return end.status
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
