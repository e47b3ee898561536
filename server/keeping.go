package server

import (
	"context"
	"encoding/csv"
	"errors"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/trust"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/pages"
)

// fillKeeping puts on a contact's page what they said about offers and, for who looks after privacy, who looked at them; and notes that
// this reader did.
func (s *Server) fillKeeping(ctx context.Context, tx *tenants.Tx, m access.Member, contact identity.Contact, saw string, p *pages.Contact) error {
	said, err := privacy.Consents(ctx, tx, contact.ID)
	if err != nil {
		return err
	}
	for _, one := range said {
		p.Consents = append(p.Consents, pages.Consent{Value: one.Value, Channel: one.Channel, At: one.At, By: one.By})
	}
	p.Objects = objects(said)
	p.Channels, p.Today = privacy.Channels, time.Now().In(i18n.Zone(ctx)).Format(time.DateOnly)
	if err := privacy.Saw(ctx, tx, m.Actor, saw, contact.ID); err != nil {
		return err
	}
	if !m.Can("privacy:read") {
		return nil
	}
	p.AsksHref = privacyPath + "?contact=" + contact.ID.String()
	looks, err := privacy.Views(ctx, tx, contact.ID)
	for _, v := range looks {
		p.Looks = append(p.Looks, pages.Look{Name: v.Name, How: v.How, Times: v.Times, At: v.LastAt})
	}

	return err
}

// objects tells whether the last of what somebody said, the newest first, but for other stops, is an objection.
func objects(said []privacy.Consent) bool {
	for _, one := range said {
		switch {
		case one.Value == identity.Resume && one.Channel != "whatsapp":
			return false
		case one.Channel == identity.Objection:
			return true
		}
	}

	return false
}

// sawTalk notes who opened a conversation.
func (s *Server) sawTalk(c *fiber.Ctx, id uuid.UUID) error {
	ctx, m := c.UserContext(), member(c)

	return s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		contact, err := identity.Get(ctx, tx, id)
		if errors.Is(err, tenants.ErrNotFound) {
			return nil // the page says so
		}
		if err != nil {
			return err
		}

		return privacy.Saw(ctx, tx, m.Actor, privacy.SawTalk, contact.ID)
	})
}

// recordConsent writes down what a customer told the business about offers.
func (s *Server) recordConsent(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	at, err := time.ParseInLocation(time.DateOnly, field(c, "at"), i18n.Zone(ctx))
	if err != nil {
		err = &tenants.Invalid{Field: "at", Key: "day"}
	} else if now := time.Now(); at.Format(time.DateOnly) == now.In(i18n.Zone(ctx)).Format(time.DateOnly) {
		at = now // of two on one day the later counts
	}
	if err == nil {
		err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
			return privacy.Record(ctx, tx, m.Actor, id, field(c, "value"), field(c, "channel"), at)
		})
	}
	if form, ok := refilled(c, err, "at", "value", "channel"); ok {
		return s.showContact(c, classify(err).status, contactShown{consent: form})
	}
	if err != nil {
		return err
	}

	return s.done(c, "/contacts/"+id.String()+"#consent", flash{Key: "toast.saved"})
}

// saveKeeping says how long what is kept.
func (s *Server) saveKeeping(c *fiber.Ctx) error {
	ctx, m, days := c.UserContext(), member(c), map[string]int{}
	var names []string
	for _, class := range privacy.Classes {
		names = append(names, class.Name)
		n, err := strconv.Atoi(field(c, class.Name))
		if err != nil {
			n = -1 // refused as too short
		}
		days[class.Name] = n
	}
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return privacy.Keep(ctx, tx, m.Actor, days) })
	if form, ok := refilled(c, err, names...); ok {
		return s.showPrivacy(c, classify(err).status, form)
	}
	if err != nil {
		return err
	}

	return s.done(c, privacyPath+"#keeping", flash{Key: "toast.saved"})
}

