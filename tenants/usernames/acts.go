package usernames

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strconv"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What Meta can be asked to do with the username of a number.
const (
	Claim    = "claim"
	Transfer = "transfer" // take it from another number of the same portfolio
	Delete   = "delete"
	Look     = "look" // only read
)

// What came of an act.
const (
	Asking  = "asking"
	Done    = "done"
	Refused = "refused" // nothing was changed
	Unknown = "unknown" // no answer that says so: Meta may have done it
)

// Codes of a refusal that are not Meta's.
const (
	CodeDown = "down" // Meta was not reached, or only by a failure that says nothing was done
	CodeKept = "kept" // Meta said that it did not delete the name
)

// Act is one thing Meta was asked.
type Act struct {
	ID      uuid.UUID  `db:"id"`
	Number  uuid.UUID  `db:"number_id"`
	Kind    string     `db:"kind"`
	Name    string     `db:"name"`
	State   string     `db:"state"`
	Status  string     `db:"status"` // of a claim that was done: reserved or approved
	Code    string     `db:"code"`   // of a refusal: Meta's, or one of Code…
	By      string     `db:"by_name"`
	AskedAt time.Time  `db:"asked_at"`
	EndedAt *time.Time `db:"ended_at"`
}

// askingFor is how long an act may be under way before its process counts as gone, and its outcome as unknown.
const askingFor = time.Minute

// Outcome is its State, but Unknown where it has been under way for longer than an answer can take.
func (a Act) Outcome(now time.Time) string {
	if a.State == Asking && now.Sub(a.AskedAt) > askingFor {
		return Unknown
	}

	return a.State
}

func (a Act) open(now time.Time) bool { return a.Outcome(now) == Unknown }

const selectAct = `SELECT id, number_id, kind, name, state, status, code, by_name, asked_at, ended_at FROM username_acts`

// newest is the last act of each number, and the last that was to change something.
func newest(ctx context.Context, tx *tenants.Tx) (last, asked map[uuid.UUID]*Act, err error) {
	var list []Act
	if err := tx.SelectContext(ctx, &list, `
		(SELECT DISTINCT ON (number_id) id, number_id, kind, name, state, status, code, by_name, asked_at, ended_at FROM username_acts
		 WHERE tenant_id = $1 AND kind <> $2 ORDER BY number_id, asked_at DESC, id DESC)
		UNION ALL
		(SELECT DISTINCT ON (number_id) id, number_id, kind, name, state, status, code, by_name, asked_at, ended_at FROM username_acts
		 WHERE tenant_id = $1 AND kind = $2 ORDER BY number_id, asked_at DESC, id DESC)`, tx.Tenant, Look); err != nil {
		return nil, nil, fmt.Errorf("list acts: %w", err)
	}
	last, asked = map[uuid.UUID]*Act{}, map[uuid.UUID]*Act{}
	for i, a := range list {
		if a.Kind != Look {
			asked[a.Number] = &list[i]
		}
		if have := last[a.Number]; have == nil || a.AskedAt.After(have.AskedAt) {
			last[a.Number] = &list[i]
		}
	}

	return last, asked, nil
}

const shownActs = 20

// Acts are the last things Meta was asked about a number, newest first.
func Acts(ctx context.Context, tx *tenants.Tx, number uuid.UUID) ([]Act, error) {
	list := []Act{}
	if err := tx.SelectContext(ctx, &list, selectAct+`
		WHERE tenant_id = $1 AND number_id = $2 ORDER BY asked_at DESC, id DESC LIMIT $3`, tx.Tenant, number, shownActs); err != nil {
		return nil, fmt.Errorf("list acts of number %s: %w", number, err)
	}

	return list, nil
}

// MayAsk is nil where Meta can be asked about the number, else why not: a Conflict "token_missing" and the like.
func (n Name) MayAsk() error { return n.Number.MaySend(time.Now()) }

