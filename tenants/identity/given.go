package identity

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What somebody's message carries that the business's own system calls a customer by (external ids). The claim is kept as the word of
// contact_words without its x:, and counts once a contact bears it, whichever comes first.
const (
	claimExternal = whatsapp.Kind("external")

	hintGave    = "gave_number" // B3, as stored; shown and weighed as one of the four below
	hintAdClick = "ad_click"    // B4: they came by an advertisement, and a lead has the same click

	hintNumberLong  = "gave_number_long"   // hard to guess
	hintNumber      = "gave_number"        // an ordinary number
	hintNumberInRow = "gave_number_in_row" // others have the numbers next to it
	hintNumberShort = "gave_number_short"  // a few digits, which may mean anything (tier C)
)

// maxGiven is how many numbers of one message are kept.
const maxGiven = 6

// numberLike finds what may be an order, bill or service number; it has a digit, which givenNumbers sees to.
var numberLike = regexp.MustCompile(`[\p{L}0-9][\p{L}\p{M}0-9/_.-]{2,40}[\p{L}\p{M}0-9]`)

var latinDigits = strings.NewReplacer("०", "0", "१", "1", "२", "2", "३", "3", "४", "4", "५", "5", "६", "6", "७", "7", "८", "8", "९", "9")

// givenNumbers are the words of a text that may be what a system calls a customer.
func givenNumbers(text string) []string {
	var out []string
	for _, w := range numberLike.FindAllString(latinDigits.Replace(text), -1) {
		w = strings.TrimPrefix(externalWord(w), "x:")
		if len(out) < maxGiven && strings.ContainsAny(w, "0123456789") && !slices.Contains(out, w) {
			out = append(out, w)
		}
	}

	return out
}

// givenHints are the claims of an event that name a customer of the business's own system.
func givenHints(subject uuid.UUID, e whatsapp.Event) []hint {
	var out []hint
	if e.Type == "text" || e.Type == "image" || e.Type == "video" { // of a picture, its caption
		for _, number := range givenNumbers(e.Text) {
			out = append(out, hint{subject, hintGave, claimExternal, number})
		}
	}
	if e.ClickID != "" {
		out = append(out, hint{subject, hintAdClick, claimExternal, strings.TrimPrefix(externalWord(e.ClickID), "x:")})
	}

	return out
}

// isShortNumber tells whether a number is of few digits alone: a price or a date as well as a number of theirs.
func isShortNumber(value string) bool {
	return len(value) < 6 && strings.Trim(value, "0123456789") == ""
}

// isLongNumber tells whether a number is too long to hit by chance: ten letters and digits, not digits alone unless they are twelve.
func isLongNumber(value string) bool {
	plain := strings.Map(func(r rune) rune {
		if strings.ContainsRune("/_.-", r) {
			return -1
		}
		return r
	}, value)
	if strings.Trim(plain, "0123456789") == "" {
		return len(plain) >= 12
	}

	return len(plain) >= 10
}

// neighbours are the numbers before and after one that ends in digits, as wide as it: bill numbers are given out in a row.
func neighbours(value string) []string {
	stem := strings.TrimRight(value, "0123456789")
	digits := value[len(stem):]
	n, err := strconv.ParseUint(digits, 10, 63)
	if err != nil {
		return nil
	}
	var out []string
	for _, step := range []uint64{n - 1, n - 2, n + 1, n + 2} {
		if step <= n+2 { // not below zero
			out = append(out, stem+fmt.Sprintf("%0*d", len(digits), step))
		}
	}

	return out
}

// given is a number that somebody gave and a contact bears.
type given struct {
	sign
	Bears uuid.UUID `db:"bears"` // the contact
	Shown string    `db:"shown"` // as the business wrote it
}

// givenOf reads what accounts have given of the business's own numbers, in an order that does not depend on when it came. Whose
// number several contacts bear says nothing.
func givenOf(ctx context.Context, tx *tenants.Tx, identities []uuid.UUID) ([]given, error) {
	var rows []given
	err := tx.SelectContext(ctx, &rows, `
		WITH given AS (
			SELECT i.id, i.scope, i.contact_id, h.kind, h.claim_value, min(h.at) AS at, min(h.item_id) AS item_id
			FROM identities i
			JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
			JOIN hints h ON h.tenant_id = $1 AND h.subject_id = t.identifier_id AND h.claim_kind = 'external'
			WHERE i.tenant_id = $1 AND i.id = ANY($2) AND i.absorbed_into IS NULL
			GROUP BY i.id, i.scope, i.contact_id, h.kind, h.claim_value
		), borne AS (
			SELECT g.*, w.contact_id AS bears, count(*) OVER (PARTITION BY g.id, g.kind, g.claim_value) AS bearers
			FROM given g
			CROSS JOIN LATERAL (SELECT c.contact_id FROM contact_words c WHERE c.tenant_id = $1 AND c.word = 'x:' || g.claim_value LIMIT 2) w
		)
		SELECT b.id AS subject_id, b.contact_id, o.id AS target_id, b.bears AS target_contact, o.scope = b.scope AS together, b.kind, b.claim_value AS via,
		       b.at, NULL::timestamptz AS sent, true AS sure, false AS shared, b.item_id, b.bears,
		       coalesce((SELECT e.value FROM contacts c CROSS JOIN LATERAL jsonb_each_text(c.external_ids) e
		                 WHERE c.tenant_id = $1 AND c.id = b.bears AND lower(btrim(e.value)) = b.claim_value ORDER BY e.key LIMIT 1), b.claim_value) AS shown
		FROM borne b
		CROSS JOIN LATERAL (
			SELECT i.id, i.scope FROM identities i
			JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
			JOIN identifiers d ON d.tenant_id = $1 AND d.id = t.identifier_id
			WHERE i.tenant_id = $1 AND i.contact_id = b.bears AND i.absorbed_into IS NULL
			ORDER BY d.kind <> 'phone', d.value LIMIT 1) o
		WHERE b.bearers = 1 AND b.bears IS DISTINCT FROM b.contact_id
		ORDER BY subject_id, kind, via, target_id`, tx.Tenant, pq.Array(identities))
	if err != nil {
		return nil, fmt.Errorf("read numbers they gave: %w", err)
	}

	return rows, nil
}

