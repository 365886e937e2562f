// SPDX-License-Identifier: BSD-3-Clause

// Package bench measures the dispatcher against the way that it replaces
// (clone, fetch, push), in the same run and on the same servers. The benchmarks
// carry the build tag bench and take minutes:
//
//	go test -tags bench -timeout 60m -v ./bench -write
//
// With -write the results become docs/performance.md. The package holds nothing
// that the program uses.
package bench
