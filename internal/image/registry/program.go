// SPDX-License-Identifier: BSD-3-Clause

package registry

import (
	"archive/tar"
	"bytes"
	"context"
	"fmt"
	"io"
	"time"

	v1 "github.com/google/go-containerregistry/pkg/v1"
	"github.com/google/go-containerregistry/pkg/v1/empty"
	"github.com/google/go-containerregistry/pkg/v1/mutate"
	"github.com/google/go-containerregistry/pkg/v1/remote"
	"github.com/google/go-containerregistry/pkg/v1/tarball"
	"github.com/google/go-containerregistry/pkg/v1/types"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Program describes containers that hold one static program, the certificates that
// it needs and a folder for temporary files, as "FROM scratch" makes them. The same
// values make the same bytes, on any machine.
type Program struct {
	// Name is the program's file name, in the root folder.
	Name string
	// Platforms are the programs for Linux, by Go's names of architectures.
	Platforms []Platform
	// Certificates are the authorities to trust, in PEM form.
	Certificates []byte
	// Labels are those of each image.
	Labels map[string]string
}

// Platform is a program for one architecture.
type Platform struct {
	Architecture string
	Data         []byte
}

// Container is an image for several platforms that is ready to be pushed.
type Container struct {
	// Digest is that of its index: sha256:...
	Digest string

	index v1.ImageIndex
}

// Assemble makes the container of a program. It pushes nothing.
func Assemble(p Program) (*Container, error) {
	index := mutate.IndexMediaType(empty.Index, types.OCIImageIndex)
	for _, platform := range p.Platforms {
		image, err := p.image(platform)
		if err != nil {
			return nil, fault.New(fault.Ours, "failed to make the container for %s: %w", platform.Architecture, err)
		}
		index = mutate.AppendManifests(index, mutate.IndexAddendum{Add: image, Descriptor: v1.Descriptor{
			Platform: &v1.Platform{OS: "linux", Architecture: platform.Architecture},
		}})
	}
	digest, err := index.Digest()
	if err != nil {
		return nil, fault.New(fault.Ours, "failed to make the container: %w", err)
	}
	return &Container{Digest: digest.String(), index: index}, nil
}

func (p Program) image(platform Platform) (v1.Image, error) {
	files, err := p.files(platform.Data)
	if err != nil {
		return nil, err
	}
	layer, err := tarball.LayerFromOpener(func() (io.ReadCloser, error) { return io.NopCloser(bytes.NewReader(files)), nil },
		tarball.WithMediaType(types.OCILayer))
	if err != nil {
		return nil, err
	}
	image := mutate.ConfigMediaType(mutate.MediaType(empty.Image, types.OCIManifestSchema1), types.OCIConfigJSON)
	image, err = mutate.AppendLayers(image, layer)
	if err != nil {
		return nil, err
	}
	config, err := image.ConfigFile()
	if err != nil {
		return nil, err
	}
	config = config.DeepCopy()
	config.OS, config.Architecture = "linux", platform.Architecture
	config.Config = v1.Config{Entrypoint: []string{"/" + p.Name}, Labels: p.Labels}
	return mutate.ConfigFile(image, config)
}

// files is the container's only layer.
func (p Program) files(program []byte) ([]byte, error) {
	var out bytes.Buffer
	w := tar.NewWriter(&out)
	for _, f := range []struct {
		name string
		mode int64
		data []byte
	}{
		{"etc/", 0o755, nil}, {"etc/ssl/", 0o755, nil}, {"etc/ssl/certs/", 0o755, nil},
		{"etc/ssl/certs/ca-certificates.crt", 0o644, p.Certificates},
		{p.Name, 0o755, program},
		{"tmp/", 0o1777, nil},
	} {
		h := &tar.Header{Name: f.name, Mode: f.mode, Size: int64(len(f.data)), ModTime: time.Unix(0, 0), Format: tar.FormatUSTAR}
		if err := w.WriteHeader(h); err != nil {
			return nil, err
		}
		if _, err := w.Write(f.data); err != nil {
			return nil, err
		}
	}
	if err := w.Close(); err != nil {
		return nil, fmt.Errorf("tar: %w", err)
	}
	return out.Bytes(), nil
}

// PushContainer uploads a container under a reference with a tag. What the registry
// has is not sent again, and the tag moves last.
func (c *Client) PushContainer(ctx context.Context, container *Container, reference string) error {
	ref, err := parse(reference)
	if err != nil {
		return err
	}
	ctx, cancel := context.WithTimeout(ctx, pushLimit)
	defer cancel()
	if err := remote.WriteIndex(ref, container.index, c.options(ctx)...); err != nil {
		return explain("push "+reference, ref, err)
	}
	return nil
}
