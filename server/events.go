package server

import (
	"bufio"
	"context"
	"errors"
	"net"
	"strings"
	"sync"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
)

const (
	eventsPath = "/events"

	pulseEvery   = 500 * time.Millisecond
	beatEvery    = 4 * time.Second // also how soon a stream notices that its session is over
	writeLimit   = 10 * time.Second
	maxStreams   = 2000
	maxPerTenant = 200 // of those: nobody's open tabs keep others from theirs
)

// events is a stream that says "changed" whenever an item of the tenant came or changed its state. Pages that listen to it also
// ask by themselves now and then, so nothing but speed hangs on it.
func (s *Server) events(c *fiber.Ctx) error {
	if !strings.Contains(c.Get(fiber.HeaderAccept), "text/event-stream") {
		return c.SendStatus(fiber.StatusNoContent)
	}
	m := member(c)
	changed, leave, ok := s.pulse.join(m.Tenant.ID)
	if !ok {
		return tenants.ErrUnavailable
	}

	token, conn := s.cookie(c, sessionCookie), c.Context().Conn()
	c.Set(fiber.HeaderContentType, "text/event-stream")
	c.Set("X-Accel-Buffering", "no")
	c.Context().SetBodyStreamWriter(func(w *bufio.Writer) {
		defer leave()
		s.stream(w, conn, changed, func() string { return s.whyOver(token, m) })
	})

	return nil
}

// stream writes until the reader is gone, the server shuts down, or whyOver says that it is over: then the page is told why.
func (s *Server) stream(w *bufio.Writer, conn net.Conn, changed <-chan struct{}, whyOver func() string) {
	// The server's own limit is for the whole answer; this one has no end.
	say := func(what string) bool {
		if err := conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
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
		case <-s.ending:
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
	overMoved   = "moved" // it stands elsewhere, or may not see this any more
	overUnknown = "unknown"
)

// whyOver is "" as long as the session of a stream lives, in the same tenant, and may still listen.
func (s *Server) whyOver(token string, was access.Member) string {
	ctx, cancel := context.WithTimeout(context.Background(), beatEvery)
	defer cancel()

	var m access.Member
	err := s.db.System(ctx, func(tx *tenants.Tx) (err error) {
		m, err = s.sessions.Peek(ctx, tx, token)
		return err
	})

	switch {
	case errors.Is(err, access.ErrNoSession):
		return overOut
	case err != nil:
		return overUnknown
	case m.Tenant.ID != was.Tenant.ID || m.MustAddFactor || !m.Can(s.pages[eventsPath]):
		return overMoved
	}

	return ""
}

// endPage answers what an open page asks by itself and gets no more: the page stays, with what was typed on it, and says so.
func endPage(c *fiber.Ctx, why string) error {
	c.Set("HX-Trigger", `{"ended":"`+why+`"}`)

	return c.SendStatus(fiber.StatusUnauthorized)
}

// pulse watches the tenants somebody listens to, all with one question to the database.
type pulse struct {
	db      *tenants.DB
	ending  <-chan struct{}
	mu      sync.Mutex
	streams map[uuid.UUID]map[chan struct{}]bool
	count   int
	running bool
}

func newPulse(db *tenants.DB, ending <-chan struct{}) *pulse {
	return &pulse{db: db, ending: ending, streams: map[uuid.UUID]map[chan struct{}]bool{}}
}

// join listens to a tenant until leave is called. ok is false where too many listen already.
func (p *pulse) join(tenant uuid.UUID) (changed <-chan struct{}, leave func(), ok bool) {
	p.mu.Lock()
	defer p.mu.Unlock()
	if p.count >= maxStreams || len(p.streams[tenant]) >= maxPerTenant {
		return nil, nil, false
	}

	mine := make(chan struct{}, 1)
	if p.streams[tenant] == nil {
		p.streams[tenant] = map[chan struct{}]bool{}
	}
	p.streams[tenant][mine] = true
	p.count++
	if !p.running {
		p.running = true
		go p.run()
	}

	return mine, func() { p.leave(tenant, mine) }, true
}

func (p *pulse) leave(tenant uuid.UUID, mine chan struct{}) {
	p.mu.Lock()
	defer p.mu.Unlock()
	delete(p.streams[tenant], mine)
	if len(p.streams[tenant]) == 0 {
		delete(p.streams, tenant)
	}
	p.count--
}

// listenedTo lists the tenants, or ends the watching where there are none.
func (p *pulse) listenedTo() []uuid.UUID {
	p.mu.Lock()
	defer p.mu.Unlock()
	list := make([]uuid.UUID, 0, len(p.streams))
	for tenant := range p.streams {
		list = append(list, tenant)
	}
	p.running = len(list) > 0

	return list
}

// run watches as long as anybody listens. While the database does not answer nothing is said; what changed meanwhile is said
// afterwards.
func (p *pulse) run() {
	tick := time.NewTicker(pulseEvery)
	defer tick.Stop()
	last := map[uuid.UUID]string{}
	for {
		of := p.listenedTo()
		if len(of) == 0 {
			return
		}
		ctx, cancel := context.WithTimeout(context.Background(), pageTimeout)
		now, err := ingest.Pulse(ctx, p.db, of)
		cancel()
		if err == nil {
			last = p.tell(of, last, now)
		}

		select {
		case <-p.ending:
			return
		case <-tick.C:
		}
	}
}

// tell says to the streams of each tenant what is new since last, and returns what to compare with next time.
func (p *pulse) tell(of []uuid.UUID, last, now map[uuid.UUID]string) map[uuid.UUID]string {
	p.mu.Lock()
	defer p.mu.Unlock()
	seen := make(map[uuid.UUID]string, len(of))
	for _, tenant := range of {
		seen[tenant] = now[tenant]
		if was, known := last[tenant]; !known || was == now[tenant] {
			continue
		}
		for stream := range p.streams[tenant] {
			select {
			case stream <- struct{}{}:
			default: // it has not yet said the change before
			}
		}
	}

	return seen
}
