package main_test

import (
	"context"
	"fmt"
	"math/rand/v2"
	"net/http"
	"sync"
	"time"
)

// sent is one delivery as its sender knows it.
type sent struct {
	body   []byte
	wamids []string
	acked  bool
}

// try is one answer, or none: status 0 means that the connection broke first.
type try struct {
	status         int
	retryAfter     string
	begun, settled time.Time
}

// journal is what the senders of a drill write down.
type journal struct {
	mu         sync.Mutex
	moved      *sync.Cond // after each try
	rand       *rand.Rand
	deliveries []*sent
	tries      []try
	acked      int
	closed     bool
}

func newJournal(seed uint64) *journal {
	j := &journal{rand: rand.New(rand.NewPCG(seed, 1))}
	j.moved = sync.NewCond(&j.mu)

	return j
}

// next makes a delivery: one in ten repeats an earlier body, one in twenty carries twenty messages, of which some were sent
// before; a thousand people write. It returns nil once the journal is closed.
func (j *journal) next() *sent {
	j.mu.Lock()
	defer j.mu.Unlock()
	if j.closed {
		return nil
	}

	n := len(j.deliveries)
	d := &sent{}
	switch {
	case n > 20 && j.rand.IntN(10) == 0:
		earlier := j.deliveries[j.rand.IntN(n)]
		d.body, d.wamids = earlier.body, earlier.wamids
	default:
		size := 1
		if j.rand.IntN(20) == 0 {
			size = 20
		}
		var messages []string
		for i := range size {
			wamid, person := fmt.Sprintf("wamid.%d.%d", n, i), j.rand.IntN(1000)
			if n > 0 && i > 0 && i%7 == 0 {
				earlier := j.deliveries[j.rand.IntN(n)]
				wamid = earlier.wamids[0]
			}
			d.wamids = append(d.wamids, wamid)
			messages = append(messages, messageFrom(person, wamid))
		}
		d.body = webhook(messages...)
	}
	j.deliveries = append(j.deliveries, d)

	return d
}

// The pace of one sender: a build that answers too early must not be sent more than a slow machine can work off.
const (
	pace       = 10 * time.Millisecond // after a delivery is taken
	firstPause = 5 * time.Millisecond  // after one is not; then twice as long each time, up to
	mostPause  = 200 * time.Millisecond
)

// send sends delivery after delivery until the journal is closed, each again and again until it is answered 200, as Meta does.
func (j *journal) send(ctx context.Context, m meta) {
	for d := j.next(); d != nil; d = j.next() {
		for pause := firstPause; !d.acked && ctx.Err() == nil; pause = min(2*pause, mostPause) {
			begun := time.Now()
			status, retryAfter, err := m.post(ctx, d.body)
			if err != nil {
				status = 0
			}
			j.note(d, try{status, retryAfter, begun, time.Now()})
			if status != http.StatusOK {
				time.Sleep(pause) // Meta's, not the test's
			}
		}
		time.Sleep(pace)
	}
}

func (j *journal) note(d *sent, t try) {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.tries = append(j.tries, t)
	if t.status == http.StatusOK {
		d.acked = true
		j.acked++
	}
	j.moved.Broadcast()
}

// waitFor blocks until n more of the tries to come have a property, or the senders have given up.
func (j *journal) waitFor(ctx context.Context, n int, has func(try) bool) {
	stop := context.AfterFunc(ctx, func() {
		j.mu.Lock()
		defer j.mu.Unlock()
		j.moved.Broadcast()
	})
	defer stop()

	j.mu.Lock()
	defer j.mu.Unlock()
	for from := len(j.tries); n > 0 && ctx.Err() == nil; {
		for ; from < len(j.tries); from++ {
			if has(j.tries[from]) {
				n--
			}
		}
		if n > 0 {
			j.moved.Wait()
		}
	}
}

func (j *journal) close() {
	j.mu.Lock()
	defer j.mu.Unlock()
	j.closed = true
}

func taken(t try) bool { return t.status == http.StatusOK }
