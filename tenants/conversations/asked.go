package conversations

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What came of asking somebody for their number.
const (
	AskUnsent        = "unsent"         // it did not reach them: refused, returned, or failed on the way
	AskWaiting       = "waiting"        // it is on its way, or they may still answer
	AskShared        = "shared"         // they tapped the button, and WhatsApp named their number
	AskWithoutNumber = "without_number" // they sent a card that proves nothing: no number, none that WhatsApp named, or shared by hand
	AskTyped         = "typed"          // they wrote a number instead, which is a claim
	AskSilent        = "silent"         // nothing of these within AskLapses
)

// Asks tells whether a message asks for the phone number by WhatsApp's button, inside the window.
func (m Message) Asks() bool {
	var own struct {
		Type string `json:"type"`
	}

	return m.Type == "interactive" && json.Unmarshal([]byte(m.Content), &own) == nil && own.Type == whatsapp.AskType
}

// AskLapses is how long an answer is waited for. WhatsApp tells of no refusal. Who taps the button later has shared all the same.
const AskLapses = 7 * 24 * time.Hour

// Ask is one question for somebody's number and what came of it.
type Ask struct {
	MessageID  uuid.UUID  `db:"message_id"`
	IdentityID uuid.UUID  `db:"identity_id"`
	NumberID   uuid.UUID  `db:"number_id"`
	Purpose    string     `db:"purpose"`
	Language   string     `db:"language"`
	ByName     string     `db:"by_name"`
	At         time.Time  `db:"at"`
	Sent       bool       `db:"sent"` // nothing says that it did not reach them
	Lapsed     bool       `db:"lapsed"`
	Until      *time.Time `db:"until"` // the next question on the same address, which takes the answers from then on

	Outcome    string    // one of Ask…
	Phone      string    // canonical, of shared and typed, and of a card that names one
	AnsweredAt time.Time // of what decided; zero where nothing did
}

// askColumns read asks a of accounts t.identity_id.
const askColumns = `
	SELECT DISTINCT ON (a.asked_at, a.message_id) a.message_id, t.identity_id, a.number_id, a.purpose, a.language, coalesce(o.actor_name, '') AS by_name,
	       a.asked_at AS at, coalesce(o.state, '') NOT IN ('failed', 'returned', 'cancelled') AND coalesce(m.status, '') <> 'failed' AS sent,
	       a.asked_at < now() - $2 * interval '1 second' AS lapsed,
	       (SELECT min(n.asked_at) FROM asks n WHERE n.tenant_id = $1 AND n.identifier_id = a.identifier_id AND n.number_id = a.number_id
	        AND n.asked_at > a.asked_at) AS until
	FROM asks a
	JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = a.identifier_id
	LEFT JOIN outbox o ON o.tenant_id = $1 AND o.message_id = a.message_id
	LEFT JOIN messages m ON m.tenant_id = $1 AND m.id = a.message_id
	WHERE a.tenant_id = $1`

// AsksOf lists how a contact was asked for the number, on all accounts that are theirs, newest first and at most twenty.
func AsksOf(ctx context.Context, tx *tenants.Tx, c identity.Contact) ([]Ask, error) {
	var list []Ask
	err := tx.SelectContext(ctx, &list, askColumns+` AND t.identity_id = ANY($3)
		ORDER BY a.asked_at DESC, a.message_id, t.current DESC LIMIT 20`, tx.Tenant, AskLapses.Seconds(), pq.Array(accounts(c)))
	if err != nil {
		return nil, fmt.Errorf("read questions for the number: %w", err)
	}

	return list, concludeAsks(ctx, tx, list)
}

// LastAsked is when each of the accounts was last asked for the number, as far as the question is known to have gone out. Accounts
// that were never asked are left out.
func LastAsked(ctx context.Context, tx *tenants.Tx, accounts []uuid.UUID) (map[uuid.UUID]time.Time, error) {
	var list []struct {
		Identity uuid.UUID `db:"identity_id"`
		At       time.Time `db:"at"`
	}
	err := tx.SelectContext(ctx, &list, `
		SELECT t.identity_id, max(a.asked_at) AS at
		FROM tenures t
		JOIN asks a ON a.tenant_id = $1 AND a.identifier_id = t.identifier_id
		LEFT JOIN outbox o ON o.tenant_id = $1 AND o.message_id = a.message_id
		LEFT JOIN messages m ON m.tenant_id = $1 AND m.id = a.message_id
		WHERE t.tenant_id = $1 AND t.identity_id = ANY($2)
		  AND coalesce(o.state, '') NOT IN ('failed', 'returned', 'cancelled') AND coalesce(m.status, '') <> 'failed'
		GROUP BY t.identity_id`, tx.Tenant, pq.Array(accounts))
	if err != nil {
		return nil, fmt.Errorf("read who was asked for the number: %w", err)
	}

	asked := make(map[uuid.UUID]time.Time, len(list))
	for _, a := range list {
		asked[a.Identity] = a.At
	}

	return asked, nil
}

