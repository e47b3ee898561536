package conversations

import (
	"context"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// ContactsOf are the contacts whose thread messages of a number stand in, by wamid: as of now, so after a merge the survivor. Whoever has no
// contact is left out.
func ContactsOf(ctx context.Context, tx *tenants.Tx, number uuid.UUID, wamids []string) (map[string]uuid.UUID, error) {
	var rows []struct {
		WAMID   string    `db:"wamid"`
		Contact uuid.UUID `db:"contact_id"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT m.wamid, i.contact_id FROM messages m
		JOIN tenures t ON t.tenant_id = $1 AND t.id = m.tenure_id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id
		WHERE m.tenant_id = $1 AND m.number_id = $2 AND m.wamid = ANY($3) AND i.contact_id IS NOT NULL`, tx.Tenant, number, pq.Array(wamids)); err != nil {
		return nil, fmt.Errorf("read whose messages these are: %w", err)
	}
	of := make(map[string]uuid.UUID, len(rows))
	for _, r := range rows {
		of[r.WAMID] = r.Contact
	}

	return of, nil
}
