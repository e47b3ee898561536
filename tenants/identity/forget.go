package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Whole is all that belongs to one contact, by our own ids: itself and whoever was merged into it, their accounts and the ones these
// absorbed, and the tenures of those. Own are the identifiers that nobody else ever had, Passed those that have another holder too.
type Whole struct {
	Contacts   []uuid.UUID `json:"contacts"`
	Identities []uuid.UUID `json:"identities"`
	Tenures    []uuid.UUID `json:"tenures"`
	Own        []uuid.UUID `json:"own"`
	Passed     []uuid.UUID `json:"passed"`
}

// Alias is one identifier of a Whole.
type Alias struct {
	ID    uuid.UUID     `db:"id" json:"id"`
	Kind  whatsapp.Kind `db:"kind" json:"kind"`
	Scope string        `db:"scope" json:"scope"`
	Value string        `db:"value" json:"value"`
	Raw   string        `db:"raw" json:"raw"`
}

// WholeOf reads what belongs to a contact. tenants.ErrNotFound where the tenant has none such.
func WholeOf(ctx context.Context, tx *tenants.Tx, contact uuid.UUID) (w Whole, own []Alias, err error) {
	root, err := rootOf(ctx, tx, &contact)
	if noRows(err) || err == nil && root == nil {
		return Whole{}, nil, tenants.ErrNotFound
	}
	if err != nil {
		return Whole{}, nil, err
	}

	return WholeOfAccounts(ctx, tx, []uuid.UUID{*root}, nil)
}

// WholeOfAccounts reads what belongs to some contacts, and to some accounts of others. What is not there any more is left out;
// tenants.ErrNotFound where nothing is.
func WholeOfAccounts(ctx context.Context, tx *tenants.Tx, contacts, accounts []uuid.UUID) (w Whole, own []Alias, err error) {
	w.Contacts = []uuid.UUID{}
	if err := tx.SelectContext(ctx, &w.Contacts, `
		WITH RECURSIVE all_of (id) AS (
			SELECT id FROM contacts WHERE tenant_id = $1 AND id = ANY (ARRAY(SELECT unnest($2::uuid[])))
			UNION SELECT c.id FROM contacts c JOIN all_of a ON c.tenant_id = $1 AND c.merged_into = a.id
		) SELECT id FROM all_of ORDER BY id`, tx.Tenant, pq.Array(contacts)); err != nil {
		return Whole{}, nil, fmt.Errorf("read contacts of a person: %w", err)
	}
	if err := tx.SelectContext(ctx, &w.Identities, `
		WITH RECURSIVE all_of (id) AS (
			SELECT i.id FROM identities i WHERE i.tenant_id = $1 AND (i.contact_id = ANY (ARRAY(SELECT unnest($2::uuid[]))) OR i.id = ANY (ARRAY(SELECT unnest($3::uuid[]))))
			UNION SELECT i.id FROM identities i JOIN all_of a ON i.tenant_id = $1 AND i.absorbed_into = a.id
		) SELECT id FROM all_of ORDER BY id`, tx.Tenant, pq.Array(w.Contacts), pq.Array(accounts)); err != nil {
		return Whole{}, nil, fmt.Errorf("read accounts of a person: %w", err)
	}
	if len(w.Contacts)+len(w.Identities) == 0 {
		return Whole{}, nil, tenants.ErrNotFound
	}
	if err := tx.SelectContext(ctx, &w.Tenures, `SELECT id FROM tenures WHERE tenant_id = $1 AND identity_id = ANY (ARRAY(SELECT unnest($2::uuid[]))) ORDER BY id`, tx.Tenant, pq.Array(w.Identities)); err != nil {
		return Whole{}, nil, fmt.Errorf("read tenures of a person: %w", err)
	}

	var rows []struct {
		Alias

		Passed bool `db:"passed"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT d.id, d.kind, d.scope, d.value, d.raw,
		       EXISTS (SELECT 1 FROM tenures o WHERE o.tenant_id = $1 AND o.identifier_id = d.id AND o.identity_id <> ALL (ARRAY(SELECT unnest($2::uuid[])))) AS passed
		FROM (SELECT identifier_id AS id FROM tenures WHERE tenant_id = $1 AND identity_id = ANY (ARRAY(SELECT unnest($2::uuid[])))
		      UNION SELECT anchor_id FROM identities WHERE tenant_id = $1 AND id = ANY (ARRAY(SELECT unnest($2::uuid[])))) theirs
		JOIN identifiers d ON d.tenant_id = $1 AND d.id = theirs.id
		ORDER BY d.id`, tx.Tenant, pq.Array(w.Identities)); err != nil {
		return Whole{}, nil, fmt.Errorf("read identifiers of a person: %w", err)
	}
	for _, r := range rows {
		if r.Passed {
			w.Passed = append(w.Passed, r.ID)
			continue
		}
		w.Own, own = append(w.Own, r.ID), append(own, r.Alias)
	}

	return w, own, nil
}

