// SPDX-License-Identifier: BSD-3-Clause

package change

import (
	"net/http"
	"testing"
)

func TestInTheClear(t *testing.T) {
	t.Parallel()
	for address, want := range map[string]bool{
		"https://review.example.org":      false,
		"http://review.example.org":       true,
		"HTTP://review.example.org":       true,
		"http://10.0.2.2:8080":            true,
		"http://0.0.0.0:8080":             true,
		"http://[fe80::1]/gerrit":         true,
		"http://localhost.example.org":    true,
		"http://notlocalhost":             true,
		"http://127.0.0.1.example.org":    true,
		"http://localhost@example.org":    true,
		"http://LOCALHOST":                true,
		"http://localhost.":               true,
		"http://s3.localhost:9000":        true,
		"http://127.1":                    true,
		"http://2130706433":               true,
		"http://0x7f.1":                   true,
		"http://127.0.0.1.":               true,
		"http://[::1%25lo]":               true,
		"http://[::]":                     true,
		"http://localhost:8080/gerrit":    false,
		"http://127.0.0.1:8080":           false,
		"http://127.8.9.10":               false,
		"http://[::1]:8080":               false,
		"http://[::ffff:127.0.0.1]/x":     false,
		"":                                false,
		"http://[::1":                     false,
		"review.example.org/http://a.org": false,
	} {
		if got := InTheClear(address); got != want {
			t.Errorf("%q: got %v", address, got)
		}
	}
}

// TestThisMachineHasNoProxy: what counts as this machine is reached without one.
func TestThisMachineHasNoProxy(t *testing.T) {
	t.Setenv("HTTP_PROXY", "http://proxy.example.org:3128")
	t.Setenv("NO_PROXY", "")
	for _, address := range []string{"http://localhost:8080", "http://127.0.0.1", "http://127.8.9.10:1", "http://[::1]:8080", "http://[::ffff:127.0.0.1]/x"} {
		r, err := http.NewRequest(http.MethodGet, address, nil)
		if err != nil {
			t.Fatal(err)
		}
		if proxy, err := http.ProxyFromEnvironment(r); InTheClear(address) || proxy != nil || err != nil {
			t.Errorf("%s: in the clear: %v, by way of %v, %v", address, InTheClear(address), proxy, err)
		}
	}
}
