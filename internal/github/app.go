// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"context"
	"crypto/rsa"
	"errors"
	"fmt"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

const (
	// clockSkew is how far our clock may be ahead of GitHub's.
	clockSkew = time.Minute
	// jwtLife is how long an App's own token is good for; GitHub allows ten
	// minutes, by its own clock.
	jwtLife = 9 * time.Minute
	// renewBefore is how long before its end an installation token is replaced,
	// so that it outlives the request that it is sent with.
	renewBefore = 5 * time.Minute
)

// AppOptions describe a GitHub App's installation. Do not print them: they
// hold the private key.
type AppOptions struct {
	// ID is the App's id.
	ID int64
	// InstallationID may be 0: it is looked up for Repository then.
	InstallationID int64
	// PrivateKeyPEM is the App's RSA key, PKCS #1 as GitHub hands it out or
	// PKCS #8.
	PrivateKeyPEM string
	// Repository is OWNER/NAME. Where the installation is looked up, tokens are
	// good for this repository alone; where InstallationID is given, for all
	// repositories of that installation.
	Repository string

	// The rest is as in Options.
	APIURL    string
	Setting   string
	Transport http.RoundTripper
	UserAgent string
	Sleep     func(context.Context, time.Duration) error
	Now       func() time.Time
}

// app gets installation tokens and keeps one until shortly before its end.
type app struct {
	id         int64
	repository string
	narrow     bool // tokens are for the repository alone
	key        *rsa.PrivateKey
	client     *Client
	now        func() time.Time

	turn         chan struct{} // holds one element: whoever takes it may use what follows
	installation int64
	token        string
	expires      time.Time
}

// AppToken returns a source of installation tokens. It checks the key and sends
// nothing yet. Callers that need a new token at the same time share one request.
func AppToken(o AppOptions) (TokenSource, error) {
	if o.ID <= 0 {
		return nil, fault.New(fault.Configuration, "the GitHub App's id must be a positive number, not %d", o.ID).
			WithHint("it stands on the App's settings page as App ID")
	}
	if _, err := repositoryPath(o.Repository); err != nil {
		return nil, err
	}
	key, err := parseKey(o.PrivateKeyPEM)
	if err != nil {
		return nil, err
	}
	a := &app{
		id: o.ID, repository: o.Repository, narrow: o.InstallationID == 0, key: key, now: o.Now,
		turn: make(chan struct{}, 1), installation: o.InstallationID,
	}
	a.client, err = New(Options{
		APIURL: o.APIURL, Token: a.jwt, Setting: o.Setting, Transport: o.Transport,
		UserAgent: o.UserAgent, Sleep: o.Sleep, Now: o.Now,
	})
	if err != nil {
		return nil, err
	}
	return a.get, nil
}

// parseKey never says anything about the text that it read.
func parseKey(pem string) (*rsa.PrivateKey, error) {
	key, err := jwt.ParseRSAPrivateKeyFromPEM([]byte(strings.TrimSpace(pem)))
	if err == nil {
		return key, nil
	}
	problem := "cannot be read"
	switch {
	case strings.TrimSpace(pem) == "":
		problem = "is empty"
	case errors.Is(err, jwt.ErrKeyMustBePEMEncoded):
		problem = "is not in PEM form"
	case errors.Is(err, jwt.ErrNotRSAPrivateKey):
		problem = "is not an RSA key"
	}
	return nil, fault.New(fault.Configuration, "the GitHub App's private key %s", problem).
		WithHint("give the whole .pem file that GitHub made, from -----BEGIN to -----END, with its line breaks")
}

// jwt makes the token by which the App itself is known to the API.
// https://docs.github.com/apps/creating-github-apps/authenticating-with-a-github-app
func (a *app) jwt(context.Context) (string, error) {
	now := a.now()
	claims := jwt.RegisteredClaims{
		Issuer:    strconv.FormatInt(a.id, 10),
		IssuedAt:  jwt.NewNumericDate(now.Add(-clockSkew)),
		ExpiresAt: jwt.NewNumericDate(now.Add(jwtLife)),
	}
	token, err := jwt.NewWithClaims(jwt.SigningMethodRS256, claims).SignedString(a.key)
	if err != nil {
		return "", fault.New(fault.Configuration, "the GitHub App's private key cannot sign")
	}
	return token, nil
}

// get returns the token at hand, or a new one.
func (a *app) get(ctx context.Context) (string, error) {
	select {
	case a.turn <- struct{}{}:
		defer func() { <-a.turn }()
	case <-ctx.Done():
		return "", ctx.Err()
	}
	if a.token != "" && a.now().Before(a.expires.Add(-renewBefore)) {
		return a.token, nil
	}
	if a.installation == 0 {
		if err := a.findInstallation(ctx); err != nil {
			return "", err
		}
	}
	if err := a.renew(ctx); err != nil {
		return "", err
	}
	return a.token, nil
}

// explain puts the App's own hints in the place of those about tokens.
func (a *app) explain(err error) error {
	if e, ok := errors.AsType[*apiError](err); ok {
		if _, said := known(e); said {
			return err
		}
	}
	hint := ""
	switch Status(err) {
	case http.StatusUnauthorized:
		hint = "check that the private key belongs to that App id, and that this host's clock is right"
	case http.StatusNotFound:
		hint = fmt.Sprintf("install GitHub App %d on %s, or correct the installation id", a.id, a.repository)
	case http.StatusForbidden:
		hint = "the installation may be suspended: look at it in the owner's settings"
	case http.StatusUnprocessableEntity:
		hint = fmt.Sprintf("give the installation access to %s", a.repository)
	default:
		return err
	}
	return fault.New(fault.KindOf(err), "%w", err).WithHint("%s", hint)
}

func (a *app) findInstallation(ctx context.Context) error {
	q := call{
		doing:  fmt.Sprintf("find the installation of GitHub App %d for %s", a.id, a.repository),
		method: http.MethodGet, path: "repos/" + a.repository + "/installation", deadline: tokenDeadline,
	}
	var answer struct {
		ID int64 `json:"id"`
	}
	if _, err := a.client.read(ctx, q, &answer); err != nil {
		return a.explain(err)
	}
	if answer.ID <= 0 {
		return fault.New(fault.Transient, "failed to %s: the answer names none", q.doing)
	}
	a.installation = answer.ID
	return nil
}

// renew asks for a token. Asking twice does no harm, so it is tried again like
// a read.
func (a *app) renew(ctx context.Context) error {
	q := call{
		doing:  fmt.Sprintf("get a token of GitHub App %d for %s", a.id, a.repository),
		method: http.MethodPost, path: fmt.Sprintf("app/installations/%d/access_tokens", a.installation),
		deadline: tokenDeadline,
	}
	if a.narrow {
		_, name, _ := strings.Cut(a.repository, "/")
		q.body = map[string][]string{"repositories": {name}}
	}
	var answer struct {
		Token   string    `json:"token"`
		Expires time.Time `json:"expires_at"`
	}
	if _, err := a.client.read(ctx, q, &answer); err != nil {
		return a.explain(err)
	}
	token, err := cleanToken(answer.Token, "the installation token that GitHub gave")
	if err != nil || answer.Expires.IsZero() {
		return fault.New(fault.Transient, "failed to %s: the answer holds no token or no time of expiry", q.doing)
	}
	a.token, a.expires = token, answer.Expires
	return nil
}
