package server

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/views/pages"
)

const (
	privacyPath  = "/privacy"
	requestsPath = privacyPath + "/requests"
)

// privacyPage lists what customers asked for, the most urgent first.
func (s *Server) privacyPage(c *fiber.Ctx) error {
	return s.showPrivacy(c, fiber.StatusOK, pages.Filled{})
}

func (s *Server) showPrivacy(c *fiber.Ctx, status int, form pages.Filled) error {
	ctx, m := c.UserContext(), member(c)
	p := pages.Privacy{Frame: s.frame(c, "privacy.title"), Now: time.Now(), Kinds: privacy.Kinds, Form: form}
	p.Frame.Path = privacyPath
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		list, err := privacy.List(ctx, tx, s.keys)
		if err != nil {
			return err
		}
		if p.Open, p.Overdue, err = privacy.Waiting(ctx, tx); err != nil {
			return err
		}
		e := eyes{clear: m.Can("phones:clear")}
		if err := s.fillPage(ctx, tx, m, e, &p); err != nil {
			return err
		}
		if id, err := uuid.Parse(c.Query("contact")); err == nil {
			contact, err := identity.Get(ctx, tx, id)
			if err != nil {
				return err
			}
			who := e.someone(contact)
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

	return s.show(c, status, pages.PrivacyPage(p))
}

func requestView(e eyes, r privacy.Request, now time.Time) pages.PrivacyRequest {
	view := pages.PrivacyRequest{
		ID: r.ID.String(), Kind: r.Kind, State: r.State, Subject: e.words(r.Subject), Note: e.words(r.Note), Origin: r.Origin, OpenedAt: r.OpenedAt, OpenedBy: r.OpenedBy,
		DueAt: r.DueAt, Overdue: r.Overdue(now), Proof: r.Proof, LinkedBack: r.LinkedBack, ProvedBy: r.ProvedBy, ClosedBy: r.ClosedBy, Reason: r.Reason,
	}
	if r.ProvedAt != nil {
		view.ProvedAt = *r.ProvedAt
	}
	for _, change := range r.Changes {
		view.Changes = append(view.Changes, pages.PrivacyChange{Field: change.Field, From: e.words(change.From), To: e.words(change.To), At: change.At})
	}
	if r.ClosedAt != nil {
		view.ClosedAt = *r.ClosedAt
	}

	return view
}

// addRequest opens a request. Where exactly one contact is known by what was typed, it is theirs.
func (s *Server) addRequest(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	in := privacy.New{Kind: field(c, "kind"), Subject: field(c, "subject"), Note: field(c, "note")}
	var id uuid.UUID
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if given := field(c, "contact"); given != "" {
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
		id, err = privacy.Add(ctx, tx, s.keys, m.Actor, in)

		return err
	})
	if form, ok := refilled(c, err, "kind", "subject", "note"); ok {
		return s.showPrivacy(c, classify(err).status, form)
	}
	if err != nil {
		return err
	}

	return s.done(c, requestsPath+"/"+id.String(), flash{Key: "toast.saved"})
}

func (s *Server) requestPage(c *fiber.Ctx) error {
	return s.showRequest(c, fiber.StatusOK, pages.Filled{})
}

func (s *Server) showRequest(c *fiber.Ctx, status int, form pages.Filled) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	p := pages.PrivacyCase{
		Frame: s.frame(c, "privacy.title"), Now: time.Now(), Form: form, Query: strings.TrimSpace(c.Query("q")), Proofs: privacy.Proofs, Fields: privacy.Correctable,
		MayErase: m.Can("privacy:erase"), Word: confirmDigits(id),
	}
	p.Frame.Path = requestsPath + "/" + id.String()
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		r, err := privacy.Get(ctx, tx, s.keys, id)
		if err != nil {
			return err
		}
		e, err := eyesOf(ctx, tx, m)
		if err != nil {
			return err
		}
		p.Request = requestView(e, r, p.Now)

		return s.fillRequest(ctx, tx, e, m.Tenant.Name, r, &p)
	})
	if err != nil {
		return err
	}

	return s.show(c, status, pages.PrivacyCasePage(p))
}

// fillRequest puts on the page whom a request is about, or may be, and what erasing them would remove or has removed.
func (s *Server) fillRequest(ctx context.Context, tx *tenants.Tx, e eyes, business string, r privacy.Request, p *pages.PrivacyCase) error {
	if r.ClosedAt != nil {
		receipt, err := receiptView(business, r)
		p.Receipt = receipt

		return err
	}
	if r.State != privacy.Open {
		return nil
	}
	if r.Contact != nil {
		err := fillWho(ctx, tx, e, r, p)
		if err != nil && !errors.Is(err, tenants.ErrNotFound) { // there is no such contact any more: as if none were chosen
			return err
		}
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
			p.Found = append(p.Found, e.someone(f))
		}
	}

	return err
}

