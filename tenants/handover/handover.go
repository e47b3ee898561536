// Package handover passes on what somebody of the team has in hand when they leave it, or get a role that cannot do it any more: nothing
// stays with a person who is not there to do it.
package handover

import (
	"context"
	"errors"
	"fmt"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/tenants/usernames"
)

// Kinds of work that can be a person's own, as To and forms name them.
const (
	Conversations = "conversations"
	Escalations   = "escalations"
	Usernames     = "usernames"
)

// needs are the permissions that each kind of work takes.
var needs = map[string]string{Conversations: "conversations:answer", Escalations: "escalations:use", Usernames: "usernames:claim"}

// settles is what escalations from training.LeadsLevel on take.
const settles = "escalations:settle"

// To is whom each kind of work goes to; a kind that is missing, or uuid.Nil, goes back to the team.
type To map[string]uuid.UUID

// Work is how much somebody has in hand of one kind, and the permission that whoever takes it over needs.
type Work struct {
	Kind  string
	Count int
	Needs string
}

// Leaving lists what a person would have to pass on with another role, or with "" on leaving the team.
func Leaving(ctx context.Context, tx *tenants.Tx, person uuid.UUID, role string) ([]Work, error) {
	var all []Work
	for _, kind := range []string{Conversations, Escalations, Usernames} {
		n, permission, err := left(ctx, tx, kind, person, role)
		if err != nil {
			return nil, err
		}
		if n == 0 {
			continue
		}
		all = append(all, Work{Kind: kind, Count: n, Needs: permission})
	}

	return all, nil
}

// left counts what a person has in hand of a kind that role may not do, and says which permission whoever takes it over needs.
func left(ctx context.Context, tx *tenants.Tx, kind string, person uuid.UUID, role string) (n int, permission string, err error) {
	may := access.Can(role, needs[kind])
	switch kind {
	case Escalations:
		taken, err := training.TakenBy(ctx, tx, person)
		switch {
		case err != nil:
			return 0, "", err
		case may && access.Can(role, settles):
			return 0, "", nil
		case may:
			return taken.High, settles, nil
		case taken.High > 0:
			return taken.All, settles, nil
		}

		return taken.All, needs[kind], nil
	case Usernames:
		n, err = usernames.PlannedBy(ctx, tx, person)
	default:
		n, err = conversations.Held(ctx, tx, person)
	}
	if may {
		n = 0
	}

	return n, needs[kind], err
}

// Remove takes somebody out of the team as access.RemoveMember does, and passes on what they had in hand. It returns who it was and how
// much there was. Somebody in to who may not do the work is Invalid "choice" of its kind.
func Remove(ctx context.Context, tx *tenants.Tx, by access.Member, person uuid.UUID, to To) (access.Colleague, int, error) {
	if err := lock(ctx, tx, person, to); err != nil {
		return access.Colleague{}, 0, err
	}
	who, err := access.RemoveMember(ctx, tx, by, person)
	if err != nil {
		return access.Colleague{}, 0, err
	}
	n, err := pass(ctx, tx, by, person, "", to)

	return who, n, err
}

// ChangeRole gives somebody another role as access.ChangeRole does, and passes on what that may not do of what they had in hand.
func ChangeRole(ctx context.Context, tx *tenants.Tx, by access.Member, person uuid.UUID, role string, to To) (access.Colleague, int, error) {
	if err := lock(ctx, tx, person, to); err != nil {
		return access.Colleague{}, 0, err
	}
	who, err := access.ChangeRole(ctx, tx, by, person, role)
	if err != nil {
		return access.Colleague{}, 0, err
	}
	n, err := pass(ctx, tx, by, person, role, to)

	return who, n, err
}

// lock has others who change the team, or give work to the same people, wait: one who takes work over must not be removed meanwhile. All
// memberships that are locked later are among these, so that two such changes never wait for each other.
func lock(ctx context.Context, tx *tenants.Tx, person uuid.UUID, to To) error {
	ids := []uuid.UUID{person}
	for _, heir := range to {
		ids = append(ids, heir)
	}
	if _, err := tx.ExecContext(ctx, `
		SELECT 1 FROM memberships WHERE tenant_id = $1 AND (person_id = ANY($2) OR role = 'owner') ORDER BY person_id FOR UPDATE`,
		tx.Tenant, pq.Array(ids)); err != nil {
		return fmt.Errorf("lock memberships: %w", err)
	}

	return nil
}

// mayTake refuses somebody to whom work of this kind cannot go.
func mayTake(ctx context.Context, tx *tenants.Tx, w Work, person, heir uuid.UUID) error {
	if heir == uuid.Nil {
		return nil
	}
	who, err := access.ColleagueBy(ctx, tx, heir)
	if errors.Is(err, tenants.ErrNotFound) || err == nil && (heir == person || !access.Can(who.Role, w.Needs)) {
		return &tenants.Invalid{Field: w.Kind, Key: "choice"}
	}

	return err //nolint:wrapcheck // it says what it read
}

// pass hands over what role may not do.
func pass(ctx context.Context, tx *tenants.Tx, by access.Member, person uuid.UUID, role string, to To) (sum int, err error) {
	work, err := Leaving(ctx, tx, person, role)
	if err != nil {
		return 0, err
	}
	for _, w := range work {
		heir := to[w.Kind]
		if err := mayTake(ctx, tx, w, person, heir); err != nil {
			return 0, err
		}
		var n int
		switch w.Kind {
		case Escalations:
			n, err = training.HandOver(ctx, tx, by.Actor, person, heir, access.Can(role, needs[Escalations]))
		case Usernames:
			n, err = usernames.HandOver(ctx, tx, by.Actor, person, heir)
		default:
			n, err = conversations.HandOver(ctx, tx, by.Actor, person, heir)
		}
		if err != nil {
			return 0, err
		}
		sum += n
	}
	if access.Can(role, "queue:decide") {
		return sum, nil
	}

	// What they are looking at in the queue this moment waits there for the next.
	return sum, identity.ReleaseOthers(ctx, tx, tenants.Actor{Kind: "person", ID: person.String()}, uuid.Nil)
}
