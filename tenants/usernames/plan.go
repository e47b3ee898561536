package usernames

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// MaxAlternatives is how many names a number may have in reserve.
const MaxAlternatives = 5

// SetPlan keeps what is wanted for a number. A name that may not be asked for is Invalid, with the first thing that is against it.
func SetPlan(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, number uuid.UUID, p Plan) error {
	p.Wanted = Fold(p.Wanted)
	if err := wrong("wanted", p.Wanted); err != nil && p.Wanted != "" {
		return err
	}
	var others []string
	for _, typed := range p.Alternatives {
		name := Fold(typed)
		if name == "" || name == p.Wanted || slices.Contains(others, name) {
			continue
		}
		if err := wrong("alternatives", name); err != nil {
			return err
		}
		others = append(others, name)
	}
	if len(others) > MaxAlternatives {
		return &tenants.Invalid{Field: "alternatives", Key: "username_many"}
	}
	if _, err := Get(ctx, tx, number); err != nil {
		return err
	}
	if err := ours(ctx, tx, p.Owner); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO number_usernames (tenant_id, number_id, wanted, alternatives, owner_id, due_on) VALUES ($1, $2, $3, $4, $5, $6)
		ON CONFLICT (tenant_id, number_id) DO UPDATE
		SET wanted = excluded.wanted, alternatives = excluded.alternatives, owner_id = excluded.owner_id, due_on = excluded.due_on`,
		tx.Tenant, number, p.Wanted, pq.Array(append([]string{}, others...)), p.Owner, p.Due); err != nil {
		return fmt.Errorf("keep plan: %w", err)
	}

	detail := map[string]any{"username": p.Wanted, "others": len(others)}
	if p.Due != nil {
		detail["due"] = p.Due.Format("2006-01-02")
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "username.plan", ObjectKind: "number", ObjectID: number.String(), Detail: detail,
	})
}

// wrong is the first thing against a name as a refusal of a field, nil for nothing.
func wrong(field, name string) error {
	if faults := Check(name); len(faults) > 0 {
		return &tenants.Invalid{Field: field, Key: "username_" + faults[0].Code}
	}

	return nil
}

// AddIdea keeps a name for a number: as the wanted one where there is none yet, else among the alternatives.
func AddIdea(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, number uuid.UUID, name string) error {
	n, err := Get(ctx, tx, number)
	if err != nil {
		return err
	}
	if err := wrong("name", name); err != nil {
		return err
	}
	plan := n.Plan
	if plan.Wanted == "" {
		plan.Wanted = name
	} else {
		plan.Alternatives = append(plan.Alternatives, name)
	}

	return SetPlan(ctx, tx, actor, number, plan)
}

// Record notes what somebody found in WhatsApp Manager or the app about a number that we cannot ask Meta about: status is reserved or
// approved, or "" for no name. Of a number with a good token it is Conflict "username_ask_meta".
func Record(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, number uuid.UUID, name, status string) error {
	n, err := Get(ctx, tx, number)
	if err != nil {
		return err
	}
	if n.MayAsk() == nil {
		return &tenants.Conflict{Code: "username_ask_meta"}
	}
	name = Fold(name)
	switch status {
	case "":
		name = ""
	case whatsapp.UsernameReserved, whatsapp.UsernameApproved:
		if err := wrong("name", name); err != nil {
			return err
		}
	default:
		return &tenants.Invalid{Field: "status", Key: "other"}
	}
	if err := know(ctx, tx, number, State{Name: name, Status: status, Source: FromPerson, By: actor.Name}); err != nil {
		return err
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "username.record", ObjectKind: "number", ObjectID: number.String(), Detail: map[string]any{"username": name, "status": status},
	})
}

// know keeps what is known of a number's username, as of now.
func know(ctx context.Context, tx *tenants.Tx, number uuid.UUID, s State) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO number_usernames (tenant_id, number_id, name, status, source, known_at, known_by)
		VALUES ($1, $2, $3, $4, $5, clock_timestamp(), $6)
		ON CONFLICT (tenant_id, number_id) DO UPDATE
		SET name = excluded.name, status = excluded.status, source = excluded.source, known_at = excluded.known_at, known_by = excluded.known_by`,
		tx.Tenant, number, s.Name, s.Status, s.Source, s.By); err != nil {
		return fmt.Errorf("keep username: %w", err)
	}

	return nil
}