// Ask has Meta do something with the username of a number, once. It is noted before Meta is asked, so that a process that dies leaves an
// act of unknown outcome and not a name that nobody knows of. A refusal of Meta's is no error but an Act that is Refused.
//
// An error is returned, and Meta not asked, where the name may not be (Invalid), the number has it already ("username_have"), has none to
// delete ("username_none"), another act is under way ("username_asking"), or nobody knows what came of the last one
// ("username_unsure"): then a look comes first. Look changes nothing and may always be asked for.
func Ask(ctx context.Context, db *tenants.DB, keys *secrets.Keyring, graph whatsapp.Graph, actor tenants.Actor, tenant, number uuid.UUID, kind, name string) (Act, error) {
	name = Fold(name)
	if kind != Look && kind != Delete {
		if err := wrong("name", name); err != nil {
			return Act{}, err
		}
	}

	var (
		act   = Act{Number: number, Kind: kind, Name: name, State: Asking, By: actor.Name}
		phone string
		token string
	)
	err := db.As(ctx, tenant, func(tx *tenants.Tx) error {
		n, key, err := numbers.Sender(ctx, tx, keys, number, time.Now())
		if err != nil {
			return err
		}
		phone, token = n.PhoneNumberID, key

		return begin(ctx, tx, actor, &act)
	})
	if err != nil {
		return Act{}, err
	}

	found, asked := ask(ctx, graph, token, phone, act)
	// What Meta did must be noted, also when the one who asked has gone.
	ctx, cancel := context.WithTimeout(context.WithoutCancel(ctx), settleTime)
	defer cancel()
	act.settle(found, asked)
	err = db.As(ctx, tenant, func(tx *tenants.Tx) error { return end(ctx, tx, actor, act, found) })

	return act, err
}

const settleTime = 5 * time.Second

// lock makes tx the only one of its tenant that begins or ends an act: who looks whether one may begin sees all of another's end, or none.
func lock(ctx context.Context, tx *tenants.Tx) error {
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('usernames ' || $1, 0))`, tx.Tenant.String()); err != nil {
		return fmt.Errorf("lock usernames: %w", err)
	}

	return nil
}

// begin notes an act that may be done.
func begin(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, act *Act) error {
	if err := lock(ctx, tx); err != nil {
		return err
	}
	n, err := Get(ctx, tx, act.Number)
	if err != nil {
		return err
	}
	if err := n.mayDo(*act); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE username_acts SET state = 'unknown', ended_at = now()
		WHERE tenant_id = $1 AND number_id = $2 AND state = 'asking' AND asked_at < now() - make_interval(secs => $3)`,
		tx.Tenant, act.Number, askingFor.Seconds()); err != nil {
		return fmt.Errorf("give up an act: %w", err)
	}
	if act.ID, err = uuid.NewV7(); err != nil {
		return fmt.Errorf("make act id: %w", err)
	}
	err = tx.GetContext(ctx, &act.AskedAt, `
		INSERT INTO username_acts (tenant_id, id, number_id, kind, name, by_name, asked_at) VALUES ($1, $2, $3, $4, $5, $6, clock_timestamp())
		RETURNING asked_at`, tx.Tenant, act.ID, act.Number, act.Kind, act.Name, act.By)
	if tenants.Violates(err, "username_acts_asking") {
		return &tenants.Conflict{Code: "username_asking"}
	}
	if err != nil {
		return fmt.Errorf("note act: %w", err)
	}
	if act.Kind == Look {
		return nil // it asks Meta for nothing that needs a trace before the answer
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: actions[act.Kind], ObjectKind: "number", ObjectID: act.Number.String(), Detail: map[string]any{"username": act.Name},
	})
}

// actions are what the audit calls what changes a name.
var actions = map[string]string{Claim: "username.claim", Transfer: "username.transfer", Delete: "username.delete"}

func (n Name) mayDo(act Act) error {
	switch {
	case act.Kind == Look:
		return nil
	case n.Unsure(time.Now()):
		return &tenants.Conflict{Code: "username_unsure"}
	case act.Kind == Delete && n.Has.Name == "":
		return &tenants.Conflict{Code: "username_none"}
	case act.Kind == Delete && Fold(n.Has.Name) != act.Name:
		return &tenants.Conflict{Code: "username_changed"}
	case act.Kind != Delete && n.Has.Holds() && Fold(n.Has.Name) == act.Name:
		return &tenants.Conflict{Code: "username_have"}
	}

	return nil
}

// findings is what Meta said.
type findings struct {
	have        whatsapp.NumberUsername
	suggestions []string
}

