// SPDX-License-Identifier: BSD-3-Clause

// Package rig starts the real servers that end-to-end tests and benchmarks run
// against: a Gerrit from its Maven Central jars, a git mirror served by C git's
// http-backend behind nginx, and the built dispatcher as a child process.
//
// It decides nothing about what is right: the tests do. It shares no code with
// the clients under test, so that a mistake there cannot hide here. It runs on
// Linux only, and what it needs is installed by scripts/install-tools.sh.
package rig
