package identity

import (
	"bytes"
	"cmp"
	"context"
	"encoding/json"
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
	"unicode"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Window is how long WhatsApp lets a business answer freely after the customer's last message.
const Window = 24 * time.Hour

// lastWords is how many of somebody's last messages say what they want.
const lastWords = 5

// arranged is what orders an open case.
type arranged struct {
	ID         uuid.UUID       `db:"id"`
	Kind       string          `db:"kind"`
	Contact    uuid.UUID       `db:"contact_id"`
	Candidates json.RawMessage `db:"candidates"`
	PartOf     *uuid.UUID      `db:"part_of"`
	Since      time.Time       `db:"waiting_since"`
	Asked      *time.Time      `db:"asked_at"`
	Answered   *time.Time      `db:"answered_at"`
	Money      bool            `db:"money"`
}

// arrange puts the open cases of those who wrote or were written to in this batch, and of the given contacts, where they belong.
func (b *Batch) arrange(ctx context.Context, contacts []uuid.UUID) error {
	spoke := map[uuid.UUID]bool{}
	sent := map[uuid.UUID]time.Time{}
	for i, s := range b.seen {
		id := b.Placements[i].IdentityID
		switch e := s.Event; {
		case id == uuid.Nil || e.GroupID != "":
		case e.Kind == whatsapp.KindMessage || e.Kind == whatsapp.KindCall || e.Kind == whatsapp.KindEcho:
			spoke[id] = true
		case e.Kind == whatsapp.KindStatus && e.Status == "sent": // other software of the business's has answered
			spoke[id] = true
			sent[id] = later(sent[id], s.at)
		}
	}

	return arrange(ctx, b.tx, contacts, keys(spoke), sent)
}

// arrange puts the open cases of contacts and of accounts where they belong in the queue: whether somebody waits for an answer,
// whether it is about money, and which of two about the same people is part of the other. sent is when other software wrote to an
// account: what it wrote is not stored.
func arrange(ctx context.Context, tx *tenants.Tx, contacts, accounts []uuid.UUID, sent map[uuid.UUID]time.Time) error {
	if len(contacts)+len(accounts) == 0 {
		return nil
	}

	const columns = `k.id, k.kind, k.contact_id, k.candidates, k.part_of, k.waiting_since, k.asked_at, k.answered_at, k.money`
	var open []arranged
	err := tx.SelectContext(ctx, &open, `
		SELECT `+columns+` FROM cases k WHERE k.tenant_id = $1 AND k.contact_id = ANY($2) AND k.state = 'open'
		UNION
		SELECT `+columns+` FROM identities i JOIN cases k ON k.tenant_id = $1 AND k.contact_id = i.contact_id AND k.state = 'open'
		WHERE i.tenant_id = $1 AND i.id = ANY($3)`, tx.Tenant, pq.Array(contacts), pq.Array(accounts))
	if err != nil {
		return fmt.Errorf("read open cases: %w", err)
	}
	if len(open) == 0 {
		return nil
	}
	if err := rankCases(ctx, tx, open, sent); err != nil {
		return err
	}

	return joinAlike(ctx, tx, open)
}

// rankCases keeps with each case when its contact last asked, when the business last answered, and whether it is about money.
func rankCases(ctx context.Context, tx *tenants.Tx, open []arranged, sent map[uuid.UUID]time.Time) error {
	about := map[uuid.UUID]bool{}
	for _, k := range open {
		about[k.Contact] = true
	}
	var words []struct {
		Contact   uuid.UUID `db:"contact_id"`
		Account   uuid.UUID `db:"id"`
		Direction string    `db:"direction"`
		Type      string    `db:"type"`
		Text      string    `db:"text"`
		At        time.Time `db:"at"`
	}
	err := tx.SelectContext(ctx, &words, `
		SELECT i.contact_id, i.id, m.direction, m.type, m.text, m.at
		FROM identities i JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		CROSS JOIN LATERAL (
			SELECT n.direction, n.type, n.text, n.at FROM messages n
			WHERE n.tenant_id = $1 AND n.tenure_id = t.id AND n.group_id = '' AND NOT n.imported ORDER BY n.at DESC, n.id DESC LIMIT $3) m
		WHERE i.tenant_id = $1 AND i.contact_id = ANY($2) AND i.absorbed_into IS NULL`, tx.Tenant, pq.Array(keys(about)), lastWords)
	if err != nil {
		return fmt.Errorf("read last words: %w", err)
	}

	asked, answered, money := map[uuid.UUID]time.Time{}, map[uuid.UUID]time.Time{}, map[uuid.UUID]bool{}
	for _, w := range words {
		if w.Direction == whatsapp.DirectionIn {
			asked[w.Contact] = later(asked[w.Contact], w.At)
			money[w.Contact] = money[w.Contact] || aboutMoney(w.Type, w.Text)
		} else {
			answered[w.Contact] = later(answered[w.Contact], w.At)
		}
		if at, ok := sent[w.Account]; ok {
			answered[w.Contact] = later(answered[w.Contact], at)
		}
	}

	var (
		ids      []uuid.UUID
		ask, ans []*time.Time
		worth    []bool
	)
	for _, k := range open {
		a, r := timeOrNil(asked[k.Contact]), timeOrNil(answered[k.Contact])
		if k.Answered != nil && (r == nil || r.Before(*k.Answered)) {
			r = k.Answered
		}
		if sameTime(a, k.Asked) && sameTime(r, k.Answered) && money[k.Contact] == k.Money {
			continue
		}
		ids, ask, ans, worth = append(ids, k.ID), append(ask, a), append(ans, r), append(worth, money[k.Contact])
	}
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `
		UPDATE cases k SET asked_at = w.asked, answered_at = w.answered, money = w.money
		FROM unnest($2::uuid[], $3::timestamptz[], $4::timestamptz[], $5::boolean[]) AS w (id, asked, answered, money)
		WHERE k.tenant_id = $1 AND k.id = w.id`, tx.Tenant, pq.Array(ids), pq.Array(ask), pq.Array(ans), pq.Array(worth)); err != nil {
		return fmt.Errorf("rank cases: %w", err)
	}

	return nil
}

