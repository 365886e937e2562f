// SPDX-License-Identifier: BSD-3-Clause

//go:build e2e && linux

package e2e

import (
	"context"
	"fmt"
	"os"
	"testing"

	"github.com/spdk-community-ci/dispatcher/e2e/rig"
)

// The account that the dispatcher uses in Gerrit: an ordinary user.
const (
	botUser     = "ci-bot"
	botPassword = "correct horse battery staple"
)

// world is what all tests share: the program, one Gerrit and one git server.
// Each test has projects of its own.
var world struct {
	dir    string // removed at the end
	bin    string
	gerrit *rig.Gerrit
	mirror *rig.Mirror
}

func TestMain(m *testing.M) { os.Exit(withWorld(m)) }

func withWorld(m *testing.M) int {
	ctx := context.Background()
	defer func() {
		if world.gerrit != nil {
			world.gerrit.Stop()
		}
		if world.mirror != nil {
			world.mirror.Stop()
		}
		os.RemoveAll(world.dir)
	}()
	if err := build(ctx); err != nil {
		fmt.Fprintln(os.Stderr, "e2e:", err)
		return 1
	}
	return m.Run()
}

func build(ctx context.Context) (err error) {
	if world.dir, err = os.MkdirTemp("", "e2e-*"); err != nil {
		return err
	}
	if world.bin, err = rig.Build(ctx, world.dir); err != nil {
		return err
	}
	if world.mirror, err = rig.StartMirror(ctx); err != nil {
		return err
	}
	if world.gerrit, err = rig.StartGerrit(ctx, rig.GerritOptions{}); err != nil {
		return err
	}
	return populate(ctx, world.gerrit)
}

func populate(ctx context.Context, g *rig.Gerrit) error {
	if err := g.SetUp(ctx); err != nil {
		return err
	}
	_, err := g.CreateAccount(ctx, botUser, botPassword)
	return err
}

func must(t *testing.T, err error) {
	t.Helper()
	if err != nil {
		t.Fatal(err)
	}
}

func readFile(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	must(t, err)
	return string(data)
}
