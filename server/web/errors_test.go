package web_test

import (
	"bytes"
	"encoding/json"
	"fmt"
	"log/slog"
	"net/http/httptest"
	"path/filepath"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/config"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// Where more comes in than can be processed, the log must not grow by a line for each delivery that is refused; but all are told of.
func TestDeliveriesPutOffAreLoggedTogether(t *testing.T) {
	t.Parallel()
	const many = 300
	var log bytes.Buffer
	keys, err := secrets.Open(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	site, err := web.New(config.Config{Listen: "127.0.0.1:8080"}, nil, keys, slog.New(slog.NewJSONHandler(&log, nil)))
	if err != nil {
		t.Fatal(err)
	}
	app := fiber.New(fiber.Config{ErrorHandler: site.Fail})
	refuse := func(*fiber.Ctx) error { return fmt.Errorf("take delivery: backlog: %w", tenants.ErrUnavailable) }
	app.Post("/hooks/whatsapp", refuse)
	post := func() {
		t.Helper()
		resp, err := app.Test(httptest.NewRequest(fiber.MethodPost, "/hooks/whatsapp", nil), -1)
		if err != nil {
			t.Fatal(err)
		}
		defer resp.Body.Close()
		if resp.StatusCode != fiber.StatusServiceUnavailable || resp.Header.Get(fiber.HeaderRetryAfter) == "" {
			t.Fatalf("answered %d, to come again after %q", resp.StatusCode, resp.Header.Get(fiber.HeaderRetryAfter))
		}
	}

	begun := time.Now()
	for range many {
		post()
	}
	most := 1 + int(time.Since(begun)/time.Second)
	time.Sleep(1100 * time.Millisecond)
	post()

	lines, told := 0, 0
	for raw := range bytes.Lines(log.Bytes()) {
		var line struct{ Deliveries int }
		if err := json.Unmarshal(raw, &line); err != nil {
			t.Fatal(err)
		}
		lines, told = lines+1, told+line.Deliveries
	}
	if lines > most+1 || told != many+1 {
		t.Errorf("%d lines tell of %d refusals, want at most %d lines and %d", lines, told, most+1, many+1)
	}
}