// Funnel counts questions for a number by what came of them.
type Funnel struct {
	Asked         int // that reached somebody, as far as is known: the sum of what follows
	Shared        int
	WithoutNumber int
	Typed         int
	Silent        int
	Waiting       int
}

// maxFunnel bounds how many questions one funnel looks at.
const maxFunnel = 20_000

// AskFunnel counts the questions asked from a time (inclusive) to another (exclusive), the newest 20,000 of them.
func AskFunnel(ctx context.Context, tx *tenants.Tx, from, to time.Time) (Funnel, error) {
	var list []Ask
	err := tx.SelectContext(ctx, &list, askColumns+` AND a.asked_at >= $3 AND a.asked_at < $4
		ORDER BY a.asked_at DESC, a.message_id, t.current DESC LIMIT $5`, tx.Tenant, AskLapses.Seconds(), from, to, maxFunnel)
	if err != nil {
		return Funnel{}, fmt.Errorf("read questions for numbers: %w", err)
	}
	if err := concludeAsks(ctx, tx, list); err != nil {
		return Funnel{}, err
	}

	var f Funnel
	for _, a := range list {
		if a.Outcome == AskUnsent {
			continue
		}
		f.Asked++
		switch a.Outcome {
		case AskShared:
			f.Shared++
		case AskWithoutNumber:
			f.WithoutNumber++
		case AskTyped:
			f.Typed++
		case AskSilent:
			f.Silent++
		default:
			f.Waiting++
		}
	}

	return f, nil
}

// answer is a message that may answer a question.
type answer struct {
	Ask     uuid.UUID `db:"ask"`
	Type    string    `db:"type"`
	Text    string    `db:"text"`
	Content string    `db:"content"`
	At      time.Time `db:"at"`
	InTime  bool      `db:"in_time"`
}

// concludeAsks works out what came of questions from what their accounts wrote to the number since, all in one statement. WhatsApp's
// clock has whole seconds, and its answer to the button names no question (domain facts 6), so an answer belongs to the last
// question before it.
func concludeAsks(ctx context.Context, tx *tenants.Tx, list []Ask) error {
	if len(list) == 0 {
		return nil
	}
	ids := make([]uuid.UUID, len(list))
	until := make([]*time.Time, len(list))
	for i, a := range list {
		ids[i], until[i] = a.MessageID, a.Until
	}
	var answers []answer
	err := tx.SelectContext(ctx, &answers, `
		SELECT a.message_id AS ask, m.type, m.text, m.content, m.at, m.at < a.asked_at + $4 * interval '1 second' AS in_time
		FROM unnest($2::uuid[], $3::timestamptz[]) AS w (id, until)
		JOIN asks a ON a.tenant_id = $1 AND a.message_id = w.id
		JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = a.identifier_id
		CROSS JOIN LATERAL (
			SELECT n.type, n.text, n.content, n.at FROM messages n
			WHERE n.tenant_id = $1 AND n.tenure_id = t.id AND n.number_id = a.number_id AND n.direction = 'in' AND n.group_id = '' AND NOT n.imported
			  AND n.at >= date_trunc('second', a.asked_at) AND (w.until IS NULL OR n.at < date_trunc('second', w.until))
			  AND (n.type = 'contacts' OR n.type = 'text' AND n.text ~ '[0-9]' AND n.at < a.asked_at + $4 * interval '1 second')
			ORDER BY n.at LIMIT $5) m
		ORDER BY m.at`, tx.Tenant, pq.Array(ids), pq.Array(until), AskLapses.Seconds(), maxAnswers)
	if err != nil {
		return fmt.Errorf("read answers to questions for the number: %w", err)
	}

	for i := range list {
		a := &list[i]
		switch {
		case !a.Sent:
			a.Outcome = AskUnsent
		case a.Lapsed || a.Until != nil:
			a.Outcome = AskSilent
		default:
			a.Outcome = AskWaiting
		}
		if !a.Sent {
			continue
		}
		for _, said := range answers {
			if said.Ask != a.MessageID {
				continue
			}
			if outcome, phone := said.says(); askWeight[outcome] > askWeight[a.Outcome] {
				a.Outcome, a.Phone, a.AnsweredAt = outcome, phone, said.At
			}
		}
	}

	return nil
}

// maxAnswers bounds how many messages after one question are looked at.
const maxAnswers = 200

// askWeight orders outcomes: what proves more counts, then what came first.
var askWeight = map[string]int{AskTyped: 1, AskWithoutNumber: 2, AskShared: 3}

// says is what a message means as an answer, "" for nothing.
func (a answer) says() (outcome, phone string) {
	if a.Type == "text" {
		if phones := identity.PhonesIn(a.Text); len(phones) > 0 && a.InTime {
			return AskTyped, phones[0]
		}

		return "", ""
	}

	for _, card := range whatsapp.ReadCards(a.Content) {
		on, own := identity.PhoneOn(card)
		switch {
		case own:
			return AskShared, on
		case outcome == "" && (card.Origin == whatsapp.OriginRequest || a.InTime):
			outcome, phone = AskWithoutNumber, on
		}
	}

	return outcome, phone
}
