// SPDX-License-Identifier: BSD-3-Clause

//go:build linux

package rig

import (
	"context"
	"crypto/sha1"
	"fmt"
	"net/url"
	"path/filepath"
	"strings"
)

// importedServer is the server id (of the length that all have) whose changes
// the server of StartGerrit takes for imported ones.
const importedServer = "00000000-0000-4000-8000-000000000001"

// Import copies a change into another project of the server, under its number, as
// if the other project had come from a server of its own: its NoteDb names that
// server's id in the place of ours. The people in it are known here only after
// MapAccount.
func (g *Gerrit) Import(ctx context.Context, number int, from, to string) error {
	source, target := Git{Dir: g.Repository(from)}, Git{Dir: g.Repository(to)}
	serverID, err := Git{Dir: g.site()}.Run(ctx, "config", "-f", "etc/gerrit.config", "gerrit.serverId")
	if err != nil {
		return err
	}
	if len(serverID) != len(importedServer) {
		return fmt.Errorf("the server id %s is longer or shorter than ours", serverID)
	}
	base := fmt.Sprintf("refs/changes/%02d/%d/", number%100, number)
	if _, err := target.Run(ctx, "fetch", "-q", source.Dir, base+"1:"+base+"1"); err != nil {
		return err
	}
	history, err := source.Run(ctx, "fast-export", base+"meta")
	if err != nil {
		return err
	}
	history = strings.ReplaceAll(history, serverID, importedServer)
	if _, err := target.Pipe(ctx, strings.NewReader(history+"\n"), "fast-import", "--quiet"); err != nil {
		return err
	}
	return g.Post(ctx, "changes/"+url.PathEscape(to)+"~"+fmt.Sprint(number)+"/index", nil, nil)
}

// MapAccount says that an account of the other server is the one of ours with the
// same number, as an administrator must who imports changes: by an external id, in
// Gerrit's own storage of those.
func (g *Gerrit) MapAccount(ctx context.Context, account int) error {
	users := Git{Dir: g.Repository("All-Users"), Env: []string{"GIT_INDEX_FILE=" + filepath.Join(g.dir, "external-ids.index")}}
	id := fmt.Sprintf("imported:%d@%s", account, importedServer)
	const ref = "refs/meta/external-ids"
	blob, err := users.Pipe(ctx, strings.NewReader(fmt.Sprintf("[externalId %q]\n\taccountId = %d\n", id, account)), "hash-object", "-w", "--stdin")
	if err != nil {
		return err
	}
	var tree, commit, before string
	for _, step := range []struct {
		out  *string
		args func() []string
	}{
		{&before, func() []string { return []string{"rev-parse", ref} }},
		{new(string), func() []string { return []string{"read-tree", ref} }},
		{new(string), func() []string {
			return []string{"update-index", "--add", "--cacheinfo", fmt.Sprintf("100644,%s,%x", blob, sha1.Sum([]byte(id)))}
		}},
		{&tree, func() []string { return []string{"write-tree"} }},
		{&commit, func() []string { return []string{"commit-tree", "-p", before, "-m", "Map an account", tree} }},
		{new(string), func() []string { return []string{"update-ref", ref, commit, before} }},
	} {
		if *step.out, err = users.Run(ctx, step.args()...); err != nil {
			return err
		}
	}
	return nil
}

// takeImported has a site accept changes of importedServer.
func takeImported(ctx context.Context, site string) error {
	_, err := Git{Dir: filepath.Join(site, "etc")}.Run(ctx, "config", "-f", "gerrit.config", "gerrit.importedServerId", importedServer)
	return err
}
