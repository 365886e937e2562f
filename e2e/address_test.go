// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"context"
	"net/http"
	"net/http/httptest"
	"net/http/httputil"
	"net/url"
	"strings"
	"testing"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/gerrit"
)

// TestClientAddresses asks a real Gerrit for a change of a project with slashes in its
// name: straight, and through proxies that let no %2F pass.
func TestClientAddresses(t *testing.T) {
	const project = "client/deep/er"
	newReporter(t, project)
	a := newAuthor(t, world.gerrit, project, 1)
	chain := a.stack("part", 2)
	const group = "client/deep people"
	_, err := world.gerrit.CreateGroup(t.Context(), group, []string{reporter}, nil)
	must(t, err)
	at := change.Address{Project: project, Number: a.number(chain[1])}
	rev := change.Revision(chain[1].oid)
	for name, proxy := range proxies {
		t.Run(name, func(t *testing.T) {
			ctx, client := t.Context(), through(t, proxy)
			c, err := client.Change(ctx, at)
			if must(t, err); c.Address() != at || c.Imported || c.Current.Revision != rev {
				t.Errorf("got %+v", c)
			}
			related, err := client.Related(ctx, at, rev)
			if must(t, err); len(related) != 2 {
				t.Errorf("got the relation chain %+v", related)
			}
			posted, err := client.Post(ctx, at, rev, change.Review{Message: "Tests passed " + name + ".", Labels: map[string]int{"Verified": 1}})
			if must(t, err); posted.Applied["Verified"] != 1 {
				t.Errorf("got %+v", posted)
			}
			messages, err := client.Messages(ctx, at)
			if must(t, err); !strings.Contains(messages[len(messages)-1].Text, name) {
				t.Errorf("got messages %+v", messages)
			}
			lines, err := client.ChangedLines(ctx, at, rev, "lib/part2.c")
			if must(t, err); len(lines) != 1 || lines[0][0] != 1 {
				t.Errorf("got the changed lines %v", lines)
			}
			members, err := client.Members(ctx, group)
			if must(t, err); len(members) != 1 {
				t.Errorf("got the members %v", members)
			}
			origin, err := client.Origin(ctx, project, change.Revision(a.base))
			if hint := fault.HintOf(err); name == "straight" && (err != nil || len(origin.Branches) != 1) || name != "straight" && !strings.Contains(hint, "AllowEncodedSlashes") {
				t.Errorf("got the origin %+v, %v with hint %q", origin, err, hint)
			}
		})
	}
}

// proxies are what stands before Gerrit: nothing, and such that let no %2F pass.
var proxies = map[string]func(http.Handler) http.Handler{
	"straight": func(next http.Handler) http.Handler { return next },
	"refused": func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			if strings.Contains(r.URL.EscapedPath(), "%2F") {
				http.NotFound(w, r)
				return
			}
			next.ServeHTTP(w, r)
		})
	},
	"decoded": func(next http.Handler) http.Handler {
		return http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			r.URL.RawPath = ""
			next.ServeHTTP(w, r)
		})
	},
}

// through returns a client behind a proxy.
func through(t *testing.T, proxy func(http.Handler) http.Handler) *gerrit.Client {
	t.Helper()
	server, err := url.Parse(world.gerrit.URL)
	must(t, err)
	front := httptest.NewServer(proxy(&httputil.ReverseProxy{Rewrite: func(r *httputil.ProxyRequest) {
		r.Out.URL.Scheme, r.Out.URL.Host, r.Out.Host = server.Scheme, server.Host, server.Host
	}}))
	t.Cleanup(front.Close)
	client, err := gerrit.New(gerrit.Options{
		URL: front.URL + server.Path, Username: reporter, Password: "pw", Now: time.Now,
		Sleep: func(context.Context, time.Duration) error { return nil },
		Notes: func(text string) { t.Errorf("an entry was left out: %s", text) },
	})
	must(t, err)
	return client
}
