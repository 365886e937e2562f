// SPDX-License-Identifier: BSD-3-Clause

package machine

import (
	"encoding/json"
	"errors"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
	"github.com/spdk-community-ci/dispatcher/internal/strictyaml"
)

// TestFiles reads each description of testdata: a good one gives a machine with
// everything filled in, a bad one all its mistakes.
func TestFiles(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("testdata/*/*.[yj]*")
	if err != nil || len(files) < 7 {
		t.Fatalf("got %d files, %v", len(files), err)
	}
	for _, file := range files {
		t.Run(file, func(t *testing.T) {
			t.Parallel()
			data, err := os.ReadFile(file)
			if err != nil {
				t.Fatal(err)
			}
			m, err := NewReader(filepath.Base(file), data).Machine()
			isBad := strings.Contains(file, "/bad/")
			if (err != nil) != isBad || isBad && !errors.Is(err, fault.Configuration) {
				t.Fatalf("got the error %v", err)
			}
			got := ""
			if isBad {
				got = err.Error() + "\n"
			} else if text, err := json.MarshalIndent(m, "", "  "); err != nil {
				t.Fatal(err)
			} else {
				got = string(text) + "\n"
			}
			golden.Compare(t, strings.TrimSuffix(file, filepath.Ext(file))+".out", got)
		})
	}
}

// TestFlags: flags win over the file, and lists are added to its lists.
func TestFlags(t *testing.T) {
	t.Parallel()
	r := NewReader("m.yml", []byte("cpus: 1\nmemory: 1G\nnvme:\n  - namespaces: [{size: 1M}]\n"))
	for _, f := range [][2]string{
		{"cpus", "8"}, {"cpu", "qemu64,+avx"}, {"memory", "4G"}, {"hugepages", "1G"}, {"machine-type", "pc-q35-7.2"}, {"iommu", "true"},
		{"pcie-switch", "true"}, {"nvme", "1G+2G/4K,controllers=2,nqn=x"}, {"qemu-arg", "-S"},
	} {
		r.Set(f[0], f[1])
	}
	got, err := r.Machine()
	if err != nil {
		t.Fatal(err)
	}
	want := Machine{
		Type: "pc-q35-7.2", CPUs: 8, CPU: "qemu64,+avx", Memory: 4 * GiB, Hugepages: GiB, IOMMU: true, Switch: true, ExtraArgs: []string{"-S"},
		NVMe: []Subsystem{
			{NQN: "subsys0", Serial: "DISPATCHER0", Controllers: 1, Namespaces: []Namespace{{ID: 1, Size: MiB, BlockSize: 512}}},
			{NQN: "x", Serial: "DISPATCHER1", Controllers: 2, Namespaces: []Namespace{{ID: 1, Size: GiB, BlockSize: 512}, {ID: 2, Size: 2 * GiB, BlockSize: 4096}}},
		},
	}
	if diff := cmp.Diff(want, got); diff != "" {
		t.Errorf("-want +got:\n%s", diff)
	}
	if len(Flags()) != 9 {
		t.Errorf("there are %d flags, and this test sets 9", len(Flags()))
	}
}

// TestBadFlags: every mistake names its flag and says what to write.
func TestBadFlags(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ name, text, want string }{
		{"cpus", "many", `--cpus: "many" is not a number`},
		{"cpus", "-1", "--cpus: there cannot be -1 processors"},
		{"cpus", "99999999999", `--cpus: "99999999999" is not a number`},
		{"memory", "lots", `--memory: "lots" is not a size`},
		{"memory", "1M", "--memory: the guest cannot have 1M of memory"},
		{"hugepages", "x", `--hugepages: "x" is not a size`},
		{"machine-type", "virt", `--machine-type: there is no machine type "virt" here`},
		{"iommu", "perhaps", `--iommu: "perhaps" is neither true nor false`},
		{"pcie-switch", "2", `--pcie-switch: "2" is neither true nor false`},
		{"nvme", "", `--nvme: "" is not a size`},
		{"nvme", "1G,controllers=0", `--nvme: there cannot be "0" controllers`},
		{"nvme", "1G,controllers=25", "--nvme: there are more than 24 NVMe controllers"},
		{"nvme", "1G,ports=2", `--nvme: "ports=2" is no part of a subsystem`},
		{"nvme", "1000001", "--nvme: a namespace cannot have 1000001 bytes"},
		{"nvme", "1048577", "--nvme: the size 1048577 is not made of whole blocks of 512"},
		{"nvme", "1G/520", "--nvme: a block cannot have 520 bytes"},
		{"qemu-arg", "", "--qemu-arg: an empty argument is none"},
	} {
		r := NewReader("", nil)
		r.Set(c.name, c.text)
		_, err := r.Machine()
		problems, ok := errors.AsType[strictyaml.Problems](err)
		want := strings.Replace(c.want, ":", strings.TrimRight(" "+c.text, " ")+":", 1)
		if !ok || len(problems) != 1 || problems[0].Place+": "+problems[0].Text != want {
			t.Errorf("--%s %q: got %v, want %s", c.name, c.text, err, want)
		} else if problems[0].Hint == "" && c.text != "1G,controllers=25" {
			t.Errorf("--%s %q: there is no hint", c.name, c.text)
		}
	}
}

