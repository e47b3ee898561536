package conversations

import (
	"context"
	"database/sql"
	"errors"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// What can have changed between looking and sending.
const (
	ChangedContact = "contact" // the account is part of another contact: merged, or taken apart
	ChangedAccount = "account" // the message that is answered turned out to be another account's
	ChangedAddress = "address" // the account has another phone or WhatsApp ID, or has lost the one shown
)

// Changed refuses to send because the recipient is not the one that was shown. Nothing was stored. Now is where the reply would go,
// as it is to be shown next; its Thread is zero where there is nobody to write to any more.
type Changed struct {
	Now  Recipient
	What []string // some of Changed…
}

func (c *Changed) Error() string { return fmt.Sprintf("recipient has changed: %v", c.What) }

// recheck finds the recipient of what was shown as it is now, and what is different about it.
func recheck(ctx context.Context, tx *tenants.Tx, was shown) (now Recipient, what []string, err error) {
	account, contact, err := answering(ctx, tx, was)
	if err != nil {
		return Recipient{}, nil, err
	}
	if contact == nil {
		return Recipient{}, []string{ChangedAccount}, nil
	}
	now, err = replyTo(ctx, tx, Thread{Contact: *contact, Identity: account, Number: was.numberID})
	if err != nil {
		return Recipient{}, nil, err
	}

	if now.Contact != was.contactID {
		what = append(what, ChangedContact)
	}
	if account != was.identityID {
		what = append(what, ChangedAccount)
	}
	if now.identifierID != was.identifierID {
		what = append(what, ChangedAddress)
	}

	return now, what, nil
}

// answering is the account that wrote what is answered, as is known now; where nothing is answered, what the account itself has
// become. contact is whose it is, nil where it is nobody's any more.
func answering(ctx context.Context, tx *tenants.Tx, was shown) (account uuid.UUID, contact *uuid.UUID, err error) {
	var row struct {
		Account uuid.UUID  `db:"id"`
		Contact *uuid.UUID `db:"contact_id"`
	}
	err = tx.GetContext(ctx, &row, `
		SELECT o.id, o.contact_id
		FROM messages m JOIN tenures t ON t.tenant_id = $1 AND t.id = m.tenure_id JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id
		JOIN identities o ON o.tenant_id = $1 AND o.id = coalesce(i.absorbed_into, i.id)
		WHERE m.tenant_id = $1 AND m.id = $2`, tx.Tenant, was.lastInbound)
	if errors.Is(err, sql.ErrNoRows) {
		err = tx.GetContext(ctx, &row, `
			SELECT o.id, o.contact_id FROM identities i JOIN identities o ON o.tenant_id = $1 AND o.id = coalesce(i.absorbed_into, i.id)
			WHERE i.tenant_id = $1 AND i.id = $2`, tx.Tenant, was.identityID)
	}
	if errors.Is(err, sql.ErrNoRows) {
		return uuid.Nil, nil, nil
	}
	if err != nil {
		return uuid.Nil, nil, fmt.Errorf("find account that is answered: %w", err)
	}

	return row.Account, row.Contact, nil
}
