// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"bytes"
	"context"
	"errors"
	"io"
	"io/fs"
	"path"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/recipe"
)

// verification carries one Verify.
type verification struct {
	*Images
	recipe *recipe.Recipe
	script []byte
	m      *Manifest
	// file is where the disk is; empty until it is needed.
	file func(ctx context.Context) (string, func(), error)
}

// Verify boots a version and runs its smoke test, and notes the result in the
// manifest: that of this host's build, if it is here, or else the store's. The
// error is a fault.Guest if the test failed; the result is noted all the same.
func (im *Images) Verify(ctx context.Context, t Target) (*Manifest, error) {
	r, err := recipe.Load(im.Recipes, im.RecipesDir, t.Name)
	if err != nil {
		return nil, err
	}
	v := &verification{Images: im, recipe: r}
	save, err := v.choose(ctx, t)
	if err != nil {
		return nil, err
	}
	if err := v.readScript(); err != nil {
		return nil, err
	}
	failed := v.runAll(ctx)
	if failed != nil && !errors.Is(failed, errSmoke) {
		return v.m, failed
	}
	return v.m, errors.Join(failed, save(ctx))
}

// errSmoke is a smoke test that ran and failed.
var errSmoke = errors.New("the smoke test failed")

// choose finds the version and says how its manifest is saved.
func (v *verification) choose(ctx context.Context, t Target) (save func(context.Context) error, err error) {
	if t.Alias == "" {
		v.m, _, err = v.local(t)
		if err == nil {
			v.file = func(context.Context) (string, func(), error) {
				file, err := v.checkLocal(v.m)
				return file, func() {}, err
			}
			return func(context.Context) error { return v.saveLocal(v.m) }, nil
		}
		if !errors.Is(err, fs.ErrNotExist) {
			return nil, err
		}
		if v.Store == nil {
			return nil, fault.New(fault.Configuration, "there is no build of %s in %s", t, v.Out).WithHint("dispatcher image build %s", t.Name)
		}
	}
	if v.m, err = v.find(ctx, t); err != nil {
		return nil, err
	}
	v.file = func(ctx context.Context) (string, func(), error) { return v.cached(ctx, v.m) }
	return func(ctx context.Context) error {
		return v.Store.Put(ctx, manifestName(v.m.Name, v.m.Version), v.m.Encode())
	}, nil
}

// readScript reads the smoke test, which must be the one that the version was
// built with.
func (v *verification) readScript() error {
	name := string(v.recipe.Smoke.Script)
	text, err := fs.ReadFile(v.Recipes, path.Join(v.recipe.Name, name))
	if err != nil {
		return fault.New(fault.Ours, "failed to read %s: %w", name, err)
	}
	if len(text) > maxScript {
		return fault.New(fault.Configuration, "%s is longer than %d KiB", name, maxScript>>10).WithHint("let it call what is in the image")
	}
	v.script = text
	for _, was := range v.m.Inputs.Files {
		for _, is := range v.recipe.Files {
			if was.Path == name && is == was {
				return nil
			}
		}
	}
	return fault.New(fault.Configuration, "%s is not the smoke test that %s@%s was built with", name, v.m.Name, v.m.Version).
		WithHint("build the recipe as it is now, or check out the revision of the recipe that made this version")
}

// maxScript bounds a smoke test: Linux takes arguments of up to 128 KiB.
const maxScript = 100 << 10

// runAll tests what the version has.
func (v *verification) runAll(ctx context.Context) error {
	var failed error
	if v.m.Container != nil {
		result, err := v.timed(ctx, v.inContainer)
		if err != nil {
			return err
		}
		v.m.Smoke.Container = result
		failed = errors.Join(failed, v.judge("container", result))
	}
	if v.m.Disk != nil {
		result, err := v.timed(ctx, v.inGuest)
		if err != nil {
			return err
		}
		v.m.Smoke.Disk = result
		failed = errors.Join(failed, v.judge("disk", result))
	}
	return failed
}

func (v *verification) judge(what string, r *Result) error {
	if r.Passed {
		v.Log("the smoke test passed in the %s", what)
		return nil
	}
	f := fault.New(fault.Guest, "%w in the %s of %s@%s: it ended with status %d:\n%s", errSmoke, what, v.m.Name, v.m.Version, r.Status, r.Output)
	if r.Status == timedOut {
		f = fault.New(fault.Guest, "%w in the %s of %s@%s: it did not end within %v:\n%s",
			errSmoke, what, v.m.Name, v.m.Version, time.Duration(v.recipe.Smoke.Timeout), r.Output)
	}
	if r.Output == "" {
		return f.WithHint("it wrote nothing: 'set -x' in the script shows where it stops. No alias moves to this version")
	}
	return f.WithHint("no alias moves to this version: correct the recipe and build again")
}

// timedOut is the status of a smoke test that was ended, as timeout(1) has it.
const timedOut = 124

// timed runs the smoke test in one place. An error says that it could not run.
func (v *verification) timed(ctx context.Context, run func(context.Context, io.Writer) (int, error)) (*Result, error) {
	start, out := v.Now(), &tail{log: v.Tools.Log}
	status, err := run(ctx, out)
	if err != nil {
		return nil, err
	}
	return &Result{Passed: status == 0, Status: status, At: start.UTC(), Seconds: v.Now().Sub(start).Seconds(), Output: out.String()}, nil
}

// limited runs the script itself, for as long as the recipe allows.
func (v *verification) limited(ctx context.Context, run func(ctx context.Context) (int, error)) (int, error) {
	limited, cancel := context.WithTimeout(ctx, time.Duration(v.recipe.Smoke.Timeout))
	defer cancel()
	status, err := run(limited)
	if err != nil && ctx.Err() == nil && limited.Err() != nil {
		return timedOut, nil
	}
	return status, err
}

func (v *verification) inContainer(ctx context.Context, out io.Writer) (int, error) {
	engine, err := findEngine(ctx, v.Tools)
	if err != nil {
		return 0, err
	}
	tag := localTag(v.m)
	switch id, err := engine.imageID(ctx, tag); {
	case err != nil:
		return 0, err
	case id == "" && v.m.Container.Digest != "":
		tag = v.m.Container.Repository + "@" + v.m.Container.Digest // the engine pulls it
	case id == "":
		return 0, fault.New(fault.Ours, "%s does not have the image %s any more", engine.name, tag).WithHint("build it again with --force")
	}
	v.Log("running the smoke test in the container")
	return v.limited(ctx, func(ctx context.Context) (int, error) {
		return engine.script(ctx, tag, "dispatcher-smoke-"+v.m.Name+"-"+v.m.Version, bytes.NewReader(v.script), out)
	})
}

func (v *verification) inGuest(ctx context.Context, out io.Writer) (int, error) {
	file, release, err := v.file(ctx)
	if err != nil {
		return 0, err
	}
	defer release()
	v.Log("booting the disk image")
	guest, end, err := v.Guests.Boot(ctx, Machine{Disk: file, Memory: int64(v.recipe.Guest.Memory), CPUs: int(v.recipe.Guest.CPUs)})
	if err != nil {
		return 0, err
	}
	defer end()
	v.Log("running the smoke test in the guest")
	return v.limited(ctx, func(ctx context.Context) (int, error) {
		if status, err := guest.Run(ctx, settled, out); err != nil || status != 0 {
			return status, err
		}
		return guest.Run(ctx, []string{"sh", "-c", string(v.script)}, out)
	})
}
