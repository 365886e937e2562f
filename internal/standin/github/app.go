// SPDX-License-Identifier: BSD-3-Clause

package github

import (
	"crypto/rsa"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"strconv"
	"strings"
	"time"

	"github.com/golang-jwt/jwt/v5"
)

// App is a GitHub App and its one installation.
type App struct {
	ID, InstallationID int64
	// Key verifies the tokens that the App signs.
	Key *rsa.PublicKey
	// Access is what installation tokens allow.
	Access Access
}

// tokenLife is how long an installation token is good for.
const tokenLife = time.Hour

// mintedToken is an installation token that was handed out.
type mintedToken struct {
	access  Access
	expires time.Time
}

// appCall is one API request of an App for itself.
type appCall struct {
	w   http.ResponseWriter
	r   *http.Request
	app *App
}

// asApp makes a handler of a function that wants an App and a lock.
func (s *Server) asApp(serve func(appCall)) http.HandlerFunc {
	return func(w http.ResponseWriter, r *http.Request) {
		s.mu.Lock()
		defer s.mu.Unlock()
		if !s.greet(w, r) {
			return
		}
		if app := s.signer(w, r); app != nil {
			serve(appCall{w, r, app})
		}
	}
}

// signer returns the App that signed a request's token, or answers 401.
func (s *Server) signer(w http.ResponseWriter, r *http.Request) *App {
	var found *App
	claims := jwt.RegisteredClaims{}
	_, err := jwt.ParseWithClaims(tokenOf(r), &claims, func(*jwt.Token) (any, error) {
		for i, app := range s.o.Apps {
			if strconv.FormatInt(app.ID, 10) == claims.Issuer {
				found = &s.o.Apps[i]
				return app.Key, nil
			}
		}
		return nil, errors.New("unknown issuer")
	}, jwt.WithValidMethods([]string{"RS256"}), jwt.WithTimeFunc(s.now), jwt.WithExpirationRequired(), jwt.WithIssuedAt())
	switch {
	case err != nil:
		fail(w, http.StatusUnauthorized, "A JSON web token could not be decoded")
	case claims.ExpiresAt.Sub(s.now()) > 10*time.Minute:
		fail(w, http.StatusUnauthorized, "'Expiration time' claim ('exp') is too far in the future")
	default:
		return found
	}
	return nil
}

// getInstallation serves GET /repos/O/R/installation.
func (s *Server) getInstallation(c appCall) {
	app := c.app
	name := c.r.PathValue("owner") + "/" + c.r.PathValue("repo")
	if s.repositories[strings.ToLower(name)] == nil || !app.Access.covers(name) {
		fail(c.w, http.StatusNotFound, "Not Found")
		return
	}
	base := fmt.Sprintf("%s/app/installations/%d", s.url, app.InstallationID)
	owner := s.userInfo(c.r.PathValue("owner"))
	reply(c.w, http.StatusOK, object{
		"id": app.InstallationID, "app_id": app.ID, "app_slug": "dispatcher", "target_id": owner["id"], "target_type": "Organization",
		"account": owner, "repository_selection": "selected", "single_file_name": nil, "events": []any{}, "permissions": app.permissions(),
		"access_tokens_url": base + "/access_tokens", "repositories_url": s.url + "/installation/repositories", "html_url": base,
		"created_at": "2020-01-01T00:00:00Z", "updated_at": "2020-01-01T00:00:00Z", "suspended_by": nil, "suspended_at": nil,
	})
}

func (a *App) permissions() object {
	o := object{"metadata": "read"}
	for name, level := range map[string]Level{
		"contents": a.Access.Contents, "actions": a.Access.Actions, "checks": a.Access.Checks, "issues": a.Access.Issues,
	} {
		if level > None {
			o[name] = [...]string{"", "read", "write"}[level]
		}
	}
	if a.Access.Workflows {
		o["workflows"] = "write"
	}
	return o
}

// mintToken serves POST /app/installations/ID/access_tokens.
func (s *Server) mintToken(c appCall) {
	app := c.app
	if c.r.PathValue("installation") != strconv.FormatInt(app.InstallationID, 10) {
		fail(c.w, http.StatusNotFound, "Not Found")
		return
	}
	access, ok := s.narrow(app, c.r)
	if !ok {
		fail(c.w, http.StatusUnprocessableEntity, "There is at least one repository that does not exist or is not accessible to the parent installation.")
		return
	}
	token := fmt.Sprintf("ghs_standin%d", len(s.minted)+1)
	s.minted[token] = mintedToken{access: access, expires: s.now().Add(tokenLife)}
	reply(c.w, http.StatusCreated, object{
		"token": token, "expires_at": s.minted[token].expires.Format(time.RFC3339), "permissions": app.permissions(), "repository_selection": "selected",
	})
}

// narrow returns what a token allows that is asked for with a list of
// repositories, by short name; without one it is good for all.
func (s *Server) narrow(app *App, r *http.Request) (Access, bool) {
	access := app.Access
	access.App = true
	var body struct {
		Repositories []string `json:"repositories"`
	}
	if json.NewDecoder(io.LimitReader(r.Body, maxRequest)).Decode(&body) != nil || body.Repositories == nil {
		return access, true
	}
	access.Repositories = nil
	for _, short := range body.Repositories {
		for _, repo := range s.repositories {
			if _, name, _ := strings.Cut(repo.name, "/"); strings.EqualFold(name, short) && app.Access.covers(repo.name) {
				access.Repositories = append(access.Repositories, repo.name)
			}
		}
	}
	return access, len(access.Repositories) >= len(body.Repositories) && len(body.Repositories) > 0
}
