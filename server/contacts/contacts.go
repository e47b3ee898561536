package contacts

import (
	"context"
	"net/url"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/inbox"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/contacts"
)

const contactPageSize = 25 // a full page stays below 800 elements

// Page lists everybody, or finds somebody; with ?for= to merge them with another.
func (s *Pages) Page(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Contacts{Frame: s.Frame(c, "contacts.title"), Now: time.Now(), Query: c.Query("q"), Reach: knownReach(c.Query("reach"))}
	p.CanImport, p.CanExport = m.Can("contacts:import"), m.Can("contacts:export")
	var other uuid.UUID
	if id := c.Query("for"); id != "" {
		var err error
		if other, err = uuid.Parse(id); err != nil || !m.Can("merges:make") {
			return tenants.ErrNotFound
		}
	}

	var next string
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		e := web.Eyes{Clear: m.Can("phones:clear")}
		if other != uuid.Nil {
			o, err := identity.Get(ctx, tx, other)
			if err != nil {
				return err
			}
			who := e.Someone(o)
			p.For = &who
		}
		page := identity.Page{Limit: contactPageSize, Cursor: c.Query("cursor")}
		found, cursor, err := find(ctx, tx, p.Query, p.Reach, page)
		if err != nil {
			return err
		}
		next = cursor
		for _, f := range found {
			if p.For == nil || f.ID.String() != p.For.ID {
				p.Items = append(p.Items, e.Someone(f))
			}
		}

		return nil
	})
	if err != nil {
		return err
	}
	if next != "" {
		q := url.Values{"cursor": {next}}
		for name, value := range map[string]string{"q": p.Query, "reach": p.Reach, "for": c.Query("for")} {
			if value != "" {
				q.Set(name, value)
			}
		}
		p.Next = "/contacts?" + q.Encode()
	}

	return s.Show(c, fiber.StatusOK, pages.ContactsPage(p))
}

func find(ctx context.Context, tx *tenants.Tx, query, reach string, page identity.Page) ([]identity.Contact, string, error) {
	if query == "" && reach != "" {
		return identity.ListReach(ctx, tx, reach, page)
	}

	return identity.List(ctx, tx, query, page)
}

// ContactPage shows one contact. The id of one that was merged away leads to its survivor, for ever.
func (s *Pages) ContactPage(c *fiber.Ctx) error {
	return s.showContact(c, fiber.StatusOK, contactShown{})
}

// contactShown is how a contact is looked at: with its phones for once, or with a form that came back.
type contactShown struct {
	revealed bool
	editing  bool
	form     components.Filled
	consent  components.Filled
	changed  func(identity.Contact) []pages.Edited
}

func (s *Pages) showContact(c *fiber.Ctx, status int, how contactShown) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Contact{
		Frame: s.Frame(c, "contacts.title"), Now: time.Now(), MergedFrom: c.Query("merged") != "", CanEdit: m.Can("contacts:edit"), CanMerge: m.Can("merges:make"),
		CanTalk: m.Can("conversations:read"), CanAsk: m.Can("queue:decide"), CanLog: m.Can("answers:use"), CanPass: m.Can("escalations:use"), Revealed: how.revealed, Editing: how.editing, Form: how.form, ConsentForm: how.consent,
	}

	var survivor uuid.UUID
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		e, err := web.EyesOf(ctx, tx, m)
		if err != nil {
			return err
		}
		e.Clear, e.Items = e.Clear || how.revealed, s.Items(m)
		contact, err := identity.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		if contact.ID != id {
			survivor = contact.ID
			return nil
		}
		if m.Can("queue:decide") && len(inbox.PhonesOf(contact)) > 0 {
			p.CodeHref = inbox.CodePath(contact.ID)
		}
		p.CanReveal = m.Can("phones:reveal") && !e.Clear && contact.Phone() != ""
		if how.changed != nil {
			p.Changed = how.changed(contact)
		}

		saw := privacy.SawPage
		if how.revealed {
			saw = privacy.SawPhone
		}
		if err := s.fillKeeping(ctx, tx, m, contact, saw, &p); err != nil {
			return err
		}

		return fillContact(ctx, tx, e, contact, identity.Page{Limit: inbox.ThreadPageSize, Cursor: c.Query("before")}, &p)
	})
	if err != nil {
		return err
	}
	if survivor != uuid.Nil {
		return c.Redirect("/contacts/"+survivor.String()+"?merged=1", fiber.StatusSeeOther)
	}
	if !web.SafeMethod(c.Method()) {
		p.Frame.Path = "/contacts/" + id.String()
	}

	if !m.Can("queue:read") {
		p.OpenCase = ""
	}

	return s.Show(c, status, pages.ContactPage(p))
}

