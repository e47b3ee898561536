package inbox

import (
	"bufio"
	"context"
	"errors"
	"io"
	"net"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/numbers"
)

const (
	maxFetches = 24 // at once, over all tenants: a file is passed on as it comes, at the pace of whoever looks
	chunk      = 32 << 10
)

// shownAs are the types of file that a browser may show by itself, by the kind of message they come in. Anything else is something
// to save, whatever it says it is; and what calls itself a picture is shown as one or not at all.
var shownAs = map[string][]string{
	"image":   {"image/jpeg", "image/png", "image/webp"},
	"sticker": {"image/webp", "image/png"},
	"audio":   {"audio/ogg", "audio/mpeg", "audio/mp4", "audio/aac", "audio/amr"},
	"video":   {"video/mp4", "video/3gpp"},
}

// MediaFile passes on the file of a message. It comes from Meta with the number's own token, and is kept nowhere.
func (s *Pages) MediaFile(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("message"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	var (
		file  conversations.Media
		token string
	)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if file, err = conversations.MediaOf(ctx, tx, id); err != nil {
			return err
		}
		if file.Gone(time.Now()) {
			return tenants.ErrNotFound
		}
		_, token, err = numbers.Sender(ctx, tx, s.Keys, file.NumberID, time.Now())

		return err
	})
	if err != nil {
		return err
	}

	s.describeFile(c, file)
	if c.Method() == fiber.MethodHead {
		return nil
	}
	select {
	case s.fetches <- struct{}{}:
	default:
		return tenants.ErrUnavailable
	}
	// The answer outlives the handler, and with it the request's own context.
	fetching, cancel := context.WithCancel(context.WithoutCancel(ctx))
	body, err := s.Graph.OpenMedia(fetching, token, file.ID)
	if err != nil {
		cancel()
		<-s.fetches
		s.Log.Warn("file not fetched", "error", err, "request", web.RequestID(ctx))

		return tenants.ErrNotFound
	}
	conn := c.Context().Conn()
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer func() {
			cancel()
			<-s.fetches
		}()
		defer body.Close()
		if !passOn(w, conn, body) {
			_ = conn.Close() // a file cut short must not look whole
		}
	})

	return nil
}

// passOn copies a file to its reader, who has web.WriteLimit for each piece.
func passOn(w *bufio.Writer, conn net.Conn, body io.Reader) bool {
	piece := make([]byte, chunk)
	for {
		n, err := body.Read(piece)
		if n > 0 {
			if conn.SetWriteDeadline(time.Now().Add(web.WriteLimit)) != nil {
				return false
			}
			if _, err := w.Write(piece[:n]); err != nil || w.Flush() != nil {
				return false
			}
		}
		if err != nil {
			return errors.Is(err, io.EOF)
		}
	}
}

// describeFile says what a file is: by a type of our own list, and else a file to save. In no case can it run anything.
func (s *Pages) describeFile(c *fiber.Ctx, file conversations.Media) {
	kind, disposition := "application/octet-stream", "attachment"
	for _, allowed := range shownAs[file.Kind] {
		if strings.EqualFold(file.MIME, allowed) {
			kind, disposition = allowed, "inline"
		}
	}
	c.Set(fiber.HeaderContentType, kind)
	c.Set(fiber.HeaderContentDisposition, disposition+`; filename*=UTF-8''`+fileName(file))
	c.Set("Content-Security-Policy", "default-src 'none'; sandbox; frame-ancestors 'none'")
}

// fileName is what a file is saved as, in the form of RFC 5987: the sender's own name for a document, without anything that a path,
// a device or a header could be made of.
func fileName(file conversations.Media) string {
	name := strings.Map(func(r rune) rune {
		if r < ' ' || r == 0x7f || strings.ContainsRune(`/\:*?"<>|`, r) {
			return '_'
		}
		return r
	}, strings.ToValidUTF8(file.Filename, "_"))
	name = strings.Trim(name, " .")
	if runes := []rune(name); len(runes) > 120 {
		name = string(runes[len(runes)-120:]) // the end tells what it is
	}
	if name == "" {
		return "whatsapp-" + file.Kind
	}

	var b strings.Builder
	for _, c := range []byte("whatsapp-" + name) {
		if c >= 'a' && c <= 'z' || c >= 'A' && c <= 'Z' || c >= '0' && c <= '9' || c == '-' || c == '.' || c == '_' {
			b.WriteByte(c)
			continue
		}
		const hex = "0123456789ABCDEF"
		b.Write([]byte{'%', hex[c>>4], hex[c&15]})
	}

	return b.String()
}
