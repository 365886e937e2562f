// SPDX-License-Identifier: BSD-3-Clause

package config

import _ "embed"

// Schema is the JSON Schema of the configuration file, for editors. A test makes
// it from the types that the file is read into: the library that does it is worth
// a megabyte of program.
//
//go:embed schema.json
var Schema string
