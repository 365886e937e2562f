// SPDX-License-Identifier: BSD-3-Clause

package change

import "testing"

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
		"http://localhost:8080/gerrit":    false,
		"http://LOCALHOST.":               false,
		"http://s3.localhost:9000":        false,
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
