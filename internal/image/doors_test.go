// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"maps"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"sync"
	"testing"
	"testing/fstest"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/disk"
	"github.com/spdk-community-ci/dispatcher/internal/image/tool"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/engine"
)

func TestMain(m *testing.M) {
	standin.Play() // if the program was started again as docker or qemu-img
	os.Exit(m.Run())
}

// memory is a store: names with texts. before, if set, is called before a
// manifest is created, as if another process came between.
type memory struct {
	mu      sync.Mutex
	objects map[string][]byte
	ages    map[string]time.Time
	before  func()
	fail    map[string]error // by the method's name
	now     time.Time
	log     []string // writes, in their order
}

func (m *memory) Get(_ context.Context, name string) ([]byte, error) {
	m.mu.Lock()
	defer m.mu.Unlock()
	data, ok := m.objects[name]
	if !ok {
		return nil, fault.New(fault.Permanent, "failed to read %s: %w", name, ErrNotFound)
	}
	return data, m.fail["Get"]
}

func (m *memory) Put(_ context.Context, name string, text []byte) error {
	m.mu.Lock()
	defer m.mu.Unlock()
	if err := m.fail["Put"]; err != nil {
		return err
	}
	m.log = append(m.log, "put "+name)
	m.objects[name], m.ages[name] = text, m.now
	return nil
}

func (m *memory) Create(ctx context.Context, name string, text []byte) error {
	if m.before != nil {
		m.before()
	}
	if old, err := m.Get(ctx, name); err == nil && string(old) != string(text) {
		return ErrExists
	}
	return m.Put(ctx, name, text)
}

func (m *memory) Upload(ctx context.Context, name, file string) error {
	data, err := os.ReadFile(file)
	return errors.Join(err, m.fail["Upload"], m.Put(ctx, name, data))
}

func (m *memory) Download(ctx context.Context, name, file, _ string) error {
	data, err := m.Get(ctx, name)
	if err != nil {
		return err
	}
	return os.WriteFile(file, data, 0o644)
}

func (m *memory) List(_ context.Context, prefix string, visit func(Object) error) error {
	for _, name := range slices.Sorted(maps.Keys(m.objects)) {
		if strings.HasPrefix(name, prefix) {
			if err := visit(Object{Name: name, Size: int64(len(m.objects[name])), Modified: m.ages[name]}); err != nil {
				return err
			}
		}
	}
	return nil
}

func (m *memory) Delete(_ context.Context, name string) error {
	m.log = append(m.log, "delete "+name)
	delete(m.objects, name)
	return m.fail["Delete"]
}

// tags is a registry: references with digests.
type tags map[string]string

func (r tags) Digest(_ context.Context, reference string) (string, error) {
	if d, ok := r[reference]; ok {
		return d, nil
	}
	return "", fault.New(fault.Configuration, "failed to find %s: %w", reference, ErrNotFound).WithHint("check the name")
}

func (r tags) Push(_ context.Context, file, reference string) (string, int64, error) {
	data, err := os.ReadFile(file)
	r[reference] = fmt.Sprintf("sha256:%x", sha256.Sum256(data))
	return r[reference], int64(len(data)), err
}

func (r tags) Tag(_ context.Context, reference, tag string) error {
	name, digest, _ := strings.Cut(reference, "@")
	r[name+":"+tag] = digest
	return nil
}

// files is a cache that checks what it gets, and keeps nothing.
type files struct{ dir string }

func (c files) Get(ctx context.Context, key, sum string, size int64, fetch func(context.Context, string) error) (string, func(), error) {
	file := filepath.Join(c.dir, key)
	if err := fetch(ctx, file); err != nil {
		return "", nil, err
	}
	got, n, err := hashFile(file)
	if err == nil && (got != sum || n != size) {
		err = fault.New(fault.Permanent, "%s has another checksum", key)
	}
	return file, func() {}, err
}

// guests boots nothing: a guest notes what it is asked, and its smoke test ends
// with the status.
type guests struct {
	calls  []string
	status int
	broken error
}

func (g *guests) Boot(_ context.Context, m Machine) (Guest, func() error, error) {
	g.calls = append(g.calls, fmt.Sprintf("boot %s memory=%d cpus=%d keep=%v", filepath.Base(m.Disk), m.Memory>>20, m.CPUs, m.Keep))
	return g, func() error { g.calls = append(g.calls, "end"); return nil }, g.broken
}

func (g *guests) Run(_ context.Context, args []string, out io.Writer) (int, error) {
	line, _, _ := strings.Cut(strings.Join(args, " "), "\n")
	g.calls = append(g.calls, "run "+line)
	if slices.Equal(args, settled) {
		return 0, nil
	}
	fmt.Fprintln(out, "said the guest")
	return g.status, nil
}

