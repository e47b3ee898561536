package numbers

import (
	"cmp"
	"context"
	"database/sql"
	"errors"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/notices"
)

// lockNumbers makes tx the only one of its tenant that connects a number or learns a portfolio: numbers of one WABA must agree on
// their scope. It comes before any other lock.
func lockNumbers(ctx context.Context, tx *tenants.Tx) error {
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('numbers ' || $1, 0))`, tx.Tenant.String()); err != nil {
		return fmt.Errorf("lock numbers: %w", err)
	}

	return nil
}

// placement is where the customers of a WABA stand, or will: the scope in which their identifiers are unique, and its portfolio, "" where
// it is not known.
type placement struct {
	scope, portfolio string
	narrow           string    // the scope in which they stand so far, where that is to be widened
	sibling          uuid.UUID // a number that stands there
}

// placeOf says where a number's customers belong. All numbers of a WABA are in one portfolio, so what is known of one holds for the next,
// and a portfolio that becomes known widens them together. Two portfolios of one WABA are a Conflict "portfolio_differs".
func placeOf(ctx context.Context, tx *tenants.Tx, wabaID string, proof Proof) (placement, error) {
	var sibling struct {
		ID        uuid.UUID `db:"id"`
		Scope     string    `db:"scope"`
		Portfolio string    `db:"portfolio_id"`
	}
	err := tx.GetContext(ctx, &sibling, `
		SELECT id, scope, coalesce(portfolio_id, '') AS portfolio_id FROM numbers
		WHERE tenant_id = $1 AND waba_id = $2 AND (state <> 'disconnected' OR last_event_at IS NOT NULL)
		ORDER BY portfolio_id IS NULL, id LIMIT 1`, tx.Tenant, wabaID)
	if err != nil && !errors.Is(err, sql.ErrNoRows) {
		return placement{}, fmt.Errorf("look for numbers of the same WABA: %w", err)
	}

	portfolio := cmp.Or(proof.PortfolioID, sibling.Portfolio)
	if sibling.Portfolio != "" && sibling.Portfolio != portfolio {
		return placement{}, &tenants.Conflict{Code: "portfolio_differs"}
	}
	if portfolio == "" {
		return placement{scope: "waba:" + wabaID}, nil
	}
	if err := keepPortfolio(ctx, tx, portfolio, proof.PortfolioName); err != nil {
		return placement{}, err
	}
	at := placement{scope: "portfolio:" + portfolio, portfolio: portfolio}
	if sibling.Scope != "" && sibling.Scope != at.scope {
		at.narrow, at.sibling = sibling.Scope, sibling.ID
	}

	return at, nil
}

// scopeOf is where a number's customers stand by now, and widens their scope where that is known to be larger. A large one is left to
// the worker, so that nobody waits for a page in vain; until then the WABA's own scope holds.
func scopeOf(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, wabaID string, proof Proof) (scope, portfolio string, err error) {
	at, err := placeOf(ctx, tx, wabaID, proof)
	if err != nil || at.narrow == "" {
		return at.scope, at.portfolio, err
	}
	large, err := identity.LargeScope(ctx, tx, at.narrow)
	if err != nil {
		return "", "", err
	}
	if large {
		return at.narrow, "", planWith(ctx, tx, jobWiden, at.sibling, time.Now(), map[string]any{"portfolio_id": at.portfolio})
	}

	return at.scope, at.portfolio, widen(ctx, tx, actor, wabaID, at.narrow, at.portfolio)
}

// learnPortfolio widens the scope of a number that was connected before its portfolio could be read. It needs lockNumbers.
func learnPortfolio(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, n Number, proof Proof) error {
	if n.PortfolioID != "" || proof.PortfolioID == "" {
		return nil
	}
	_, _, err := scopeOf(ctx, tx, actor, n.WABAID, proof)

	return err
}

// hearPortfolio widens the scope of a number's WABA to the portfolio that WhatsApp named as its owner, by the same step and with the same
// refusal as where Graph named it: a WABA whose other numbers stand in another portfolio is left as it is.
func (w *Worker) hearPortfolio(ctx context.Context, tenant, id uuid.UUID) error {
	return w.widen(ctx, tenant, id, func(tx *tenants.Tx, n Number) (string, error) {
		if n.State == Disconnected {
			return "", nil
		}
		owner, err := notices.Owner(ctx, tx, n.WABAID)
		if err != nil || !metaID.MatchString(owner) {
			return "", err
		}

		return owner, nil
	})
}

// widen widens the scope of a number's WABA, however long that takes, to the portfolio that named tells, "" for none.
func (w *Worker) widen(ctx context.Context, tenant, id uuid.UUID, named func(*tenants.Tx, Number) (string, error)) error {
	err := w.db.As(ctx, tenant, func(tx *tenants.Tx) error {
		if err := lockNumbers(ctx, tx); err != nil {
			return err
		}
		n, err := Get(ctx, tx, id)
		if err != nil || n.PortfolioID != "" {
			return err
		}
		portfolio, err := named(tx, n)
		if err != nil || portfolio == "" {
			return err
		}
		at, err := placeOf(ctx, tx, n.WABAID, Proof{PortfolioID: portfolio})
		if err != nil || at.narrow == "" {
			return err
		}

		return widen(ctx, tx, tenants.SystemActor, n.WABAID, at.narrow, at.portfolio)
	})
	if tenants.ConflictCode(err) == "portfolio_differs" {
		w.log.Warn("WhatsApp names another portfolio than is known", "tenant", tenant, "number", id)
		return nil
	}
	if errors.Is(err, tenants.ErrNotFound) {
		return nil
	}

	return err
}

// widen moves the customers of a WABA from the WABA's own scope to its portfolio's, and notes the portfolio on its numbers.
func widen(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, wabaID, from, portfolio string) error {
	if err := identity.WidenScope(ctx, tx, from, "portfolio:"+portfolio); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE numbers SET portfolio_id = $3 WHERE tenant_id = $1 AND waba_id = $2 AND portfolio_id IS NULL`, tx.Tenant, wabaID, portfolio); err != nil {
		return fmt.Errorf("note portfolio: %w", err)
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "portfolio.learned", ObjectKind: "portfolio", ObjectID: portfolio, Detail: map[string]any{"waba_id": wabaID},
	})
}

func keepPortfolio(ctx context.Context, tx *tenants.Tx, portfolioID, name string) error {
	id, err := uuid.NewV7()
	if err != nil {
		return fmt.Errorf("make portfolio id: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO portfolios (tenant_id, id, portfolio_id, name) VALUES ($1, $2, $3, $4)
		ON CONFLICT (tenant_id, portfolio_id) DO UPDATE SET name = excluded.name WHERE excluded.name <> ''`,
		tx.Tenant, id, portfolioID, name); err != nil {
		return fmt.Errorf("write portfolio: %w", err)
	}

	return nil
}
