package conversations

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// One person is asked for their number at most MostAsks times in AskedFor, over all accounts that are theirs.
const (
	MostAsks = 2
	AskedFor = 60 * 24 * time.Hour
)

// MaxAskRunes bounds what is written above the button that shares a number. It is short because it stands on a small screen.
const MaxAskRunes = 500

// Why nobody is asked for their number, as a Conflict of Submit, as the reason of one refused at its turn, and as Asking.Refused.
const (
	refusedKnown  = "ask_known"      // the account shows its phone
	refusedStop   = "ask_opted_out"  // the person has stopped marketing on one of their accounts; they want less from us, not more
	refusedEnough = "ask_enough"     // they were asked often enough lately
	refusedFree   = "ask_phone_free" // the business keeps no phones of this number
)

// Question makes a draft ask for the phone number: with words of its own, or by a template that has the button.
type Question struct {
	Purpose  string // which of our sentences it began with: a-z and _, "" for none
	Language string // of what is written
}

var purposeShape = regexp.MustCompile(`^[a-z_]{0,40}$`)

func (q *Question) check() error {
	if !purposeShape.MatchString(q.Purpose) {
		return &tenants.Invalid{Field: "purpose", Key: "unknown_kind"}
	}
	if len(q.Language) > 20 {
		return &tenants.Invalid{Field: "language", Key: "unknown_kind"}
	}

	return nil
}

// Asking is whether a person can be asked for their number now.
type Asking struct {
	Refused string    // one of ask_known, ask_opted_out, ask_enough, ask_phone_free; "" where they may be asked
	Again   time.Time // of ask_enough: when they may be asked again
}

// MayAsk says whether the person behind a recipient may be asked for the number. The database says so again when the question is
// submitted, and at its turn.
func MayAsk(ctx context.Context, tx *tenants.Tx, to Recipient) (Asking, error) {
	return mayAsk(ctx, tx, to, uuid.Nil)
}

// mayAsk leaves the question itself out of the count.
func mayAsk(ctx context.Context, tx *tenants.Tx, to Recipient, itself uuid.UUID) (Asking, error) {
	switch {
	case to.PhoneFree:
		return Asking{Refused: refusedFree}, nil
	case to.Kind == whatsapp.KindPhone:
		return Asking{Refused: refusedKnown}, nil
	}
	c := to.contact
	list, err := identity.Preferences(ctx, tx, c)
	if err != nil {
		return Asking{}, err
	}
	if p, said := identity.Strictest(list, identity.Marketing); said && p.Value == identity.Stop {
		return Asking{Refused: refusedStop}, nil
	}

	var again []time.Time
	err = tx.SelectContext(ctx, &again, `
		SELECT a.asked_at + $3 * interval '1 second' AS again
		FROM (SELECT DISTINCT identifier_id FROM tenures WHERE tenant_id = $1 AND identity_id = ANY($2)) t
		JOIN asks a ON a.tenant_id = $1 AND a.identifier_id = t.identifier_id AND a.asked_at > now() - $3 * interval '1 second'
		LEFT JOIN outbox o ON o.tenant_id = $1 AND o.message_id = a.message_id
		LEFT JOIN messages m ON m.tenant_id = $1 AND m.id = a.message_id
		WHERE a.message_id <> $4 AND coalesce(o.state, '') NOT IN ('failed', 'returned', 'cancelled') AND coalesce(m.status, '') <> 'failed'
		ORDER BY a.asked_at DESC LIMIT $5`, tx.Tenant, pq.Array(accounts(c)), AskedFor.Seconds(), itself, MostAsks)
	if err != nil {
		return Asking{}, fmt.Errorf("count how often they were asked: %w", err)
	}
	if len(again) < MostAsks {
		return Asking{}, nil
	}

	return Asking{Refused: refusedEnough, Again: again[MostAsks-1]}, nil
}

// refusalToAsk is why a question may not go to a recipient now.
func refusalToAsk(ctx context.Context, tx *tenants.Tx, to Recipient, out outgoing, message uuid.UUID) (string, error) {
	if !out.Ask {
		return "", nil
	}
	a, err := mayAsk(ctx, tx, to, message)

	return a.Refused, err
}

// keepAsk remembers that a message asks. Submit holds the identity lock, so two questions to one person are counted one after
// the other.
func keepAsk(ctx context.Context, tx *tenants.Tx, message uuid.UUID, to Recipient, q Question, at time.Time) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO asks (tenant_id, message_id, number_id, identifier_id, purpose, language, asked_at) VALUES ($1, $2, $3, $4, $5, $6, $7)`,
		tx.Tenant, message, to.Number, to.identifierID, q.Purpose, q.Language, at); err != nil {
		return fmt.Errorf("keep that they were asked: %w", err)
	}

	return nil
}

// AskTemplates are those by which a number can be asked for outside the window: approved, with WhatsApp's button, and nothing in them
// that cannot be filled in here. Marketing ones are left out: who is asked has not agreed to offers.
func AskTemplates(list []Template) []Template {
	return slices.DeleteFunc(slices.Clone(list), func(t Template) bool {
		return !t.AsksNumber || !t.Sendable || t.Category != categoryUtility
	})
}
