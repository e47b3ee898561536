package conversations

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// maxNote is the most characters a note has.
const maxNote = 4000

// Note is what somebody of the business wrote down for their colleagues. The customer never sees it.
type Note struct {
	ID         uuid.UUID `db:"id"`
	IdentityID uuid.UUID `db:"identity_id"` // the account it was written about
	Text       string    `db:"text"`
	AuthorID   string    `db:"author_id"`
	AuthorName string    `db:"author_name"`
	At         time.Time `db:"at"`
}

// AddNote writes a note about the account of a thread. It goes with the account through merges and undos. ErrNotFound where the
// tenant has no such contact or account.
func AddNote(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, t Thread, text string) (Note, error) {
	if err := checkText("text", text, maxNote); err != nil {
		return Note{}, err
	}
	to, err := accountOf(ctx, tx, t)
	if err != nil {
		return Note{}, err
	}
	id, err := uuid.NewV7()
	if err != nil {
		return Note{}, fmt.Errorf("make note id: %w", err)
	}

	var n Note
	err = tx.GetContext(ctx, &n, `
		INSERT INTO notes (tenant_id, id, identity_id, text, author_kind, author_id, author_name) VALUES ($1, $2, $3, $4, $5, $6, $7)
		RETURNING id, identity_id, text, author_id, author_name, at`, tx.Tenant, id, to.Identity, text, actor.Kind, actor.ID, actor.Name)
	if err != nil {
		return Note{}, fmt.Errorf("add note: %w", err)
	}

	return n, tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "conversation.note", ObjectKind: "contact", ObjectID: to.Contact.String(), Detail: map[string]any{"note": id},
	})
}

// Notes lists what was written about the accounts that are a contact's now, newest first, and the cursor of the next page ("" at the
// end).
func Notes(ctx context.Context, tx *tenants.Tx, c identity.Contact, page identity.Page) (list []Note, next string, err error) {
	at, id, err := page.Before()
	if err != nil {
		return nil, "", err
	}

	err = tx.SelectContext(ctx, &list, `
		SELECT n.id, n.identity_id, n.text, n.author_id, n.author_name, n.at
		FROM identities i JOIN notes n ON n.tenant_id = $1 AND n.identity_id = i.id
		WHERE i.tenant_id = $1 AND (i.id = ANY($2) OR i.absorbed_into = ANY($2)) AND (n.at, n.id) < ($3, $4)
		ORDER BY n.at DESC, n.id DESC LIMIT $5`, tx.Tenant, pq.Array(accounts(c)), at, id, page.Size()+1)
	if err != nil {
		return nil, "", fmt.Errorf("list notes: %w", err)
	}
	if len(list) > page.Size() {
		list = list[:page.Size()]
		last := list[len(list)-1]
		next = identity.CursorAt(last.At, last.ID)
	}

	return list, next, nil
}

// Assign gives the account of a thread to a person of the business to look after, or, with uuid.Nil, to nobody. ErrNotFound where
// the tenant has no such contact, account or person.
func Assign(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, t Thread, person uuid.UUID) error {
	to, err := accountOf(ctx, tx, t)
	if err != nil {
		return err
	}
	if person == uuid.Nil {
		_, err = tx.ExecContext(ctx, `DELETE FROM assignments WHERE tenant_id = $1 AND identity_id = $2`, tx.Tenant, to.Identity)
	} else {
		// Whoever is just being removed gets nothing more.
		var member []bool
		if err := tx.SelectContext(ctx, &member, `SELECT true FROM memberships WHERE tenant_id = $1 AND person_id = $2 FOR KEY SHARE`, tx.Tenant, person); err != nil {
			return fmt.Errorf("look for member: %w", err)
		}
		if len(member) == 0 {
			return tenants.ErrNotFound
		}
		_, err = tx.ExecContext(ctx, `
			INSERT INTO assignments (tenant_id, identity_id, person_id) VALUES ($1, $2, $3)
			ON CONFLICT (tenant_id, identity_id) DO UPDATE SET person_id = excluded.person_id, assigned_at = now()`, tx.Tenant, to.Identity, person)
	}
	if err != nil {
		return fmt.Errorf("assign conversation: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "conversation.assign", ObjectKind: "contact", ObjectID: to.Contact.String(), Detail: map[string]any{"person": person},
	})
}
