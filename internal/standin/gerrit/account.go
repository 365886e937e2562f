// SPDX-License-Identifier: BSD-3-Clause

package gerrit

import (
	"crypto/sha1"
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// firstAccount is the id that Gerrit gives to its first user.
const firstAccount = 1000000

// Account is a user. Change its fields before the first request.
type Account struct {
	ID                    int
	Username, Name, Email string
	// Password is the HTTP password or token; anything else is a 401.
	Password string
	// SeesPrivate shows all private changes to it.
	SeesPrivate bool
	seesAccess  bool
	inactive    bool
	blind       bool // may read no branch
	// Robot makes it a member of the group Service Users.
	Robot  bool
	ranges map[string][2]int
}

// Account returns the user of that name and makes it if there is none.
func (s *Server) Account(username string) *Account {
	s.mu.Lock()
	defer s.mu.Unlock()
	return s.account(username)
}

func (s *Server) account(username string) *Account {
	for _, a := range s.accounts {
		if a.Username == username {
			return a
		}
	}
	a := &Account{
		ID: firstAccount + len(s.accounts), Username: username, Name: strings.ToUpper(username[:1]) + username[1:],
		Email: username + "@example.org", Password: "password-of-" + username, ranges: map[string][2]int{},
	}
	s.accounts = append(s.accounts, a)
	return a
}

// Restrict lets an account vote on a label only from low to high.
func (s *Server) Restrict(username, label string, low, high int) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.account(username).ranges[label] = [2]int{low, high}
}

// votes returns the lowest and highest vote that an account may give.
func (a *Account) votes(l Label) (low, high int) {
	if r, restricted := a.ranges[l.Name]; restricted {
		return r[0], r[1]
	}
	return l.Min, l.Max
}

// named returns the account of that number or user name, or nil.
func (s *Server) named(text string) *Account {
	i := slices.IndexFunc(s.accounts, func(a *Account) bool { return strconv.Itoa(a.ID) == text || a.Username == text })
	if i < 0 {
		return nil
	}
	return s.accounts[i]
}

// is reports whether a query's text names this account: user name, e-mail
// address, number, or self for the one who asks.
func (a *Account) is(text string, viewer *Account) bool {
	return strings.EqualFold(text, a.Username) || text == a.Email || text == strconv.Itoa(a.ID) || text == "self" && a == viewer
}

// Group is a named set of accounts.
type Group struct {
	srv      *Server
	name     string
	members  []*Account
	included []*Group
}

// Group returns the group of that name, made if there is none, with members
// added to it.
func (s *Server) Group(name string, members ...string) *Group {
	s.mu.Lock()
	defer s.mu.Unlock()
	g := s.group(name)
	if g == nil {
		g = &Group{srv: s, name: name}
		s.groups = append(s.groups, g)
	}
	for _, m := range members {
		g.members = append(g.members, s.account(m))
	}
	return g
}

// id is the group's UUID.
func (g *Group) id() string { return fmt.Sprintf("%x", sha1.Sum([]byte(g.name))) }

// Include makes the members of another group indirect members of this one.
func (g *Group) Include(other *Group) {
	g.srv.mu.Lock()
	defer g.srv.mu.Unlock()
	g.included = append(g.included, other)
}

func (s *Server) group(name string) *Group {
	i := slices.IndexFunc(s.groups, func(g *Group) bool { return g.name == name || g.id() == name })
	if i < 0 {
		return nil
	}
	return s.groups[i]
}

// all returns the members, with those of included groups if recursive.
func (g *Group) all(recursive bool) []*Account {
	var list []*Account
	seen := map[*Group]bool{}
	var walk func(*Group)
	walk = func(g *Group) {
		if seen[g] {
			return
		}
		seen[g] = true
		for _, a := range g.members {
			if !slices.Contains(list, a) {
				list = append(list, a)
			}
		}
		if recursive {
			for _, inner := range g.included {
				walk(inner)
			}
		}
	}
	walk(g)
	return list
}
