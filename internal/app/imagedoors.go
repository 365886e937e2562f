// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"bytes"
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"os"
	"os/exec"
	"path/filepath"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/action"
	"github.com/spdk-community-ci/dispatcher/internal/cache"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/guest"
	"github.com/spdk-community-ci/dispatcher/internal/image"
	"github.com/spdk-community-ci/dispatcher/internal/image/disk"
	"github.com/spdk-community-ci/dispatcher/internal/image/registry"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
	"github.com/spdk-community-ci/dispatcher/internal/store"
)

// newImageWork connects the parts that work with images. It opens no connection.
func (a *App) newImageWork(out *action.Action, f *imageFlags) (*imageWork, error) {
	w := &imageWork{app: a, out: out, flags: f}
	out.Mask(a.Getenv("S3_KEY"), a.Getenv("S3_SECRET"), a.Getenv("GITHUB_TOKEN"), a.Getenv("GHPA_TOKEN"))
	transport, err := (&transports{app: a}).get("")
	if err != nil {
		return nil, err
	}
	var log io.Writer
	if f.verbose {
		log = a.Stderr
	}
	sudo, err := asRoot()
	if err != nil {
		return nil, err
	}
	registries := hub{&registry.Client{Transport: transport, UserAgent: a.userAgent(), Getenv: a.Getenv, Backoff: time.Second}}
	w.manifests = registries
	w.Images = &image.Images{
		Recipes: os.DirFS(cmp.Or(f.recipes, ".")), RecipesDir: f.recipes, Out: f.out,
		Registry:  registries,
		Cache:     &imageCache{app: a, dir: f.cache, size: int64(f.cacheSize)},
		Guests:    guests{app: a, flags: f},
		Web:       image.HTTP{Transport: transport, UserAgent: a.userAgent()},
		Assembler: disk.Assembler{Sudo: sudo}, Tools: tool.Tools{Log: log, Path: a.lookPath}, Now: a.Now,
		Log: func(format string, args ...any) {
			fmt.Fprintln(a.Stderr, printable("  "+fmt.Sprintf(format, args...)))
		},
	}
	if w.storage, err = a.imageStore(transport); w.storage != nil {
		w.Store = shelf{w.storage, a}
	} else if public := a.Getenv("S3_PUBLIC_URL"); public != "" {
		w.Store = webShelf{base: public, transport: transport, userAgent: a.userAgent()}
	}
	return w, err
}

// lookPath finds a program as exec.LookPath does, in the PATH that was injected.
func (a *App) lookPath(name string) (string, error) {
	for _, dir := range filepath.SplitList(a.Getenv("PATH")) {
		if filepath.IsAbs(dir) {
			if path, err := exec.LookPath(filepath.Join(dir, name)); err == nil {
				return path, nil
			}
		}
	}
	return "", exec.ErrNotFound
}

// imageStore opens the storage that the environment names; nil if it names none.
func (a *App) imageStore(transport http.RoundTripper) (*store.Store, error) {
	o := store.Options{
		Endpoint: a.Getenv("S3_ENDPOINT_URL"), Bucket: a.Getenv("S3_BUCKET"), Region: a.Getenv("S3_REGION"),
		PathStyle: store.PathStyle(a.Getenv("S3_PATH_STYLE")), PublicURL: a.Getenv("S3_PUBLIC_URL"),
		Key: a.Getenv("S3_KEY"), Secret: a.Getenv("S3_SECRET"),
		Transport: transport, UserAgent: a.userAgent(), Now: a.Now, Sleep: a.Sleep,
	}
	if o.Endpoint+o.Bucket+o.Key+o.Secret == "" {
		return nil, nil
	}
	return store.Open(o)
}

// shelf gives images the storage in their own words.
type shelf struct {
	*store.Store
	app *App
}

// alike lets an error be found under the name that another package has for it.
type alike struct {
	error
	name error
}

// Is reports whether target is that name.
func (e alike) Is(target error) bool { return target == e.name }

// Unwrap returns the error itself.
func (e alike) Unwrap() error { return e.error }

func named(err error) error {
	switch {
	case errors.Is(err, store.ErrNotFound), errors.Is(err, registry.ErrNotFound):
		return alike{err, image.ErrNotFound}
	case errors.Is(err, store.ErrExists):
		return alike{err, image.ErrExists}
	}
	return err
}

// maxText bounds a manifest or an alias.
const maxText = 4 << 20

// Get reads a small object.
func (s shelf) Get(ctx context.Context, name string) ([]byte, error) {
	r, _, err := s.Store.Get(ctx, name)
	if err != nil {
		return nil, named(err)
	}
	defer r.Close()
	text, err := io.ReadAll(io.LimitReader(r, maxText+1))
	if err == nil && len(text) > maxText {
		err = fault.New(fault.Permanent, "%s has more than %d MiB", name, maxText>>20)
	}
	return text, err
}

