// SPDX-License-Identifier: BSD-3-Clause

package image

import (
	"context"
	"strings"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
	"github.com/spdk-community-ci/dispatcher/internal/image/recipe"
)

// base is the image that a container starts from.
type base struct{ reference, from, digest string }

// findBase pins the base image: one that was named on the command line is taken
// from the engine if it has it; any other by the digest that its registry tells.
func (b *build) findBase(ctx context.Context) (base, error) {
	found := base{reference: string(b.recipe.Base)}
	if b.Base != "" {
		found.reference = b.Base
		if err := recipe.CheckReference(b.Base); err != nil {
			return found, fault.New(fault.Configuration, "--base: %w", err).WithHint("%s", fault.HintOf(err))
		}
		id, err := b.engine.imageID(ctx, b.Base)
		if err != nil || id != "" {
			found.from, found.digest = b.Base, "local "+id
			return found, err
		}
	}
	name, digest, pinned := strings.Cut(found.reference, "@")
	if !pinned {
		var err error
		digest, err = b.Registry.Digest(ctx, found.reference)
		if err != nil {
			f := fault.New(fault.KindOf(err), "the base image: %w", err).WithHint("%s", fault.HintOf(err))
			if b.Base == "" {
				f.Hint += "; --base takes an image that " + b.engine.name + " has"
			}
			return found, f
		}
		if i := strings.LastIndexByte(name, ':'); i > strings.LastIndexByte(name, '/') {
			name = name[:i]
		}
	}
	found.from, found.digest = name+"@"+digest, digest
	return found, nil
}
