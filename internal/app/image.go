// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"slices"
	"strings"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/guest/machine"
	"github.com/spdk-community-ci/dispatcher/internal/image"
)

const imageHelp = `Usage: dispatcher image VERB [NAME] [flags]

Builds and keeps system images: containers and bootable disks, each version
named by a hash of all that went into it. docs/images.md explains recipes.

  build NAME      make the version that a recipe stands for, unless it exists
  verify NAME     boot it and run its smoke test
  push NAME       publish a build of this host
  promote NAME    move an alias to a version that passed (default: latest)
  pull NAME       bring a disk image here
  list [NAME]     show what the store has
  prune [NAME]    delete old versions from the store

verify, push and promote mean the newest build of this host, or NAME@VERSION;
pull means NAME:latest, or NAME:ALIAS, or NAME@VERSION.

The store is S3-compatible: S3_ENDPOINT_URL, S3_BUCKET, S3_KEY, S3_SECRET and
perhaps S3_REGION, S3_PATH_STYLE (auto, path or virtual) and S3_PUBLIC_URL, where
everybody can read it. Registries take what 'docker login' saved, and ghcr.io
GITHUB_TOKEN or GHPA_TOKEN. dispatcher image VERB --help lists a verb's flags.
`

// verb is one thing that can be done with images.
type verb struct {
	name, usage, help string
	// flags adds the verb's own flags.
	flags func(f *imageFlags, set *flag.FlagSet)
	run   func(w *imageWork, ctx context.Context) error
	// all makes NAME optional.
	all bool
}

func verbs() []verb {
	return []verb{
		{"build", "NAME", "Makes the version that images/NAME/recipe.yml and its inputs stand for, and\nleaves it in OUT/NAME/VERSION. A version that is there, or in the store, is not\nmade again.", buildFlags, (*imageWork).build, false},
		{"verify", "NAME[@VERSION]", "Runs the recipe's smoke test in a version: in its container, and in a guest\nbooted from its disk, which is not changed. The result becomes part of the\nmanifest. Exit status 1 if the test failed.", verifyFlags, (*imageWork).verify, false},
		{"push", "NAME[@VERSION]", "Publishes a build of this host: container, disk, and the manifest last. If\nanother build of the same version was first, that one counts.", outFlags, (*imageWork).push, false},
		{"promote", "NAME[@VERSION]", "Moves an alias to a version whose smoke test passed, in one write. The alias\nremembers which version it stood for before: --back moves it there.", promoteFlags, (*imageWork).promote, false},
		{"pull", "NAME[:ALIAS|@VERSION]", "Brings a disk image here through the cache, with its checksum compared, and\nprints where it is.", pullFlags, (*imageWork).pull, false},
		{"list", "[NAME]", "Shows the versions in the store, newest first, with their aliases.", listFlags, (*imageWork).list, true},
		{"prune", "[NAME]", "Deletes versions from the store. What an alias stands for, or stood for before\nit moved last, stays, and so do the last N and what is younger. Containers of versions that are\ngone go from ghcr.io, too; other registries delete by their own rules.", pruneFlags, (*imageWork).prune, true},
	}
}

// imageFlags are what the command line says.
type imageFlags struct {
	target          image.Target
	recipes, out    string
	cache           string
	cacheSize       machine.Size
	verbose, dryRun bool
	json            bool
	buildOptions    image.BuildOptions
	pullOptions     image.PullOptions
	accel, console  string
	bootTimeout     time.Duration
	alias           string
	back            bool
	keep            int
	older           string
}

// image is the command of that name.
func (a *App) image(ctx context.Context, args []string) int {
	if len(args) == 0 || args[0] == "help" || args[0] == "-h" || args[0] == "--help" {
		fmt.Fprint(a.Stdout, imageHelp)
		if len(args) == 0 {
			return ExitConfiguration
		}
		return ExitDone
	}
	if args[0] == "as-root" { // for ourselves, through sudo
		return a.imageAsRoot(ctx, args[1:])
	}
	all := verbs()
	i := slices.IndexFunc(all, func(v verb) bool { return v.name == args[0] })
	if i < 0 {
		fmt.Fprintf(a.Stderr, "dispatcher image: there is no verb %q\n    hint: dispatcher image --help lists them\n", change.OneLine(args[0]))
		return ExitConfiguration
	}
	return a.imageVerb(ctx, all[i], args[1:])
}

func (a *App) imageVerb(ctx context.Context, v verb, args []string) int {
	out := action.New(a.Getenv, a.Stdout)
	defer out.Close()
	flags, err := a.parseImage(v, args)
	if errors.Is(err, flag.ErrHelp) {
		return ExitDone
	}
	var work *imageWork
	if err == nil {
		work, err = a.newImageWork(out, flags)
	}
	if err == nil {
		err = v.run(work, ctx)
	}
	switch {
	case err == nil:
		return ExitDone
	case ctx.Err() != nil:
		a.tell(out, fault.New(fault.Unknown, "interrupted; nothing is half done: the same command goes on"))
		return ExitFailed
	}
	a.tell(out, asConfigProblems(err))
	if errors.Is(err, fault.Configuration) {
		return ExitConfiguration
	}
	return ExitFailed
}

