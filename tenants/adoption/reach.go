package adoption

import (
	"context"
	"fmt"

	"github.com/pehchan/pehchan/tenants"
)

// CountReach brings the sums of reach up to date at the end of a statement that changes contact_reach, $1 being the tenant and changed what
// each contact was and is now, NULL for not in the book:
//
//	WITH changed (was, now) AS (…) ` + CountReach
//
// It is for whoever holds the tenant's identity lock.
const CountReach = `
	INSERT INTO reach_sums AS t (tenant_id, reach, n)
	SELECT $1, x.reach, sum(x.times) FROM (SELECT now AS reach, 1 AS times FROM changed UNION ALL SELECT was, -1 FROM changed) x
	WHERE x.reach IS NOT NULL GROUP BY x.reach HAVING sum(x.times) <> 0 ORDER BY x.reach
	ON CONFLICT (tenant_id, reach) DO UPDATE SET n = t.n + excluded.n`

// truth is how each contact of the book can be reached, by the words it is found by.
const truth = `truth AS (
	SELECT c.id AS contact_id, CASE WHEN h.bsuid AND h.phone THEN 'both' WHEN h.bsuid THEN 'id' WHEN h.phone THEN 'phone' ELSE 'neither' END AS reach
	FROM contacts c
	LEFT JOIN (SELECT contact_id, bool_or(word < 'c') AS bsuid, bool_or(word > 'c') AS phone FROM contact_words
	           WHERE tenant_id = $1 AND (word >= 'b:' AND word < 'b;' OR word >= 'p:' AND word < 'p;') GROUP BY contact_id) h ON h.contact_id = c.id
	WHERE c.tenant_id = $1 AND c.merged_into IS NULL
), kept AS (
	SELECT contact_id, reach FROM contact_reach WHERE tenant_id = $1
)`

// compareReach looks for contacts that can be reached otherwise than is kept of them, and for sums that are not what they come to.
func compareReach(ctx context.Context, tx *tenants.Tx, right bool) (wrong int, err error) {
	if err := tx.GetContext(ctx, &wrong, `
		WITH `+truth+`
		SELECT (SELECT count(*) FROM truth FULL JOIN kept USING (contact_id) WHERE truth.reach IS DISTINCT FROM kept.reach)
		     + (SELECT count(*) FROM (SELECT reach, count(*) AS n FROM truth GROUP BY reach) r
		        FULL JOIN (SELECT reach, n FROM reach_sums WHERE tenant_id = $1) s USING (reach) WHERE coalesce(r.n, 0) <> coalesce(s.n, 0))`, tx.Tenant); err != nil {
		return 0, fmt.Errorf("count reach anew: %w", err)
	}
	if wrong == 0 || !right {
		return wrong, nil
	}
	for _, step := range []string{
		`WITH ` + truth + ` DELETE FROM contact_reach r USING kept LEFT JOIN truth USING (contact_id)
		WHERE r.tenant_id = $1 AND r.contact_id = kept.contact_id AND truth.reach IS NULL`,
		`WITH ` + truth + ` INSERT INTO contact_reach (tenant_id, contact_id, reach)
		SELECT $1, truth.contact_id, truth.reach FROM truth LEFT JOIN kept USING (contact_id) WHERE truth.reach IS DISTINCT FROM kept.reach
		ON CONFLICT (tenant_id, contact_id) DO UPDATE SET reach = excluded.reach`,
		`DELETE FROM reach_sums WHERE tenant_id = $1`,
		`INSERT INTO reach_sums (tenant_id, reach, n) SELECT $1, reach, count(*) FROM contact_reach WHERE tenant_id = $1 GROUP BY reach`,
	} {
		if _, err := tx.ExecContext(ctx, step, tx.Tenant); err != nil {
			return wrong, fmt.Errorf("put reach right: %w", err)
		}
	}

	return wrong, nil
}
