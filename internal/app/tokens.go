// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"sync"

	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/github"
)

// tokenUse tells apart what may share a token source.
type tokenUse struct {
	credential config.Credential
	apiURL     string
	// repository is set for an App whose installation must be looked up, host
	// for a token that gh looks up.
	repository, host string
}

func (w *wiring) use(c config.Credential, apiURL, repository, host string) tokenUse {
	use := tokenUse{credential: c, apiURL: apiURL}
	switch {
	case c.App != nil && c.App.InstallationID == 0:
		use.repository = repository
	case c == config.Credential{}:
		use.host = host
	}
	return use
}

// token turns a credential into a token source; an App's token serves all
// repositories of one installation. Host is the server that the token is sent
// to: without a credential, gh is asked for that server's and no other one.
func (w *wiring) token(c config.Credential, p *config.Project, repository, host string) (github.TokenSource, error) {
	use := w.use(c, p.CI.APIURL, repository, host)
	if source, ok := w.tokens[use]; ok {
		return source, nil
	}
	source, err := w.newToken(c, p, repository, host)
	if err == nil {
		w.tokens[use] = source
	}
	return source, err
}

func (w *wiring) newToken(c config.Credential, p *config.Project, repository, host string) (github.TokenSource, error) {
	switch {
	case c.App != nil:
		rt, err := w.apiTransport(p)
		if err != nil {
			return nil, err
		}
		source, err := github.AppToken(github.AppOptions{
			ID: c.App.ID, InstallationID: c.App.InstallationID, PrivateKeyPEM: c.App.PrivateKey.Reveal(),
			Repository: repository, APIURL: p.CI.APIURL, Setting: c.Setting, Transport: rt, UserAgent: w.app.userAgent(),
			Now: w.app.Now, Sleep: w.app.Sleep,
		})
		return w.masked(source), err
	case c.Token != "":
		return github.Static(c.Token.Reveal()), nil
	default:
		return w.masked(github.DeveloperToken(host)), nil
	}
}

// apiTransport reaches GitHub's API. An Enterprise server has it beside its
// repositories, and one certificate for both.
func (w *wiring) apiTransport(p *config.Project) (http.RoundTripper, error) {
	if hostOf(p.CI.APIURL) == hostOf(p.Mirror.URL) {
		return w.transports.get(p.Mirror.CAFile)
	}
	return w.transports.get("")
}

// masked masks tokens that are not known before they are used.
func (w *wiring) masked(source github.TokenSource) github.TokenSource {
	var last string
	var mu sync.Mutex
	return func(ctx context.Context) (string, error) {
		token, err := source(ctx)
		mu.Lock()
		defer mu.Unlock()
		if err == nil && token != last {
			w.mask(token)
			last = token
		}
		return token, err
	}
}

// hostOf returns the host that gh knows a server by: the API of github.com has
// a host of its own.
func hostOf(address string) string {
	u, err := url.Parse(address)
	if err != nil {
		return ""
	}
	return strings.TrimPrefix(u.Host, "api.")
}