// parseImage reads the flags of a verb, before and behind the name.
func (a *App) parseImage(v verb, args []string) (*imageFlags, error) {
	f := &imageFlags{}
	set := flag.NewFlagSet("image "+v.name, flag.ContinueOnError)
	set.SetOutput(io.Discard)
	set.BoolVar(&f.verbose, "verbose", false, "show what the programs write that do the work")
	if v.flags != nil {
		v.flags(f, set)
	}
	var names []string
	for rest := args; ; {
		err := set.Parse(rest)
		if errors.Is(err, flag.ErrHelp) {
			fmt.Fprintf(a.Stdout, "Usage: dispatcher image %s %s [flags]\n\n%s\n\n", v.name, v.usage, v.help)
			set.SetOutput(a.Stdout)
			set.PrintDefaults()
		}
		if err != nil {
			if !errors.Is(err, flag.ErrHelp) {
				err = wrong("dispatcher image "+v.name+" --help lists the flags", "%s", change.OneLine(err.Error()))
			}
			return f, err
		}
		if set.NArg() == 0 {
			break
		}
		names, rest = append(names, set.Arg(0)), set.Args()[1:]
	}
	switch {
	case f.bootTimeout < 0:
		return f, wrong("write it like 90s, 30m or 2h", "a time cannot be negative")
	case len(names) > 1:
		return f, wrong("give one image at a time", "there is one name too many: %q", change.OneLine(names[1]))
	case len(names) == 0 && !v.all:
		return f, wrong("dispatcher image "+v.name+" "+v.usage, "there is no name of an image")
	case len(names) == 0:
		return f, nil
	}
	var err error
	f.target, err = image.ParseTarget(names[0])
	if err == nil && f.target.Alias+f.target.Version != "" && !strings.ContainsAny(v.usage, "@") {
		err = wrong("give the name alone", "dispatcher image %s takes no version", v.name)
	}
	return f, err
}

func outFlags(f *imageFlags, set *flag.FlagSet) {
	set.StringVar(&f.recipes, "recipes", "images", "`folder` of recipes")
	set.StringVar(&f.out, "out", "build/images", "`folder` of builds")
}

func cacheFlags(f *imageFlags, set *flag.FlagSet) {
	set.StringVar(&f.cache, "cache", "", "`folder` that keeps downloaded images (default DISPATCHER_CACHE, or ~/.cache/dispatcher)")
	set.Var(&f.cacheSize, "cache-size", "limit of that folder, a `size` like 100G; 0 is none")
}

func bootFlags(f *imageFlags, set *flag.FlagSet) {
	set.StringVar(&f.accel, "accel", "auto", "auto, kvm or tcg; auto is kvm where it works")
	set.DurationVar(&f.bootTimeout, "boot-timeout", 0, "how `long` the guest may take to boot (default 5m, 15m without KVM)")
	set.StringVar(&f.console, "console", "", "`file` to save the guest's console to")
}

func buildFlags(f *imageFlags, set *flag.FlagSet) {
	outFlags(f, set)
	cacheFlags(f, set)
	bootFlags(f, set)
	o := &f.buildOptions
	set.StringVar(&o.Base, "base", "", "base `image` instead of the recipe's; one that the engine has needs no registry")
	set.StringVar(&o.SourceDir, "source", "", "`folder` with the source tree, instead of fetching it")
	set.StringVar(&o.SourceURL, "source-url", "", "`address` to fetch the source from, instead of the recipe's")
	set.StringVar(&o.Revision, "revision", "", "`revision` of the source, instead of the recipe's")
	set.StringVar(&o.CloudImage, "cloud-image", "", "`file` with the recipe's cloud image, instead of fetching it")
	set.StringVar(&o.Serial, "serial", "", "any `text` that makes a new version of the same inputs, such as a week")
	set.BoolVar(&o.Force, "force", false, "build it although the version exists")
}

func verifyFlags(f *imageFlags, set *flag.FlagSet) {
	outFlags(f, set)
	cacheFlags(f, set)
	bootFlags(f, set)
}

func promoteFlags(f *imageFlags, set *flag.FlagSet) {
	outFlags(f, set)
	set.StringVar(&f.alias, "alias", image.DefaultAlias, "`alias` to move")
	set.BoolVar(&f.back, "back", false, "move it to the version that it stood for before")
}

func pullFlags(f *imageFlags, set *flag.FlagSet) {
	cacheFlags(f, set)
	set.StringVar(&f.pullOptions.To, "to", "", "`file` to write the image to (default: leave it in the cache)")
	set.BoolVar(&f.pullOptions.Raw, "raw", false, "write it as a raw image, for a physical disk")
}

func listFlags(f *imageFlags, set *flag.FlagSet) {
	set.BoolVar(&f.json, "json", false, "print it as JSON")
}

func pruneFlags(f *imageFlags, set *flag.FlagSet) {
	set.IntVar(&f.keep, "keep", 3, "how `many` of the newest versions stay")
	set.StringVar(&f.older, "older", "30d", "delete only what is older than so many `days` or hours (30d, 12h)")
	set.BoolVar(&f.dryRun, "dry-run", false, "print what would go, and why, and delete nothing")
}

// parseAge reads 30d or 12h.
func parseAge(text string) (time.Duration, error) {
	var n int
	var unit string
	if _, err := fmt.Sscanf(text, "%d%s", &n, &unit); err != nil || n < 0 || n > 10000 || unit != "d" && unit != "h" {
		return 0, wrong("write 30d or 12h", "--older: %q is not an age", change.OneLine(text))
	}
	if unit == "d" {
		n *= 24
	}
	return time.Duration(n) * time.Hour, nil
}