func (g *guests) CopyIn(_ context.Context, source, target string) error {
	g.calls = append(g.calls, "copy "+filepath.Base(source)+" "+target)
	return nil
}

func (g *guests) PowerDown(context.Context) error {
	g.calls = append(g.calls, "power down")
	return nil
}

// assembler makes a disk of what one file of the system says.
type assembler struct{ missing error }

func (a assembler) Check(context.Context, tool.Tools) error { return a.missing }

func (a assembler) Assemble(ctx context.Context, tools tool.Tools, system io.Reader, o disk.Options) (string, error) {
	root := filepath.Join(o.Work, "system")
	err := os.Mkdir(root, 0o755)
	if err == nil {
		err = tools.Run(ctx, tool.Command{Doing: "unpack", Name: "tar", Args: []string{"--extract", "--directory=" + root}, Stdin: system})
	}
	text, readErr := os.ReadFile(filepath.Join(root, "build-args"))
	raw := filepath.Join(o.Work, "disk.raw")
	return raw, errors.Join(err, readErr, os.WriteFile(raw, append(text, o.Hostname+o.Seed+o.UserData...), 0o644))
}

// bed is all that a test needs.
type bed struct {
	*Images
	t       *testing.T
	bin     string
	store   *memory
	tags    tags
	guests  *guests
	recipes fstest.MapFS
	lines   []string
}

const recipeText = `description: a test
base: debian:12
source: {url: "https://git.example.org/p", revision: main, paths: [scripts]}
container: {args: {A: one}, repository: ghcr.io/o/p}
disk: {dockerfile: Dockerfile.disk, user-data: user-data}
smoke: {script: smoke.sh}
`

func newBed(t *testing.T) *bed {
	t.Helper()
	b := &bed{
		t: t, bin: t.TempDir(), tags: tags{"debian:12": "sha256:" + strings.Repeat("ab", 32)}, guests: &guests{},
		store: &memory{objects: map[string][]byte{}, ages: map[string]time.Time{}, fail: map[string]error{}, now: start},
		recipes: fstest.MapFS{
			"x/recipe.yml": {Data: []byte(recipeText)}, "x/Dockerfile": {Data: []byte("FROM x")}, "x/Dockerfile.disk": {Data: []byte("FROM y")},
			"x/user-data": {Data: []byte("#cloud-config\n")}, "x/smoke.sh": {Data: []byte("true\n")},
		},
	}
	must(t, standin.Install(b.bin))
	b.Images = &Images{
		Recipes: b.recipes, RecipesDir: "images", Out: filepath.Join(t.TempDir(), "out"), Store: b.store, Registry: b.tags,
		Cache: files{t.TempDir()}, Guests: b.guests, Assembler: assembler{}, Tools: tool.Tools{Path: b.path},
		Now: func() time.Time { return start },
		Log: func(format string, args ...any) { b.lines = append(b.lines, fmt.Sprintf(format, args...)) },
	}
	return b
}

var start = time.Date(2026, 11, 25, 12, 0, 0, 0, time.UTC)

// path finds programs in the bed, and tar and git where they are.
func (b *bed) path(name string) (string, error) {
	file := filepath.Join(b.bin, name)
	if _, err := os.Lstat(file); err == nil {
		return file, nil
	}
	for _, dir := range filepath.SplitList(os.Getenv("PATH")) {
		if _, err := os.Stat(filepath.Join(dir, name)); err == nil && (name == "tar" || name == "git") {
			return filepath.Join(dir, name), nil
		}
	}
	return "", os.ErrNotExist
}

// says writes a file that the programs of the bed obey.
func (b *bed) says(name, text string) {
	b.t.Helper()
	must(b.t, os.WriteFile(filepath.Join(b.bin, name), []byte(text), 0o644))
}

func (b *bed) calls() string {
	text, _ := os.ReadFile(filepath.Join(b.bin, "calls"))
	return string(text)
}

// source is a tree with a script.
func (b *bed) source() string {
	b.t.Helper()
	dir := b.t.TempDir()
	must(b.t, os.MkdirAll(filepath.Join(dir, "scripts"), 0o755))
	must(b.t, os.WriteFile(filepath.Join(dir, "scripts/pkgdep.sh"), []byte("true\n"), 0o755))
	must(b.t, os.WriteFile(filepath.Join(dir, "other"), []byte("not asked for\n"), 0o644))
	return dir
}

func (b *bed) build(change ...func(*BuildOptions)) (*Built, error) {
	b.t.Helper()
	o := BuildOptions{Name: "x", SourceDir: b.source()}
	for _, c := range change {
		c(&o)
	}
	return b.Build(b.t.Context(), o)
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatalf("%v (hint: %s)", err, fault.HintOf(err))
	}
}