// ask makes the calls to Graph. Its error is that of the first that failed.
func ask(ctx context.Context, graph whatsapp.Graph, token, phoneNumberID string, act Act) (f findings, err error) {
	switch act.Kind {
	case Claim, Transfer:
		f.have.Name = act.Name
		f.have.Status, err = graph.ClaimUsername(ctx, token, phoneNumberID, act.Name, act.Kind == Transfer)
	case Delete:
		f.have.Status = whatsapp.UsernameDeleted
		err = graph.DeleteUsername(ctx, token, phoneNumberID)
	default:
		if f.have, err = graph.NumberUsername(ctx, token, phoneNumberID); err != nil {
			return f, err
		}
		f.suggestions, err = graph.UsernameSuggestions(ctx, token, phoneNumberID)
	}

	return f, err
}

// settle reads what came of an act. A look that fails has changed nothing, whatever the reason.
func (a *Act) settle(f findings, err error) {
	var refused *whatsapp.GraphError
	a.State, a.Status = Done, f.have.Status
	switch verdict := whatsapp.FateOf(err); {
	case err == nil:
		return
	case errors.Is(err, whatsapp.ErrUsernameKept):
		a.State, a.Code = Refused, CodeKept
	case errors.Is(err, whatsapp.ErrNoUsernameStatus), verdict.Fate == whatsapp.FateUnknown && a.Kind != Look:
		a.State = Unknown
	case errors.As(err, &refused) && refused.Code == codeParameter && refused.Subcode == codeUnknownID:
		a.State, a.Code = Refused, strconv.Itoa(codeUnknownID)
	case errors.As(err, &refused) && refused.Code != 0:
		a.State, a.Code = Refused, strconv.Itoa(refused.Code)
	default:
		a.State, a.Code = Refused, CodeDown
	}
	a.Status = ""
}

// Codes of Graph that mean the same when they come together. Source: domain facts 5.2.
const (
	codeParameter = 100
	codeUnknownID = 33
	codeToken     = "190"
)

// end keeps what came of an act, and what is known by it.
func end(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, act Act, f findings) error {
	if err := lock(ctx, tx); err != nil {
		return err
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE username_acts SET state = $3, status = $4, code = $5, ended_at = clock_timestamp() WHERE tenant_id = $1 AND id = $2`,
		tx.Tenant, act.ID, act.State, act.Status, act.Code); err != nil {
		return fmt.Errorf("end act: %w", err)
	}
	if act.Code == codeToken {
		if err := numbers.TokenRefused(ctx, tx, act.Number); err != nil {
			return err
		}
	}
	if act.State == Done {
		if err := learn(ctx, tx, act, f); err != nil {
			return err
		}
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "username.answer", ObjectKind: "number", ObjectID: act.Number.String(),
		Detail: map[string]any{"what": act.Kind, "username": act.Name, "outcome": act.State, "code": act.Code},
	})
}

func learn(ctx context.Context, tx *tenants.Tx, act Act, f findings) error {
	now := State{Name: Fold(f.have.Name), Status: clip(f.have.Status), Source: FromGraph, By: act.By}
	if act.Kind == Transfer {
		list, err := List(ctx, tx)
		if err != nil {
			return err
		}
		for _, other := range list {
			if other.Number.ID == act.Number || Fold(other.Has.Name) != act.Name {
				continue
			}
			if err := know(ctx, tx, other.Number.ID, State{Status: whatsapp.UsernameDeleted, Source: FromGraph, By: act.By}); err != nil {
				return err
			}
		}
	}
	if err := know(ctx, tx, act.Number, now); err != nil {
		return err
	}
	if act.Kind != Look {
		return nil
	}
	// Only what may be asked for is offered.
	names := slices.DeleteFunc(f.suggestions, func(name string) bool { return len(Check(name)) > 0 })
	if _, err := tx.ExecContext(ctx, `
		UPDATE number_usernames SET suggestions = $3, suggested_at = clock_timestamp() WHERE tenant_id = $1 AND number_id = $2`,
		tx.Tenant, act.Number, pq.Array(append([]string{}, names[:min(len(names), mostIdeas)]...))); err != nil {
		return fmt.Errorf("keep suggestions: %w", err)
	}

	return nil
}

// clip keeps a word of Meta's that we do not know from filling a page.
func clip(word string) string {
	const most = 40
	if len(word) > most {
		return word[:most]
	}

	return word
}
