package outbox

import (
	"context"
	"errors"
	"fmt"
	"sync"
	"time"

	"github.com/google/uuid"
	"golang.org/x/sync/singleflight"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	freshFor = 10 * time.Minute // a list of templates is good
	patience = time.Second      // a page waits for Meta
	askFor   = 15 * time.Second // Meta is given to answer, be it for the next page
	leaveFor = 30 * time.Second // after it did not
)

// ErrNotAsked says that Meta could not be asked for what it has, or has not answered yet.
var ErrNotAsked = errors.New("meta could not be asked")

// Catalogue lists the templates of numbers. One number's are asked for once at a time, however many pages want them.
type Catalogue struct {
	db    *tenants.DB
	keys  *secrets.Keyring
	graph whatsapp.Graph

	asking singleflight.Group
	mu     sync.Mutex
	silent map[uuid.UUID]time.Time // when Meta last failed to answer, by number
}

// NewCatalogue makes a Catalogue that asks graph.
func NewCatalogue(db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph) *Catalogue {
	return &Catalogue{db: db, keys: keys, graph: graph, silent: map[uuid.UUID]time.Time{}}
}

// Templates are the templates of a number's WABA, and when Meta listed them, zero for never: asked again where that is a while ago.
// Where the number has no token that is good they are as they were, and so they are, with ErrNotAsked, where Meta does not answer within
// a second. No transaction may be open. ErrNotFound where the tenant has no such number.
func (c *Catalogue) Templates(ctx context.Context, tenant, number uuid.UUID) (list []conversations.Template, at time.Time, err error) {
	var (
		waba, token string
		may         = true
	)
	err = c.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if list, at, err = conversations.Templates(ctx, tx, number); err != nil {
			return err
		}
		n, secret, err := numbers.Sender(ctx, tx, c.keys, number, time.Now())
		if tenants.ConflictCode(err) != "" {
			may = false
			return nil
		}
		waba, token = n.WABAID, secret

		return err
	})
	if err != nil || !may || time.Since(at) < freshFor {
		return list, at, err
	}
	if c.rests(number) {
		return list, at, ErrNotAsked
	}

	detached := context.WithoutCancel(ctx)
	answer := c.asking.DoChan(tenant.String()+number.String(), func() (any, error) { return nil, c.ask(detached, tenant, number, waba, token) })
	select {
	case r := <-answer:
		if r.Err != nil {
			return list, at, fmt.Errorf("%w: %w", ErrNotAsked, r.Err) // the list of before is better than none
		}
	case <-time.After(patience):
		return list, at, ErrNotAsked
	}
	err = c.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		list, at, err = conversations.Templates(ctx, tx, number)
		return err
	})

	return list, at, err
}

// ask has Meta list the templates of a WABA, and keeps them.
func (c *Catalogue) ask(ctx context.Context, tenant, number uuid.UUID, waba, token string) error {
	ctx, cancel := context.WithTimeout(ctx, askFor)
	defer cancel()
	fetched, err := c.graph.Templates(ctx, token, waba)
	c.mu.Lock()
	if delete(c.silent, number); err != nil {
		c.silent[number] = time.Now()
	}
	c.mu.Unlock()
	if err != nil {
		return fmt.Errorf("list templates: %w", err)
	}

	return c.db.As(ctx, tenant, func(tx *tenants.Tx) error { return conversations.KeepTemplates(ctx, tx, waba, fetched) })
}

// rests tells whether Meta failed to answer for a number just now.
func (c *Catalogue) rests(number uuid.UUID) bool {
	c.mu.Lock()
	defer c.mu.Unlock()
	at, failed := c.silent[number]
	if failed && time.Since(at) > leaveFor {
		delete(c.silent, number)
		failed = false
	}

	return failed
}