// Forget removes a person: contacts, accounts, identifiers, all evidence about them and every case and link they stand in. What others
// share with them, a phone that has passed on, is derived anew without them. Messages stay behind without an owner, to be removed by
// whoever calls; so does what others' evidence says of them. Under Lock, and so nothing here looks through more than is theirs.
func Forget(ctx context.Context, tx *tenants.Tx, w Whole, own []Alias, mentioned Mentions) error {
	var list []Handle
	var values, phones []string
	var phoneIDs []uuid.UUID
	for _, k := range own {
		list, values = append(list, Handle{Kind: k.Kind, Value: k.Value}), append(values, k.Value)
		if k.Kind == whatsapp.KindPhone {
			phones, phoneIDs = append(phones, k.Value), append(phoneIDs, k.ID)
		}
	}
	waiting, err := speakingOf(ctx, tx, list)
	if err != nil {
		return err
	}
	var words []string
	if err := tx.SelectContext(ctx, &words, `
		SELECT word FROM contact_words WHERE tenant_id = $1 AND contact_id = ANY($2) AND word >= 'x:' AND word < 'x;' ORDER BY word`, tx.Tenant, pq.Array(w.Contacts)); err != nil {
		return fmt.Errorf("read numbers of a person: %w", err)
	}
	gave, err := givenBy(ctx, tx, words)
	if err != nil {
		return err
	}
	waiting = append(waiting, gave...)
	var others []uuid.UUID
	if err := tx.SelectContext(ctx, &others, `
		SELECT DISTINCT contact_id FROM identities WHERE tenant_id = $1 AND id = ANY($2) AND contact_id <> ALL($3) ORDER BY contact_id`,
		tx.Tenant, pq.Array(w.Identities), pq.Array(w.Contacts)); err != nil {
		return fmt.Errorf("read whose accounts go: %w", err)
	}
	waiting = slices.Concat(waiting, others, mentioned.Asked)
	if err := adoption.Forget(ctx, tx, w.Identities, phoneIDs); err != nil {
		return err
	}

	for _, s := range forgetting {
		args := []any{tx.Tenant}
		for _, of := range s.of {
			switch of {
			case 'c':
				args = append(args, pq.Array(w.Contacts))
			case 'i':
				args = append(args, pq.Array(w.Identities))
			case 't':
				args = append(args, pq.Array(w.Tenures))
			case 'o':
				args = append(args, pq.Array(w.Own))
			case 'p':
				args = append(args, pq.Array(w.Passed))
			case 'v':
				args = append(args, pq.Array(values))
			case 'n':
				args = append(args, pq.Array(phones))
			case 'k':
				args = append(args, pq.Array(mentioned.Cases))
			}
		}
		if _, err := tx.ExecContext(ctx, s.statement, args...); err != nil {
			return fmt.Errorf("%s: %w", s.what, err)
		}
	}
	waiting = slices.DeleteFunc(waiting, func(id uuid.UUID) bool { return slices.Contains(w.Contacts, id) })
	slices.SortFunc(waiting, func(a, b uuid.UUID) int { return strings.Compare(a.String(), b.String()) })
	if err := SyncContacts(ctx, tx, slices.Compact(waiting)); err != nil {
		return err
	}
	if len(w.Passed) == 0 {
		return nil
	}
	b := &Batch{tx: tx, identities: map[uuid.UUID]bool{}, divided: map[uuid.UUID]bool{}, anew: map[uuid.UUID]bool{}, contacts: map[uuid.UUID]bool{}, claimed: map[uuid.UUID]bool{}}
	if err := b.rederive(ctx, w.Passed); err != nil {
		return err
	}

	return b.Settle(ctx)
}

