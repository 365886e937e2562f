// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"net"
	"net/url"
	"strings"
)

// InTheClear reports whether what is sent to a web address can be read on the way:
// its scheme is http, and it is not this machine (localhost, names below it, and
// loopback addresses).
func InTheClear(address string) bool {
	u, err := url.Parse(address)
	if err != nil || !strings.EqualFold(u.Scheme, "http") {
		return false
	}
	host := strings.ToLower(strings.TrimSuffix(u.Hostname(), "."))
	return host != "localhost" && !strings.HasSuffix(host, ".localhost") && !net.ParseIP(host).IsLoopback()
}
