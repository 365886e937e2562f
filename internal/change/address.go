// SPDX-License-Identifier: BSD-3-Clause

package change

import "fmt"

// Address names one change of one Gerrit server. A number alone does not: projects
// that were imported from other servers brought their numbers along.
type Address struct {
	Project string
	Number  int
}

// String returns "project~number", which is Gerrit's preferred {change-id}
// (rest-api-changes), unescaped.
func (a Address) String() string { return fmt.Sprintf("%s~%d", a.Project, a.Number) }

// Address names the change in its server.
func (c Change) Address() Address { return Address{c.Project, c.Number} }
