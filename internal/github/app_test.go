// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"crypto/ecdsa"
	"crypto/elliptic"
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/google/go-cmp/cmp"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	standin "github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// appKey makes the key of an App once.
var appKey = sync.OnceValue(func() *rsa.PrivateKey {
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		panic(err)
	}
	return key
})

// encode writes a key as PEM, in PKCS #8 form or else as GitHub does it.
func encode(t *testing.T, key any, pkcs8 bool) string {
	t.Helper()
	if rsaKey, ok := key.(*rsa.PrivateKey); ok && !pkcs8 {
		return string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(rsaKey)}))
	}
	der, err := x509.MarshalPKCS8PrivateKey(key)
	if err != nil {
		t.Fatal(err)
	}
	return string(pem.EncodeToMemory(&pem.Block{Type: "PRIVATE KEY", Bytes: der}))
}

// newApp serves two private repositories with an App that is installed on them,
// and one without, and returns the options of a source for the first.
func newApp(t *testing.T) (*clock, *standin.Server, AppOptions) {
	t.Helper()
	c := newClock()
	s := serve(t, c, standin.Options{Apps: []standin.App{{
		ID: 42, InstallationID: 7, Key: &appKey().PublicKey,
		Access: standin.Access{Repositories: []string{"org/ci", "org/mirror"}, Contents: standin.Write, Actions: standin.Write},
	}}})
	for _, name := range []string{"org/ci", "org/mirror", "org/other"} {
		s.Repository(name).SetPrivate()
	}
	return c, s, AppOptions{
		ID: 42, PrivateKeyPEM: encode(t, appKey(), false), Repository: "org/ci", APIURL: s.URL(), Setting: "app-key",
		Transport: &http.Transport{}, UserAgent: "test", Sleep: c.sleep, Now: c.now,
	}
}

func newSource(t *testing.T, o AppOptions) TokenSource {
	t.Helper()
	source, err := AppToken(o)
	if err != nil {
		t.Fatal(err)
	}
	return source
}

func paths(requests []standin.Request) []string {
	var all []string
	for _, r := range requests {
		all = append(all, r.Method+" "+r.Path)
	}
	return all
}

const (
	find  = "GET /repos/org/ci/installation"
	renew = "POST /app/installations/7/access_tokens"
)

// TestAppToken holds when a token is asked for, and that it works.
func TestAppToken(t *testing.T) {
	t.Parallel()
	c, s, o := newApp(t)
	source := newSource(t, o)
	if got := s.Requests(); len(got) != 0 {
		t.Errorf("before the first use: got %v", got)
	}
	var used []string
	for _, step := range []struct {
		wait time.Duration
		want []string
	}{
		{0, []string{find, renew}},
		{54 * time.Minute, nil},
		{time.Minute, []string{renew}}, // five minutes before its end
		{2 * time.Hour, []string{renew}},
	} {
		c.advance(step.wait)
		token, err := source(t.Context())
		if err != nil {
			t.Fatal(err)
		}
		if diff := cmp.Diff(step.want, paths(s.Requests())); diff != "" {
			t.Errorf("after %s (-want +got):\n%s", step.wait, diff)
		}
		used = append(used, token)
		client := newClient(t, c, s.URL())
		client.token = source
		if _, err := client.DefaultBranch(t.Context(), "org/ci"); err != nil {
			t.Errorf("the token does not work: %v", err)
		}
		_, err = client.DefaultBranch(t.Context(), "org/mirror")
		checkFailure(t, err, fault.Configuration, "add it to those of the installation")
		s.Requests()
	}
	if used[0] != used[1] || used[1] == used[2] || used[2] == used[3] {
		t.Errorf("got tokens %v", used)
	}
}