func fillContact(ctx context.Context, tx *tenants.Tx, e web.Eyes, contact identity.Contact, page identity.Page, p *pages.Contact) error {
	p.Who, p.Version, p.DisplayName, p.ProfileName = e.Someone(contact), contact.Version, contact.DisplayName, e.Words(contact.ProfileName)
	p.SavedName = e.Words(contact.SavedName)
	if err := fillWishes(ctx, tx, contact, p); err != nil {
		return err
	}
	asked, err := conversations.AsksOf(ctx, tx, contact)
	if err != nil {
		return err
	}
	if p.Asked = inbox.Asked(ctx, e, asked); p.CanAsk && inbox.WorthAsking(e, contact, asked) {
		p.AskHref = inbox.ContactAskPath(contact.ID)
	}
	if p.CanAsk {
		if err := inbox.OfferProof(ctx, tx, contact.ID, asked, p.Asked); err != nil {
			return err
		}
	}
	p.Frame.Title, p.Notes = e.Label(ctx, contact), contact.Notes
	if !p.CanEdit {
		p.Notes = e.Words(contact.Notes)
	}
	for name, value := range contact.ExternalIDs {
		p.ExternalIDs = append(p.ExternalIDs, pages.ExternalID{Name: name, Value: value})
	}
	sortExternal(p.ExternalIDs)

	open, err := identity.OpenCase(ctx, tx, contact.ID)
	if err != nil {
		return err
	}
	if open != uuid.Nil {
		p.OpenCase = "/resolve/" + open.String()
	}

	entries, next, err := conversations.Entries(ctx, tx, contact, page)
	if err != nil {
		return err
	}
	p.Said = e.Thread(entries, len(contact.Identities) > 1)
	for i, entry := range entries {
		if entry.OtherItem != nil {
			p.Said[i].Other = "/contacts/" + p.Who.ID + "/evidence/" + e.Items.Write(*entry.OtherItem).String()
		}
	}
	if next != "" {
		p.Older = "/contacts/" + p.Who.ID + "?before=" + url.QueryEscape(next)
	}

	return fillHistory(ctx, tx, e, contact, p)
}

// EvidencePage shows the stored event that a piece of this contact's evidence rests on.
func (s *Pages) EvidencePage(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	number, err := web.ItemID(s.Items(m), c.Params("item"))
	if err != nil {
		return err
	}
	var (
		item ingest.Item
		name string
	)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		contact, err := identity.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		name = web.Eyes{Clear: m.Can("phones:clear")}.Label(ctx, contact)
		carries, err := restsOn(ctx, tx, id, number)
		if err != nil {
			return err
		}
		if !carries {
			return tenants.ErrNotFound
		}
		if item, err = ingest.ItemByID(ctx, tx, s.Keys, number); err != nil {
			return err
		}

		return privacy.Saw(ctx, tx, m.Actor, privacy.SawPage, contact.ID)
	})
	if err != nil {
		return err
	}

	return s.ShowEvent(c, item, "/contacts/"+id.String(), name)
}

// restsOn tells whether an event carries evidence about a contact, or carried that of a link by a rule, also one taken back, or one of
// their messages in other words.
func restsOn(ctx context.Context, tx *tenants.Tx, contact uuid.UUID, item int64) (bool, error) {
	proofs, err := identity.Evidence(ctx, tx, contact)
	if err != nil {
		return false, err
	}
	for _, proof := range proofs {
		if slices.Contains(proof.Items, item) {
			return true, nil
		}
	}
	reworded, err := conversations.Reworded(ctx, tx, contact, item)
	if err != nil || reworded {
		return reworded, err
	}
	links, err := identity.Links(ctx, tx, contact)
	for _, l := range links {
		if sign, ok := l.Sign(); ok && sign.ItemID == item {
			return true, nil
		}
	}

	return false, err
}

// fillWishes puts on a contact's page what they told WhatsApp about marketing messages: the strictest word of all their accounts.
func fillWishes(ctx context.Context, tx *tenants.Tx, contact identity.Contact, p *pages.Contact) error {
	list, err := identity.Preferences(ctx, tx, contact)
	if err != nil {
		return err
	}
	wish, ok := identity.Strictest(list, identity.Marketing)
	if ok && (wish.Value == identity.Stop || wish.Value == identity.Resume) {
		p.Marketing = &pages.Wish{Value: wish.Value, Source: wish.Channel, At: wish.At}
	}

	return nil
}
