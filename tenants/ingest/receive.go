package ingest

import (
	"context"
	"crypto/sha256"
	"fmt"
	"log/slog"
	"math/rand/v2"
	"sync"
	"sync/atomic"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/secrets"
)

// Options are a Receiver's. Every zero value means the default.
type Options struct {
	Log     *slog.Logger
	Queue   int    // deliveries that may wait to be stored; 4,096
	Bytes   int64  // of them together, in bytes; 48 MiB
	Rows    int    // deliveries in one transaction; 512
	Backlog int64  // deliveries and items stored but not processed, above which new ones are refused; 250,000
	Wake    func() // called after each commit: a worker of the same process

	// Keys seals what comes by numbers that keep no phones before it is stored; without it the splitter does, once it has it.
	Keys *secrets.Keyring
}

// Receipt says what became of a stored delivery.
type Receipt struct {
	Duplicate bool // the same bytes were stored before
}

// Receiver stores deliveries, many concurrent ones in one transaction (group commit). It never waits for more to come: it
// takes what has arrived while the last transaction was under way.
type Receiver struct {
	db      *tenants.DB
	opts    Options
	slot    int // of app_counters
	queue   chan *delivery
	bytes   atomic.Int64
	backlog atomic.Bool
	looked  atomic.Int64 // when the backlog was last looked at, Unix nanoseconds
	looking atomic.Bool
	quiet   atomic.Pointer[[][]byte] // the phone_number_ids of numbers that keep no phones, as last looked up
	flusher sync.Once
	ended   chan struct{}
	done    sync.WaitGroup

	closing sync.RWMutex // against a send on the closed queue
	closed  bool

	refusing sync.Mutex
	refused  map[uuid.UUID]int64
}

// delivery is one webhook on its way to the database.
type delivery struct {
	app    uuid.UUID
	digest [sha256.Size]byte
	body   []byte
	answer chan outcome
}

type outcome struct {
	receipt Receipt
	err     error
}

const (
	maxBatchBytes = 4 << 20
	storeTimeout  = 8 * time.Second
	backlogEvery  = 500 * time.Millisecond
	flushEvery    = time.Second
	counterSlots  = 64
)

// NewReceiver starts a Receiver. Close ends it.
func NewReceiver(db *tenants.DB, opts Options) *Receiver {
	if opts.Log == nil {
		opts.Log = slog.New(slog.DiscardHandler)
	}
	if opts.Queue == 0 {
		opts.Queue = 4096
	}
	if opts.Bytes == 0 {
		opts.Bytes = 48 << 20
	}
	if opts.Rows == 0 {
		opts.Rows = 512
	}
	if opts.Backlog == 0 {
		opts.Backlog = 250_000
	}
	r := &Receiver{
		db: db, opts: opts, slot: rand.IntN(counterSlots), queue: make(chan *delivery, opts.Queue),
		ended: make(chan struct{}), refused: map[uuid.UUID]int64{},
	}
	r.done.Go(r.batch)

	return r
}

// Receive stores one delivery of an app, the raw bytes of its body, and returns once they are durable. A body that the app has
// delivered before is not stored again. tenants.ErrUnavailable means that it could not be stored now: the queue is full, too
// much is waiting to be processed, or the database is away. body is the caller's again when Receive returns.
func (r *Receiver) Receive(ctx context.Context, app uuid.UUID, body []byte) (Receipt, error) {
	if r.full(ctx) {
		return Receipt{}, fmt.Errorf("take delivery: backlog: %w", tenants.ErrUnavailable)
	}
	// Room is taken before the copy, so that a burst is refused rather than held in memory.
	size := int64(len(body))
	if r.bytes.Add(size) > r.opts.Bytes {
		r.bytes.Add(-size)
		return Receipt{}, fmt.Errorf("take delivery: memory: %w", tenants.ErrUnavailable)
	}

	// The web server uses the buffer again, and the batch may outlast a caller that gives up.
	d := &delivery{app: app, digest: sha256.Sum256(body), body: append([]byte(nil), body...), answer: make(chan outcome, 1)}
	if !r.enqueue(d) {
		r.bytes.Add(-size)
		return Receipt{}, fmt.Errorf("take delivery: queue: %w", tenants.ErrUnavailable)
	}
	if answersFirst {
		return Receipt{}, nil
	}

	select {
	case o := <-d.answer:
		return o.receipt, o.err
	case <-ctx.Done():
		// It may be stored yet; the sender tries again and it counts as a repeat.
		return Receipt{}, fmt.Errorf("take delivery: %w", ctx.Err())
	}
}

func (r *Receiver) enqueue(d *delivery) bool {
	r.closing.RLock()
	defer r.closing.RUnlock()
	if r.closed {
		return false
	}

	select {
	case r.queue <- d:
		return true
	default:
		return false
	}
}

// batch stores whatever has arrived, again and again, until the queue is closed and empty.
func (r *Receiver) batch() {
	var held *delivery // taken from the queue, too large for the batch it was taken for
	for {
		first := held
		held = nil
		if first == nil {
			var ok bool
			if first, ok = <-r.queue; !ok {
				return
			}
		}

		group, size := []*delivery{first}, len(first.body)
	fill:
		for len(group) < r.opts.Rows {
			select {
			case d, ok := <-r.queue:
				if !ok {
					break fill
				}
				if size += len(d.body); size > maxBatchBytes {
					held = d
					break fill
				}
				group = append(group, d)
			default:
				break fill
			}
		}
		r.commit(group)
	}
}

// commit stores a group and answers each of its callers.
func (r *Receiver) commit(group []*delivery) {
	ctx, cancel := context.WithTimeout(tenants.Often(context.Background()), storeTimeout)
	defer cancel()

	fresh, err := r.store(ctx, group)
	if deadlocked(err) {
		// Two processes were sent the same bodies in another order.
		fresh, err = r.store(ctx, group)
	}
	if err != nil && !transient(err) && len(group) > 1 {
		// One of them is refused by the database: the others must not suffer for it.
		for _, d := range group {
			r.commit([]*delivery{d})
		}

		return
	}
	if err != nil {
		r.opts.Log.Error("deliveries not stored", "count", len(group), "error", err)
	}

	for _, d := range group {
		r.bytes.Add(-int64(len(d.body)))
		if err != nil {
			d.answer <- outcome{err: fmt.Errorf("store delivery: %w", tenants.ErrUnavailable)}
			continue
		}
		k := key{d.app, d.digest}
		d.answer <- outcome{receipt: Receipt{Duplicate: !fresh[k]}}
		delete(fresh, k) // a second copy in the same group repeats the first
	}
	if err == nil && r.opts.Wake != nil {
		r.opts.Wake()
	}
}

// Close takes no more deliveries, stores those it has taken, writes the counts of refused ones and returns.
func (r *Receiver) Close() {
	r.closing.Lock()
	if r.closed {
		r.closing.Unlock()
		return
	}
	r.closed = true
	close(r.queue)
	close(r.ended)
	r.closing.Unlock()

	r.done.Wait()
	r.flush()
}
