// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"net"
	"net/url"
	"strings"
)

// InTheClear reports whether what is sent to a web address can be read on the way:
// its scheme is http, and it is not this machine. That is "localhost" and loopback
// addresses: what else may be a name of it, such as s3.localhost, is asked of name
// servers by Go, and sent to HTTP_PROXY (golang.org/x/net/http/httpproxy).
func InTheClear(address string) bool {
	u, err := url.Parse(address)
	if err != nil || !strings.EqualFold(u.Scheme, "http") {
		return false
	}
	return u.Hostname() != "localhost" && !net.ParseIP(u.Hostname()).IsLoopback()
}
