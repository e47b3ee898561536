package outbox

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// freshFor is how long a list of templates is good.
const freshFor = 10 * time.Minute

// ErrNotAsked says that Meta could not be asked for what it has.
var ErrNotAsked = errors.New("meta could not be asked")

// Templates are the templates of a number's WABA, and when Meta listed them, zero for never: asked again where that is a while ago.
// Where the number has no token that is good they are as they were, and so they are, with ErrNotAsked, where Meta does not answer. No
// transaction may be open. ErrNotFound where the tenant has no such number.
func Templates(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph, tenant, number uuid.UUID) (list []conversations.Template, at time.Time, err error) {
	var (
		n     numbers.Number
		token string
		may   = true
	)
	err = db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if list, at, err = conversations.Templates(ctx, tx, number); err != nil {
			return err
		}
		n, token, err = numbers.Sender(ctx, tx, keys, number, time.Now())
		if tenants.ConflictCode(err) != "" {
			may = false
			return nil
		}
		return err
	})
	if err != nil || !may || time.Since(at) < freshFor {
		return list, at, err
	}

	fetched, err := graph.Templates(ctx, token, n.WABAID)
	if err != nil {
		return list, at, fmt.Errorf("%w: %w", ErrNotAsked, err) // the list of before is better than none
	}
	err = db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if err := conversations.KeepTemplates(ctx, tx, n.WABAID, fetched); err != nil {
			return err
		}
		list, at, err = conversations.Templates(ctx, tx, number)
		return err
	})

	return list, at, err
}
