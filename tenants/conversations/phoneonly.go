package conversations

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// PhoneOnly says how many of the parts of conversations that were spoken in last are with somebody of whom a phone alone is known.
type PhoneOnly struct {
	Of    int         // parts looked at
	Count int         // of them, those that hang on a phone
	Who   []uuid.UUID // contacts of the newest of those, each once
}

// HangOnPhone looks at the newest parts of conversations, and names some of those people. It reads no more than these, however many there are.
func HangOnPhone(ctx context.Context, tx *tenants.Tx, newest, sample int) (PhoneOnly, error) {
	var rows []struct {
		Contact uuid.UUID `db:"contact_id"`
		Reach   string    `db:"reach"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT r.contact_id, r.reach
		FROM (SELECT tenure_id, place FROM thread_tips WHERE tenant_id = $1 ORDER BY place DESC, tenure_id DESC LIMIT $2) p
		JOIN tenures t ON t.tenant_id = $1 AND t.id = p.tenure_id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id
		LEFT JOIN identities o ON o.tenant_id = $1 AND o.id = i.absorbed_into
		JOIN contact_reach r ON r.tenant_id = $1 AND r.contact_id = CASE WHEN i.absorbed_into IS NULL THEN i.contact_id ELSE o.contact_id END
		ORDER BY p.place DESC, p.tenure_id DESC`, tx.Tenant, newest); err != nil {
		return PhoneOnly{}, fmt.Errorf("look at the newest conversations: %w", err)
	}
	found := PhoneOnly{Of: len(rows)}
	for _, r := range rows {
		if r.Reach != identity.ReachPhone {
			continue
		}
		found.Count++
		if len(found.Who) < sample && !slices.Contains(found.Who, r.Contact) {
			found.Who = append(found.Who, r.Contact)
		}
	}

	return found, nil
}
