package web

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

const (
	beatEvery = 4 * time.Second // also how soon a stream notices that its session is over
	// WriteLimit is how long a reader may take nothing of an answer that is still being written.
	WriteLimit = 10 * time.Second
)

// Events is a stream that says "changed" whenever an item of the tenant came or changed its state. Pages that listen to it also
// ask by themselves now and then, so nothing but speed hangs on it.
func (s *Site) Events(c *fiber.Ctx) error {
	if !strings.Contains(c.Get(fiber.HeaderAccept), "text/event-stream") {
		return c.SendStatus(fiber.StatusNoContent)
	}
	m := Member(c)
	changed, leave, ok := s.pulse.join(m.Tenant.ID)
	if !ok {
		return tenants.ErrUnavailable
	}

	token, conn := s.Cookie(c, SessionCookie), c.Context().Conn()
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set("X-Accel-Buffering", "no")
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer leave()
		s.stream(w, conn, changed, func() string { return s.whyOver(token, m) })
	})

	return nil
}

// stream writes until the reader is gone, the server shuts down, or whyOver says that it is over: then the page is told why.
func (s *Site) stream(w *bufio.Writer, conn net.Conn, changed <-chan struct{}, whyOver func() string) {
	// The server's own limit is for the whole answer; this one has no end.
	say := func(what string) bool {
		if err := conn.SetWriteDeadline(time.Now().Add(WriteLimit)); err != nil {
			return false
		}
		if _, err := w.WriteString(what); err != nil {
			return false
		}

		return w.Flush() == nil
	}

	beat := time.NewTicker(beatEvery)
	defer beat.Stop()
	// Something may have happened since the page was drawn.
	for ok := say("retry: 3000\nevent: changed\ndata: 1\n\n"); ok; {
		select {
		case <-s.Ending:
			return
		case <-changed:
			ok = say("event: changed\ndata: 1\n\n")
		case <-beat.C:
			switch why := whyOver(); why {
			case "":
				ok = say(": beat\n\n")
			case overUnknown:
				return // the page asks again
			default:
				say("event: ended\ndata: " + why + "\n\n")
				return
			}
		}
	}
}

// Why an open page is not kept up to date any more, as its script knows it.
const (
	overOut     = "out"   // the session is over
	OverMoved   = "moved" // it stands elsewhere, or its person has another role by now
	overUnknown = "unknown"
)

// whyOver is "" as long as the session of a stream lives, in the same tenant and role, and may still listen.
func (s *Site) whyOver(token string, was access.Member) string {
	ctx, cancel := context.WithTimeout(context.Background(), beatEvery)
	defer cancel()

	var m access.Member
	err := s.DB.System(ctx, func(tx *tenants.Tx) (err error) {
		m, err = s.Sessions.Peek(ctx, tx, token)
		return err
	})

	switch {
	case errors.Is(err, access.ErrNoSession):
		return overOut
	case err != nil:
		return overUnknown
	case m.Tenant.ID != was.Tenant.ID || m.Role != was.Role || m.MustAddFactor || !m.Can(s.Permissions[EventsPath]):
		return OverMoved
	}

	return ""
}

// EndPage answers what an open page asks by itself and gets no more: the page stays, with what was typed on it, and says so.
func EndPage(c *fiber.Ctx, why string) error {
	c.Set("HX-Trigger", `{"ended":"`+why+`"}`)

	return c.SendStatus(fiber.StatusUnauthorized)
}