// forgetting are the statements of Forget in their order. $1 is the tenant; of says what the others are: contacts, identities, tenures,
// own and passed identifiers, values of own ones, phones among these, cases that name them (k).
var forgetting = []struct{ what, of, statement string }{
	{"forget what others say of them", "v", `
		DELETE FROM hints WHERE tenant_id = $1 AND claim_kind IN ('phone', 'bsuid', 'parent_bsuid', 'external') AND claim_value = ANY($2)`},
	{"forget hints", "o", `DELETE FROM hints WHERE tenant_id = $1 AND subject_id = ANY($2)`},
	{"forget hints of the time they had what passed on", "it", `
		DELETE FROM hints h USING tenures t
		WHERE t.tenant_id = $1 AND t.identity_id = ANY($2) AND t.id = ANY($3) AND h.tenant_id = $1 AND h.subject_id = t.identifier_id
		  AND (t.from_at IS NULL OR h.at >= t.from_at) AND (t.to_at IS NULL OR h.at < t.to_at)`},
	{"forget sightings", "t", `
		DELETE FROM sightings s USING tenures t
		WHERE t.tenant_id = $1 AND t.id = ANY($2) AND s.tenant_id = $1 AND s.identifier_id = t.identifier_id
		  AND (t.from_at IS NULL OR s.at >= t.from_at) AND (t.to_at IS NULL OR s.at < t.to_at)`},
	{"forget signals", "t", `
		DELETE FROM account_signals s USING tenures t
		WHERE t.tenant_id = $1 AND t.id = ANY($2) AND s.tenant_id = $1 AND s.identifier_id = t.identifier_id
		  AND (t.from_at IS NULL OR s.at >= t.from_at) AND (t.to_at IS NULL OR s.at < t.to_at)`},
	{"forget names", "t", `
		DELETE FROM called s USING tenures t
		WHERE t.tenant_id = $1 AND t.id = ANY($2) AND s.tenant_id = $1 AND s.identifier_id = t.identifier_id
		  AND (t.from_at IS NULL OR s.first_at >= t.from_at) AND (t.to_at IS NULL OR s.first_at < t.to_at)`},
	{"forget other sightings", "o", `DELETE FROM sightings WHERE tenant_id = $1 AND identifier_id = ANY($2)`},
	{"forget other signals", "o", `DELETE FROM account_signals WHERE tenant_id = $1 AND identifier_id = ANY($2)`},
	{"forget other names", "o", `DELETE FROM called WHERE tenant_id = $1 AND identifier_id = ANY($2)`},
	{"forget address book of the time they had what passed on", "it", `
		DELETE FROM saved_contacts s USING tenures t JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id
		WHERE t.tenant_id = $1 AND t.identity_id = ANY($2) AND t.id = ANY($3) AND s.tenant_id = $1 AND s.phone <> '' AND s.phone = d.value
		  AND (t.from_at IS NOT NULL OR t.to_at IS NOT NULL)
		  AND (t.from_at IS NULL OR s.at >= t.from_at) AND (t.to_at IS NULL OR s.at < t.to_at)`},
	{"forget pairings", "o", `DELETE FROM pairings WHERE tenant_id = $1 AND (bsuid_id = ANY($2) OR other_id = ANY($2))`},
	{"forget past pairings", "o", `DELETE FROM past_pairings WHERE tenant_id = $1 AND (bsuid_id = ANY($2) OR other_id = ANY($2))`},
	{"forget rotations", "o", `
		DELETE FROM rotations WHERE tenant_id = $1 AND (old_phone = ANY($2) OR old_bsuid = ANY($2) OR old_parent = ANY($2)
		                                                OR new_phone = ANY($2) OR new_bsuid = ANY($2) OR new_parent = ANY($2))`},
	{"forget decisions", "o", `DELETE FROM decisions WHERE tenant_id = $1 AND (a_id = ANY($2) OR b_id = ANY($2))`},
	{"forget cases", "cik", adoption.DropCases(`k.contact_id = ANY($2) OR k.identity_id = ANY($3) OR k.proposed_contact = ANY($2) OR k.id = ANY($4)`)},
	{"forget moves", "ci", `DELETE FROM link_moves WHERE tenant_id = $1 AND (from_contact = ANY($2) OR identity_id = ANY($3))`},
	{"forget other moves", "ci", `
		DELETE FROM link_moves m USING links l WHERE l.tenant_id = $1 AND m.tenant_id = $1 AND m.link_id = l.id
		  AND (l.keep_contact = ANY($2) OR l.lose_contact = ANY($2) OR l.identity_id = ANY($3) OR l.target_id = ANY($3))`},
	{"forget links", "ci", `
		WITH changed AS (
			DELETE FROM links l WHERE l.tenant_id = $1 AND (l.keep_contact = ANY($2) OR l.lose_contact = ANY($2) OR l.identity_id = ANY($3) OR l.target_id = ANY($3))
			RETURNING ` + adoption.LinkGone + `
		), ` + adoption.CountLinks + ` SELECT count(*) FROM changed`},
	{"forget many cases decided at once", "c", `UPDATE bulk_items SET contact_id = NULL WHERE tenant_id = $1 AND contact_id = ANY($2)`},
	{"forget profiles", "t", `DELETE FROM profile_facts WHERE tenant_id = $1 AND tenure_id = ANY($2)`},
	{"forget threads", "t", `DELETE FROM thread_tips WHERE tenant_id = $1 AND tenure_id = ANY($2)`},
	{"forget tenures", "t", `DELETE FROM tenures WHERE tenant_id = $1 AND id = ANY($2)`},
	{"forget words", "c", `DELETE FROM contact_words WHERE tenant_id = $1 AND contact_id = ANY($2)`},
	{"forget reach", "c", dropReach},
	{"forget activity", "c", `DELETE FROM contact_activity WHERE tenant_id = $1 AND contact_id = ANY($2)`},
	{"leave accounts that are another's now", "ci", `
		UPDATE identities SET home_contact = contact_id WHERE tenant_id = $1 AND home_contact = ANY($2) AND id <> ALL($3)`},
	{"forget accounts", "i", `DELETE FROM identities WHERE tenant_id = $1 AND id = ANY($2)`},
	{"forget contacts", "c", `DELETE FROM contacts WHERE tenant_id = $1 AND id = ANY($2)`},
	{"forget address book", "v", `DELETE FROM saved_contacts WHERE tenant_id = $1 AND (phone = ANY($2) OR bsuid = ANY($2))`},
	{"forget shared phones", "n", `DELETE FROM shared_phones WHERE tenant_id = $1 AND phone = ANY($2)`},
	{"forget codes", "no", `DELETE FROM link_codes WHERE tenant_id = $1 AND (phone = ANY($2) OR used_by = ANY($3))`},
	{"forget tries", "o", `DELETE FROM link_code_tries WHERE tenant_id = $1 AND identifier_id = ANY($2)`},
	{"forget identifiers", "o", `DELETE FROM identifiers WHERE tenant_id = $1 AND id = ANY($2)`},
}

