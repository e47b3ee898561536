package main

import (
	"context"
	"fmt"
	"net"
	"net/http"
	"time"
)

// portFree tells before anything is started whether the address can be listened on.
func portFree(ctx context.Context, addr string) error {
	ln, err := listen(ctx, addr)
	if err != nil {
		return err
	}

	return ln.Close()
}

func listen(ctx context.Context, addr string) (net.Listener, error) {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", addr)
	if err != nil {
		return nil, fmt.Errorf("%w; stop what uses the port, or choose another address", err)
	}

	return ln, nil
}

// serveOn answers on ln until stop is called.
func serveOn(ln net.Listener, handler http.Handler) (stop func()) {
	srv := &http.Server{Handler: handler, ReadHeaderTimeout: 10 * time.Second}
	done := make(chan struct{})
	go func() {
		defer close(done)
		_ = srv.Serve(ln) // ends with ErrServerClosed
	}()

	return func() {
		_ = srv.Close()
		<-done
	}
}
