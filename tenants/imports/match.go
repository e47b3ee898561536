package imports

import (
	"context"
	"fmt"
	"slices"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// What becomes of a row.
const (
	OutcomeNew      = "new"
	OutcomeChanged  = "changed"
	OutcomeSame     = "same" // known, and nothing to change
	OutcomeConflict = "conflict"
	OutcomeSkipped  = "skipped"
)

// verdict is what a row would do, or does.
type verdict struct {
	row      int
	values   values
	outcome  string
	why      string
	otherRow *int // of WhyTwice
	contact  uuid.UUID
	made     bool
	change   identity.CardChange // to an existing contact
	claim    *identity.Claim     // of a new one
	pair     *identity.Pair      // to suggest
}

// taken tells whether the row names a customer: new ones, and known ones whether it changes them or not.
func (v *verdict) taken() bool {
	return v.outcome == OutcomeNew || v.outcome == OutcomeChanged || v.outcome == OutcomeSame
}

func (v *verdict) end(outcome, why string) {
	v.outcome, v.why = outcome, why
}

// answers tells whether a row that is taken in says who has a WhatsApp ID: what the business's own system calls them, and no phone,
// which would say that two are one.
func (v *verdict) answers() bool {
	return v.taken() && v.values.bsuid != "" && v.values.phone == "" && v.values.key() != ""
}

// known is all that the judging of a batch of rows looks up.
type known struct {
	handles  map[identity.Handle]identity.Known
	external map[identity.ExternalID][]uuid.UUID
	cards    map[uuid.UUID]identity.Card
	pairs    map[identity.Pair]bool
	earlier  map[string]int // by what a row is known by: the first row of the list that is
	contacts map[uuid.UUID]int
}

// judge says what each row does, with a number of look-ups that does not depend on how many rows there are. Nothing is changed.
func judge(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, i Import, rows []storedRow) ([]verdict, error) {
	verdicts := make([]verdict, len(rows))
	for n, r := range rows {
		cells, err := r.cells()
		if err != nil {
			return nil, err
		}
		verdicts[n] = verdict{row: r.Row, values: i.Mapping.read(cells)}
		if r.open() {
			verdicts[n].values.why = WhyOpenQuote
		}
	}
	if err := leaveOutErased(ctx, tx, keys, verdicts); err != nil {
		return nil, err
	}

	k, err := lookUp(ctx, tx, i.ID, verdicts)
	if err != nil {
		return nil, err
	}
	for n := range verdicts {
		v := &verdicts[n]
		k.twice(v)
		if v.outcome == "" {
			k.decide(v, i.Mapping.Replace)
		}
	}

	return verdicts, nil
}

func lookUp(ctx context.Context, tx *tenants.Tx, id uuid.UUID, verdicts []verdict) (*known, error) {
	var (
		handles  []identity.Handle
		external []identity.ExternalID
		pairs    []identity.Pair
		contacts []uuid.UUID
	)
	for _, v := range verdicts {
		if v.values.why != "" {
			continue
		}
		handles = append(handles, v.values.handles()...)
		external = append(external, v.values.external...)
		if v.values.phone != "" && v.values.bsuid != "" {
			pairs = append(pairs, identity.Pair{BSUID: v.values.bsuid, Phone: v.values.phone})
		}
	}

	var (
		k   known
		err error
	)
	if k.handles, err = identity.KnownHandles(ctx, tx, handles); err != nil {
		return nil, err
	}
	if k.external, err = identity.KnownExternal(ctx, tx, external); err != nil {
		return nil, err
	}
	if k.pairs, err = identity.KnownPairs(ctx, tx, pairs); err != nil {
		return nil, err
	}
	for _, h := range k.handles {
		contacts = append(contacts, h.Contacts...)
	}
	for _, e := range k.external {
		contacts = append(contacts, e...)
	}
	if k.cards, err = identity.Cards(ctx, tx, contacts); err != nil {
		return nil, err
	}
	err = k.earlierRows(ctx, tx, id, verdicts, contacts)

	return &k, err
}

// earlierRows finds what rows of the list before these are known by.
func (k *known) earlierRows(ctx context.Context, tx *tenants.Tx, id uuid.UUID, verdicts []verdict, contacts []uuid.UUID) error {
	k.earlier, k.contacts = map[string]int{}, map[uuid.UUID]int{}
	var phones, bsuids, keys []string
	for _, v := range verdicts {
		phones, bsuids, keys = append(phones, v.values.phone), append(bsuids, v.values.bsuid), append(keys, v.values.key())
	}
	var rows []struct {
		What    string     `db:"what"`
		Value   string     `db:"value"`
		Contact *uuid.UUID `db:"contact_id"`
		Row     int        `db:"row"`
	}
	// OFFSET 0 keeps the planner to the index of what is looked for. A list that has just been stored is new to it, and going
	// through all of its earlier rows instead would cost more with every batch.
	err := tx.SelectContext(ctx, &rows, `
		SELECT 'p' AS what, w.value, NULL::uuid AS contact_id, min(r.row) AS row FROM unnest($4::text[]) AS w (value)
		CROSS JOIN LATERAL (SELECT import_id, row FROM import_rows WHERE tenant_id = $1 AND phone = w.value AND phone <> '' OFFSET 0) r
		WHERE r.import_id = $2 AND r.row < $3 GROUP BY w.value
		UNION ALL
		SELECT 'b', w.value, NULL, min(r.row) FROM unnest($5::text[]) AS w (value)
		CROSS JOIN LATERAL (SELECT import_id, row FROM import_rows WHERE tenant_id = $1 AND bsuid = w.value AND bsuid <> '' OFFSET 0) r
		WHERE r.import_id = $2 AND r.row < $3 GROUP BY w.value
		UNION ALL
		SELECT 'x', w.value, NULL, min(r.row) FROM unnest($6::text[]) AS w (value)
		CROSS JOIN LATERAL (SELECT import_id, row FROM import_rows WHERE tenant_id = $1 AND external = w.value AND external <> '' OFFSET 0) r
		WHERE r.import_id = $2 AND r.row < $3 GROUP BY w.value
		UNION ALL
		SELECT 'c', '', w.id, min(r.row) FROM unnest($7::uuid[]) AS w (id)
		CROSS JOIN LATERAL (SELECT import_id, row FROM import_rows WHERE tenant_id = $1 AND contact_id = w.id OFFSET 0) r
		WHERE r.import_id = $2 AND r.row < $3 GROUP BY w.id`,
		tx.Tenant, id, verdicts[0].row, pq.Array(phones), pq.Array(bsuids), pq.Array(keys), pq.Array(contacts))
	if err != nil {
		return fmt.Errorf("read earlier rows: %w", err)
	}
	for _, r := range rows {
		if r.Contact != nil {
			k.contacts[*r.Contact] = r.Row
			continue
		}
		k.earlier[r.What+r.Value] = r.Row
	}

	return nil
}

// twice ends a row that cannot be read, or names whom an earlier one names.
func (k *known) twice(v *verdict) {
	if v.values.why != "" {
		v.end(OutcomeSkipped, v.values.why)
		return
	}
	names := []string{}
	for what, value := range map[string]string{"p": v.values.phone, "b": v.values.bsuid, "x": v.values.key()} {
		if value != "" {
			names = append(names, what+value)
		}
	}
	slices.Sort(names)
	for _, n := range names {
		if row, ok := k.earlier[n]; ok {
			v.end(OutcomeSkipped, WhyTwice)
			v.otherRow = &row
			return
		}
	}
	for _, n := range names {
		k.earlier[n] = v.row
	}
}

// decide says what a readable row does.
func (k *known) decide(v *verdict, replace bool) {
	r := v.values
	phone, bsuid := k.handles[identity.Handle{Kind: whatsapp.KindPhone, Value: r.phone}], k.handles[identity.Handle{Kind: whatsapp.KindBSUID, Value: r.bsuid}]
	var people, byID []uuid.UUID
	people = union(people, phone.Contacts)
	people = union(people, bsuid.Contacts)
	for _, e := range r.external {
		byID = union(byID, k.external[e])
	}
	if pair := (identity.Pair{BSUID: r.bsuid, Phone: r.phone}); r.phone != "" && r.bsuid != "" && !k.pairs[pair] && !together(phone, bsuid) {
		v.pair = &pair
	}

	switch {
	case r.phone != "" && phone.Former:
		v.end(OutcomeConflict, WhyFormer)
	case len(people) > 1 || len(byID) > 1:
		v.end(OutcomeConflict, WhyTwoPeople)
	case len(people) == 1 && len(byID) == 1 && people[0] != byID[0]:
		v.end(OutcomeConflict, WhyTwoPeople)
		v.pair = nil
	case len(phone.Contacts) == 0 && r.phone != "" && len(bsuid.Contacts) == 1:
		// A WhatsApp ID that is known, beside a phone that is not: the phone's owner is suggested, never joined.
		if k.cards[bsuid.Contacts[0]].HasPhone {
			v.end(OutcomeConflict, WhyOtherPhone)
			v.pair = nil
			return
		}
		if len(byID) == 1 {
			v.end(OutcomeConflict, WhyNotTheirs)
			v.pair = nil
			return
		}
		k.makeNew(v)
	case len(people) == 1:
		k.change(v, people[0], replace)
	case len(byID) == 1 && (r.phone != "" || r.bsuid != ""):
		v.end(OutcomeConflict, WhyNotTheirs)
		v.pair = nil
	case len(byID) == 1:
		k.change(v, byID[0], replace)
	case r.phone == "" && r.bsuid == "":
		v.end(OutcomeSkipped, WhyNoHandle)
	default:
		k.makeNew(v)
	}
}

// together: one customer is known to have both.
func together(a, b identity.Known) bool {
	return len(a.Contacts) == 1 && len(b.Contacts) == 1 && a.Contacts[0] == b.Contacts[0]
}

func (k *known) makeNew(v *verdict) {
	h := v.values.handles()[0]
	v.outcome, v.made = OutcomeNew, true
	v.claim = &identity.Claim{Handle: h, DisplayName: v.values.name, ExternalIDs: v.values.ids()}
	v.change = identity.CardChange{NameAfter: v.values.name, IDsAfter: v.values.ids()}
}

// change says what a row changes on the contact it names.
func (k *known) change(v *verdict, contact uuid.UUID, replace bool) {
	if row, ok := k.contacts[contact]; ok {
		v.end(OutcomeSkipped, WhyTwice)
		v.otherRow, v.pair = &row, nil
		return
	}
	card := k.cards[contact]
	for _, e := range v.values.external {
		if has := card.ExternalIDs[e.System]; has != "" && has != e.Value {
			v.end(OutcomeConflict, WhyOtherSystemID)
			v.pair = nil
			return
		}
	}

	k.contacts[contact] = v.row
	v.contact, v.outcome = contact, OutcomeSame
	c := identity.CardChange{Contact: contact, IDsBefore: map[string]string{}, IDsAfter: map[string]string{}}
	if name := v.values.name; name != "" && name != card.DisplayName && (card.DisplayName == "" || replace) {
		c.NameBefore, c.NameAfter = card.DisplayName, name
	}
	for system, value := range v.values.ids() {
		if card.ExternalIDs[system] != value {
			c.IDsBefore[system], c.IDsAfter[system] = card.ExternalIDs[system], value
		}
	}
	v.change = c
	if !c.Empty() || v.pair != nil {
		v.outcome = OutcomeChanged
	}
}

// handles are what a row knows its customer by, the phone first.
func (v values) handles() []identity.Handle {
	var out []identity.Handle
	if v.phone != "" {
		out = append(out, identity.Handle{Kind: whatsapp.KindPhone, Value: v.phone})
	}
	if v.bsuid != "" {
		out = append(out, identity.Handle{Kind: whatsapp.KindBSUID, Value: v.bsuid})
	}

	return out
}

func union(a, b []uuid.UUID) []uuid.UUID {
	for _, id := range b {
		if !slices.Contains(a, id) {
			a = append(a, id)
		}
	}

	return a
}
