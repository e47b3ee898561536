package web

import (
	"context"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
)

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
		ctx, cancel := context.WithTimeout(context.Background(), PageTimeout)
		now, err := ingest.Pulse(ctx, p.DB, of)
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

// pulse watches the tenants somebody listens to, all with one question to the database.
type pulse struct {
	DB      *tenants.DB
	ending  <-chan struct{}
	mu      sync.Mutex
	streams map[uuid.UUID]map[chan struct{}]bool
	count   int
	running bool
}

func newPulse(db *tenants.DB, ending <-chan struct{}) *pulse {
	return &pulse{DB: db, ending: ending, streams: map[uuid.UUID]map[chan struct{}]bool{}}
}

const (
	pulseEvery   = 500 * time.Millisecond
	maxStreams   = 2000
	maxPerTenant = 200 // of those: nobody's open tabs keep others from theirs
)
