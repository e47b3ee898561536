package contacts

import (
	"cmp"
	"context"
	"slices"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/contacts"
	"github.com/pehchan/pehchan/views/i18n"
)

// EditContact changes what the business itself says of a contact. Where a colleague was quicker, both versions are shown.
func (s *Pages) EditContact(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	version, err := strconv.Atoi(web.Field(c, "version"))
	if err != nil {
		version = -1 // of no contact: refused as out of date
	}

	ctx, m := c.UserContext(), web.Member(c)
	name, notes := web.Field(c, "display_name"), web.Field(c, "notes")
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		_, err := identity.Edit{Contact: id, Version: version, DisplayName: &name, Notes: &notes}.Apply(ctx, tx, m.Actor)
		return err
	})
	if tenants.ConflictCode(err) == "stale" {
		return s.showContact(c, fiber.StatusConflict, contactShown{
			editing: true, form: components.Filled{Values: map[string]string{"display_name": name, "notes": notes}},
			changed: func(now identity.Contact) []pages.Edited { return edited(now, name, notes) },
		})
	}
	if form, ok := web.Refilled(c, err, "display_name", "notes"); ok && form.Failed != "merged_away" {
		return s.showContact(c, web.Classify(err).Status, contactShown{editing: true, form: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/contacts/"+id.String(), web.Flash{Key: "toast.saved"})
}

func edited(now identity.Contact, name, notes string) []pages.Edited {
	var out []pages.Edited
	if now.DisplayName != name {
		out = append(out, pages.Edited{Field: "display_name", Now: now.DisplayName, Yours: name})
	}
	if now.Notes != notes {
		out = append(out, pages.Edited{Field: "notes", Now: now.Notes, Yours: notes})
	}

	return out
}

// RevealPhone shows a contact's phones once, after writing down who looked.
func (s *Pages) RevealPhone(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		contact, err := identity.Get(ctx, tx, id)
		if err != nil {
			return err
		}

		return tenants.Audit(ctx, tx, tenants.Act{Actor: m.Actor, Action: "phone.reveal", ObjectKind: "contact", ObjectID: contact.ID.String()})
	})
	if err != nil {
		return err
	}

	return s.showContact(c, fiber.StatusOK, contactShown{revealed: true})
}

// SetShared says whether several people use a phone of a contact.
func (s *Pages) SetShared(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m, which, shared := c.UserContext(), web.Member(c), web.Field(c, "identifier"), web.Field(c, "shared") == "yes"
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		contact, err := identity.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, i := range contact.Identities {
			for _, d := range i.Identifiers {
				if d.ID.String() == which && d.Kind == whatsapp.KindPhone {
					return identity.SetShared(ctx, tx, m.Actor, contact.ID, d.Value, shared)
				}
			}
		}

		return tenants.ErrNotFound
	})
	if err != nil {
		return err
	}
	back := "yes"
	if shared {
		back = "no"
	}

	return s.Done(c, "/contacts/"+id.String(), web.Flash{
		Key: "toast.saved", Undo: "/contacts/" + id.String() + "/shared", Fields: map[string]string{"identifier": which, "shared": back},
	})
}

// fillHistory puts on the page how we know who this is, and what was joined and taken apart.
func fillHistory(ctx context.Context, tx *tenants.Tx, e web.Eyes, contact identity.Contact, p *pages.Contact) error {
	proofs, err := identity.Evidence(ctx, tx, contact.ID)
	if err != nil {
		return err
	}
	for _, proof := range proofs {
		if proof.Tier != "" {
			p.Proofs = append(p.Proofs, receiptOf(ctx, e, proof, p.Who.ID))
		}
		if m, ok := moment(ctx, e, proof); ok {
			p.Moments = append(p.Moments, m)
		}
	}

	links, err := identity.Links(ctx, tx, contact.ID)
	if err != nil {
		return err
	}
	joined, err := identity.LinkHandles(ctx, tx, links)
	if err != nil {
		return err
	}
	for _, l := range links {
		p.Moments = append(p.Moments, linked(ctx, e, l, joined[l.ID], e.Label(ctx, contact)))
	}
	slices.SortStableFunc(p.Moments, func(a, b pages.Moment) int { return b.At.Compare(a.At) })

	return nil
}

