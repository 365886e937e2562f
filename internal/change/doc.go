// SPDX-License-Identifier: BSD-3-Clause

// Package change holds the value types that every other package speaks in:
// changes, patchsets, revisions, refs and run keys, each with a parser and a
// formatter that round-trip. It does no I/O and knows no server.
//
// Everything that Gerrit or a mirror sends is parsed here before it is used in
// a ref name, so that no outside text can name a ref beyond our namespaces.
package change
