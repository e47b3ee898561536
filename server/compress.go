package server

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"sync"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/static"
)

const worthCompressing = 1 << 10

var gzips = sync.Pool{New: func() any { return gzip.NewWriter(nil) }}

// compress shortens text answers for browsers that unpack them.
func compress(c *fiber.Ctx) error {
	r := c.Response()
	if r.IsBodyStream() || len(r.Body()) < worthCompressing || len(r.Header.Peek(fiber.HeaderContentEncoding)) > 0 {
		return nil
	}
	kind := string(r.Header.ContentType())
	if !strings.HasPrefix(kind, "text/") && !strings.HasPrefix(kind, "application/json") && !strings.HasPrefix(kind, "application/problem+json") {
		return nil
	}
	c.Vary(fiber.HeaderAcceptEncoding)
	if !takesGzip(c) {
		return nil
	}

	var out bytes.Buffer
	w, ok := gzips.Get().(*gzip.Writer)
	if !ok {
		return nil
	}
	defer gzips.Put(w)
	w.Reset(&out)
	if _, err := w.Write(r.Body()); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	if err := w.Close(); err != nil {
		return fmt.Errorf("compress: %w", err)
	}
	c.Set(fiber.HeaderContentEncoding, "gzip")
	r.SetBodyRaw(out.Bytes())

	return nil
}

func takesGzip(c *fiber.Ctx) bool {
	return c.AcceptsEncodings("identity", "gzip") == "gzip"
}

// asset answers one embedded file, found by its exact address, which changes with its content.
func (s *Server) asset(c *fiber.Ctx) error {
	content, gz, kind, ok := static.Lookup(c.Path())
	if !ok {
		return fiber.ErrNotFound
	}

	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderCacheControl, "public, max-age=31536000, immutable")
	c.Vary(fiber.HeaderAcceptEncoding)
	if takesGzip(c) && len(gz) < len(content) {
		c.Set(fiber.HeaderContentEncoding, "gzip")
		return c.Send(gz)
	}

	return c.Send(content)
}
