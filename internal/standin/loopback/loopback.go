// SPDX-License-Identifier: BSD-3-Clause

// Package loopback starts the stand-ins' servers on 127.0.0.1, where nobody
// else can reach them, and ends them with their context.
package loopback

import (
	"context"
	"errors"
	"net"
	"net/http"
	"time"
)

// Test is what a server that lives as long as a test needs of a *testing.T.
type Test interface {
	Helper()
	Context() context.Context
	TempDir() string
	Cleanup(func())
	Fatal(args ...any)
	Errorf(format string, args ...any)
}

// Serve answers on a free port until ctx is done, and returns the address as
// http://HOST:PORT. A failure of the server itself is told to fail.
func Serve(ctx context.Context, handler http.Handler, fail func(error)) (string, error) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	if err != nil {
		return "", err
	}
	server := &http.Server{Handler: handler, ReadHeaderTimeout: time.Minute}
	context.AfterFunc(ctx, func() { server.Close() })
	go func() {
		if err := server.Serve(listener); !errors.Is(err, http.ErrServerClosed) {
			fail(err)
		}
	}()
	return "http://" + listener.Addr().String(), nil
}
