// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"cmp"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// maxSkew is how far apart two clocks may be. Half of the grace time: beyond it,
// what is counted from a server's times is counted wrong.
const maxSkew = 5 * time.Minute

// clocks compares the clocks of the servers that were named with ours.
type clocks struct {
	mu    sync.Mutex
	names map[string]string        // of servers, by serverHost
	off   map[string]time.Duration // how far ahead of us a server is
}

// serverHost is the host of a server; GitHub's API has one of its own.
func serverHost(u *url.URL) string { return strings.TrimPrefix(u.Host, "api.") }

// name says what a server is called; the first name holds.
func (c *clocks) name(address, name string) {
	u, err := url.Parse(address)
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if c.names == nil {
		c.names, c.off = map[string]string{}, map[string]time.Duration{}
	}
	if c.names[serverHost(u)] == "" {
		c.names[serverHost(u)] = name
	}
}

// see looks at the time of an answer that was asked for at begin and came at end.
// The server wrote its Date between the two (RFC 9110, 6.6.1), unless it is that
// of an answer that a cache kept (Age, RFC 9111, 5.1).
func (c *clocks) see(u *url.URL, h http.Header, begin, end time.Time) {
	if age := h.Get("Age"); c == nil || age != "" && age != "0" {
		return
	}
	date, err := http.ParseTime(h.Get("Date"))
	if err != nil {
		return
	}
	c.mu.Lock()
	defer c.mu.Unlock()
	if host := serverHost(u); c.names[host] != "" {
		switch {
		case date.Sub(end) > maxSkew:
			c.off[host] = date.Sub(end)
		case begin.Sub(date) > maxSkew:
			c.off[host] = -begin.Sub(date)
		}
	}
}

// warnings are one for each server whose clock is off.
func (c *clocks) warnings() []error {
	c.mu.Lock()
	defer c.mu.Unlock()
	var list []error
	byName := func(a, b string) int { return cmp.Or(cmp.Compare(c.names[a], c.names[b]), cmp.Compare(a, b)) }
	for _, host := range slices.SortedFunc(maps.Keys(c.off), byName) {
		d, way := c.off[host], "ahead of"
		if d < 0 {
			d, way = -d, "behind"
		}
		list = append(list, fault.New(fault.Configuration, "the clock of %s (%s) is %s %s this machine's", c.names[host], host, d.Round(time.Second), way).
			WithHint("set the clock that is wrong: until then ages, waits for lost runs and times of retries are wrong by as much, and GitHub may refuse the tokens of an App"))
	}
	return list
}

// addressHint says which setting names a server.
func (c *clocks) addressHint(u *url.URL) string {
	name := ""
	if c != nil {
		c.mu.Lock()
		name = c.names[serverHost(u)]
		c.mu.Unlock()
	}
	if name == "" {
		return "check the address, and this machine's network"
	}
	return fmt.Sprintf("check the address of %s in the configuration, and this machine's network", name)
}
