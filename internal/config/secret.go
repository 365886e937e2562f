// SPDX-License-Identifier: BSD-3-Clause

package config

import "log/slog"

// Secret is a value that must not be printed. Every formatting door shows
// stars; only Reveal gives the text, so that a search for Reveal finds each use.
type Secret string

const stars = "***"

// String hides the value.
func (s Secret) String() string {
	if s == "" {
		return ""
	}
	return stars
}

// GoString hides the value from %#v.
func (s Secret) GoString() string { return s.String() }

// MarshalText hides the value from JSON and YAML.
func (s Secret) MarshalText() ([]byte, error) { return []byte(s.String()), nil }

// LogValue hides the value from slog.
func (s Secret) LogValue() slog.Value { return slog.StringValue(s.String()) }

// Reveal returns the text itself, to be handed to a server and nothing else.
func (s Secret) Reveal() string { return string(s) }
