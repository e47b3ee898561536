package teller

import (
	"context"
	"errors"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	operatorpages "github.com/pehchan/pehchan/views/operator"
)

// queueSupport tells a business's owners that an operator asks to come in, or may by their standing leave.
func (t *Teller) queueSupport(ctx context.Context, tx *tenants.Tx, id uuid.UUID) error {
	g, err := access.SupportGrant(ctx, tx, id)
	if errors.Is(err, tenants.ErrNotFound) {
		return nil
	}
	if err != nil {
		return err
	}
	tenant, err := access.CurrentTenant(ctx, tx)
	if err != nil {
		return err
	}
	owners, err := access.Owners(ctx, tx)
	if err != nil {
		return err
	}
	for _, to := range owners {
		ctx := InLanguage(ctx, to, tenant.Lang, tenant.Location())
		if err := Queue(ctx, tx, t.keys, to.Email, "support "+id.String()+" "+to.ID.String(), operatorpages.SupportMail(ctx, web.LeaveView(g), t.link(web.SupportPath))); err != nil {
			return err
		}
	}

	return nil
}
