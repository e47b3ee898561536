package identity

import (
	"context"
	"fmt"
	"slices"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// The kinds of signal, and what somebody may tell WhatsApp about marketing messages.
const (
	signalPreference = "preference"
	signalWord       = "word" // a message that says STOP or START and nothing else
	signalSecurity   = "security"

	Stop   = "stop"
	Resume = "resume"
)

// Marketing is the only category of message that WhatsApp lets people stop today.
const Marketing = "marketing_messages"

// securityChanged are the system messages by which WhatsApp says that an account's security code is new: the person has
// another device. It changes nothing about who they are (edge case 38).
var securityChanged = map[string]bool{"system:customer_identity_changed": true, "system:user_identity_changed": true}

// Preference is what an account last told WhatsApp about one category of messages from one of the business's numbers.
type Preference struct {
	IdentityID uuid.UUID `db:"identity_id"`
	NumberID   uuid.UUID `db:"number_id"` // the nil number: told to the business, for all its numbers
	Category   string    `db:"category"`  // marketing_messages
	Value      string    `db:"value"`     // stop, resume, or a word WhatsApp has added since
	At         time.Time `db:"at"`
	ItemID     int64     `db:"item_id"` // the event that carried it, 0 where a person wrote it down
	Channel    string    `db:"channel"` // Told, ByWord, Before, Objection, or the way in which they told the business
}

// The channels of preferences besides the ways of telling the business (privacy.Channels) and Objection.
const (
	Told   = "whatsapp" // to WhatsApp
	ByWord = "word"     // to the business, by a message of one word
	Before = "before"   // before they were erased, whoever was told
)

// Preferences are those of all accounts that are a contact's now, each account's own. Merging and taking apart change nothing
// about them. What an account told the business, by a word in a message or as somebody wrote it down, is of one row: the last counts.
func Preferences(ctx context.Context, tx *tenants.Tx, c Contact) ([]Preference, error) {
	list := []Preference{}
	err := tx.SelectContext(ctx, &list, `
		SELECT DISTINCT ON (s.identity_id, s.category, s.number_id) s.identity_id, s.number_id, s.category, s.value, s.at, s.item_id, s.channel
		FROM (
			SELECT t.identity_id, CASE s.kind WHEN 'word' THEN $3::uuid ELSE s.number_id END AS number_id, s.category, s.value, s.at, s.item_id,
			       CASE WHEN s.kind = 'word' THEN $7 WHEN EXISTS (SELECT 1 FROM inbox_items n WHERE n.id = s.item_id AND n.kind <> $5) THEN $6 ELSE $4 END AS channel
			FROM tenures t
			JOIN account_signals s ON s.tenant_id = $1 AND s.identifier_id = t.identifier_id AND s.kind IN ('preference', 'word')
			     AND (t.from_at IS NULL OR s.at >= t.from_at) AND (t.to_at IS NULL OR s.at < t.to_at)
			WHERE t.tenant_id = $1 AND t.identity_id = ANY($2)
			UNION ALL
			SELECT c.identity_id, $3::uuid, c.category, c.value, c.at, 0, c.channel FROM identities i
			JOIN consents c ON c.tenant_id = $1 AND c.identity_id = i.id
			WHERE i.tenant_id = $1 AND (i.id = ANY($2) OR i.absorbed_into = ANY($2))
		) s
		ORDER BY s.identity_id, s.category, s.number_id, s.at DESC, s.value DESC`, tx.Tenant, pq.Array(idsOf(c.Identities)), uuid.Nil,
		Told, string(whatsapp.KindPreference), Before, ByWord)
	if err != nil {
		return nil, fmt.Errorf("read preferences: %w", err)
	}

	// What stood before somebody was erased ends with their own word, whoever was told.
	return slices.DeleteFunc(list, func(p Preference) bool {
		return p.Channel == Before && slices.ContainsFunc(list, func(o Preference) bool {
			return o.IdentityID == p.IdentityID && o.Category == p.Category && o.Channel == ByWord && o.Value == Resume && o.At.After(p.At)
		})
	}), nil
}

// Strictest is the preference that counts for a category: a stop on any account or number before everything else, then what was
// said last (edge case 65). ok is false where nobody said anything.
func Strictest(list []Preference, category string) (p Preference, ok bool) {
	for _, o := range list {
		if o.Category != category {
			continue
		}
		stricter := o.Value == Stop && p.Value != Stop
		if !ok || stricter || (o.Value == Stop) == (p.Value == Stop) && o.At.After(p.At) {
			p, ok = o, true
		}
	}

	return p, ok
}

// recordSignals keeps what events say about an account under every identifier they name, so that it is found by whichever of them
// leads to the account later (edge case 91). A preference is the account's own, never its parent's. Of two at one second the
// stricter counts.
func (b *Batch) recordSignals(ctx context.Context) error {
	type key struct {
		identifier, number uuid.UUID
		kind, category     string
		at                 time.Time
	}
	values, items := map[key]string{}, map[key]int64{}
	for _, s := range b.seen {
		kind, category, value := signalOf(s.Event)
		if kind == "" {
			continue
		}
		for _, id := range []uuid.UUID{s.bsuid, s.phone} {
			k := key{id, s.NumberID, kind, category, s.at}
			if old, known := values[k]; id != uuid.Nil && (!known || value > old) {
				values[k], items[k] = value, s.ItemID
			}
		}
	}
	if len(values) == 0 {
		return nil
	}

	var (
		ids, numbers                []uuid.UUID
		kinds, categories, contents []string
		at                          []time.Time
		carried                     []int64
	)
	for k, v := range values {
		ids, numbers, kinds, categories = append(ids, k.identifier), append(numbers, k.number), append(kinds, k.kind), append(categories, k.category)
		contents, at, carried = append(contents, v), append(at, k.at), append(carried, items[k])
	}
	// Words sort so that stop comes after resume.
	_, err := b.tx.ExecContext(ctx, `
		INSERT INTO account_signals AS s (tenant_id, identifier_id, number_id, kind, category, at, value, item_id)
		SELECT $1, w.* FROM unnest($2::uuid[], $3::uuid[], $4::text[], $5::text[], $6::timestamptz[], $7::text[], $8::bigint[]) AS w
		ON CONFLICT (tenant_id, identifier_id, number_id, kind, category, at) DO UPDATE SET value = excluded.value, item_id = excluded.item_id
		WHERE excluded.value COLLATE "C" > s.value COLLATE "C"`,
		b.tx.Tenant, pq.Array(ids), pq.Array(numbers), pq.Array(kinds), pq.Array(categories), pq.Array(at), pq.Array(contents), pq.Array(carried))
	if err != nil {
		return fmt.Errorf("keep signals: %w", err)
	}

	return nil
}

func signalOf(e whatsapp.Event) (kind, category, value string) {
	switch {
	case e.Kind == whatsapp.KindPreference:
		return signalPreference, e.Type, e.Status
	case securityChanged[e.Type]:
		return signalSecurity, "code", "changed"
	}
	if value := wordOf(e); value != "" {
		return signalWord, Marketing, value
	}

	return "", "", ""
}

// signalledBy are the signals of the accounts that hold the identifiers, as proofs.
func signalledBy(ctx context.Context, tx *tenants.Tx, identities []uuid.UUID) ([]Proof, error) {
	var rows []struct {
		Kind  string    `db:"kind"`
		Value string    `db:"value"`
		At    time.Time `db:"at"`
		Item  int64     `db:"item_id"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT DISTINCT s.kind, s.value, s.at, s.item_id
		FROM tenures t
		JOIN account_signals s ON s.tenant_id = $1 AND s.identifier_id = t.identifier_id
		     AND (t.from_at IS NULL OR s.at >= t.from_at) AND (t.to_at IS NULL OR s.at < t.to_at)
		WHERE t.tenant_id = $1 AND t.identity_id = ANY($2)
		ORDER BY s.at DESC LIMIT 200`, tx.Tenant, pq.Array(identities))
	if err != nil {
		return nil, fmt.Errorf("read signals: %w", err)
	}

	var proofs []Proof
	for _, r := range rows {
		kind := map[string]string{Stop: ProofStop, Resume: ProofResume}[r.Value]
		if r.Kind == signalSecurity {
			kind = ProofSecurity
		}
		if kind != "" && !slices.ContainsFunc(proofs, func(p Proof) bool { return p.Kind == kind && p.From.Equal(r.At) }) {
			proofs = append(proofs, Proof{Kind: kind, From: r.At, Until: r.At, Items: []int64{r.Item}})
		}
	}

	return proofs, nil
}
