package identity

import (
	"context"
	"fmt"
	"slices"
	"strings"

	"github.com/google/uuid"
	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Versions are the contact versions somebody saw when they decided.
type Versions struct {
	Keep int `json:"keep"`
	Lose int `json:"lose"`
}

// MaxCounted is where counting for the reader stops: more than this is "1,000+".
const MaxCounted = 1001

// Moves counts what a merge re-groups. Messages do not move; they are counted for the reader, up to MaxCounted.
type Moves struct {
	Identities  int `json:"identities"`
	Identifiers int `json:"identifiers"`
	Messages    int `json:"messages"`
	OpenCases   int `json:"open_cases"`
}

// Preview is what a merge would do.
type Preview struct {
	Keep, Lose Contact
	Blocked    []Reason // why it cannot be done: same_contact, merged_away, no_account
	Warnings   []Reason // what to look at: two_live_accounts, different_country, shared_phone, decided_apart
	Moves      Moves
	Versions   Versions
	NameAfter  string
	Replies    []Identity // every account a reply can go to afterwards, each to its own address as before
}

// Allowed tells whether anything stands in the way.
func (p Preview) Allowed() bool { return len(p.Blocked) == 0 }

// Risky tells that an owner or lead must do it, with a reason.
func (p Preview) Risky() bool { return len(p.Warnings) > 0 }

// PreviewMerge says what merging lose into keep would do. Nothing is changed. ErrNotFound where either is not the tenant's.
func PreviewMerge(ctx context.Context, tx *tenants.Tx, keep, lose uuid.UUID) (Preview, error) {
	found, err := Several(ctx, tx, []uuid.UUID{keep, lose})
	if err != nil {
		return Preview{}, err
	}
	k, l := found[keep], found[lose]
	if k.ID == uuid.Nil || l.ID == uuid.Nil {
		return Preview{}, tenants.ErrNotFound
	}

	p := Preview{Keep: k, Lose: l, Versions: Versions{Keep: k.Version, Lose: l.Version}, NameAfter: k.Name()}
	switch {
	case keep == lose:
		p.Blocked = append(p.Blocked, Reason{Code: "same_contact"})
	case k.ID != keep || l.ID != lose:
		p.Blocked = append(p.Blocked, Reason{Code: "merged_away"})
	case len(k.Identities) == 0 || len(l.Identities) == 0:
		p.Blocked = append(p.Blocked, Reason{Code: "no_account"})
	}
	if p.NameAfter == "" || k.DisplayName == "" && l.DisplayName != "" {
		p.NameAfter = l.Name()
	}

	if p.Warnings, err = Warnings(ctx, tx, k, l); err != nil {
		return Preview{}, err
	}

	p.Replies = append(slices.Clone(k.Identities), l.Identities...)
	p.Moves.Identities = len(l.Identities)
	for _, i := range l.Identities {
		p.Moves.Identifiers += len(i.Identifiers)
	}
	err = tx.QueryRowxContext(ctx, `
		SELECT (SELECT count(*) FROM (
		            SELECT 1 FROM identities i JOIN tenures t ON t.tenant_id = $1 AND t.identity_id = i.id
		            JOIN messages m ON m.tenant_id = $1 AND m.tenure_id = t.id
		            WHERE i.tenant_id = $1 AND i.contact_id = $2 AND i.absorbed_into IS NULL LIMIT $3) AS counted),
		       (SELECT count(*) FROM cases WHERE tenant_id = $1 AND contact_id = $2 AND state = 'open')`, tx.Tenant, l.ID, MaxCounted).
		Scan(&p.Moves.Messages, &p.Moves.OpenCases)
	if err != nil {
		return Preview{}, fmt.Errorf("count what moves: %w", err)
	}

	return p, nil
}

// Warnings are what speaks against two contacts being one person.
func Warnings(ctx context.Context, tx *tenants.Tx, k, l Contact) ([]Reason, error) {
	warnings := append(liveTwice(k, l), otherCountry(k, l)...)
	for _, side := range []Contact{k, l} {
		if shared := sharedPhone(side); len(shared) > 0 && !holdsReason(warnings, shared[0]) {
			warnings = append(warnings, shared...)
		}
	}
	apart, err := decidedApart(ctx, tx, k, l)
	if err != nil {
		return nil, err
	}
	if apart {
		warnings = append(warnings, Reason{Code: "decided_apart"})
	}

	return warnings, nil
}

// against is what speaks against a contact being the candidate, besides what people decided.
func against(candidate, contact Contact) []Reason {
	return slices.Concat(liveTwice(candidate, contact), otherCountry(candidate, contact), sharedPhone(candidate))
}

func holdsReason(list []Reason, r Reason) bool {
	return slices.ContainsFunc(list, func(o Reason) bool { return o.Code == r.Code && o.Args["via"] == r.Args["via"] })
}

// sharedPhone warns of a phone that several people use (matching.md X4).
func sharedPhone(c Contact) []Reason {
	for _, i := range c.Identities {
		for _, d := range i.Identifiers {
			if d.Shared && d.Current {
				return []Reason{{Code: "shared_phone", Args: map[string]string{"via": d.Value}}}
			}
		}
	}

	return nil
}

// liveTwice warns of two live BSUIDs in one portfolio: two WhatsApp accounts (edge case 56).
func liveTwice(keep, lose Contact) []Reason {
	for _, a := range keep.Identities {
		for _, b := range lose.Identities {
			x, y := currentBSUID(a), currentBSUID(b)
			if a.Scope == b.Scope && x != "" && y != "" && x != y {
				return []Reason{{Code: "two_live_accounts", Args: map[string]string{"a": x, "b": y}}}
			}
		}
	}

	return nil
}

func currentBSUID(i Identity) string {
	for _, d := range i.Identifiers {
		if d.Kind == whatsapp.KindBSUID && d.Current {
			return d.Value
		}
	}

	return ""
}

// otherCountry warns where one side's WhatsApp ID and the other's phone come from different countries (matching.md C4).
func otherCountry(keep, lose Contact) []Reason {
	for _, pair := range [][2]Contact{{keep, lose}, {lose, keep}} {
		id, phone := pair[0].BSUID(), pair[1].Phone()
		if id == "" || phone == "" || pair[0].Phone() != "" {
			continue
		}
		if country := whatsapp.CountryOf(phone); country != "" && !strings.HasPrefix(id, country+".") {
			return []Reason{{Code: "different_country", Args: map[string]string{"a": id[:2], "b": country}}}
		}
	}

	return nil
}

func decidedApart(ctx context.Context, tx *tenants.Tx, keep, lose Contact) (bool, error) {
	apart := false
	ruled, err := ruledApart(ctx, tx, idsOf(keep.Identities))
	for pair := range ruled {
		apart = apart || slices.Contains(idsOf(lose.Identities), pair[1])
	}

	return apart, err
}

func idsOf(identities []Identity) []uuid.UUID {
	ids := make([]uuid.UUID, len(identities))
	for i := range identities {
		ids[i] = identities[i].ID
	}

	return ids
}

// MergeInput asks for a merge. Versions, where given, are those seen: Conflict "changed" where either contact has moved since.
type MergeInput struct {
	Keep, Lose uuid.UUID
	Reason     string
	Versions   *Versions
	CaseID     *uuid.UUID
	MayRisk    bool // the actor may merge against a warning, with a reason
}

// Merge makes lose part of keep and journals it. Old ids of lose answer with keep for ever; where replies go does not change.
// Errors: Conflict same_contact, merged_away, changed; ErrForbidden where it is risky and the actor may not; Invalid where a
// risky merge has no reason.
func Merge(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, in MergeInput) (linkID uuid.UUID, err error) {
	if err := Lock(ctx, tx); err != nil {
		return uuid.Nil, err
	}

	return merge(ctx, tx, actor, in)
}

// merge is Merge with the lock already held.
func merge(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, in MergeInput) (uuid.UUID, error) {
	id, p, err := join(ctx, tx, actor, in)
	if err != nil {
		return uuid.Nil, err
	}

	return id, tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: "contact.merge", ObjectKind: "contact", ObjectID: in.Keep.String(),
		Detail: map[string]any{"lose": in.Lose, "link": id, "risky": p.Risky(), "identities": p.Moves.Identities},
	})
}