func timeOrNil(t time.Time) *time.Time {
	if t.IsZero() {
		return nil
	}

	return &t
}

// moneyWords are what people write about orders and payments, in English, Hindi, and Hindi in Latin letters.
var moneyWords = map[string]bool{
	"order": true, "orders": true, "ordered": true, "pay": true, "paid": true, "payment": true, "refund": true, "bill": true, "invoice": true,
	"price": true, "rate": true, "cost": true, "amount": true, "receipt": true, "upi": true, "rs": true, "rupees": true, "buy": true, "discount": true,
	"paisa": true, "paise": true, "kitne": true, "bhav": true, "daam": true, "kimat": true,
	"ऑर्डर": true, "आर्डर": true, "भुगतान": true, "पेमेंट": true, "पैसा": true, "पैसे": true, "पैसों": true, "बिल": true, "रसीद": true,
	"दाम": true, "कीमत": true, "क़ीमत": true, "भाव": true, "रेट": true, "कितने": true, "रुपये": true, "रुपए": true, "रिफंड": true, "रिफ़ंड": true, "खरीदना": true, "ख़रीदना": true,
}

// aboutMoney tells whether a message is about an order or a payment.
func aboutMoney(kind, text string) bool {
	if kind == "order" {
		return true
	}
	for word := range strings.FieldsFuncSeq(strings.ToLower(text), func(r rune) bool { return !unicode.IsLetter(r) && !unicode.IsMark(r) && r != '₹' }) {
		if moneyWords[word] || strings.ContainsRune(word, '₹') {
			return true
		}
	}

	return false
}

// joinAlike makes one of open cases that ask about the very same people: the contradiction before the suggestion, then the one
// whose customer waits longest. The others are part of it and come back by themselves should it end without them.
func joinAlike(ctx context.Context, tx *tenants.Tx, open []arranged) error {
	named, err := namedIn(ctx, tx, open)
	if err != nil {
		return err
	}
	if len(named) == 0 && !slices.ContainsFunc(open, func(k arranged) bool { return k.PartOf != nil }) {
		return nil
	}

	// Whoever is named may have a case of their own about the same people, seen from the other side.
	var others []arranged
	if err := tx.SelectContext(ctx, &others, `
		SELECT id, kind, contact_id, candidates, part_of, waiting_since FROM cases
		WHERE tenant_id = $1 AND state = 'open' AND contact_id = ANY($2) AND candidates <> '[]' AND id <> ALL($3)
		UNION
		SELECT id, kind, contact_id, candidates, part_of, waiting_since FROM cases
		WHERE tenant_id = $1 AND state = 'open' AND part_of = ANY($3) AND contact_id IS NOT NULL AND id <> ALL($3)`,
		tx.Tenant, pq.Array(peopleOf(named)), pq.Array(idsOfCases(open))); err != nil {
		return fmt.Errorf("read cases of those named: %w", err)
	}
	more, err := namedIn(ctx, tx, others)
	if err != nil {
		return err
	}

	// A case of the others counts only where it asks about the same as one of these, or was part of it: what else it may be part of was
	// not read.
	groups := map[string][]arranged{}
	for i, k := range slices.Concat(open, others) {
		key := k.ID.String()
		if people := slices.Concat(named[k.ID], more[k.ID]); len(people) >= 2 {
			slices.SortFunc(people, func(a, b uuid.UUID) int { return bytes.Compare(a[:], b[:]) })
			key = fmt.Sprint(slices.Compact(people))
		}
		freed := k.PartOf != nil && slices.ContainsFunc(open, func(o arranged) bool { return o.ID == *k.PartOf })
		if i >= len(open) && groups[key] == nil && !freed {
			continue
		}
		groups[key] = append(groups[key], k)
	}

	var (
		ids   []uuid.UUID
		parts []*uuid.UUID
	)
	for _, group := range groups {
		slices.SortFunc(group, func(a, b arranged) int {
			if (a.Kind == CaseConflict) != (b.Kind == CaseConflict) {
				if a.Kind == CaseConflict {
					return -1
				}
				return 1
			}
			return cmp.Or(a.Since.Compare(b.Since), bytes.Compare(a.ID[:], b.ID[:]))
		})
		for i, k := range group {
			var whole *uuid.UUID
			if i > 0 {
				whole = &group[0].ID
			}
			if (whole == nil) != (k.PartOf == nil) || whole != nil && *whole != *k.PartOf {
				ids, parts = append(ids, k.ID), append(parts, whole)
			}
		}
	}
	if len(ids) == 0 {
		return nil
	}
	if _, err := tx.ExecContext(ctx, `
		WITH changed AS (
			UPDATE cases k SET part_of = w.part_of FROM unnest($2::uuid[], $3::uuid[]) AS w (id, part_of)
			WHERE k.tenant_id = $1 AND k.id = w.id RETURNING `+adoption.CaseState+`
		), `+adoption.CountCases+` SELECT count(*) FROM changed`, tx.Tenant, pq.Array(ids), pq.Array(parts)); err != nil {
		return fmt.Errorf("join cases: %w", err)
	}

	return nil
}

