package privacy

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

// Channels are the ways in which a customer may have told the business.
var Channels = []string{"chat", "in_person", "call", "form"}

// Consent is one thing that a customer said about offers: to WhatsApp (Channel identity.Told) or to the business.
type Consent struct {
	Value   string    `db:"value"` // stop, resume
	Channel string    `db:"channel"`
	At      time.Time `db:"at"` // when they said it
	By      string    `db:"by_name"`
}

// Consents is all that a contact said, on any of their accounts, newest first; at most 100. What counts is identity.Strictest: a stop on
// any account or number before everything else, so neither a merge nor a list ever raises it.
func Consents(ctx context.Context, tx *tenants.Tx, contact uuid.UUID) ([]Consent, error) {
	w, _, err := identity.WholeOf(ctx, tx, contact)
	if err != nil {
		return nil, err
	}
	list := []Consent{}
	if err := tx.SelectContext(ctx, &list, `
		SELECT value, channel, at, by_name FROM consents WHERE tenant_id = $1 AND identity_id = ANY($2)
		UNION ALL
		SELECT DISTINCT s.value, CASE s.kind WHEN 'word' THEN $6 ELSE $5 END, s.at, '' FROM tenures t
		JOIN account_signals s ON s.tenant_id = $1 AND s.identifier_id = t.identifier_id AND s.kind IN ('preference', 'word') AND s.category = $4
		     AND (t.from_at IS NULL OR s.at >= t.from_at) AND (t.to_at IS NULL OR s.at < t.to_at)
		WHERE t.tenant_id = $1 AND t.id = ANY($3) AND s.value IN ('stop', 'resume')
		ORDER BY at DESC, value DESC LIMIT 100`, tx.Tenant, pq.Array(w.Identities), pq.Array(w.Tenures), identity.Marketing, identity.Told, identity.ByWord); err != nil {
		return nil, fmt.Errorf("read consents: %w", err)
	}

	return list, nil
}

// Record adds what a customer told the business, on all their accounts. It changes nothing that they told WhatsApp: a stop there stays
// one until they end it there.
func Record(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, contact uuid.UUID, value, channel string, at time.Time) error {
	switch {
	case value != identity.Stop && value != identity.Resume:
		return &tenants.Invalid{Field: "value", Key: "choice"}
	case !contains(Channels, channel):
		return &tenants.Invalid{Field: "channel", Key: "choice"}
	case at.After(time.Now()), at.Year() < 2009:
		return &tenants.Invalid{Field: "at", Key: "day"}
	}
	c, err := identity.Get(ctx, tx, contact)
	if err != nil {
		return err
	}

	return keepWord(ctx, tx, actor, c, value, channel, at)
}

// object keeps that a customer objects: no offers, and nobody is suggested to be them by a name, until they say that offers are welcome.
func object(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, contact uuid.UUID) error {
	c, err := identity.Get(ctx, tx, contact)
	if err != nil {
		return err //nolint:wrapcheck // it says what it read
	}

	return keepWord(ctx, tx, actor, c, identity.Stop, identity.Objection, time.Now())
}

// keepWord adds what a customer said to each of their accounts.
func keepWord(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, c identity.Contact, value, channel string, at time.Time) error {
	if len(c.Identities) == 0 {
		return &tenants.Conflict{Code: "no_account"}
	}
	ids := make([]uuid.UUID, len(c.Identities))
	for i, account := range c.Identities {
		ids[i] = account.ID
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO consents (tenant_id, id, identity_id, category, value, channel, at, by_name)
		SELECT $1, gen_random_uuid(), i, $3, $4, $5, $6, $7 FROM unnest($2::uuid[]) i`,
		tx.Tenant, pq.Array(ids), identity.Marketing, value, channel, at, actor.Name); err != nil {
		return fmt.Errorf("record consent: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "contact.consent", ObjectKind: "contact", ObjectID: c.ID.String(), Detail: map[string]any{"value": value, "channel": channel},
	})
}

func contains(list []string, word string) bool {
	for _, w := range list {
		if w == word {
			return true
		}
	}

	return false
}