// linked is a link in the history. One that says not what it joined speaks of the contact by its name.
func linked(ctx context.Context, e web.Eyes, l identity.Link, joined identity.Joined, name string) pages.Moment {
	m, _ := access.From(ctx)
	moment := pages.Moment{Kind: l.Kind, At: l.At, By: l.ActorName, Undone: l.UndoneAt != nil, Reason: e.Words(l.Reason), Text: e.Sentence(joined.Handles)}
	if sign, ok := l.Sign(); ok {
		moment.Kind, moment.By, moment.Why = "by_rule", "", e.Reason(ctx, sign)
	}
	if len(joined.New) > 0 {
		moment.Kind, moment.Text, moment.Became = "changed", e.Sentence(joined.Old), e.Sentence(joined.New)
	}
	if moment.Text == "" {
		moment.Text = name
	}
	if m.Can("merges:read") {
		moment.Receipt = "/merges/" + l.ID.String()
	}
	if web.MayUndo(m, l) && !moment.Undone && l.Kind == "merged" {
		moment.Undo = moment.Receipt + "/undo"
	}

	return moment
}

// receiptOf is a piece of evidence as a receipt that can be opened.
func receiptOf(ctx context.Context, e web.Eyes, proof identity.Proof, contact string) pages.Proof {
	view := pages.Proof{Tier: proof.Tier}
	handles := func(list []identity.Handle) string { return e.Sentence(list) }
	switch proof.Kind {
	case identity.ProofMessage, identity.ProofStatus, identity.ProofEvent, identity.ProofHistory:
		view.Text = i18n.T(ctx, "contacts.proof_"+proof.Kind, "a", handles(proof.Handles[:1]), "b", handles(proof.Handles[1:]))
	case identity.ProofRotation:
		view.Text = i18n.T(ctx, "contacts.proof_rotation", "a", handles(proof.Handles), "b", handles(proof.Turned))
	default:
		via := ""
		if len(proof.Handles) > 0 {
			via = proof.Handles[0].Value
		}
		view.Text = e.Reason(ctx, identity.Reason{Code: proof.Code, Args: map[string]string{"via": via, "number": proof.Text, "at": proof.From.UTC().Format("2006-01-02T15:04:05Z07:00")}})
	}

	if proof.From.Equal(proof.Until) {
		view.Facts = append(view.Facts, components.ReceiptFact{Label: i18n.T(ctx, "contacts.fact_when"), Value: i18n.DateTime(ctx, proof.From)})
	} else {
		view.Facts = append(view.Facts,
			components.ReceiptFact{Label: i18n.T(ctx, "contacts.fact_first"), Value: i18n.DateTime(ctx, proof.From)},
			components.ReceiptFact{Label: i18n.T(ctx, "contacts.fact_last"), Value: i18n.DateTime(ctx, proof.Until)})
	}
	for _, h := range e.Handles(slices.Concat(proof.Handles, proof.Turned)) {
		view.Facts = append(view.Facts, components.ReceiptFact{Label: i18n.T(ctx, "contacts.kind_"+h.Kind), Value: h.Shown})
	}
	if len(proof.Items) > 0 {
		view.Raw = "/contacts/" + contact + "/evidence/" + e.Items.Write(proof.Items[len(proof.Items)-1]).String()
	}

	return view
}

// moment is a name or a decision in the history. What links were made is told by the journal.
func moment(ctx context.Context, e web.Eyes, proof identity.Proof) (pages.Moment, bool) {
	m := pages.Moment{Kind: proof.Kind, At: proof.From, Undone: proof.Undone}
	switch proof.Kind {
	case identity.ProofUsername:
		m.Text = "@" + proof.Text
	case identity.ProofName, identity.ProofSaved:
		m.Text = e.Words(proof.Text)
	case identity.ProofStop, identity.ProofResume, identity.ProofSecurity: // the kind says it all
	case identity.ProofApart:
		m.Text, m.By = e.Sentence(proof.Handles[len(proof.Handles)-1:]), e.Name(ctx, proof.By)
	case identity.ProofNew:
		m.Text, m.By = e.Sentence(proof.Handles[:1]), e.Name(ctx, proof.By)
	default:
		return pages.Moment{}, false
	}

	return m, true
}

func sortExternal(list []pages.ExternalID) {
	slices.SortFunc(list, func(a, b pages.ExternalID) int { return cmp.Compare(a.Name, b.Name) })
}
