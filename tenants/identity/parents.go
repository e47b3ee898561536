package identity

import (
	"bytes"
	"cmp"
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// Accounts of several portfolios that carry one parent id are one person's (matching.md A5). Who carries one may change, and one portfolio
// may hear of it before the other: so that the outcome does not hang on which of them is looked at, all that carry an id are looked at
// together, and two of them are linked where each is the best that the other has.

// carried is a parent id of an account.
type carried struct {
	account uuid.UUID
	parent  string
}

// kin is somebody of another portfolio who carries a parent id of an account's.
type kin struct {
	sign
	both  bool      // they both carry it now; else one of them has another by now
	since time.Time // when both had been seen with it
}

// calledByParent are the links that parent ids call for among the subjects and those who share one with them.
func calledByParent(ctx context.Context, tx *tenants.Tx, subjects []uuid.UUID) ([]ruled, error) {
	signs, err := parentSigns(ctx, tx, subjects)
	if err != nil || len(signs) == 0 {
		return nil, err
	}
	kins, err := kinsOf(ctx, tx, signs)
	if err != nil {
		return nil, err
	}

	var called []ruled
	for account, list := range kins {
		for _, k := range list {
			older := bytes.Compare(k.Target[:], account[:]) < 0
			if !older || best(list, k.TargetScope) != k.Target || best(kins[k.Target], k.SubjectScope) != account {
				continue
			}
			if i := slices.IndexFunc(called, func(c ruled) bool { return c.Subject == account && c.Target == k.Target }); i >= 0 {
				continue // by another parent id, known as long or not so long
			}
			k.At = k.since
			called = append(called, ruled{Rule: signParent, Subject: account, Target: k.Target, At: k.since, sign: k.sign})
		}
	}

	return called, nil
}

// best is who of a portfolio is an account's kin: who carries the id as it does now, else who did; uuid.Nil where there are several.
func best(list []kin, scope string) uuid.UUID {
	found, both := uuid.Nil, false
	for _, k := range list {
		switch {
		case k.TargetScope != scope || both && !k.both:
		case k.both && !both:
			found, both = k.Target, true
		case found == uuid.Nil:
			found = k.Target
		case found != k.Target:
			return uuid.Nil
		}
	}

	return found
}

// parentSigns are the signs by parent id of the subjects, and of all to whom these lead.
func parentSigns(ctx context.Context, tx *tenants.Tx, subjects []uuid.UUID) ([]sign, error) {
	all, err := signsOf(ctx, tx, subjects)
	if err != nil {
		return nil, err
	}
	byParent := func(s sign) bool { return s.Kind != signParent || s.Together }
	all = slices.DeleteFunc(all, byParent)
	more := map[uuid.UUID]bool{}
	for _, s := range all {
		if !slices.Contains(subjects, s.Target) {
			more[s.Target] = true
		}
	}
	others, err := signsOf(ctx, tx, keys(more))
	if err != nil {
		return nil, err
	}

	return append(all, slices.DeleteFunc(others, byParent)...), nil
}

// kinsOf are, by account, those whom signs lead to and against whom nothing speaks, the surest and longest known first.
func kinsOf(ctx context.Context, tx *tenants.Tx, signs []sign) (map[uuid.UUID][]kin, error) {
	accounts := map[uuid.UUID]bool{}
	for _, s := range signs {
		accounts[s.Subject], accounts[s.Target] = true, true
	}
	apart, err := ruledApart(ctx, tx, keys(accounts))
	if err != nil {
		return nil, err
	}
	signs = slices.DeleteFunc(signs, func(s sign) bool {
		_, ruled := apart[[2]uuid.UUID{s.Subject, s.Target}]
		return ruled
	})
	if signs, err = unopposed(ctx, tx, signs); err != nil {
		return nil, err
	}
	current, err := parentsNow(ctx, tx, keys(accounts))
	if err != nil {
		return nil, err
	}

	seen := map[carried]time.Time{}
	for _, s := range signs {
		if at, ok := seen[carried{s.Subject, s.Via}]; !ok || s.At.Before(at) {
			seen[carried{s.Subject, s.Via}] = s.At
		}
	}
	kins := map[uuid.UUID][]kin{}
	for _, s := range signs {
		one, other := current[carried{s.Subject, s.Via}], current[carried{s.Target, s.Via}]
		if one || other {
			kins[s.Subject] = append(kins[s.Subject], kin{s, one && other, later(seen[carried{s.Subject, s.Via}], seen[carried{s.Target, s.Via}])})
		}
	}
	for _, list := range kins {
		slices.SortFunc(list, func(a, b kin) int {
			if a.both != b.both {
				return map[bool]int{true: -1, false: 1}[a.both]
			}
			return cmp.Or(a.since.Compare(b.since), bytes.Compare(a.Target[:], b.Target[:]), cmp.Compare(a.Via, b.Via))
		})
	}

	return kins, nil
}

// parentsNow are the parent ids that accounts carry now.
func parentsNow(ctx context.Context, tx *tenants.Tx, accounts []uuid.UUID) (map[carried]bool, error) {
	var rows []struct {
		Account uuid.UUID `db:"identity_id"`
		Parent  string    `db:"value"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT t.identity_id, d.value FROM tenures t JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id AND d.kind = 'parent_bsuid'
		WHERE t.tenant_id = $1 AND t.identity_id = ANY($2) AND t.current`, tx.Tenant, pq.Array(accounts))
	if err != nil {
		return nil, fmt.Errorf("read parent ids: %w", err)
	}
	now := make(map[carried]bool, len(rows))
	for _, r := range rows {
		now[carried{r.Account, r.Parent}] = true
	}

	return now, nil
}
