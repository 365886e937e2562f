// SPDX-License-Identifier: BSD-3-Clause

package config

import (
	"encoding/base64"
	"slices"
)

// tokenUser is the user name that goes with a token over git's HTTP protocol
// where none is given; GitHub would take any, this one is documented for Apps.
const tokenUser = "x-access-token"

// Secrets returns every text that must be masked: the secrets themselves and
// what they look like in a Basic authorization header. Tokens that are made
// later (an App's) are not among them.
func (c *Config) Secrets() []string {
	var out []string
	add := func(user string, s Secret) {
		text := s.Reveal()
		if text == "" {
			return
		}
		out = append(out, text)
		if user != "" {
			out = append(out, base64.StdEncoding.EncodeToString([]byte(user+":"+text)))
		}
	}
	for _, p := range c.Projects {
		add(p.Gerrit.Username, p.Gerrit.Password)
		add("", p.Report.Publish.Key)
		add("", p.Report.Publish.Secret)
		if p.Mirror.Username != "" {
			add(p.Mirror.Username, p.Mirror.Credential.Token)
		}
		for _, cred := range []Credential{p.Mirror.Credential, p.CI.Credential} {
			add(tokenUser, cred.Token)
			if cred.App != nil {
				add("", cred.App.PrivateKey)
			}
		}
	}
	slices.Sort(out)
	return slices.Compact(out)
}
