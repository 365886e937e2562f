// SPDX-License-Identifier: BSD-3-Clause

package soak

// pending are the rules that the program does not keep yet, and why. They are
// looked at and counted, and fail nothing. It is to be empty.
var pending = map[string]string{}
