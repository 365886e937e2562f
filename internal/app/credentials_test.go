// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"crypto/rand"
	"crypto/rsa"
	"crypto/x509"
	"encoding/pem"
	"net/http"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/standin/faults"
	"github.com/spdk-community-ci/dispatcher/internal/standin/gerrit"
	"github.com/spdk-community-ci/dispatcher/internal/standin/github"
)

// TestExpiredTokens lets one credential after the other end. Each time the hint
// says whose it is; and all is made up for when there is a new one.
func TestExpiredTokens(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.secrets = append(s.secrets, "ghp-expired", "ghp-mirror", "gerrit-expired")
	s.gerrit.Account("bot")
	s.env["GERRIT_USERNAME"], s.env["GERRIT_PASSWORD"] = "bot", password
	for _, tt := range []struct{ name, variable, expired string }{
		{"The mirror's token has expired.", "INPUT_MIRROR-TOKEN", "ghp-expired"},
		{"The CI repository's token has expired.", "INPUT_CI-TOKEN", "ghp-expired"},
		{"The token for both has expired.", "GHPA_TOKEN", "ghp-expired"},
		{"Gerrit's password has expired.", "GERRIT_PASSWORD", "gerrit-expired"},
	} {
		c := s.push("ann", "bdev: "+tt.name, nil)
		good := s.env[tt.variable]
		s.env[tt.variable] = tt.expired
		s.says(tt.name)
		s.pass(ExitConfiguration)
		s.env[tt.variable] = good
		s.endsWell(c)
	}
}

// TestNoToken is a newcomer's first try.
func TestNoToken(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	one := s.push("ann", "nvme: split the probe loop", nil)
	delete(s.env, "GHPA_TOKEN")
	s.pass(ExitConfiguration)
	if writes := s.writes(); len(writes) > 0 {
		t.Errorf("got %q", writes)
	}
	s.env["GHPA_TOKEN"] = token
	s.endsWell(one)
}

// TestAnotherServersToken is a mirror that lies elsewhere, and a developer who
// is logged in at github.com: that token is none of the mirror's business.
func TestAnotherServersToken(t *testing.T) {
	t.Parallel()
	s := begin(t, "")
	s.push("ann", "nvme: split the probe loop", nil)
	s.env = map[string]string{}
	s.secrets = append(s.secrets, developerToken)
	s.configure(strings.Replace(defaultConfig(""), "mirror: example/spdk", "mirror: {url: GITHUB/example/spdk.git}", 1))
	s.transport = before(func(r *http.Request) {
		if r.URL.Hostname() != "127.0.0.1" {
			t.Errorf("a request to %s", r.URL.Host)
		}
	})
	s.pass(ExitConfiguration)
	if slices.Contains(s.tokens, developerToken) {
		t.Error("the mirror was sent the token of github.com")
	}
}

// TestGerritAccount is a Gerrit below a path that wants a login.
func TestGerritAccount(t *testing.T) {
	t.Parallel()
	s := begin(t, "skip: {private: false}", func(o *servers) { o.gerrit.BasePath = "/gerrit" })
	s.gerrit.Account("bot").SeesPrivate = true
	one := s.push("ann", "nvme: split the probe loop", nil)
	two := s.project.Push(gerrit.Draft{Owner: "bob", Subject: "bdev: fix a hole", Private: true})
	s.env["GERRIT_USERNAME"], s.env["GERRIT_PASSWORD"] = "bot", "wrong"
	s.says("The password is wrong.")
	s.pass(ExitConfiguration)
	s.says("It is right.")
	s.env["GERRIT_PASSWORD"] = password
	s.pass(ExitDone)
	for _, r := range s.requests {
		if strings.HasPrefix(r, "gerrit ") && !strings.Contains(r, " /a/") {
			t.Errorf("an anonymous request: %s", r)
		}
	}
	s.endsWell(one, two)
	s.says("The path is forgotten.")
	s.files[".github/dispatcher.yml"] = strings.Replace(s.files[".github/dispatcher.yml"], "/gerrit", "", 1)
	s.gerrit.Faults.Add(faults.Rule{Do: faults.Answer(404, "Not Found")})
	s.pass(ExitConfiguration)
}

// TestGitHubApp uses an App in the place of a token, whose tokens end after an
// hour.
func TestGitHubApp(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 1024) // as short as Go allows
	if err != nil {
		t.Fatal(err)
	}
	s := begin(t, "", func(o *servers) {
		o.github.Apps = []github.App{{ID: 77, InstallationID: 78, Key: &key.PublicKey, Access: github.FullAccess}}
	})
	delete(s.env, "GHPA_TOKEN")
	s.env["DISPATCHER_APP_ID"] = "77"
	s.env["DISPATCHER_APP_PRIVATE_KEY"] = string(pem.EncodeToMemory(&pem.Block{Type: "RSA PRIVATE KEY", Bytes: x509.MarshalPKCS1PrivateKey(key)}))
	s.secrets = append(s.secrets, "ghs_standin", s.env["DISPATCHER_APP_PRIVATE_KEY"])
	one := s.push("ann", "nvme: split the probe loop", nil)
	s.pass(ExitDone)
	s.clock.advance(2 * time.Hour)
	two := s.push("ann", "nvme: probe in parallel", one)
	s.pass(ExitDone)
	s.endsWell(one, two)
	s.says("The number is that of another App.")
	s.env["DISPATCHER_APP_ID"] = "79"
	s.pass(ExitConfiguration)
}
