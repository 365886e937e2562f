// SPDX-License-Identifier: BSD-3-Clause

package registry

import (
	"context"
	"crypto/tls"
	"errors"
	"net"
	"net/http"
	"strings"

	"github.com/google/go-containerregistry/pkg/name"
	"github.com/google/go-containerregistry/pkg/v1/remote/transport"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// explain classifies what went wrong at a registry. The library's errors hold
// no credentials: it redacts addresses.
func explain(doing string, ref name.Reference, err error) error {
	host := ref.Context().RegistryStr()
	if errors.Is(err, context.Canceled) {
		return fault.New(fault.Unknown, "failed to %s: %w", doing, context.Canceled)
	}
	if answer, ok := errors.AsType[*transport.Error](err); ok {
		return explainAnswer(doing, ref, answer)
	}
	f := fault.New(fault.Transient, "failed to %s: no answer from %s: %w", doing, host, err)
	if dns, ok := errors.AsType[*net.DNSError](err); ok && dns.IsNotFound {
		f.Kind, f.Hint = fault.Configuration, "check the registry's name, "+host
	}
	if _, ok := errors.AsType[*tls.CertificateVerificationError](err); ok {
		f.Kind, f.Hint = fault.Configuration, "the certificate of "+host+" is not trusted here: add its authority to the system's"
	}
	return f
}

func explainAnswer(doing string, ref name.Reference, answer *transport.Error) error {
	host, text := ref.Context().RegistryStr(), words(answer)
	switch status := answer.StatusCode; {
	case status == http.StatusNotFound:
		return fault.New(fault.Configuration, "failed to %s: %w at %s", doing, ErrNotFound, host).
			WithHint("check the name, and that it is public or that you are logged in (docker login %s)", host)
	case status == http.StatusUnauthorized || status == http.StatusForbidden:
		hint := "log in with 'docker login " + host + "' as somebody who may"
		if host == "ghcr.io" {
			hint += ", or set GITHUB_TOKEN (in a job: permissions: packages: write) or GHPA_TOKEN (a classic token with the scope write:packages; fine-grained ones have no such permission)"
		}
		return fault.New(fault.Configuration, "failed to %s: %s refuses it: %d %s", doing, host, status, text).WithHint("%s", hint)
	case answer.Temporary() || status >= 500 || status == http.StatusTooManyRequests:
		return fault.New(fault.Transient, "failed to %s: %s answered %d %s", doing, host, status, text)
	default:
		return fault.New(fault.Permanent, "failed to %s: %s answered %d %s", doing, host, status, text)
	}
}

// words returns what a registry says, in one short line.
func words(answer *transport.Error) string {
	parts := []string{}
	for _, d := range answer.Errors {
		parts = append(parts, string(d.Code)+" "+d.Message)
	}
	text := strings.Join(parts, "; ")
	if text == "" {
		text = http.StatusText(answer.StatusCode)
	}
	text = strings.Map(func(r rune) rune {
		if r < ' ' || r > '~' {
			return ' '
		}
		return r
	}, text)
	return text[:min(len(text), 300)]
}