// namedIn is whom each case is about, its candidates' contacts included; cases without candidates are left out.
func namedIn(ctx context.Context, tx *tenants.Tx, open []arranged) (map[uuid.UUID][]uuid.UUID, error) {
	accounts := map[uuid.UUID][]uuid.UUID{}
	var all []uuid.UUID
	for _, k := range open {
		var stored []caseCandidate
		if err := json.Unmarshal(k.Candidates, &stored); err != nil {
			return nil, fmt.Errorf("read candidates: %w", err)
		}
		for _, c := range stored {
			accounts[k.ID], all = append(accounts[k.ID], c.Identity), append(all, c.Identity)
		}
	}
	if len(all) == 0 {
		return nil, nil //nolint:nilnil // nobody is named
	}
	owners, err := ownersOf(ctx, tx, all)
	if err != nil {
		return nil, err
	}

	named := map[uuid.UUID][]uuid.UUID{}
	for _, k := range open {
		for _, a := range accounts[k.ID] {
			person, known := owners[a]
			if !known {
				person = a
			}
			named[k.ID] = append(named[k.ID], person)
		}
		if len(named[k.ID]) > 0 {
			named[k.ID] = append(named[k.ID], k.Contact)
		}
	}

	return named, nil
}

func peopleOf(named map[uuid.UUID][]uuid.UUID) []uuid.UUID {
	all := map[uuid.UUID]bool{}
	for _, people := range named {
		for _, p := range people {
			all[p] = true
		}
	}

	return keys(all)
}

func idsOfCases(open []arranged) []uuid.UUID {
	ids := make([]uuid.UUID, len(open))
	for i := range open {
		ids[i] = open[i].ID
	}

	return ids
}

// partsOf reads the candidates of the cases that are part of the given ones.
func partsOf(ctx context.Context, tx *tenants.Tx, ids []uuid.UUID) (map[uuid.UUID][]caseCandidate, error) {
	if len(ids) == 0 {
		return nil, nil //nolint:nilnil // nothing is part of nothing
	}
	var rows []struct {
		PartOf     uuid.UUID       `db:"part_of"`
		Candidates json.RawMessage `db:"candidates"`
	}
	if err := tx.SelectContext(ctx, &rows, `
		SELECT part_of, candidates FROM cases WHERE tenant_id = $1 AND part_of = ANY($2) AND state = 'open' ORDER BY id`, tx.Tenant, pq.Array(ids)); err != nil {
		return nil, fmt.Errorf("read parts of cases: %w", err)
	}
	parts := map[uuid.UUID][]caseCandidate{}
	for _, r := range rows {
		var named []caseCandidate
		if err := json.Unmarshal(r.Candidates, &named); err != nil {
			return nil, fmt.Errorf("read candidates: %w", err)
		}
		parts[r.PartOf] = append(parts[r.PartOf], named...)
	}

	return parts, nil
}

// withParts adds to candidates the reasons of cases that ask about the same people. Where there is one candidate, they are about
// that one from whichever side they look.
func withParts(named, parts []caseCandidate) []caseCandidate {
	for _, p := range parts {
		i := slices.IndexFunc(named, func(c caseCandidate) bool { return c.Identity == p.Identity || len(named) == 1 })
		if i == -1 {
			continue
		}
		for _, r := range p.Reasons {
			if !slices.ContainsFunc(named[i].Reasons, func(o Reason) bool { return o.Code == r.Code && maps.Equal(o.Args, r.Args) }) {
				named[i].Reasons = append(named[i].Reasons, r)
			}
		}
		named[i].Tier = min(named[i].Tier, p.Tier)
	}

	return named
}
