package privacy

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/privacy"
)

// Page lists what customers asked for, the most urgent first.
func (s *Pages) Page(c *fiber.Ctx) error {
	return s.showPrivacy(c, fiber.StatusOK, components.Filled{})
}

func (s *Pages) showPrivacy(c *fiber.Ctx, status int, form components.Filled) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Privacy{Frame: s.Frame(c, "privacy.title"), Now: time.Now(), Kinds: privacy.Kinds, MayHandle: m.Can("privacy:handle"), Form: form}
	p.Frame.Path = web.PrivacyPath
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		list, err := privacy.List(ctx, tx, s.Keys)
		if err != nil {
			return err
		}
		if p.Open, p.Overdue, err = privacy.Waiting(ctx, tx); err != nil {
			return err
		}
		e := web.Eyes{Clear: m.Can("phones:clear")}
		if err := s.fillPage(ctx, tx, m, e, c.Query("usual") != "", &p); err != nil {
			return err
		}
		if p.MayHandle {
			if err := incidentsOf(ctx, tx, &p); err != nil {
				return err
			}
		}
		if id, err := uuid.Parse(c.Query("contact")); err == nil {
			contact, err := identity.Get(ctx, tx, id)
			if err != nil {
				return err
			}
			who := e.Someone(contact)
			p.For = &who
		}
		for _, r := range list {
			p.Items = append(p.Items, requestView(e, r, p.Now))
		}

		return nil
	})
	if err != nil {
		return err
	}

	return s.Show(c, status, pages.PrivacyPage(p))
}

func requestView(e web.Eyes, r privacy.Request, now time.Time) pages.Request {
	view := pages.Request{
		ID: r.ID.String(), Kind: r.Kind, State: r.State, Subject: e.Words(r.Subject), Note: e.Words(r.Note), Origin: r.Origin, OpenedAt: r.OpenedAt, OpenedBy: r.OpenedBy,
		DueAt: r.DueAt, Overdue: r.Overdue(now), Proof: r.Proof, LinkedBack: r.LinkedBack, ProvedBy: r.ProvedBy, ClosedBy: r.ClosedBy, Reason: r.Reason,
	}
	if r.ProvedAt != nil {
		view.ProvedAt = *r.ProvedAt
	}
	for _, change := range r.Changes {
		view.Changes = append(view.Changes, pages.Change{Field: change.Field, From: e.Words(change.From), To: e.Words(change.To), At: change.At})
	}
	if r.ClosedAt != nil {
		view.ClosedAt = *r.ClosedAt
	}

	return view
}

// AddRequest opens a request. Where exactly one contact is known by what was typed, it is theirs.
func (s *Pages) AddRequest(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	in := privacy.New{Kind: web.Field(c, "kind"), Subject: web.Field(c, "subject"), Note: web.Field(c, "note")}
	var id uuid.UUID
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if given := web.Field(c, "contact"); given != "" {
			contact, err := uuid.Parse(given)
			if err != nil {
				return tenants.ErrNotFound
			}
			found, err := identity.Get(ctx, tx, contact)
			if err != nil {
				return err
			}
			in.Contact = &found.ID
		} else if in.Subject != "" {
			found, _, err := identity.List(ctx, tx, in.Subject, identity.Page{Limit: 2})
			if err != nil {
				return err
			}
			if len(found) == 1 {
				in.Contact = &found[0].ID
			}
		}
		var err error
		id, err = privacy.Add(ctx, tx, s.Keys, m.Actor, in)

		return err
	})
	if form, ok := web.Refilled(c, err, "kind", "subject", "note"); ok {
		return s.showPrivacy(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.RequestsPath+"/"+id.String(), web.Flash{Key: "toast.saved"})
}

func (s *Pages) RequestPage(c *fiber.Ctx) error {
	return s.showRequest(c, fiber.StatusOK, components.Filled{})
}

func (s *Pages) showRequest(c *fiber.Ctx, status int, form components.Filled) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Case{
		Frame: s.Frame(c, "privacy.title"), Now: time.Now(), Form: form, Query: strings.TrimSpace(c.Query("q")), Proofs: privacy.Proofs, Fields: privacy.Correctable,
		MayErase: m.Can("privacy:erase"), MayHandle: m.Can("privacy:handle"), Word: confirmDigits(id),
	}
	p.Frame.Path = web.RequestsPath + "/" + id.String()
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		r, err := privacy.Get(ctx, tx, s.Keys, id)
		if err != nil {
			return err
		}
		e, err := web.EyesOf(ctx, tx, m)
		if err != nil {
			return err
		}
		p.Request = requestView(e, r, p.Now)

		return s.fillRequest(ctx, tx, e, m, r, &p)
	})
	if err != nil {
		return err
	}

	return s.Show(c, status, pages.CasePage(p))
}

// fillRequest puts on the page whom a request is about, or may be, and what erasing them would remove or has removed.
func (s *Pages) fillRequest(ctx context.Context, tx *tenants.Tx, e web.Eyes, m access.Member, r privacy.Request, p *pages.Case) error {
	if r.ClosedAt != nil {
		receipt, err := receiptView(m.Tenant.Name, r)
		p.Receipt = receipt

		return err
	}
	if r.State != privacy.Open {
		return nil
	}
	if r.Contact != nil {
		err := fillWho(ctx, tx, m.Actor, e, r, p)
		if err != nil && !errors.Is(err, tenants.ErrNotFound) { // there is no such contact any more: as if none were chosen
			return err
		}
	}
	if !p.MayHandle {
		return nil // who it is, somebody else finds
	}
	if p.Query == "" && r.Contact == nil {
		p.Query = r.Subject
	}
	if p.Query == "" {
		return nil
	}
	found, _, err := identity.List(ctx, tx, p.Query, identity.Page{Limit: 10})
	for _, f := range found {
		if r.Contact == nil || f.ID != *r.Contact {
			p.Found = append(p.Found, e.Someone(f))
		}
	}

	return err
}

