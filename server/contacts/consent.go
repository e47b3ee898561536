package contacts

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/privacy"
	pages "github.com/pehchan/pehchan/views/contacts"
	"github.com/pehchan/pehchan/views/i18n"
	privacypages "github.com/pehchan/pehchan/views/privacy"
)

// fillKeeping puts on a contact's page what they said about offers and, for who may see what others did, who looked at them; and
// notes that this reader did.
func (s *Pages) fillKeeping(ctx context.Context, tx *tenants.Tx, m access.Member, contact identity.Contact, saw string, p *pages.Contact) error {
	said, err := privacy.Consents(ctx, tx, contact.ID)
	if err != nil {
		return err
	}
	for _, one := range said {
		p.Consents = append(p.Consents, privacypages.Consent{Value: one.Value, Channel: one.Channel, At: one.At, By: one.By})
	}
	p.Objects = objects(said)
	p.Channels, p.Today = privacy.Channels, time.Now().In(i18n.Zone(ctx)).Format(time.DateOnly)
	if err := privacy.Saw(ctx, tx, m.Actor, saw, contact.ID); err != nil {
		return err
	}
	if m.Can("privacy:handle") {
		p.AsksHref = web.PrivacyPath + "?contact=" + contact.ID.String()
	}
	if p.CanLooks = m.Can("audit:read_team"); !p.CanLooks {
		return nil
	}
	looks, err := privacy.Views(ctx, tx, contact.ID)
	for _, v := range looks {
		p.Looks = append(p.Looks, privacypages.Look{Name: v.Name, How: v.How, Times: v.Times, At: v.LastAt})
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

// RecordConsent writes down what a customer told the business about offers.
func (s *Pages) RecordConsent(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	at, err := time.ParseInLocation(time.DateOnly, web.Field(c, "at"), i18n.Zone(ctx))
	if err != nil {
		err = &tenants.Invalid{Field: "at", Key: "day"}
	} else if now := time.Now(); at.Format(time.DateOnly) == now.In(i18n.Zone(ctx)).Format(time.DateOnly) {
		at = now // of two on one day the later counts
	}
	if err == nil {
		err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
			return privacy.Record(ctx, tx, m.Actor, id, web.Field(c, "value"), web.Field(c, "channel"), at)
		})
	}
	if form, ok := web.Refilled(c, err, "at", "value", "channel"); ok {
		return s.showContact(c, web.Classify(err).Status, contactShown{consent: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, "/contacts/"+id.String()+"#consent", web.Flash{Key: "toast.saved"})
}
