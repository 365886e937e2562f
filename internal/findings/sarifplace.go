// SPDX-License-Identifier: BSD-3-Clause

package findings

import (
	"net/url"
	"path"
	"strings"
)

// maxBases bounds the folders that lead from a place to the repository.
const maxBases = 8

// location is an artifactLocation.
type location struct {
	uri, base string
	index     int // among the run's files, or -1
}

// location reads an artifactLocation.
func (p *sarif) location() (location, error) {
	l := location{index: -1}
	err := p.object(func(name string) error {
		switch name {
		case "uri":
			return p.text(&l.uri)
		case "uriBaseId":
			return p.text(&l.base)
		case "index":
			return p.number(&l.index)
		}
		return p.skip()
	})
	return l, err
}

func (p *sarif) artifact(a *analysis) error {
	l := location{index: -1}
	err := p.object(func(name string) (err error) {
		if name != "location" {
			return p.skip()
		}
		l, err = p.location()
		return err
	})
	if len(a.files) < maxListed {
		a.files = append(a.files, l)
	}
	return err
}

// place reads a location; the first one with a file counts.
func (p *sarif) place(r *result) error {
	file, line, endLine, physical := location{index: -1}, 0, 0, false
	err := p.object(func(name string) error {
		if name != "physicalLocation" {
			return p.skip()
		}
		physical = true
		return p.object(func(name string) (err error) {
			switch name {
			case "artifactLocation":
				file, err = p.location()
				return err
			case "region":
				return p.region(&line, &endLine)
			}
			return p.skip()
		})
	})
	if physical && !r.placed {
		r.placed, r.file, r.line, r.endLine = true, file, line, endLine
	}
	return err
}

func (p *sarif) region(line, endLine *int) error {
	return p.object(func(name string) error {
		switch name {
		case "startLine":
			return p.number(line)
		case "endLine":
			return p.number(endLine)
		}
		return p.skip()
	})
}

// resolve returns the path that a location means: a relative one is relative to
// its base or else to the repository.
func (a *analysis) resolve(l location) string {
	if l.uri == "" && l.index >= 0 && l.index < len(a.files) {
		l = a.files[l.index]
	}
	p := filePath(uriPath(l.uri))
	for range maxBases {
		base, known := a.bases[l.base]
		if p == "" || strings.HasPrefix(p, "/") || hasDrive(p) || hasScheme(p) || !known {
			break
		}
		if hasScheme(base.uri) && filePath(base.uri) == base.uri {
			return base.uri // no file's
		}
		p, l = path.Join(filePath(uriPath(base.uri)), p), base
	}
	return p
}

// uriPath returns the path of a URI reference, without percent-escapes; of what
// is none it returns what was meant for one.
func uriPath(uri string) string {
	if u, err := url.Parse(uri); err == nil && u.Scheme == "" && u.Host == "" && u.Path != "" {
		return u.Path
	}
	return uri
}
