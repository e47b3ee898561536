package notices

import (
	"context"
	"fmt"

	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// KindPortfolio is the kind of the job by which a number learns whose portfolio its WABA is in. It stands here as who hears of it plans
// it; numbers carries it out.
const KindPortfolio = "number_portfolio"

// owner is where an account_update names the portfolio that owns a WABA, and the WABA (domain facts 3.12).
const (
	ownerFact = "waba_info.owner_business_id"
	wabaFact  = "waba_info.waba_id"
)

// Owner is the portfolio that WhatsApp last named as the owner of a WABA, "" where it never named one.
func Owner(ctx context.Context, tx *tenants.Tx, waba string) (string, error) {
	n, ok, err := last(ctx, tx, `
		WHERE n.tenant_id = $1 AND n.waba_id = $2 AND n.field = 'account_update' AND n.facts ? '`+ownerFact+`' AND n.facts->>'`+wabaFact+`' = $2
		ORDER BY n.at DESC, n.digest LIMIT 1`, tx.Tenant, waba)
	if err != nil || !ok {
		return "", err
	}

	return n.Facts[ownerFact], nil
}

// planPortfolios has one number of each WABA of which a notice names the owner learn it, where that is not known.
func planPortfolios(ctx context.Context, tx *tenants.Tx, heard []Heard) error {
	var wabas []string
	for _, h := range heard {
		if h.Field == "account_update" && h.Event.Facts[ownerFact] != "" && h.Event.Facts[wabaFact] == h.WABA {
			wabas = append(wabas, h.WABA)
		}
	}
	if len(wabas) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO jobs (id, tenant_id, kind, args)
		SELECT md5($3 || ' ' || n.id)::uuid, $1, $3, jsonb_build_object('number_id', n.id)
		FROM (SELECT DISTINCT ON (waba_id) id FROM numbers
		      WHERE tenant_id = $1 AND waba_id = ANY($2) AND portfolio_id IS NULL AND state <> 'disconnected' ORDER BY waba_id, id) n
		ON CONFLICT (id) DO UPDATE SET state = 'waiting', run_at = now(), tries = 0, problem = '', finished_at = NULL`,
		tx.Tenant, pq.Array(wabas), KindPortfolio); err != nil {
		return fmt.Errorf("plan learning of portfolios: %w", err)
	}

	return nil
}
