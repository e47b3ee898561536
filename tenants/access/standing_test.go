package access_test

import (
	"context"
	"slices"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
)

// Less leave without asking ends what was let in by more of it, whether the operator is in already or not, and nothing else.
func TestLessStandingLeaveEndsWhatWasLetInByMore(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	owner := access.Member{Role: access.Owner, Actor: tenants.Actor{Kind: "person", Name: "asha"}, Person: access.Person{Name: "asha"}}
	nisha := access.Member{Person: access.Person{ID: uuid.New(), Name: "nisha", OperatorRole: "support"}, Actor: tenants.Actor{Kind: "operator", Name: "nisha"}}
	set := func(t *testing.T, tenant tenants.Tenant, scope string) {
		t.Helper()
		h.as(t, tenant, func(ctx context.Context, tx *tenants.Tx) error { return access.SetStanding(ctx, tx, owner, scope) })
	}
	ask := func(t *testing.T, slug, scope string) (id uuid.UUID) {
		t.Helper()
		h.system(t, func(ctx context.Context, tx *tenants.Tx) (err error) {
			id, err = access.AskAccess(ctx, tx, nisha, access.Wish{Slug: slug, Reason: "The queue does not open", Ticket: "T-1", Scope: scope, Minutes: 30})
			return err
		})
		return id
	}
	over := func(t *testing.T, tenant tenants.Tenant) (ids []uuid.UUID) {
		t.Helper()
		h.as(t, tenant, func(ctx context.Context, tx *tenants.Tx) error {
			list, err := access.SupportGrants(ctx, tx)
			for _, g := range list {
				if g.State == access.WishOver {
					ids = append(ids, g.ID)
				}
			}
			return err
		})
		return ids
	}

	asked := ask(t, "asha-clinic", "act")
	h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) error { return access.Decide(ctx, tx, owner, asked, true) })
	set(t, h.clinic, "act")
	set(t, h.motors, "act")
	ask(t, "ravi-motors", "act")
	inside, waiting, looking := ask(t, "asha-clinic", "act"), ask(t, "asha-clinic", "act"), ask(t, "asha-clinic", "read")
	h.exec(t, `UPDATE support_grants SET entered_at = now(), expires_at = now() + interval '30 minutes' WHERE id = $1`, inside)

	set(t, h.clinic, "read")
	if got := over(t, h.clinic); len(got) != 2 || !slices.Contains(got, inside) || !slices.Contains(got, waiting) {
		t.Errorf("only to look: %v ended, want the two to act %v and %v", got, inside, waiting)
	}
	set(t, h.clinic, "")
	if got := over(t, h.clinic); len(got) != 3 || !slices.Contains(got, looking) || slices.Contains(got, asked) {
		t.Errorf("nothing: %v ended, want all but what an owner allowed", got)
	}
	if got := over(t, h.motors); len(got) != 0 {
		t.Errorf("%d of another business ended", len(got))
	}
	var audited int
	h.as(t, h.clinic, func(ctx context.Context, tx *tenants.Tx) error {
		return tx.GetContext(ctx, &audited, `SELECT count(*) FROM audit_entries WHERE action = 'support.end'`)
	})
	if audited != 3 {
		t.Errorf("%d audited, want three", audited)
	}
}
