// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/config"
)

// parseFlags reads a command's own flags and one for each input that is no
// secret, and tells people what is wrong with them, or what there is.
func (a *App) parseFlags(set *flag.FlagSet, help string, inputs map[string]string, args []string) error {
	for _, in := range config.Inputs() {
		if in.Secret || in.Name == "command" || set.Lookup(in.Name) != nil {
			continue
		}
		set.Var(inputFlag{in, inputs}, in.Name, in.Description)
	}
	set.SetOutput(io.Discard)
	err := set.Parse(args)
	switch rest := set.Args(); {
	case errors.Is(err, flag.ErrHelp):
		fmt.Fprint(a.Stdout, help)
		set.SetOutput(a.Stdout)
		set.PrintDefaults()
	case err != nil:
		fmt.Fprintf(a.Stderr, "dispatcher %s: %s\n    hint: %s\n", set.Name(), change.OneLine(err.Error()), flagHint(set.Name(), err))
	case len(rest) > 0:
		err = fmt.Errorf("it takes flags only, not %q", rest[0])
		fmt.Fprintf(a.Stderr, "dispatcher %s: %s\n", set.Name(), err)
	}
	return err
}

// flagHint says what to do about a flag that is refused.
func flagHint(command string, err error) string {
	for _, in := range config.Inputs() {
		if in.Secret && strings.HasSuffix(err.Error(), " -"+in.Name) {
			return "a secret must not stand on the command line: set the variable " + in.Env
		}
	}
	return "dispatcher " + command + " --help lists the flags"
}

// inputFlag sets an input from the command line.
type inputFlag struct {
	input  config.Input
	values map[string]string
}

func (f inputFlag) String() string { return f.input.Default }

// Set notes the text; config judges it.
func (f inputFlag) Set(text string) error {
	f.values[f.input.Name] = text
	return nil
}

// IsBoolFlag lets a switch stand alone.
func (f inputFlag) IsBoolFlag() bool {
	_, err := strconv.ParseBool(f.input.Default)
	return err == nil && f.input.Default != "0"
}
