package teller

import (
	"context"
	"fmt"
	"time"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/mail"
	settingspages "github.com/pehchan/pehchan/views/settings"
)

// queueErased sends an owner of before the receipt that everything is gone.
func (t *Teller) queueErased(ctx context.Context, tx *tenants.Tx, j telling) error {
	var gone struct {
		ID   string `db:"id"`
		Rows int64  `db:"rows"`
	}
	if err := tx.GetContext(ctx, &gone, `SELECT args->>'tenant_id' AS id, (args->>'rows')::bigint AS rows FROM jobs WHERE id = $1`, j.ID); err != nil {
		return fmt.Errorf("read receipt: %w", err)
	}
	ctx = InLanguage(ctx, access.Reader{Lang: j.Lang}, "en", time.UTC)

	return Queue(ctx, tx, t.keys, j.Whose, "erased "+j.ID.String(), settingspages.ErasedMail(ctx, gone.ID, gone.Rows))
}

// queueLife tells a business's owners where it stands, unless it stands elsewhere by now.
func (t *Teller) queueLife(ctx context.Context, tx *tenants.Tx, j telling) error {
	tenant, err := access.CurrentTenant(ctx, tx)
	if err != nil || tenant.State != j.Whose {
		return err
	}
	owners, err := access.Owners(ctx, tx)
	if err != nil {
		return err
	}
	for _, to := range owners {
		ctx := InLanguage(ctx, to, tenant.Lang, tenant.Location())
		letter := settingspages.LifeMail(ctx, settingspages.Life{
			Business: tenant.Name, State: tenant.State, Reason: tenant.StateReason, EraseAfter: web.OrZero(tenant.EraseAfter), Support: t.support, Href: t.link("/"),
			CanKeep: tenant.StateBefore != "",
		})
		if err := Queue(ctx, tx, t.keys, to.Email, mail.AboutLife+j.ID.String()+" "+to.ID.String(), letter); err != nil {
			return err
		}
	}

	return nil
}
