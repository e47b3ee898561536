package access

import (
	"context"
	"encoding/hex"
	"fmt"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

// Device is one place where somebody is signed in.
type Device struct {
	Handle  string    // names it to its owner; it signs nobody in
	Agent   string    `db:"user_agent"`
	Address string    `db:"ip"`
	Place   string    `db:"place"` // the business, "" for none
	Since   time.Time `db:"created_at"`
	Seen    time.Time `db:"seen_at"`
	Here    bool      // the one that asks

	Hash []byte `db:"id_hash"`
}

const (
	handleBytes = 16
	maxDevices  = 50
)

// Devices lists where a member is signed in, the last used first, in a System transaction.
func Devices(ctx context.Context, tx *tenants.Tx, m Member) ([]Device, error) {
	var list []Device
	if err := tx.SelectContext(ctx, &list, `
		SELECT s.id_hash, s.user_agent, s.ip, coalesce(t.name, '') AS place, s.created_at, s.seen_at
		FROM sessions s LEFT JOIN tenants t ON t.id = s.tenant_id
		WHERE s.person_id = $1 AND s.revoked_at IS NULL AND s.expires_at > now() AND s.seen_at > now() - make_interval(secs => $2)
		ORDER BY s.seen_at DESC LIMIT $3`, m.Person.ID, SessionIdle.Seconds(), maxDevices); err != nil {
		return nil, fmt.Errorf("list sessions: %w", err)
	}
	for i := range list {
		d := &list[i]
		d.Handle, d.Here = hex.EncodeToString(d.Hash[:handleBytes]), string(d.Hash) == string(m.session)
	}

	return list, nil
}

// EndDevice signs a member out in one place, in a System transaction; ErrNotFound where they are not signed in there.
func EndDevice(ctx context.Context, tx *tenants.Tx, m Member, handle string) error {
	head, err := hex.DecodeString(handle)
	if err != nil || len(head) != handleBytes {
		return tenants.ErrNotFound
	}
	if err := lockPerson(ctx, tx, m.Person.ID); err != nil {
		return err
	}
	done, err := tx.ExecContext(ctx, `
		UPDATE sessions SET revoked_at = now()
		WHERE person_id = $1 AND substring(id_hash FROM 1 FOR $3) = $2 AND revoked_at IS NULL`, m.Person.ID, head, handleBytes)
	if err != nil {
		return fmt.Errorf("end session: %w", err)
	}
	if n, err := done.RowsAffected(); err != nil || n == 0 {
		return tenants.ErrNotFound
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: m.Person.actor(false), Action: "session.end", ObjectKind: "person", ObjectID: m.Person.ID.String(), Detail: map[string]any{"session": handle},
	})
}