// Put writes a small object.
func (s shelf) Put(ctx context.Context, name string, text []byte) error {
	return s.Store.Put(ctx, name, bytes.NewReader(text), int64(len(text)), "application/json")
}

// Create writes a small object unless another writer was first.
func (s shelf) Create(ctx context.Context, name string, text []byte) error {
	return named(s.Store.PutNew(ctx, name, text, "application/json"))
}

// Upload sends a disk.
func (s shelf) Upload(ctx context.Context, name, file string) error {
	tell, end := s.app.bar("  uploading " + name)
	defer end()
	return s.Store.Upload(ctx, name, file, store.UploadOptions{ContentType: "application/x-qemu-disk", Progress: tell})
}

// Download brings a disk.
func (s shelf) Download(ctx context.Context, name, file, sha256 string) error {
	tell, end := s.app.bar("  downloading " + name)
	defer end()
	return named(s.Store.Download(ctx, name, file, store.DownloadOptions{SHA256: sha256, Progress: tell}))
}

// List visits objects.
func (s shelf) List(ctx context.Context, prefix string, visit func(image.Object) error) error {
	return s.Store.List(ctx, prefix, func(o store.Object) error {
		return visit(image.Object{Name: o.Name, Size: o.Size, Modified: o.Modified})
	})
}

// hub gives images the registry in their own words.
type hub struct{ *registry.Client }

// Digest asks for a digest.
func (h hub) Digest(ctx context.Context, reference string) (string, error) {
	digest, err := h.Client.Digest(ctx, reference)
	return digest, named(err)
}

// Push uploads a saved container.
func (h hub) Push(ctx context.Context, file, reference string) (string, int64, error) {
	pushed, err := h.Client.Push(ctx, file, reference)
	return pushed.Digest, pushed.Size, err
}

// imageCache opens the host's cache when it is needed.
type imageCache struct {
	app  *App
	dir  string
	size int64
}

// Get returns a file of the cache.
func (c *imageCache) Get(ctx context.Context, key, sha256 string, size int64, fetch func(context.Context, string) error) (string, func(), error) {
	dir := cmp.Or(c.dir, c.app.Getenv("DISPATCHER_CACHE"))
	if dir == "" {
		base := cmp.Or(c.app.Getenv("XDG_CACHE_HOME"), filepath.Join(c.app.Getenv("HOME"), ".cache"))
		if !filepath.IsAbs(base) {
			return "", nil, wrong("give --cache DIR, or set DISPATCHER_CACHE", "there is no home folder to keep images in")
		}
		dir = filepath.Join(base, "dispatcher")
	}
	open, err := cache.Open(dir, cache.Options{
		MaxBytes: c.size, Now: c.app.Now, Sleep: c.app.Sleep,
		Waiting: func(key string) { fmt.Fprintf(c.app.Stderr, "  waiting for another process that brings %s\n", key) },
	})
	if err != nil {
		return "", nil, err
	}
	return open.Get(ctx, key, sha256, size, fetch)
}

// guests boots disks in QEMU.
type guests struct {
	app   *App
	flags *imageFlags
}

// Boot starts a guest and waits until it takes commands.
func (g guests) Boot(ctx context.Context, m image.Machine) (image.Guest, func() error, error) {
	accel, err := parseAccel(g.flags.accel)
	if err != nil {
		return nil, nil, err
	}
	described, err := g.app.machine("", [][2]string{{"memory", fmt.Sprintf("%dM", m.Memory>>20)}, {"cpus", fmt.Sprint(m.CPUs)}})
	if err != nil {
		return nil, nil, err
	}
	started, err := guest.Start(ctx, guest.Options{
		Image: m.Disk, Writable: m.Keep, Machine: described, Accel: accel, BootTimeout: g.flags.bootTimeout, Console: g.flags.console,
		Now: g.app.Now, Sleep: g.app.Sleep, Findings: g.app.kvm,
		Log: func(text string) { fmt.Fprintln(g.app.Stderr, printable("  "+text)) },
	})
	if err != nil {
		return nil, nil, g.explain(err)
	}
	return running{started, g}, started.Close, nil
}

// explain adds the end of the console to what went wrong.
func (g guests) explain(err error) error {
	if e, ok := errors.AsType[*guest.Error](err); ok {
		for _, line := range e.Console {
			fmt.Fprintln(g.app.Stderr, printable("  console: "+line))
		}
	}
	return err
}

// running is a guest in the words of images.
type running struct {
	*guest.Guest
	guests guests
}

// Run runs a program as root; both of its streams go to out.
func (r running) Run(ctx context.Context, args []string, out io.Writer) (int, error) {
	status, err := r.Guest.Run(ctx, guest.Command{Args: args, Stdout: out, Stderr: out})
	return status, r.guests.explain(err)
}
