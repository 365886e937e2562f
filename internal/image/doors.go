// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"errors"
	"io"
	"io/fs"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/image/disk"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
)

// What a Store says, with errors.Is.
var (
	// ErrNotFound: there is no object of that name.
	ErrNotFound = errors.New("there is no such object")
	// ErrExists: another writer was first.
	ErrExists = errors.New("there is such an object already")
)

// Objects are small texts under names. Get's error is ErrNotFound if there is
// none. Put replaces what is there; Create's error is ErrExists if something
// else is.
type Objects interface {
	Get(ctx context.Context, name string) ([]byte, error)
	Put(ctx context.Context, name string, text []byte) error
	Create(ctx context.Context, name string, text []byte) error
}

// Files are large objects. Upload does nothing if the same content is there;
// both go on where an earlier try was cut off.
type Files interface {
	Upload(ctx context.Context, name, file string) error
	Download(ctx context.Context, name, file, sha256 string) error
}

// Shelf lists and removes objects of either kind. Deleting what is not there is
// no error.
type Shelf interface {
	List(ctx context.Context, prefix string, visit func(Object) error) error
	Delete(ctx context.Context, name string) error
}

// Object is an entry of a list.
type Object struct {
	Name     string
	Size     int64 // bytes
	Modified time.Time
}

// Store is where images are kept.
type Store interface {
	Objects
	Files
	Shelf
}

// Registry keeps container images. Digest's error is ErrNotFound if there is no
// such image. Push uploads a file that "docker save" wrote.
type Registry interface {
	Digest(ctx context.Context, reference string) (string, error)
	Push(ctx context.Context, file, reference string) (digest string, size int64, err error)
	Tag(ctx context.Context, reference, tag string) error
}

// Cache keeps files on this host by their SHA-256, and brings one with fetch if
// it is not here. The file must not be written to, and is safe until release.
type Cache interface {
	Get(ctx context.Context, key, sha256 string, size int64, fetch func(ctx context.Context, path string) error) (path string, release func(), err error)
}

// Web downloads a distribution's images.
type Web interface {
	Size(ctx context.Context, address string) (int64, error)
	Download(ctx context.Context, address, file string, size int64) error
}

// Guests boots disks. The guest takes commands when Boot returns; end ends one
// that still runs, and may be called again.
type Guests interface {
	Boot(ctx context.Context, m Machine) (g Guest, end func() error, err error)
}

// Machine is what a disk is booted in.
type Machine struct {
	Disk   string // a qcow2 file
	Memory int64  // bytes
	CPUs   int
	// Keep writes to the disk itself; otherwise it stays as it is.
	Keep bool
}

// Guest is a machine that is up. Run runs a program as root and returns its exit
// status; out gets all that it writes. CopyIn copies a file, or what is in a
// folder. PowerDown shuts the system down and waits for that.
type Guest interface {
	Run(ctx context.Context, args []string, out io.Writer) (status int, err error)
	CopyIn(ctx context.Context, source, target string) error
	PowerDown(ctx context.Context) error
}

// Assembler makes a raw disk of a file system in a tarball; disk.Assembler is the real one.
type Assembler interface {
	Check(ctx context.Context, tools tool.Tools) error
	Assemble(ctx context.Context, tools tool.Tools, system io.Reader, o disk.Options) (string, error)
}

// Images does the work.
type Images struct {
	// Recipes is the folder of recipes, and RecipesDir its name for people.
	Recipes    fs.FS
	RecipesDir string
	// Out is the folder of builds: NAME/VERSION/ below it.
	Out string
	// Store may be nil: then images stay on this host, and containers go to
	// their registry only.
	Store Store
	// Registry, Cache and Guests are asked when they are needed.
	Registry Registry
	Cache    Cache
	Guests   Guests
	Web      Web
	// Assembler and Tools run the programs of this host.
	Assembler Assembler
	Tools     tool.Tools
	Now       func() time.Time
	// Log tells people what goes on, a line each.
	Log func(format string, args ...any)
}