// join is merge without its entry in the audit: one of many has one for all. Where it refuses, nothing was changed.
func join(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, in MergeInput) (uuid.UUID, Preview, error) {
	if len([]rune(in.Reason)) > 500 || strings.ContainsRune(in.Reason, 0) {
		return uuid.Nil, Preview{}, &tenants.Invalid{Field: "reason", Key: "too_long"}
	}
	p, err := PreviewMerge(ctx, tx, in.Keep, in.Lose)
	switch {
	case err != nil:
		return uuid.Nil, Preview{}, err
	case !p.Allowed():
		return uuid.Nil, Preview{}, &tenants.Conflict{Code: p.Blocked[0].Code}
	case in.Versions != nil && *in.Versions != p.Versions:
		return uuid.Nil, Preview{}, &tenants.Conflict{Code: "changed"}
	case p.Risky() && !in.MayRisk:
		return uuid.Nil, Preview{}, tenants.ErrForbidden
	case p.Risky() && strings.TrimSpace(in.Reason) == "":
		return uuid.Nil, Preview{}, &tenants.Invalid{Field: "reason", Key: "reason_needed"}
	}

	l := link{ID: newID(), Kind: "merged", Actor: actor, Keep: &in.Keep, Lose: &in.Lose, Reason: in.Reason, CaseID: in.CaseID}
	if p.Keep.DisplayName == "" && p.Lose.DisplayName != "" {
		l.Proof.Filled = map[string]string{"display_name": p.Lose.DisplayName}
		if _, err := tx.ExecContext(ctx, `UPDATE contacts SET display_name = $3 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, in.Keep, p.Lose.DisplayName); err != nil {
			return uuid.Nil, Preview{}, fmt.Errorf("fill in name: %w", err)
		}
	}
	if err := writeLink(ctx, tx, l); err != nil {
		return uuid.Nil, Preview{}, err
	}
	if err := journalMoves(ctx, tx, l.ID, in.Keep, in.Lose); err != nil {
		return uuid.Nil, Preview{}, err
	}
	if err := decideTogether(ctx, tx, actor, l, p); err != nil {
		return uuid.Nil, Preview{}, err
	}
	involved := append(idsOf(p.Keep.Identities), idsOf(p.Lose.Identities)...)
	if _, err := regroup(ctx, tx, involved); err != nil {
		return uuid.Nil, Preview{}, err
	}
	if err := SyncContacts(ctx, tx, []uuid.UUID{in.Keep, in.Lose}); err != nil {
		return uuid.Nil, Preview{}, err
	}
	if err := resettle(ctx, tx, involved); err != nil {
		return uuid.Nil, Preview{}, err
	}

	return l.ID, p, nil
}

// journalMoves keeps which accounts a link brings from one contact to another, and when the two were last heard of.
func journalMoves(ctx context.Context, tx *tenants.Tx, link, keep, lose uuid.UUID) error {
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO link_moves (tenant_id, link_id, identity_id, from_contact)
		SELECT tenant_id, $2, id, contact_id FROM identities WHERE tenant_id = $1 AND contact_id = $3 AND absorbed_into IS NULL`, tx.Tenant, link, lose); err != nil {
		return fmt.Errorf("journal moves: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO contact_activity AS a (tenant_id, contact_id, last_at)
		SELECT tenant_id, $2, last_at FROM contact_activity WHERE tenant_id = $1 AND contact_id = $3
		ON CONFLICT (tenant_id, contact_id) DO UPDATE SET last_at = greatest(a.last_at, excluded.last_at)`, tx.Tenant, keep, lose); err != nil {
		return fmt.Errorf("note activity: %w", err)
	}

	return nil
}

// decideTogether keeps the merge as a decision between two identifiers, one of each contact's own account, so that it stands
// whatever becomes of the contacts. Accounts that earlier merges brought along stay tied by those.
func decideTogether(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, l link, p Preview) error {
	a, err := ownAccount(ctx, tx, p.Keep)
	if err != nil {
		return err
	}
	b, err := ownAccount(ctx, tx, p.Lose)
	if err != nil {
		return err
	}

	return decide(ctx, tx, actor, decision{kind: "must_link", a: leadingOf(a), b: leadingOf(b), link: &l.ID, caseID: l.CaseID})
}

// ownAccount is the account as which a contact came into the book, or what that has become.
func ownAccount(ctx context.Context, tx *tenants.Tx, c Contact) (Identity, error) {
	var own []uuid.UUID
	err := tx.SelectContext(ctx, &own, `
		SELECT coalesce(absorbed_into, id) FROM identities WHERE tenant_id = $1 AND home_contact = $2 ORDER BY id`, tx.Tenant, c.ID)
	if err != nil {
		return Identity{}, fmt.Errorf("read own account: %w", err)
	}
	for _, i := range c.Identities {
		if slices.Contains(own, i.ID) {
			return i, nil
		}
	}

	return c.Identities[0], nil
}

// leadingOf is the identifier a decision about an identity names: its current BSUID, else its newest handle.
func leadingOf(i Identity) heldAt {
	for _, d := range i.Identifiers {
		if d.Kind == whatsapp.KindBSUID && d.Current {
			return heldAt{id: d.ID}
		}
	}
	newest := i.Identifiers[0]

	return heldAt{id: newest.ID, at: &newest.LastSeen, past: !newest.Current}
}

// resettle derives the components of identities again after a person's decision about them: contests may be answered by it.
func resettle(ctx context.Context, tx *tenants.Tx, identities []uuid.UUID) error {
	var ids []uuid.UUID
	if err := tx.SelectContext(ctx, &ids, `SELECT DISTINCT identifier_id FROM tenures WHERE tenant_id = $1 AND identity_id = ANY($2)`, tx.Tenant, pq.Array(identities)); err != nil {
		return fmt.Errorf("read identifiers: %w", err)
	}
	if len(ids) == 0 {
		return nil
	}

	b := &Batch{tx: tx, identities: map[uuid.UUID]bool{}, divided: map[uuid.UUID]bool{}, anew: map[uuid.UUID]bool{}, contacts: map[uuid.UUID]bool{}}
	for _, id := range identities {
		b.divided[id] = true
	}
	if err := b.rederive(ctx, ids); err != nil {
		return err
	}

	return b.Settle(ctx)
}
