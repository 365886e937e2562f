// SPDX-License-Identifier: BSD-3-Clause

package app

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"net"
	"net/http"
	"os"
	"time"

	"github.com/spdk-community-ci/dispatcher/internal/config"
	"github.com/spdk-community-ci/dispatcher/internal/reconcile"
)

const demoHelp = `Usage: dispatcher demo [--serve] [--port N]

Starts a Gerrit and a GitHub on 127.0.0.1, puts some changes up for review, makes
four passes over them and shows what each did. It needs git and nothing else, and
leaves nothing behind. With --serve, a page of the result stays open until Ctrl-C.

`

// demo is the command of that name.
func (a *App) demo(ctx context.Context, args []string) int {
	set := flag.NewFlagSet("demo", flag.ContinueOnError)
	set.SetOutput(a.Stderr)
	serve := set.Bool("serve", false, "keep a page of the result open")
	port := set.Int("port", 0, "port of that page; 0 takes a free one")
	set.Usage = func() {
		fmt.Fprint(a.Stderr, demoHelp)
		set.PrintDefaults()
	}
	switch err := set.Parse(args); {
	case errors.Is(err, flag.ErrHelp):
		return ExitDone
	case err != nil:
		return ExitConfiguration
	}
	if err := a.perform(ctx, *serve, *port); err != nil {
		fmt.Fprintln(a.Stderr, "dispatcher demo:", err)
		return ExitFailed
	}
	return ExitDone
}

// perform plays the demo's scenes and then, if asked, serves the page.
func (a *App) perform(ctx context.Context, serve bool, port int) (err error) {
	dir, err := os.MkdirTemp("", "dispatcher-demo-")
	if err != nil {
		return err
	}
	defer os.RemoveAll(dir)
	st, err := newStage(ctx, dir, a.Now())
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, st.close()) }()
	var shown []shownScene
	for i, s := range scenes() {
		fmt.Fprintf(a.Stdout, "%d. %s\n\n", i+1, s.title)
		st.advance(15 * time.Minute)
		s.play(st)
		results, err := a.demoPass(ctx, st)
		if err != nil {
			return err
		}
		for _, r := range results {
			table{out: a.Stdout, colour: a.Colour}.print(r)
		}
		fmt.Fprintln(a.Stdout)
		shown = append(shown, shownScene{s.title, results})
	}
	fmt.Fprintln(a.Stdout, st.summary())
	if !serve {
		return nil
	}
	return a.serve(ctx, port, demoPage(st, shown))
}

// demoPass makes one pass with the very code and configuration format that
// "dispatcher sync" has.
func (a *App) demoPass(ctx context.Context, st *stage) ([]reconcile.Result, error) {
	cfg, err := config.Load(config.Source{
		Getenv:   func(name string) string { return st.environment()[name] },
		ReadFile: func(string) ([]byte, error) { return []byte(st.configuration()), nil },
	})
	if err != nil {
		return nil, err
	}
	here := *a
	here.Now = st.now
	results, _ := here.passes(ctx, cfg, syncFlags{}, func(...string) {})
	return results, nil
}

// serve shows a page on loopback until ctx ends.
func (a *App) serve(ctx context.Context, port int, page http.Handler) error {
	listener, err := net.Listen("tcp", fmt.Sprintf("127.0.0.1:%d", port))
	if err != nil {
		return err
	}
	fmt.Fprintf(a.Stdout, "Open http://%s - Ctrl-C ends it.\n", listener.Addr())
	server := &http.Server{Handler: page, ReadHeaderTimeout: 10 * time.Second}
	stop := context.AfterFunc(ctx, func() { server.Close() })
	defer stop()
	if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
		return err
	}
	return nil
}
