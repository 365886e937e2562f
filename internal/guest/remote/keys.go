// SPDX-License-Identifier: BSD-3-Clause

// Package remote runs commands in a guest and copies files to and from it, over
// SSH and SFTP. It is the only importer of those two libraries.
//
// A guest is not trusted: names and links that it sends never lead out of the
// folder that they are written to. The package starts no guest and knows
// nothing about QEMU.
package remote

import (
	"crypto/ed25519"
	"crypto/rand"
	"encoding/pem"
	"strings"

	"golang.org/x/crypto/ssh"

	"github.com/spdk-community-ci/dispatcher/internal/fault"
)

// Keys are made for one run: one pair lets us in, the other is the guest's own,
// so that nobody else can answer in its place.
type Keys struct {
	// AuthorizedKey is who may log in, in the format of authorized_keys.
	AuthorizedKey string
	// HostKey is the guest's private key in PEM form, HostPublicKey the other
	// half.
	HostKey, HostPublicKey string

	client ssh.Signer
	host   ssh.PublicKey
}

// NewKeys makes keys that nobody had before.
func NewKeys() (*Keys, error) {
	_, clientKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fault.New(fault.Ours, "failed to make a key: %w", err)
	}
	_, hostKey, err := ed25519.GenerateKey(rand.Reader)
	if err != nil {
		return nil, fault.New(fault.Ours, "failed to make a key: %w", err)
	}
	client, err := ssh.NewSignerFromKey(clientKey)
	if err != nil {
		return nil, fault.New(fault.Ours, "failed to make a key: %w", err)
	}
	host, err := ssh.NewPublicKey(hostKey.Public())
	if err != nil {
		return nil, fault.New(fault.Ours, "failed to make a key: %w", err)
	}
	block, err := ssh.MarshalPrivateKey(hostKey, "")
	if err != nil {
		return nil, fault.New(fault.Ours, "failed to write a key: %w", err)
	}
	return &Keys{
		AuthorizedKey: authorized(client.PublicKey()), HostKey: string(pem.EncodeToMemory(block)), HostPublicKey: authorized(host),
		client: client, host: host,
	}, nil
}

func authorized(key ssh.PublicKey) string {
	return strings.TrimSpace(string(ssh.MarshalAuthorizedKey(key))) + " dispatcher"
}