// asksOfPage are the kinds of what people ask on the public page that belong here.
var asksOfPage = map[string]string{"access": privacy.Access, "correct": privacy.Correct, "erase": privacy.Erase, "stop": privacy.Object}

// takeOver makes a request of what somebody asked on the public page. Its clock runs since then.
func (s *Server) takeOver(c *fiber.Ctx) error {
	given, err := uuid.Parse(field(c, "asked"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	var id uuid.UUID
	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		r, err := trust.Asked(ctx, tx, given)
		if err != nil {
			return err
		}
		kind, ours := asksOfPage[r.Kind]
		if !ours || r.DoneAt != nil {
			return tenants.ErrNotFound
		}
		if id, err = privacy.Add(ctx, tx, s.keys, m.Actor, privacy.New{
			Kind: kind, Subject: r.Reach, Note: r.Name + "\n" + r.Body, Origin: "page", From: &r.ID, Since: r.MadeAt,
		}); err != nil {
			return err
		}

		return trust.Answered(ctx, tx, m.Actor, r.ID)
	})
	if err != nil {
		return err
	}

	return s.done(c, requestsPath+"/"+id.String(), flash{Key: "toast.saved"})
}

// fillPage puts on the list of requests what waits on the public page, and how long what is kept.
func (s *Server) fillPage(ctx context.Context, tx *tenants.Tx, m access.Member, e eyes, p *pages.Privacy) error {
	list, err := trust.Requests(ctx, tx, 0)
	if err != nil {
		return err
	}
	for _, r := range list {
		if kind, ours := asksOfPage[r.Kind]; ours && r.DoneAt == nil {
			p.Asked = append(p.Asked, pages.PrivacyRequest{ID: r.ID.String(), Kind: kind, Subject: e.words(r.Reach), Note: e.words(r.Body), OpenedAt: r.MadeAt})
		}
	}
	kept, err := privacy.Kept(ctx, tx)
	if err != nil {
		return err
	}
	p.MayKeep = m.Can("settings:edit")
	for _, class := range privacy.Classes {
		keeping := pages.Keeping{Class: class.Name, Days: kept[class.Name]}
		for _, days := range []int{30, 90, 180, 365, 730, 1095} {
			if days >= class.Least {
				keeping.Choices = append(keeping.Choices, days)
			}
		}
		p.Keeping = append(p.Keeping, keeping)
	}

	return nil
}

// exportAudit gives out the audit as a file, and says so in it.
func (s *Server) exportAudit(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	about := field(c, "about")
	subjects, known := auditSubjects[about]
	if !known {
		about = ""
	}
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		return tenants.Audit(ctx, tx, tenants.Act{Actor: m.Actor, Action: "audit.export", ObjectKind: "audit", Detail: map[string]any{"about": about}})
	})
	if err != nil {
		return err
	}
	csvAnswer(c, "pehchan-audit-"+time.Now().In(i18n.Zone(ctx)).Format("2006-01-02")+".csv")
	tenant := m.Tenant.ID
	s.streamCSV(c, func(ctx context.Context, out *csv.Writer, alive func() error) error {
		if err := out.Write([]string{"seq", "at", "actor_kind", "actor", "action", "object_kind", "object", "detail"}); err != nil {
			return err //nolint:wrapcheck // streamCSV says what it wrote
		}
		for before := int64(0); ; {
			if err := alive(); err != nil {
				return err
			}
			var entries []access.JournalEntry
			err := s.db.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
				entries, err = access.Journal(ctx, tx, m, access.JournalQuery{Before: before, Subjects: subjects, Limit: 100})
				return err
			})
			if err != nil || len(entries) == 0 {
				return err
			}
			for _, e := range entries {
				before = e.Seq
				if err := out.Write(auditRow(e)); err != nil {
					return err //nolint:wrapcheck // streamCSV says what it wrote
				}
			}
			if out.Flush(); out.Error() != nil {
				return out.Error()
			}
		}
	})

	return nil
}
