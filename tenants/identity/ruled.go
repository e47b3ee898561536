package identity

import (
	"context"
	"encoding/json"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Sign is the evidence by which a rule made the link; false where no rule did.
func (l Link) Sign() (Reason, bool) {
	var proof proofOfLink
	if err := json.Unmarshal(l.Evidence, &proof); err != nil || proof.Sign == nil {
		return Reason{}, false
	}

	return *proof.Sign, true
}

// ByRule lists the links that rules made, also those taken back, newest first and a page at a time, with the cursor of the next
// page ("" at the end).
func ByRule(ctx context.Context, tx *tenants.Tx, page Page) ([]Link, string, error) {
	at, id, err := page.Before()
	if err != nil {
		return nil, "", err
	}
	var links []Link
	err = tx.SelectContext(ctx, &links, `
		SELECT `+linkColumns+` FROM unnest($2::text[]) AS k (evidence)
		CROSS JOIN LATERAL (
			SELECT * FROM links WHERE tenant_id = $1 AND rule <> '' AND rule = k.evidence AND (at, id) < ($3, $4)
			ORDER BY at DESC, id DESC LIMIT $5) l
		ORDER BY l.at DESC, l.id DESC LIMIT $5`, tx.Tenant, pq.Array(RuleKinds), at, id, page.Size()+1)
	if err != nil {
		return nil, "", fmt.Errorf("list links by rule: %w", err)
	}

	next := ""
	if len(links) > page.Size() {
		links = links[:page.Size()]
		last := links[len(links)-1]
		next = CursorAt(last.At, last.ID)
	}

	return links, next, nil
}

// CountByRule counts the links that rules made lately and that stand.
func CountByRule(ctx context.Context, tx *tenants.Tx, within time.Duration) (int, error) {
	var n int
	err := tx.GetContext(ctx, &n, `
		SELECT count(*) FROM links
		WHERE tenant_id = $1 AND rule <> '' AND rule = ANY($2) AND at > now() - $3 * interval '1 second' AND undone_at IS NULL`,
		tx.Tenant, pq.Array(RuleKinds), within.Seconds())
	if err != nil {
		return 0, fmt.Errorf("count links by rule: %w", err)
	}

	return n, nil
}

// Tripped lists the rules that the circuit breaker turned off and that nobody has switched since.
func Tripped(ctx context.Context, tx *tenants.Tx) ([]Rule, error) {
	var found bool
	if err := tx.GetContext(ctx, &found, `SELECT EXISTS (SELECT 1 FROM link_rules WHERE tenant_id = $1 AND tripped)`, tx.Tenant); err != nil {
		return nil, fmt.Errorf("look for rules that turned off: %w", err)
	}
	if !found {
		return nil, nil
	}
	rules, err := Rules(ctx, tx)

	return slices.DeleteFunc(rules, func(r Rule) bool { return !r.Tripped }), err
}

// Relinking tells, by kind of evidence, how many contacts a job has derived again so far. Kinds without a job are left out.
func Relinking(ctx context.Context, tx *tenants.Tx) (map[string]int, error) {
	var rows []struct {
		Evidence string `db:"evidence"`
		Done     int    `db:"done"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT args->>'evidence' AS evidence, sum(done) AS done FROM jobs
		WHERE tenant_id = $1 AND kind = $2 AND state IN ('waiting', 'running') GROUP BY 1`, tx.Tenant, KindRelink)
	if err != nil {
		return nil, fmt.Errorf("read switched rules: %w", err)
	}

	running := make(map[string]int, len(rows))
	for _, r := range rows {
		running[r.Evidence] = r.Done
	}

	return running, nil
}

// ruledBy is what rules have linked the accounts by, as proofs. A card and a code are one already.
func ruledBy(ctx context.Context, tx *tenants.Tx, identities []uuid.UUID) ([]Proof, error) {
	var links []Link
	err := tx.SelectContext(ctx, &links, `
		SELECT `+linkColumns+` FROM links l
		WHERE l.tenant_id = $1 AND l.rule <> '' AND l.rule NOT IN ('`+hintCardRequest+`', '`+hintCode+`') AND l.undone_at IS NULL AND l.identity_id = ANY($2)
		ORDER BY l.at DESC LIMIT 200`, tx.Tenant, pq.Array(identities))
	if err != nil {
		return nil, fmt.Errorf("read what rules linked by: %w", err)
	}

	var proofs []Proof
	for _, l := range links {
		sign, ok := l.Sign()
		if !ok {
			continue
		}
		at, err := time.Parse(time.RFC3339, sign.Args["at"])
		if err != nil {
			return nil, fmt.Errorf("read the time of a link's proof: %w", err)
		}
		kind := whatsapp.KindPhone
		if sign.Code == signParent {
			kind = whatsapp.KindParentBSUID
		}
		p := Proof{Kind: ProofHint, Code: sign.Code, Tier: "A", From: at, Until: at, Handles: []Handle{{kind, sign.Args["via"]}}}
		if sign.ItemID != 0 {
			p.Items = []int64{sign.ItemID}
		}
		proofs = append(proofs, p)
	}

	return proofs, nil
}

// followRuled has links by rule name the accounts that they join now: what a rule linked were identifiers, and a derivation may have
// found another account to hold them. Where one account has come to hold both, WhatsApp has joined them, and the link is history.
func followRuled(ctx context.Context, tx *tenants.Tx, identifiers []uuid.UUID) error {
	_, err := tx.ExecContext(ctx, `
		WITH near AS (
			SELECT id FROM decisions WHERE tenant_id = $1 AND a_id = ANY($2) AND link_id IS NOT NULL AND revoked_at IS NULL
			UNION
			SELECT id FROM decisions WHERE tenant_id = $1 AND b_id = ANY($2) AND link_id IS NOT NULL AND revoked_at IS NULL
		), bound AS MATERIALIZED (
			SELECT d.link_id, holder($1, d.b_id, coalesce(d.b_at, d.known_until)) AS subject, holder($1, d.a_id, coalesce(d.a_at, d.known_until)) AS target
			FROM near n JOIN decisions d ON d.tenant_id = $1 AND d.id = n.id AND d.kind = 'must_link'
		)
		UPDATE links l SET identity_id = b.subject, target_id = b.target FROM bound b
		WHERE l.tenant_id = $1 AND l.id = b.link_id AND l.rule <> '' AND l.undone_at IS NULL
		  AND b.subject <> b.target AND (l.identity_id, l.target_id) IS DISTINCT FROM (b.subject, b.target)`, tx.Tenant, pq.Array(identifiers))
	if err != nil {
		return fmt.Errorf("have links by rule follow their accounts: %w", err)
	}

	return nil
}
