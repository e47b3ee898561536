package adoption

import (
	"context"
	"fmt"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
)

// Recount is what counting a tenant anew came to.
type Recount struct {
	Rows     int // weeks of accounts read
	Accounts int
	Phones   int // windows of phones read
	Cells    int // sums that are not zero
	Wrong    int // sums, standings and holders that were other than the rows say
}

// Check counts the tenant's rows and says how many sums differ from them. It changes nothing.
func Check(ctx context.Context, tx *tenants.Tx) (Recount, error) { return rebuild(ctx, tx, false) }

// Rebuild counts the tenant's rows and puts right every sum that differs from them.
func Rebuild(ctx context.Context, tx *tenants.Tx) (Recount, error) { return rebuild(ctx, tx, true) }

// atOnce is how many rows are read at a time, so that a recount's memory does not hang on the tenant's size.
const atOnce = 20_000

func rebuild(ctx context.Context, tx *tenants.Tx, right bool) (Recount, error) {
	var found Recount
	s := sums{}
	after, last := uuid.Nil, false
	for !last {
		var rows []row
		if err := tx.SelectContext(ctx, &rows, `
			SELECT h.identity_id, h.week, h.number_id, h.tenure_id, h.bsuid, h.country, h.days, h.named, h.phoned, i.scope
			FROM (SELECT identity_id, week, number_id, tenure_id, bsuid, country, days, named, phoned FROM heard_weeks
			      WHERE tenant_id = $1 AND identity_id > $2 ORDER BY identity_id LIMIT $3) h
			JOIN identities i ON i.tenant_id = $1 AND i.id = h.identity_id`, tx.Tenant, after, atOnce); err != nil {
			return found, fmt.Errorf("read rows: %w", err)
		}
		last = len(rows) < atOnce
		accounts := groups(rows, byAccount)
		if !last && len(accounts) > 1 { // of the last there may be more
			rows, accounts = rows[:0], accounts[:len(accounts)-1]
			for _, own := range accounts {
				rows = append(rows, own...)
			}
		}
		upto := uuid.Max
		if !last {
			upto = accounts[len(accounts)-1][0].Identity
		}
		found.Rows, found.Accounts = found.Rows+len(rows), found.Accounts+len(accounts)
		wrong, err := s.count(ctx, tx, accounts, after, upto, right)
		if err != nil {
			return found, err
		}
		found.Wrong += wrong
		after = upto
	}

	phones, wrong, err := s.countPhones(ctx, tx, right)
	if err != nil {
		return found, err
	}
	found.Phones, found.Wrong = phones, found.Wrong+wrong

	wrong, err = s.compare(ctx, tx, right)
	if err != nil {
		return found, err
	}
	found.Wrong += wrong
	for _, n := range s {
		if n != 0 {
			found.Cells++
		}
	}
	worked, wrong, err := compareWork(ctx, tx, right)
	if err != nil {
		return found, err
	}
	found.Cells, found.Wrong = found.Cells+worked, found.Wrong+wrong
	if wrong, err = compareReach(ctx, tx, right); err != nil {
		return found, err
	}
	found.Wrong += wrong

	return found, nil
}

// count adds the accounts between two ids, and looks whether they stand as they should.
func (s sums) count(ctx context.Context, tx *tenants.Tx, accounts [][]row, after, upto uuid.UUID, right bool) (wrong int, err error) {
	var rows []standing
	if err := tx.SelectContext(ctx, &rows, `
		SELECT identity_id, place, day, shown, country, several FROM heard_last WHERE tenant_id = $1 AND identity_id > $2 AND identity_id <= $3`,
		tx.Tenant, after, upto); err != nil {
		return 0, fmt.Errorf("read standings: %w", err)
	}
	stood := standingsByAccount(rows)
	var stand moves
	for _, own := range accounts {
		id := own[0].Identity
		next := standings(nil, own)
		s.addAccount(own, 1)
		s.addStandings(own[0].Scope, next, 1)
		stand.differ(stood[id], next)
		delete(stood, id)
	}
	for _, left := range stood {
		stand.differ(left, nil)
	}
	wrong = stand.count()
	if !right || wrong == 0 {
		return wrong, nil
	}

	return wrong, stand.write(ctx, tx)
}

// countPhones adds the windows of phones, and looks whether their holders are right.
func (s sums) countPhones(ctx context.Context, tx *tenants.Tx, right bool) (read, wrong int, err error) {
	for after, number := uuid.Nil, uuid.Nil; ; {
		var rows []struct {
			window

			Now int `db:"now"`
		}
		if err := tx.SelectContext(ctx, &rows, `
			SELECT w.phone_id, w.number_id, w.last_at, w.holder, `+holder+` AS now
			FROM (SELECT phone_id, number_id, last_at, holder FROM phone_windows
			      WHERE tenant_id = $1 AND (phone_id, number_id) > ($2, $3) ORDER BY phone_id, number_id LIMIT $4) w
			ORDER BY w.phone_id, w.number_id`, tx.Tenant, after, number, atOnce); err != nil {
			return 0, 0, fmt.Errorf("read windows of phones: %w", err)
		}
		var put []window
		for _, r := range rows {
			if r.Holder != r.Now {
				r.Holder = r.Now
				put = append(put, r.window)
			}
			s.addPhone(r.window, 1)
		}
		read, wrong = read+len(rows), wrong+len(put)
		if right {
			if err := putWindows(ctx, tx, put); err != nil {
				return 0, 0, err
			}
		}
		if len(rows) < atOnce {
			return read, wrong, nil
		}
		after, number = rows[len(rows)-1].Phone, rows[len(rows)-1].Number
	}
}

// compare looks for stored sums that are not these.
func (s sums) compare(ctx context.Context, tx *tenants.Tx, right bool) (wrong int, err error) {
	var stored []struct {
		Kind    string    `db:"kind"`
		Place   string    `db:"place"`
		At      time.Time `db:"at"`
		Country string    `db:"country"`
		Shown   int       `db:"shown"`
		N       int       `db:"n"`
	}
	if err := tx.SelectContext(ctx, &stored, `SELECT kind, place, at, country, shown, n FROM adoption_cells WHERE tenant_id = $1`, tx.Tenant); err != nil {
		return 0, fmt.Errorf("read adoption cells: %w", err)
	}
	amiss := sums{}
	for c, n := range s {
		amiss[c] = n
	}
	for _, c := range stored {
		amiss[cell{c.Kind, c.Place, c.At.Unix(), c.Country, c.Shown}] -= c.N
	}
	for _, n := range amiss {
		if n != 0 {
			wrong++
		}
	}
	if !right {
		return wrong, nil
	}
	if err := amiss.write(ctx, tx); err != nil {
		return 0, err
	}
	if _, err := tx.ExecContext(ctx, `DELETE FROM adoption_cells WHERE tenant_id = $1 AND n = 0`, tx.Tenant); err != nil {
		return 0, fmt.Errorf("drop empty adoption cells: %w", err)
	}

	return wrong, nil
}