func fillWho(ctx context.Context, tx *tenants.Tx, by tenants.Actor, e web.Eyes, r privacy.Request, p *pages.Case) error {
	contact, err := identity.Get(ctx, tx, *r.Contact)
	if err != nil {
		return err //nolint:wrapcheck // it says what it read
	}
	if err := privacy.Saw(ctx, tx, by, privacy.SawPage, contact.ID); err != nil {
		return err //nolint:wrapcheck // it says what it noted
	}
	who := e.Someone(contact)
	p.Who = &who
	if r.Kind != privacy.Erase {
		return nil
	}
	counts, err := privacy.Preview(ctx, tx, contact.ID)
	if err != nil {
		return err //nolint:wrapcheck // it says what it counted
	}
	p.Counts = removedView(counts)
	p.Accounts, err = privacy.AccountsOf(ctx, tx, contact.ID)

	return err //nolint:wrapcheck // it says what it read
}

func removedView(counts []privacy.Count) []pages.Count {
	var list []pages.Count
	for _, what := range privacy.Counted {
		for _, c := range counts {
			if c.What == what && c.N > 0 {
				list = append(list, pages.Count{What: what, N: c.N})
			}
		}
	}

	return list
}

func receiptView(business string, r privacy.Request) (*pages.Receipt, error) {
	receipt, err := privacy.ReceiptOf(business, r)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what it read
	}
	view := &pages.Receipt{
		Business: receipt.Business, Request: receipt.Request, Kind: receipt.Kind, State: receipt.State, OpenedAt: receipt.OpenedAt, DueAt: receipt.DueAt,
		ClosedAt: receipt.ClosedAt, ClosedBy: receipt.ClosedBy, Proof: receipt.Proof, Reason: receipt.Reason, Counts: removedView(receipt.Counts),
		Hashes: receipt.Left, SHA256: receipt.SHA256, Corrected: receipt.Fixed, Objects: receipt.Objects,
	}
	for _, what := range []string{privacy.BookDeleted, privacy.BookNone, privacy.BookFailed, privacy.BookNumber} {
		if n := receipt.Book[what]; n > 0 {
			view.Book = append(view.Book, pages.Count{What: what, N: int64(n)})
		}
	}

	return view, nil
}

// confirmDigits are four digits that stand on the page of a request and are typed to confirm it.
func confirmDigits(id uuid.UUID) string {
	return fmt.Sprintf("%04d", (int(id[14])<<8|int(id[15]))%10000)
}

// changeRequest does something to a request and comes back to its page.
func (s *Pages) changeRequest(c *fiber.Ctx, fields []string, do func(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return do(ctx, tx, m.Actor, id) })
	err = s.unproveChanged(ctx, m, id, err)
	if form, ok := web.Refilled(c, err, fields...); ok {
		return s.showRequest(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.RequestsPath+"/"+id.String(), web.Flash{Key: "toast.saved"})
}

// unproveChanged takes the proof back where a request was refused because the accounts have changed since. The refusal rolled its own
// transaction back, so this is another.
func (s *Pages) unproveChanged(ctx context.Context, m access.Member, id uuid.UUID, refusal error) error {
	if tenants.ConflictCode(refusal) != privacy.Changed {
		return refusal
	}
	if err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return privacy.Unprove(ctx, tx, m.Actor, id) }); err != nil {
		return err
	}

	return refusal
}

func (s *Pages) ChooseRequest(c *fiber.Ctx) error {
	return s.changeRequest(c, nil, func(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
		contact, err := uuid.Parse(web.Field(c, "contact"))
		if err != nil {
			return tenants.ErrNotFound
		}

		return privacy.Choose(ctx, tx, actor, id, contact)
	})
}

func (s *Pages) ProveRequest(c *fiber.Ctx) error {
	return s.changeRequest(c, []string{"proof"}, func(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
		return privacy.Prove(ctx, tx, actor, id, web.Field(c, "proof"), web.Field(c, "code") == "yes")
	})
}

func (s *Pages) CloseRequest(c *fiber.Ctx) error {
	return s.changeRequest(c, []string{"state", "reason"}, func(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
		return privacy.Close(ctx, tx, actor, id, web.Field(c, "state"), web.Field(c, "reason"))
	})
}

func (s *Pages) CorrectRequest(c *fiber.Ctx) error {
	return s.changeRequest(c, []string{"field", "to"}, func(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
		return privacy.Amend(ctx, tx, s.Keys, actor, id, web.Field(c, "field"), web.Field(c, "to"))
	})
}

func (s *Pages) EraseRequest(c *fiber.Ctx) error {
	return s.changeRequest(c, []string{"confirm"}, func(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
		if web.Field(c, "confirm") != confirmDigits(id) {
			return &tenants.Invalid{Field: "confirm", Key: "confirm"}
		}

		return privacy.Start(ctx, tx, actor, id, web.Field(c, "accounts"))
	})
}