// HeldBy are the identifiers of a Whole that have another holder too, with the time for which these were theirs. Where neither end is
// known, whose what came by it was is not known either.
func HeldBy(ctx context.Context, tx *tenants.Tx, w Whole) ([]erased.Held, error) {
	if len(w.Passed) == 0 {
		return nil, nil
	}
	var rows []struct {
		Value string     `db:"value"`
		From  *time.Time `db:"from_at"`
		To    *time.Time `db:"to_at"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT d.value, t.from_at, t.to_at FROM tenures t JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id
		WHERE t.tenant_id = $1 AND t.id = ANY($2) AND d.id = ANY($3) AND (t.from_at IS NOT NULL OR t.to_at IS NOT NULL)
		ORDER BY d.value, t.from_at`, tx.Tenant, pq.Array(w.Tenures), pq.Array(w.Passed)); err != nil {
		return nil, fmt.Errorf("read what a person held for a time: %w", err)
	}
	held := make([]erased.Held, len(rows))
	for i, r := range rows {
		held[i].Value = r.Value
		if r.From != nil {
			held[i].From = *r.From
		}
		if r.To != nil {
			held[i].To = *r.To
		}
	}

	return held, nil
}

// Mentions are the cases in which a person stands who are not about them.
type Mentions struct {
	Cases []uuid.UUID // that one of their identifiers has opened: their keys hold it
	Asked []uuid.UUID // contacts about whom somebody is asked whether they are that person
}

// MentionsOf looks for them by a person's accounts and the values of their identifiers, through all cases of the tenant.
func MentionsOf(ctx context.Context, tx *tenants.Tx, accounts []uuid.UUID, values []string) (m Mentions, err error) {
	if err := tx.SelectContext(ctx, &m.Cases, `
		SELECT id FROM cases WHERE tenant_id = $1 AND regexp_split_to_array(key, '[: ]') && $2::text[] ORDER BY id`, tx.Tenant, pq.Array(values)); err != nil {
		return Mentions{}, fmt.Errorf("look for cases of a person: %w", err)
	}
	if err := tx.SelectContext(ctx, &m.Asked, `
		SELECT DISTINCT k.contact_id FROM cases k CROSS JOIN LATERAL jsonb_array_elements(k.candidates) AS c
		WHERE k.tenant_id = $1 AND k.state = 'open' AND k.contact_id IS NOT NULL AND (c->>'identity_id')::uuid = ANY($2)
		ORDER BY k.contact_id`, tx.Tenant, pq.Array(accounts)); err != nil {
		return Mentions{}, fmt.Errorf("look where a person is a candidate: %w", err)
	}

	return m, nil
}

// Existing tells which identifiers, in canonical form, are known of anybody.
func Existing(ctx context.Context, tx *tenants.Tx, values []string) (map[string]bool, error) {
	var found []string
	if err := tx.SelectContext(ctx, &found, `
		SELECT DISTINCT d.value FROM identifiers d WHERE d.tenant_id = $1 AND d.kind = ANY($3) AND d.value = ANY($2)`,
		tx.Tenant, pq.Array(values), pq.Array([]string{string(whatsapp.KindPhone), string(whatsapp.KindBSUID), string(whatsapp.KindParentBSUID)})); err != nil {
		return nil, fmt.Errorf("look for identifiers: %w", err)
	}
	out := make(map[string]bool, len(found))
	for _, v := range found {
		out[v] = true
	}

	return out, nil
}
