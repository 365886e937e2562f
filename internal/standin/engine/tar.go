// SPDX-License-Identifier: BSD-3-Clause

package engine

import (
	"archive/tar"
	"bytes"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"os"
)

func tarOf(dir string, to io.Writer) error {
	w := tar.NewWriter(to)
	return errors.Join(w.AddFS(os.DirFS(dir)), w.Close())
}

// save writes an image as "docker save" does: one layer, a configuration, and a
// list of both.
func (p program) save(file, name string) error {
	var layer bytes.Buffer
	if err := tarOf(p.image(name), &layer); err != nil {
		return err
	}
	f, err := os.Create(file)
	if err != nil {
		return err
	}
	w := tar.NewWriter(f)
	config := fmt.Sprintf(`{"architecture":"amd64","os":"linux","config":{},"rootfs":{"type":"layers","diff_ids":["sha256:%x"]}}`, sha256.Sum256(layer.Bytes()))
	for _, part := range []struct {
		name string
		text []byte
	}{
		{"layer.tar", layer.Bytes()}, {"config.json", []byte(config)},
		{"manifest.json", fmt.Appendf(nil, `[{"Config":"config.json","RepoTags":[%q],"Layers":["layer.tar"]}]`, name)},
	} {
		if err := w.WriteHeader(&tar.Header{Name: part.name, Mode: 0o644, Size: int64(len(part.text))}); err != nil {
			return err
		}
		if _, err := w.Write(part.text); err != nil {
			return err
		}
	}
	return errors.Join(w.Close(), f.Close())
}
