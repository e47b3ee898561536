package access

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// lockPerson has a System transaction wait for every other one that signs somebody in or out, moves a session of theirs or changes how they
// sign in. Without it who ends every session would not see one that is just being put in another's place. It comes before any other lock
// on what is theirs, so that no two wait for each other; what only refers to the person does not wait.
func lockPerson(ctx context.Context, tx *tenants.Tx, person uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `SELECT 1 FROM people WHERE id = $1 FOR NO KEY UPDATE`, person); err != nil {
		return fmt.Errorf("lock person: %w", err)
	}

	return nil
}

// lockLiving is lockPerson for a member whose session lives on; where it ended since the request was let in it is ErrNoSession.
func lockLiving(ctx context.Context, tx *tenants.Tx, m Member) error {
	if err := lockPerson(ctx, tx, m.Person.ID); err != nil {
		return err
	}
	var lives []bool
	if err := tx.SelectContext(ctx, &lives, `
		SELECT true FROM sessions WHERE id_hash = $1 AND revoked_at IS NULL AND expires_at > now() FOR SHARE`, m.session); err != nil {
		return fmt.Errorf("read session again: %w", err)
	}
	if len(lives) == 0 {
		return ErrNoSession
	}

	return nil
}
