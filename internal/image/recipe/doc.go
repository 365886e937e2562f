// SPDX-License-Identifier: BSD-3-Clause

// Package recipe reads image recipes, folders with a file recipe.yml and the
// scripts that it names, and turns what goes into an image into its version.
//
// It is strict: an unknown key, a wrong value and a file that is not there are
// problems with a place and a hint, and all of them are found at once. It builds
// nothing and asks nobody: the digest of a base image and the files of a source
// tree are handed in.
package recipe
