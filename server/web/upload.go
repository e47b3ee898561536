package web

import (
	"bytes"
	"errors"
	"io"
	"mime"
	"mime/multipart"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"
)

const (
	// UploadMB is how large a list may be.
	UploadMB = 32
	// How long a large body may take to come, which also is how long its place counts as taken.
	uploadTimeout = 2 * time.Minute
	maxUploads    = 4
	maxFormField  = 4 << 10
)

// uploads are the places for large bodies: so many may be on their way at once, hence held in memory.
type uploads struct {
	mu    sync.Mutex
	until []time.Time
}

func (u *uploads) take(now time.Time) bool {
	u.mu.Lock()
	defer u.mu.Unlock()
	kept := u.until[:0]
	for _, t := range u.until {
		if t.After(now) {
			kept = append(kept, t)
		}
	}
	u.until = kept
	if len(u.until) >= maxUploads {
		return false
	}
	u.until = append(u.until, now.Add(uploadTimeout))

	return true
}

// Leave frees the place taken first. A body that never came whole frees its own by time.
func (u *uploads) Leave() {
	u.mu.Lock()
	defer u.mu.Unlock()
	if len(u.until) > 0 {
		u.until = u.until[1:]
	}
}

// AllowUpload lets a larger body than others through to the one page that takes a file, from browsers with a session of ours.
func (s *Site) AllowUpload(header *fasthttp.RequestHeader) fasthttp.RequestConfig {
	path, _, _ := strings.Cut(string(header.RequestURI()), "?")
	if path != UploadPath || !header.IsPost() || header.ContentLength() <= BodyLimit || !IsMultipart(string(header.ContentType())) {
		return fasthttp.RequestConfig{}
	}
	if !s.Sessions.Signed(string(header.Cookie(s.cookieName(SessionCookie)))) || !s.Uploads.take(time.Now()) {
		return fasthttp.RequestConfig{}
	}

	return fasthttp.RequestConfig{MaxRequestBodySize: UploadMB<<20 + 64<<10, ReadTimeout: uploadTimeout}
}

// IsMultipart tells whether a form may hold a file.
func IsMultipart(contentType string) bool {
	kind, _, err := mime.ParseMediaType(contentType)

	return err == nil && kind == fiber.MIMEMultipartForm
}

// ReadUpload reads a multipart form up to its file: the fields before that become fields of the form like any others, and the file is
// left to be read a piece at a time. Where there is no file, it is nil.
func ReadUpload(c *fiber.Ctx) (*multipart.Part, error) {
	_, params, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || params["boundary"] == "" {
		return nil, fiber.ErrBadRequest
	}
	form := multipart.NewReader(bytes.NewReader(c.Request().Body()), params["boundary"])
	args := c.Request().PostArgs()
	for {
		part, err := form.NextPart()
		if errors.Is(err, io.EOF) {
			return nil, nil //nolint:nilnil // a form without a file
		}
		if err != nil {
			return nil, fiber.ErrBadRequest
		}
		if part.FileName() != "" {
			return part, nil
		}
		value, err := io.ReadAll(io.LimitReader(part, maxFormField))
		if err != nil {
			return nil, fiber.ErrBadRequest
		}
		if name := part.FormName(); name != "" && name != "file" {
			args.Set(name, string(value))
		}
	}
}
