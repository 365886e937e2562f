// SPDX-License-Identifier: BSD-3-Clause

//go:build !linux

package host

import "errors"

const unmountNoFollow = 0

// detachLoop is for Linux only.
func detachLoop(string) error { return errors.ErrUnsupported }