func TestTooManyNamespaces(t *testing.T) {
	t.Parallel()
	r := NewReader("", nil)
	r.Set("nvme", "1M"+strings.Repeat("+1M", maxNamespaces))
	_, err := r.Machine()
	if err == nil || !strings.Contains(err.Error(), "a subsystem has 256 namespaces at most, this one has 257") {
		t.Errorf("got %v", err)
	}
}

func TestFileSize(t *testing.T) {
	t.Parallel()
	for _, c := range []struct {
		ns   Namespace
		want Size
	}{
		{Namespace{Size: GiB, BlockSize: 512}, GiB},
		{Namespace{Size: GiB, BlockSize: 4096, Metadata: 64}, GiB + 16*MiB},
	} {
		if got := c.ns.FileSize(); got != c.want {
			t.Errorf("%+v: got %s, want %s", c.ns, got, c.want)
		}
	}
}

func TestParseSize(t *testing.T) {
	t.Parallel()
	for text, want := range map[string]Size{
		"0": 0, "512": 512, "4K": 4096, "4k": 4096, "1M": MiB, "1MB": MiB, "1MiB": MiB, "12G": 12 * GiB, "2T": 2 * TiB, "8388607T": 8388607 * TiB,
	} {
		if got, err := ParseSize(text); err != nil || got != want {
			t.Errorf("%q: got %d, %v, want %d", text, got, err, want)
		}
	}
	for _, text := range []string{"", "G", "-1G", "+1G", "1.5G", "1 G", "1P", "8388608T", "99999999999999999999", "1B", "1I", "0x10", "1GG", "\x00"} {
		if got, err := ParseSize(text); err == nil {
			t.Errorf("%q: got %d, want an error", text, got)
		}
	}
}

// FuzzParseSize: what is written can be read again.
func FuzzParseSize(f *testing.F) {
	for _, text := range []string{"512", "4K", "1MiB", "12g", "1.5G", "9223372036854775807"} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		size, err := ParseSize(text)
		if err != nil {
			return
		}
		if again, err := ParseSize(size.String()); err != nil || again != size || size < 0 {
			t.Errorf("%q: got %d, then %d, %v", text, size, again, err)
		}
	})
}

// FuzzParseSubsystem: the short form of what was read gives the same again.
func FuzzParseSubsystem(f *testing.F) {
	for _, text := range []string{"1G", "1G/4K+512M,controllers=2,nqn=x", "1G,controllers=2,controllers=3", "+", ","} {
		f.Add(text)
	}
	f.Fuzz(func(t *testing.T, text string) {
		s, err := ParseSubsystem(text)
		if err != nil {
			return
		}
		again, err := ParseSubsystem(s.String())
		if err != nil || !cmp.Equal(s, again) {
			t.Errorf("%q: got %+v, then %+v, %v", text, s, again, err)
		}
	})
}

// FuzzFile: whatever stands in a file, a machine that is accepted is one that
// QEMU can be told about.
func FuzzFile(f *testing.F) {
	files, _ := filepath.Glob("testdata/*/*.yml")
	for _, file := range files {
		data, err := os.ReadFile(file)
		if err != nil {
			f.Fatal(err)
		}
		f.Add(data)
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		m, err := NewReader("m.yml", data).Machine()
		if err != nil {
			if !errors.Is(err, fault.Configuration) {
				t.Errorf("got %v", err)
			}
			return
		}
		text, err := json.Marshal(m)
		if err != nil {
			t.Fatal(err)
		}
		again, err := NewReader("m.json", text).Machine()
		if err != nil || !cmp.Equal(m, again) {
			t.Errorf("got %+v, then %+v, %v", m, again, err)
		}
		for _, s := range m.NVMe {
			for _, ns := range s.Namespaces {
				if ns.FileSize() < ns.Size {
					t.Errorf("got a file of %d for %d", ns.FileSize(), ns.Size)
				}
			}
		}
	})
}

// TestGuide: the example of docs/guests.md is the tested one.
func TestGuide(t *testing.T) {
	t.Parallel()
	guide, err := os.ReadFile("../../../docs/guests.md")
	if err != nil {
		t.Fatal(err)
	}
	want, err := os.ReadFile("testdata/good/spdk.yml")
	if err != nil {
		t.Fatal(err)
	}
	_, rest, _ := strings.Cut(string(guide), "<!-- spdk.yml -->\n```yaml\n")
	got, _, ok := strings.Cut(rest, "```\n<!-- /spdk.yml -->")
	if !ok || got != string(want) {
		t.Errorf("docs/guests.md shows\n%s\nwant\n%s", got, want)
	}
}
