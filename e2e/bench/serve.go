package main

import (
	"context"
	"crypto/sha256"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net"
	"os"
	"path/filepath"
	"runtime/pprof"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// The roles a process of this program serves in.
const (
	roleHMAC  = "hmac"  // checks the signature and stores nothing
	roleRow   = "row"   // stores each request in a transaction of its own, with the same unique key
	roleGroup = "group" // the product's web server
	roleWork  = "work"  // the product's worker
)

// serve does what a role does until ctx ends, and prints the address of those that take webhooks.
func serve(ctx context.Context, role, profile string) error {
	if profile != "" {
		f, err := os.Create(filepath.Join(profile, role+".pprof"))
		if err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer func() { _ = f.Close() }()
		if err := pprof.StartCPUProfile(f); err != nil {
			return fmt.Errorf("profile: %w", err)
		}
		defer pprof.StopCPUProfile()
	}
	db, err := tenants.Open(ctx, os.Getenv("DATABASE_URL"))
	if err != nil {
		return err
	}
	defer func() { _ = db.Close() }()
	switch role {
	case roleGroup:
		return serveProduct(ctx, db)
	case roleWork:
		if _, err := io.WriteString(os.Stdout, "listening on nothing\n"); err != nil {
			return err
		}
		return ingest.NewWorker(db, slog.New(slog.DiscardHandler)).Run(ctx)
	}

	var app struct {
		ID uuid.UUID `db:"id"`
	}
	if err := db.System(ctx, func(tx *tenants.Tx) error {
		return tx.GetContext(ctx, &app, `SELECT id FROM apps WHERE name = $1`, appName)
	}); err != nil {
		return err
	}

	// As the product's server is set up.
	web := fiber.New(fiber.Config{
		CaseSensitive: true, StrictRouting: true, Immutable: true, BodyLimit: 4 << 20, ReadBufferSize: 8 << 10,
		ReadTimeout: 10 * time.Second, WriteTimeout: 30 * time.Second, IdleTimeout: 60 * time.Second, DisableStartupMessage: true,
	})
	web.Post("/hooks/whatsapp/:app", func(c *fiber.Ctx) error {
		body := c.Request().Body()
		if !whatsapp.VerifySignature(c.Get("X-Hub-Signature-256"), body, []byte(appSecret)) {
			return fiber.ErrUnauthorized
		}
		if role == roleRow {
			if err := storeRow(c.UserContext(), db, app.ID, body); err != nil {
				return err
			}
		}

		return c.SendStatus(fiber.StatusOK)
	})

	return listen(ctx, web)
}

// storeRow is the baseline: one request, one row, one transaction.
func storeRow(ctx context.Context, db *tenants.DB, app uuid.UUID, body []byte) error {
	digest := sha256.Sum256(body)

	return db.System(ctx, func(tx *tenants.Tx) error {
		_, err := tx.ExecContext(ctx, `
			INSERT INTO inbox_events (app_id, digest, body) VALUES ($1, $2, $3)
			ON CONFLICT ON CONSTRAINT inbox_events_digest DO NOTHING`, app, digest[:], body)

		return err
	})
}

func serveProduct(ctx context.Context, db *tenants.DB) error {
	cfg, err := config.Load()
	if err != nil {
		return err
	}
	keys, err := secrets.Open(cfg.KeyFile)
	if err != nil {
		return err
	}
	srv, err := server.New(cfg, server.Deps{DB: db, Keys: keys, Log: slog.New(slog.NewTextHandler(os.Stderr, &slog.HandlerOptions{Level: slog.LevelError}))})
	if err != nil {
		return err
	}

	return srv.Listen(ctx)
}

// listen serves on a free port until ctx ends.
func listen(ctx context.Context, web *fiber.App) error {
	ln, err := new(net.ListenConfig).Listen(ctx, "tcp", "127.0.0.1:0")
	if err != nil {
		return fmt.Errorf("listen: %w", err)
	}
	ended := make(chan error, 1)
	go func() { ended <- web.Listener(ln) }()
	if _, err := io.WriteString(os.Stdout, "listening on http://"+ln.Addr().String()+"\n"); err != nil {
		return err
	}
	select {
	case err := <-ended:
		return err
	case <-ctx.Done():
		return errors.Join(web.ShutdownWithTimeout(5*time.Second), <-ended)
	}
}
