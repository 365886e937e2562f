// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"errors"
	"net/url"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/bmatcuk/doublestar/v4"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// checkConfig holds a loaded configuration to what the other packages rely on.
func checkConfig(t *testing.T, c *Config) {
	t.Helper()
	mirrors := map[string]bool{}
	for _, p := range c.Projects {
		for _, address := range []string{p.Gerrit.URL, p.Mirror.URL, p.CI.APIURL} {
			u, err := url.Parse(address)
			if err != nil || u.Scheme != "https" && u.Scheme != "http" || u.Host == "" || u.User != nil || strings.HasSuffix(address, "/") {
				t.Errorf("%s: the address %q", p.Name, address)
			}
		}
		if p.Name == "" || p.CI.Repository == "" || p.Mirror.Repository == "" || len(p.Branches) == 0 || len(p.Workflows) == 0 {
			t.Errorf("incomplete: %+v", p)
		}
		if mirrors[strings.ToLower(p.Mirror.URL)] {
			t.Errorf("two projects share %s", p.Mirror.URL)
		}
		mirrors[strings.ToLower(p.Mirror.URL)] = true
		if p.Mirror.Namespace == "" || p.Mirror.Ledger == "" || p.Mirror.Credential.Token != "" && p.Mirror.Credential.App != nil {
			t.Errorf("%s: the mirror %+v", p.Name, p.Mirror)
		}
		for _, glob := range p.Branches {
			if !doublestar.ValidatePattern(glob) {
				t.Errorf("%s: the branches %q", p.Name, glob)
			}
		}
		for _, s := range p.Skip.Subjects {
			if _, err := regexp.Compile(s); err != nil {
				t.Errorf("%s: %v", p.Name, err)
			}
		}
		for _, w := range p.Workflows {
			k := change.Key{Server: p.Gerrit.Name, ID: change.ID{Change: 1, Patchset: 1}, Workflow: w.Name, Attempt: 1}
			if got, err := change.ParseKey(k.String()); err != nil || got != k {
				t.Errorf("%s: the key %s: %v", p.Name, k, err)
			}
			if (w.File == "") == (w.Event == "") || w.TrivialRebase == "" || w.NoCodeChange == "" || (w.Trust.Label == "") != (w.Trust.Value == 0) {
				t.Errorf("%s: the workflow %+v", p.Name, w)
			}
		}
		if l := p.Limits; l.PerPass < 0 || l.Running < 0 || l.PerOwner < 0 || l.Pace < 0 || time.Duration(l.PerPass)*l.Pace >= p.Grace {
			t.Errorf("%s: the limits %+v with grace %v", p.Name, l, p.Grace)
		}
	}
}

// checkError holds an error of Load to what people rely on.
func checkError(t *testing.T, err error, lines int) {
	t.Helper()
	problems := problemsOf(t, err)
	if len(problems) == 0 || len(problems) > maxProblems || !errors.Is(err, fault.Configuration) {
		t.Errorf("got %d problems of kind %v", len(problems), fault.KindOf(err))
	}
	for _, p := range problems {
		if p.Line < 0 || p.Line > lines+1 || p.Line > 0 && p.Column < 1 {
			t.Errorf("the place %v in a file of %d lines", p.Place, lines)
		}
		if p.Text == "" || len(p.String()) > 2000 || strings.ContainsAny(p.Text, "\n\r\x00\x1b") {
			t.Errorf("the text %q", p.String())
		}
	}
}

func FuzzFile(f *testing.F) {
	for _, pattern := range []string{"testdata/bad/*.yml", "testdata/good/*.yml", exampleFile} {
		names, err := filepath.Glob(pattern)
		if err != nil {
			f.Fatal(err)
		}
		for _, name := range names {
			data, err := os.ReadFile(name)
			if err != nil {
				f.Fatal(err)
			}
			f.Add(data)
		}
	}
	f.Fuzz(func(t *testing.T, data []byte) {
		c, err := loadFile("f.yml", data)
		if err != nil {
			checkError(t, err, strings.Count(string(data), "\n")+strings.Count(string(data), "\r")+1)
			return
		}
		checkConfig(t, c)
	})
}

func FuzzInputs(f *testing.F) {
	for _, in := range Inputs() {
		f.Add(in.Name, in.Default)
	}
	f.Add("gerrit-url", "https://u:p@example.org")
	f.Add("branches", "a{b,c},d\r\ne")
	f.Add("trust-label", "+")
	f.Add("mirror", "none")
	f.Fuzz(func(t *testing.T, name, text string) {
		in, ok := lookUp(name)
		if !ok {
			return
		}
		c, err := loadInputs("INPUT_" + strings.ToUpper(in.Name) + "=" + text)
		if err != nil {
			checkError(t, err, 0)
			if in.Secret && len(text) > 20 && strings.Contains(err.Error(), strings.TrimSpace(text)) {
				t.Errorf("a secret is shown: %v", err)
			}
			return
		}
		checkConfig(t, c)
	})
}

func FuzzDuration(f *testing.F) {
	for _, s := range []string{"0", "0s", "90s", "15m", "6h", "30d", "26w", "1h30m", "1d1d", "00001s", "99999999w", "1", "-1s", "1.5h", "1ms", ""} {
		f.Add(s)
	}
	f.Fuzz(func(t *testing.T, s string) {
		var d, again duration
		if d.UnmarshalText([]byte(s)) != nil {
			return
		}
		if d < 0 || time.Duration(d) > maxDuration {
			t.Errorf("%q gives %d", s, d)
		}
		if err := again.UnmarshalText([]byte(d.String())); err != nil || again != d {
			t.Errorf("%q is written %q, which gives %v, %v", s, d, again, err)
		}
	})
}

func FuzzSplitList(f *testing.F) {
	f.Add("a, b\nc{d,e}", true)
	f.Add("}{,", true)
	f.Add(",\r\n,", false)
	f.Fuzz(func(t *testing.T, text string, commas bool) {
		items := splitList(text, commas)
		for _, item := range items {
			if item == "" || item != strings.TrimSpace(item) || strings.ContainsAny(item, "\r\n") || !strings.Contains(text, item) {
				t.Errorf("%q gives the item %q", text, item)
			}
			if commas && strings.Contains(item, ",") && !strings.Contains(text, "{") {
				t.Errorf("%q gives the item %q, with a comma", text, item)
			}
		}
		again := splitList(strings.Join(items, "\n"), false)
		if strings.Join(again, "\n") != strings.Join(items, "\n") {
			t.Errorf("%q gives %q, and that gives %q", text, items, again)
		}
	})
}
