// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"crypto/rand"
	"crypto/rsa"
	"strconv"
	"testing"
	"time"

	"github.com/golang-jwt/jwt/v5"
	"github.com/google/go-cmp/cmp"
)

func TestAppTokens(t *testing.T) {
	t.Parallel()
	key, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	stranger, err := rsa.GenerateKey(rand.Reader, 2048)
	if err != nil {
		t.Fatal(err)
	}
	s := serve(t, Options{Apps: []App{{
		ID: 42, InstallationID: 7, Key: &key.PublicKey,
		Access: Access{User: "dispatcher[bot]", Repositories: []string{"org/ci", "org/mirror"}, Contents: Write, Actions: Write},
	}}})
	for _, name := range []string{"org/ci", "org/mirror", "org/other"} {
		s.Repository(name).SetPrivate()
	}
	sign := func(key *rsa.PrivateKey, app int, life time.Duration) string {
		token, err := jwt.NewWithClaims(jwt.SigningMethodRS256, jwt.RegisteredClaims{
			Issuer: strconv.Itoa(app), IssuedAt: jwt.NewNumericDate(s.now()), ExpiresAt: jwt.NewNumericDate(s.now().Add(life)),
		}).SignedString(key)
		if err != nil {
			t.Fatal(err)
		}
		return "Bearer " + token
	}
	good := sign(key, 42, 9*time.Minute)
	const mint = "/app/installations/7/access_tokens"
	for _, tc := range []struct {
		name, method, path, auth string
		body                     any
		status                   int
	}{
		{"installation", "GET", "/repos/org/ci/installation", good, nil, 200},
		{"not installed", "GET", "/repos/org/other/installation", good, nil, 404},
		{"a stranger's key", "GET", "/repos/org/ci/installation", sign(stranger, 42, time.Minute), nil, 401},
		{"unknown App", "GET", "/repos/org/ci/installation", sign(key, 1, time.Minute), nil, 401},
		{"too long a life", "GET", "/repos/org/ci/installation", sign(key, 42, time.Hour), nil, 401},
		{"expired", "GET", "/repos/org/ci/installation", sign(key, 42, -time.Minute), nil, 401},
		{"token", "POST", mint, good, nil, 201},
		{"token of another installation", "POST", "/app/installations/8/access_tokens", good, nil, 404},
		{"token for another repository", "POST", mint, good, map[string][]string{"repositories": {"other"}}, 422},
	} {
		if a := ask(t, s, tc.method, tc.path, tc.body, "Authorization", tc.auth); a.status != tc.status {
			t.Errorf("%s: got %d %s, want %d", tc.name, a.status, a.body, tc.status)
		}
	}

	minted := decode[struct {
		Token   string
		Expires time.Time `json:"expires_at"`
	}](t, ask(t, s, "POST", mint, map[string][]string{"repositories": {"ci"}}, "Authorization", good))
	if want := s.now().Add(time.Hour); !minted.Expires.Equal(want) {
		t.Errorf("the token expires at %s, want %s", minted.Expires, want)
	}
	statuses := func() []int {
		var got []int
		for _, repo := range []string{"ci", "mirror", "other"} {
			got = append(got, ask(t, s, "GET", "/repos/org/"+repo, nil, "Authorization", "Bearer "+minted.Token).status)
		}
		return got
	}
	if diff := cmp.Diff([]int{200, 404, 404}, statuses()); diff != "" {
		t.Errorf("a narrow token (-want +got):\n%s", diff)
	}
	s.Advance(time.Hour)
	if diff := cmp.Diff([]int{401, 401, 401}, statuses()); diff != "" {
		t.Errorf("after an hour (-want +got):\n%s", diff)
	}
}