// TestAppTokenOfInstallation covers a given installation: nothing is looked up,
// and the token is good for all of its repositories. The key is in PKCS #8 form.
func TestAppTokenOfInstallation(t *testing.T) {
	t.Parallel()
	c, s, o := newApp(t)
	o.InstallationID, o.PrivateKeyPEM = 7, "\n"+encode(t, appKey(), true)+"\n"
	client := newClient(t, c, s.URL())
	client.token = newSource(t, o)
	for _, name := range []string{"org/ci", "org/mirror"} {
		if _, err := client.DefaultBranch(t.Context(), name); err != nil {
			t.Error(err)
		}
	}
	if diff := cmp.Diff([]string{renew, "GET /repos/org/ci", "GET /repos/org/mirror"}, paths(s.Requests())); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestAppTokenIsSharedByCallers(t *testing.T) {
	t.Parallel()
	_, s, o := newApp(t)
	source := newSource(t, o)
	var wg sync.WaitGroup
	for range 20 {
		wg.Go(func() {
			if _, err := source(t.Context()); err != nil {
				t.Error(err)
			}
		})
	}
	wg.Wait()
	if diff := cmp.Diff([]string{find, renew}, paths(s.Requests())); diff != "" {
		t.Errorf("requests (-want +got):\n%s", diff)
	}
}

func TestAppTokenFailures(t *testing.T) {
	t.Parallel()
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		edit func(*AppOptions, *standin.Server)
		kind fault.Kind
		part string
	}{
		{"not installed", func(o *AppOptions, _ *standin.Server) { o.Repository = "org/other" }, fault.Configuration, "install GitHub App 42 on org/other"},
		{"another installation", func(o *AppOptions, _ *standin.Server) { o.InstallationID = 8 }, fault.Configuration, "correct the installation id"},
		{"another App's key", func(o *AppOptions, _ *standin.Server) { o.PrivateKeyPEM = encode(t, stranger, false) }, fault.Configuration, "belongs to that App id"},
		{"another App's id", func(o *AppOptions, _ *standin.Server) { o.ID = 43 }, fault.Configuration, "belongs to that App id"},
		{"suspended", func(_ *AppOptions, s *standin.Server) {
			s.Faults.Add(faults.Rule{Method: "POST", Do: faults.Answer(403, `{"message":"This installation has been suspended"}`)})
		}, fault.Configuration, "lift the suspension"},
		{"no access to the repository", func(_ *AppOptions, s *standin.Server) {
			s.Faults.Add(faults.Rule{Method: "POST", Do: faults.Answer(422, `{"message":"not accessible to the parent installation"}`)})
		}, fault.Configuration, "give the installation access to org/ci"},
		{"server down", func(_ *AppOptions, s *standin.Server) {
			s.Faults.Add(faults.Rule{Method: "POST", Do: faults.Answer(500, "")})
		}, fault.Transient, "failed to get a token of GitHub App 42 for org/ci"},
		{"no token in the answer", func(_ *AppOptions, s *standin.Server) {
			s.Faults.Add(faults.Rule{Method: "POST", Do: faults.Answer(201, `{"expires_at":"2026-01-01T00:00:00Z"}`)})
		}, fault.Transient, "no token or no time of expiry"},
		{"no expiry in the answer", func(_ *AppOptions, s *standin.Server) {
			s.Faults.Add(faults.Rule{Method: "POST", Do: faults.Answer(201, `{"token":"x"}`)})
		}, fault.Transient, "no token or no time of expiry"},
		{"no installation in the answer", func(_ *AppOptions, s *standin.Server) {
			s.Faults.Add(faults.Rule{Method: "GET", Do: faults.Answer(200, `{}`)})
		}, fault.Transient, "the answer names none"},
	} {
		t.Run(tc.name, func(t *testing.T) {
			t.Parallel()
			_, s, o := newApp(t)
			tc.edit(&o, s)
			token, err := newSource(t, o)(t.Context())
			if token != "" {
				t.Errorf("an error, and the token %q", token)
			}
			checkFailure(t, err, tc.kind, tc.part)
		})
	}
}

// TestAppTokenRecovers gets a token after a failure.
func TestAppTokenRecovers(t *testing.T) {
	t.Parallel()
	c, s, o := newApp(t)
	source := newSource(t, o)
	s.Faults.Add(faults.Rule{Method: "POST", Times: 5, Do: faults.Answer(502, "")})
	if _, err := source(t.Context()); fault.KindOf(err) != fault.Transient {
		t.Errorf("got %v, want a transient failure", err)
	}
	if _, err := source(t.Context()); err != nil {
		t.Error(err)
	}
	if got := len(c.slept); got != 4 {
		t.Errorf("waited %d times, want 4", got)
	}
}

func TestAppOptions(t *testing.T) {
	t.Parallel()
	good := encode(t, appKey(), false)
	ec, err := ecdsa.GenerateKey(elliptic.P256(), rand.Reader)
	if err != nil {
		t.Fatal(err)
	}
	for _, tc := range []struct {
		name string
		edit func(*AppOptions)
		part string
	}{
		{"no id", func(o *AppOptions) { o.ID = 0 }, "must be a positive number"},
		{"no repository", func(o *AppOptions) { o.Repository = "" }, "OWNER/NAME"},
		{"bad URL", func(o *AppOptions) { o.APIURL = "x" }, "GitHub API URL"},
		{"no key", func(o *AppOptions) { o.PrivateKeyPEM = " " }, "is empty"},
		{"not PEM", func(o *AppOptions) { o.PrivateKeyPEM = secret }, "is not in PEM form"},
		{"line breaks lost", func(o *AppOptions) { o.PrivateKeyPEM = strings.ReplaceAll(good, "\n", " ") }, "with its line breaks"},
		{"damaged", func(o *AppOptions) { o.PrivateKeyPEM = strings.Replace(good, "MII", "AAA", 1) }, "cannot be read"},
		{"another kind", func(o *AppOptions) { o.PrivateKeyPEM = encode(t, ec, true) }, "is not an RSA key"},
		{"too short to sign", func(o *AppOptions) { o.PrivateKeyPEM = good[:len(good)/2] }, "is not in PEM form"},
	} {
		o := AppOptions{ID: 1, PrivateKeyPEM: good, Repository: "org/ci", Now: time.Now}
		tc.edit(&o)
		source, err := AppToken(o)
		if source != nil {
			t.Errorf("%s: got a source", tc.name)
		}
		checkFailure(t, err, fault.Configuration, tc.part)
		if err != nil && strings.Contains(err.Error()+fault.HintOf(err), good[40:60]) {
			t.Errorf("%s: the error shows the key", tc.name)
		}
	}
}