func (r given) isHint() bool { return r.Kind == hintGave && isShortNumber(r.Via) }

func (r given) tier() string {
	if r.isHint() {
		return "C"
	}

	return "B"
}

// reason is it in words. What is stored with a case must not depend on the numbers of others, so how guessable the number
// is among them is looked at when the case is shown (guessable).
func (r given) reason() Reason {
	reason := r.sign.reason()
	reason.Args["number"] = r.Shown
	delete(reason.Args, "via")
	switch {
	case r.isHint():
		reason.Code, reason.Tier = hintNumberShort, "C"
	case r.Kind == hintGave && isLongNumber(r.Via):
		reason.Code = hintNumberLong
	}

	return reason
}

// guessable lowers what numbers count for that were given out in a row.
func guessable(ctx context.Context, tx *tenants.Tx, list []Candidate) error {
	for i, c := range list {
		for j, r := range c.Reasons {
			if r.Code != hintNumber {
				continue
			}
			var words []string
			for _, n := range neighbours(strings.TrimPrefix(externalWord(r.Args["number"]), "x:")) {
				words = append(words, externalWord(n))
			}
			var row bool
			if err := tx.GetContext(ctx, &row, `
				SELECT EXISTS (SELECT 1 FROM contact_words WHERE tenant_id = $1 AND word = ANY($2))`, tx.Tenant, pq.Array(words)); err != nil {
				return fmt.Errorf("look for numbers in a row: %w", err)
			}
			if row {
				list[i].Reasons[j].Code = hintNumberInRow
			}
		}
	}

	return nil
}

// givenBy are the contacts whose messages carry one of these words of contact_words.
func givenBy(ctx context.Context, tx *tenants.Tx, words []string) ([]uuid.UUID, error) {
	var values []string
	for _, w := range words {
		if value, ok := strings.CutPrefix(w, "x:"); ok {
			values = append(values, value)
		}
	}
	if len(values) == 0 {
		return nil, nil
	}

	var contacts []uuid.UUID
	err := tx.SelectContext(ctx, &contacts, `
		SELECT DISTINCT i.contact_id FROM hints h
		JOIN tenures t ON t.tenant_id = $1 AND t.identifier_id = h.subject_id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id AND i.contact_id IS NOT NULL
		WHERE h.tenant_id = $1 AND h.claim_kind = 'external' AND h.claim_value = ANY($2) ORDER BY i.contact_id`, tx.Tenant, pq.Array(values))
	if err != nil {
		return nil, fmt.Errorf("find who gave a number: %w", err)
	}

	return contacts, nil
}

// numbersGivenBy are the numbers of the business's own system that somebody gave, as proofs: those that a customer bears.
func numbersGivenBy(ctx context.Context, tx *tenants.Tx, held []uuid.UUID) ([]Proof, error) {
	var rows []struct {
		Kind  string    `db:"kind"`
		Value string    `db:"claim_value"`
		At    time.Time `db:"at"`
		Item  int64     `db:"item_id"`
	}
	err := tx.SelectContext(ctx, &rows, `
		SELECT h.kind, h.claim_value, h.at, h.item_id FROM hints h
		CROSS JOIN LATERAL ( -- number by number: else the planner reads what all customers are found by
			SELECT FROM contact_words w WHERE w.tenant_id = $1 AND w.word = 'x:' || h.claim_value LIMIT 1) borne
		WHERE h.tenant_id = $1 AND h.subject_id = ANY($2) AND h.claim_kind = 'external'
		ORDER BY h.at DESC, h.claim_value LIMIT 200`, tx.Tenant, pq.Array(held))
	if err != nil {
		return nil, fmt.Errorf("read numbers given: %w", err)
	}
	proofs := make([]Proof, len(rows))
	for i, r := range rows {
		proofs[i] = Proof{Kind: ProofHint, Code: "number_given", Tier: tierOf(r.Kind), From: r.At, Until: r.At, Text: r.Value, Items: []int64{r.Item}}
		switch {
		case r.Kind == hintAdClick:
			proofs[i].Code, proofs[i].Text = "ad_click_seen", ""
		case isShortNumber(r.Value):
			proofs[i].Tier = "C"
		}
	}

	return proofs, nil
}
