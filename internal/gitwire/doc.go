// SPDX-License-Identifier: BSD-3-Clause

// Package gitwire speaks git's smart HTTP protocol as a client, just enough to
// move packs from one server to another without storing them: protocol v2
// ls-refs and fetch (with a v0 fallback), and receive-pack.
//
// Sources: gitprotocol-http(5), gitprotocol-v2(5), gitprotocol-pack(5),
// gitprotocol-common(5), gitformat-pack(5) of git's own documentation.
//
// Every length that a server sends is bounded, a pack streams through in
// constant memory, and every failure leaves here classified (package fault).
// The package holds no policy: it does not retry, batch or split, does not know
// which refs may be written, and keeps no objects. It never runs git.
package gitwire
