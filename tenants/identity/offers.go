package identity

import (
	"context"
	"fmt"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Offers is how many contacts said that offers are welcome, and that they are not. The others have said nothing.
type Offers struct {
	Yes int64 `db:"yes"`
	No  int64 `db:"no"`
}

// CountOffers counts, for each way of being reached, what contacts said about marketing messages, by the rules of Preferences and Strictest.
// It reads what was said, and no contact that said nothing.
func CountOffers(ctx context.Context, tx *tenants.Tx) (map[string]Offers, error) {
	var rows []struct {
		Reach string `db:"reach"`
		Offers
	}
	if err := tx.SelectContext(ctx, &rows, `
		WITH said AS (
			SELECT DISTINCT ON (s.identity_id, s.number_id) s.contact_id, s.identity_id, s.value, s.at, s.channel
			FROM (
				SELECT i.contact_id, t.identity_id, CASE s.kind WHEN 'word' THEN $3::uuid ELSE s.number_id END AS number_id, s.value, s.at,
				       CASE WHEN s.kind = 'word' THEN $7 WHEN EXISTS (SELECT 1 FROM inbox_items n WHERE n.id = s.item_id AND n.kind <> $5) THEN $6 ELSE $4 END AS channel
				FROM account_signals s
				JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = s.identifier_id
				     AND (t.from_at IS NULL OR s.at >= t.from_at) AND (t.to_at IS NULL OR s.at < t.to_at)
				JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id
				WHERE s.tenant_id = $1 AND s.kind IN ('preference', 'word') AND s.category = $2
				UNION ALL
				SELECT now.contact_id, c.identity_id, $3::uuid, c.value, c.at, c.channel
				FROM consents c JOIN identities i ON i.tenant_id = $1 AND i.id = c.identity_id
				JOIN identities now ON now.tenant_id = $1 AND now.id = coalesce(i.absorbed_into, i.id)
				WHERE c.tenant_id = $1 AND c.category = $2
			) s
			ORDER BY s.identity_id, s.number_id, s.at DESC, s.value DESC
		), counts AS (
			SELECT o.contact_id, bool_or(o.value = $8) AS no, (array_agg(o.value ORDER BY o.at DESC))[1] = $9 AS yes
			FROM said o
			WHERE o.channel <> $6 OR NOT EXISTS (SELECT 1 FROM said w WHERE w.identity_id = o.identity_id AND w.channel = $7 AND w.value = $9 AND w.at > o.at)
			GROUP BY o.contact_id
		)
		SELECT r.reach, count(*) FILTER (WHERE c.yes AND NOT c.no) AS yes, count(*) FILTER (WHERE c.no) AS no
		FROM counts c JOIN contact_reach r ON r.tenant_id = $1 AND r.contact_id = c.contact_id GROUP BY r.reach`,
		tx.Tenant, Marketing, uuid.Nil, Told, string(whatsapp.KindPreference), Before, ByWord, Stop, Resume); err != nil {
		return nil, fmt.Errorf("count who welcomes offers: %w", err)
	}
	by := map[string]Offers{}
	for _, r := range rows {
		by[r.Reach] = r.Offers
	}

	return by, nil
}
