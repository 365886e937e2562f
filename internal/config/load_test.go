// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"crypto/ed25519"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"errors"
	"fmt"
	"io/fs"
	"math/big"
	"os"
	"path/filepath"
	"strings"
	"sync"
	"testing"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/golden"
)

// runner is what GitHub's runner sets in each job.
var runner = []string{
	"GITHUB_REPOSITORY=octo/ci", "GITHUB_REPOSITORY_OWNER=octo",
	"GITHUB_SERVER_URL=https://github.com", "GITHUB_API_URL=https://api.github.com",
}

// hunter2 stands in every secret, so that a leak is easy to see.
const goodSecret = "hunter2-good"

// privateKey is an RSA key in the form that GitHub gives out for Apps.
var privateKey = sync.OnceValue(func() string {
	key, err := rsa.GenerateKey(rand.Reader, 1024)
	if err != nil {
		panic(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
})

// certificate is a PEM file with one authority.
var certificate = sync.OnceValue(func() []byte {
	public, private, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		panic(err)
	}
	der, err := x509.CreateCertificate(rand.Reader, &x509.Certificate{SerialNumber: big.NewInt(1)}, &x509.Certificate{SerialNumber: big.NewInt(1)}, public, private)
	if err != nil {
		panic(err)
	}
	return pem.EncodeToMemory(&pem.Block{Type: "CERTIFICATE", Bytes: der})
})

// env returns a Getenv over the runner's variables and "NAME=value" pairs.
func env(pairs ...string) func(string) string {
	m := map[string]string{}
	for _, p := range append(runner[:len(runner):len(runner)], pairs...) {
		name, value, _ := strings.Cut(p, "=")
		m[name] = value
	}
	return func(name string) string { return m[name] }
}

// readFile is a working folder with certificates and the given configuration.
func readFile(name string, data []byte) func(string) ([]byte, error) {
	return func(asked string) ([]byte, error) {
		switch asked {
		case name:
			return data, nil
		case "ca.pem":
			return certificate(), nil
		case "not-a-cert.pem":
			return []byte("nothing of the kind"), nil
		}
		return nil, &fs.PathError{Op: "open", Path: asked, Err: fs.ErrNotExist}
	}
}

// noFile is a working folder without a configuration.
var noFile = readFile("", nil)

// loadFile loads a configuration file of the given name and text.
func loadFile(name string, data []byte, pairs ...string) (*Config, error) {
	pairs = append(pairs, "INPUT_CONFIG="+name, "GOOD_SECRET="+goodSecret, "GOOD_KEY="+privateKey())
	return Load(Source{Getenv: env(pairs...), ReadFile: readFile(name, data)})
}

// cases lists the files of one folder of testdata.
func cases(t *testing.T, pattern string) []string {
	t.Helper()
	names, err := filepath.Glob(filepath.Join("testdata", pattern))
	if err != nil || len(names) == 0 {
		t.Fatalf("no files %s: %v", pattern, err)
	}
	return names
}

// read returns the text of a file.
func read(t *testing.T, name string) []byte {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return data
}

func TestBadFiles(t *testing.T) {
	t.Parallel()
	for _, name := range cases(t, "bad/*.yml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			c, err := loadFile(filepath.Base(name), read(t, name))
			if err == nil {
				t.Fatalf("loaded: %+v", c)
			}
			if !errors.Is(err, fault.Configuration) || fault.KindOf(err) != fault.Configuration {
				t.Errorf("got kind %v, want configuration", fault.KindOf(err))
			}
			if strings.Contains(err.Error(), "hunter2") {
				t.Errorf("a secret is shown:\n%v", err)
			}
			problems, ok := errors.AsType[Problems](err)
			if !ok {
				t.Fatalf("got %T, want Problems in it", err)
			}
			for _, p := range problems {
				if p.File == "" && p.Input == "" {
					t.Errorf("no place: %v", p)
				}
			}
			golden.Compare(t, strings.TrimSuffix(name, ".yml")+".out", err.Error()+"\n")
		})
	}
}

func TestUnreadableFiles(t *testing.T) {
	t.Parallel()
	tests := []struct {
		name string
		data []byte
		want string
	}{
		{"too long", []byte(strings.Repeat("# ", 1<<19) + "\n"), "more than 1048576 bytes"},
		{"not UTF-8", []byte("gerrits: \xff\n"), "not UTF-8"},
		{"deep", []byte(strings.Repeat("[", 1<<19)), "not YAML"},
		{"bomb", bomb(), "more than 100000 values"},
		{"control characters", []byte("gerrits: \x01\n"), "not YAML"},
	}
	for _, tt := range tests {
		t.Run(tt.name, func(t *testing.T) {
			t.Parallel()
			if _, err := loadFile("f.yml", tt.data); err == nil || !strings.Contains(err.Error(), tt.want) {
				t.Errorf("got %.300v, want it to hold %q", err, tt.want)
			}
		})
	}
	_, err := Load(Source{Getenv: env("INPUT_CONFIG=gone.yml"), ReadFile: noFile})
	if want := `input config: failed to read "gone.yml"`; err == nil || !strings.HasPrefix(err.Error(), want) {
		t.Errorf("got %v, want %s", err, want)
	}
}

// bomb is a file in which a few aliases stand for very many values.
func bomb() []byte {
	list := func(item string) string {
		var items []string
		for i := range 1000 {
			items = append(items, fmt.Sprintf(item, i))
		}
		return "[" + strings.Join(items, ", ") + "]"
	}
	return fmt.Appendf(nil, "gerrits: {a: {url: 'https://a.example.org'}}\ndefaults: {branches: &b %s}\nprojects: %s\n",
		list("b%d"), list("{name: p%d, branches: *b}"))
}

func TestGoodFiles(t *testing.T) {
	t.Parallel()
	for _, name := range cases(t, "good/*.yml") {
		t.Run(filepath.Base(name), func(t *testing.T) {
			t.Parallel()
			c, err := loadFile(filepath.Base(name), read(t, name))
			if err != nil {
				t.Fatal(err)
			}
			golden.Compare(t, strings.TrimSuffix(name, ".yml")+".out", describeConfig(c))
		})
	}
}

// problemsOf returns the problems in an error of Load.
func problemsOf(t *testing.T, err error) Problems {
	t.Helper()
	problems, ok := errors.AsType[Problems](err)
	if !ok {
		t.Fatalf("got %v, want Problems", err)
	}
	return problems
}
