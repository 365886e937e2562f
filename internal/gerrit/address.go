// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"context"
	"errors"
	"net/http"
	"slices"
	"strconv"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/change"
	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// slashes says whether "%2F", as a project's name has it in a path, comes through
// to Gerrit. Apache httpd answers 404 itself unless AllowEncodedSlashes is set, and
// sends a plain slash on where that is "On" instead of "NoDecode": Gerrit then looks
// for the part before it.
type slashes int

const (
	untried slashes = iota
	pass
	refused
)

// errAmbiguous says that a number alone does not mean the change.
var errAmbiguous = errors.New("the number alone does not mean the change")

// slashHint says how to let names with slashes pass.
const slashHint = "something before Gerrit lets no %2F pass: set \"AllowEncodedSlashes NoDecode\" and \"nocanon\" in Apache httpd, or \"proxy_pass\" without a path in nginx"

// about reads what is below a change: below is "" or begins with "/" or "?". The
// error is a statusError that gone recognizes where Gerrit says that there is no such
// change, or none of the parts that below names.
//
// The change is asked for as project~number, the only form that every Gerrit finds
// and that means one change (ChangeFinder#find). The number alone is used where
// nothing else comes through, once Gerrit has said that it means this very change.
func (c *Client) about(ctx context.Context, a change.Address, below string, into any, parts ...string) error {
	if c.slashState(a) == refused {
		return c.aboutNumber(ctx, a, below, into)
	}
	_, err := c.get(ctx, longPath(a)+below, into)
	switch {
	case err == nil || gone(err, a, parts...):
		c.learn(a, pass)
	case c.slashState(a) == untried && notGerrit(err):
		other := c.aboutNumber(ctx, a, below, into)
		if other == nil {
			c.learn(a, refused)
		}
		if other == nil || errors.Is(other, errAmbiguous) {
			return other
		}
	}
	return err
}

// aboutNumber is about, by the number alone.
func (c *Client) aboutNumber(ctx context.Context, a change.Address, below string, into any) error {
	if err := c.verify(ctx, a); err != nil {
		return err
	}
	_, err := c.get(ctx, shortPath(a)+below, into)
	return err
}

// pathOf returns the path of a change for a request that changes it: one that is
// known to lead to Gerrit, and to this very change.
func (c *Client) pathOf(ctx context.Context, a change.Address) (string, error) {
	if c.slashState(a) == untried {
		var found struct{}
		if err := c.about(ctx, a, "?o="+skipDiffstat, &found); err != nil {
			return "", err
		}
	}
	if c.slashState(a) != refused {
		return longPath(a), nil
	}
	return shortPath(a), c.verify(ctx, a)
}

// verify makes sure that a number alone means a change, once for each.
func (c *Client) verify(ctx context.Context, a change.Address) error {
	c.mu.Lock()
	known := c.verified[a]
	c.mu.Unlock()
	if known {
		return nil
	}
	var info struct {
		Project string `json:"project"`
		Number  int    `json:"_number"`
	}
	_, err := c.get(ctx, shortPath(a)+"?o="+skipDiffstat, &info)
	status, ok := errors.AsType[*statusError](err)
	switch {
	case ok && strings.HasPrefix(status.reason, "Multiple changes found for "):
		return fault.New(fault.Configuration, "%w: %w", errAmbiguous, status).WithHint("%s", slashHint)
	case err != nil:
		return err
	case info.Project != a.Project || info.Number != a.Number:
		return fault.New(fault.Configuration, "%w: %d is one of %q", errAmbiguous, a.Number, change.OneLine(change.Clip(info.Project, 80))).
			WithHint("%s", slashHint)
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.verified == nil {
		c.verified = map[change.Address]bool{}
	}
	c.verified[a] = true
	return nil
}

// slashState is what is known of %2F; names without a slash pass anyway.
func (c *Client) slashState(a change.Address) slashes {
	if !strings.Contains(a.Project, "/") {
		return pass
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	return c.slashes
}

func (c *Client) learn(a change.Address, s slashes) {
	if !strings.Contains(a.Project, "/") {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	c.slashes = s
}

// notGerrit reports whether an answer may be about another path than the one that
// was asked for. What Gerrit says of a change was looked at before.
func notGerrit(err error) bool {
	status, ok := errors.AsType[*statusError](err)
	return ok && (status.code == http.StatusNotFound || status.code == http.StatusBadRequest || status.page && status.code == http.StatusForbidden)
}

// lostSlash is notGerrit where the path held a name with a slash.
func lostSlash(err error, name string) bool { return strings.Contains(name, "/") && notGerrit(err) }

// withSlashHint says in a failure what a proxy may have done.
func withSlashHint(err error) error {
	return fault.New(fault.Configuration, "%w", err).WithHint("%s", slashHint)
}

// gone reports whether Gerrit says that there is no such change, or none of the
// parts of it that a request named. Gerrit names what it does not find, unescaped
// (ResourceNotFoundException); a proxy or a wrong address does not, and must not make
// it look gone. Nor is a change gone whose number another one has, too ("Multiple
// changes found for 12": ChangesCollection).
func gone(err error, a change.Address, parts ...string) bool {
	status, ok := errors.AsType[*statusError](err)
	if !ok || status.code != http.StatusNotFound {
		return false
	}
	name, named := strings.CutPrefix(status.reason, "Not found: ")
	return named && (name == a.String() || name == escaped(a) || name == strconv.Itoa(a.Number) || slices.Contains(parts, name))
}

// escaped is the address as one segment of a path.
func escaped(a change.Address) string { return escapeSegment(a.Project) + "~" + strconv.Itoa(a.Number) }

func longPath(a change.Address) string  { return "changes/" + escaped(a) }
func shortPath(a change.Address) string { return "changes/" + strconv.Itoa(a.Number) }