func fillWho(ctx context.Context, tx *tenants.Tx, e eyes, r privacy.Request, p *pages.PrivacyCase) error {
	contact, err := identity.Get(ctx, tx, *r.Contact)
	if err != nil {
		return err //nolint:wrapcheck // it says what it read
	}
	who := e.someone(contact)
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

func removedView(counts []privacy.Count) []pages.PrivacyCount {
	var list []pages.PrivacyCount
	for _, what := range privacy.Counted {
		for _, c := range counts {
			if c.What == what && c.N > 0 {
				list = append(list, pages.PrivacyCount{What: what, N: c.N})
			}
		}
	}

	return list
}

func receiptView(business string, r privacy.Request) (*pages.PrivacyReceipt, error) {
	receipt, err := privacy.ReceiptOf(business, r)
	if err != nil {
		return nil, err //nolint:wrapcheck // it says what it read
	}
	view := &pages.PrivacyReceipt{
		Business: receipt.Business, Request: receipt.Request, Kind: receipt.Kind, State: receipt.State, OpenedAt: receipt.OpenedAt, DueAt: receipt.DueAt,
		ClosedAt: receipt.ClosedAt, ClosedBy: receipt.ClosedBy, Proof: receipt.Proof, Reason: receipt.Reason, Counts: removedView(receipt.Counts),
		Hashes: receipt.Left, SHA256: receipt.SHA256, Corrected: receipt.Fixed, Objects: receipt.Objects,
	}
	for _, what := range []string{privacy.BookDeleted, privacy.BookNone, privacy.BookFailed, privacy.BookNumber} {
		if n := receipt.Book[what]; n > 0 {
			view.Book = append(view.Book, pages.PrivacyCount{What: what, N: int64(n)})
		}
	}

	return view, nil
}

// confirmDigits are four digits that stand on the page of a request and are typed to confirm it.
func confirmDigits(id uuid.UUID) string {
	return fmt.Sprintf("%04d", (int(id[14])<<8|int(id[15]))%10000)
}

// changeRequest does something to a request and comes back to its page.
func (s *Server) changeRequest(c *fiber.Ctx, fields []string, do func(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return do(ctx, tx, m.Actor, id) })
	err = s.unproveChanged(ctx, m, id, err)
	if form, ok := refilled(c, err, fields...); ok {
		return s.showRequest(c, classify(err).status, form)
	}
	if err != nil {
		return err
	}

	return s.done(c, requestsPath+"/"+id.String(), flash{Key: "toast.saved"})
}

// unproveChanged takes the proof back where a request was refused because the accounts have changed since. The refusal rolled its own
// transaction back, so this is another.
func (s *Server) unproveChanged(ctx context.Context, m access.Member, id uuid.UUID, refusal error) error {
	if tenants.ConflictCode(refusal) != privacy.Changed {
		return refusal
	}
	if err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return privacy.Unprove(ctx, tx, m.Actor, id) }); err != nil {
		return err
	}

	return refusal
}

func (s *Server) chooseRequest(c *fiber.Ctx) error {
	return s.changeRequest(c, nil, func(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
		contact, err := uuid.Parse(field(c, "contact"))
		if err != nil {
			return tenants.ErrNotFound
		}

		return privacy.Choose(ctx, tx, actor, id, contact)
	})
}

func (s *Server) proveRequest(c *fiber.Ctx) error {
	return s.changeRequest(c, []string{"proof"}, func(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
		return privacy.Prove(ctx, tx, actor, id, field(c, "proof"), field(c, "code") == "yes")
	})
}

func (s *Server) closeRequest(c *fiber.Ctx) error {
	return s.changeRequest(c, []string{"state", "reason"}, func(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
		return privacy.Close(ctx, tx, actor, id, field(c, "state"), field(c, "reason"))
	})
}

func (s *Server) correctRequest(c *fiber.Ctx) error {
	return s.changeRequest(c, []string{"field", "to"}, func(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
		return privacy.Amend(ctx, tx, s.keys, actor, id, field(c, "field"), field(c, "to"))
	})
}

func (s *Server) eraseRequest(c *fiber.Ctx) error {
	return s.changeRequest(c, []string{"confirm"}, func(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
		if field(c, "confirm") != confirmDigits(id) {
			return &tenants.Invalid{Field: "confirm", Key: "confirm"}
		}

		return privacy.Start(ctx, tx, actor, id, field(c, "accounts"))
	})
}
