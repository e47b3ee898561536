package usernames

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"encoding/binary"
	"errors"
	"fmt"
	"net/netip"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/teller"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/trust"
	"github.com/pehchan/pehchan/tenants/usernames"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/usernames"
)

const (
	requestsShown = 30

	// A form that is filled in faster than this was not filled in by a person, and one that is older stood open for days.
	trustSoonest = 3 * time.Second
	trustLatest  = 24 * time.Hour
	trustStamp   = 8 + 16

	// What one address, and all of them together, may send to one business in a quarter of an hour.
	trustByAddress = 5
	trustByAll     = 60

	// What one address may send to one business in a day: a tenth of what the business takes from all.
	trustByDay = 20
)

// trustOf finds the business whose page stands under the slug of a request. One that is off, or of a business that is suspended, is
// not found, as is a slug that nobody has.
func (s *Pages) trustOf(c *fiber.Ctx) (tenant tenants.Tenant, page trust.Page, handles []pages.TrustNumber, err error) {
	ctx := c.UserContext()
	err = s.DB.System(ctx, func(tx *tenants.Tx) error {
		tenant, err = access.TenantBySlug(ctx, tx, c.Params("slug"))
		return err
	})
	if err != nil {
		return tenant, page, nil, err
	}
	if tenant.State == "suspended" || tenant.State == "closing" {
		return tenant, page, nil, tenants.ErrNotFound
	}
	err = s.DB.As(ctx, tenant.ID, func(tx *tenants.Tx) error {
		if page, err = trust.Get(ctx, tx); err != nil {
			return err
		}
		if !page.On {
			return tenants.ErrNotFound
		}
		list, err := usernames.List(ctx, tx)
		for _, n := range list {
			if page.Shows(n.Number.ID) {
				handles = append(handles, trustNumber(n, true))
			}
		}

		return err
	})

	return tenant, page, handles, err
}

func trustNumber(n usernames.Name, shown bool) pages.TrustNumber {
	v := pages.TrustNumber{ID: n.Number.ID.String(), Name: web.NumberView(n.Number, ingest.Counts{}).Name, Phone: n.Number.DisplayPhone, Shown: shown}
	if n.Has.Holds() {
		v.Handle, v.Reserved = n.Has.Name, n.Has.Status == whatsapp.UsernameReserved
	}

	return v
}

// inTrustLang is the language of the page: that of its address, else that of the browser.
func (s *Pages) inTrustLang(c *fiber.Ctx, tenant tenants.Tenant) {
	lang := c.Query("lang")
	if lang != i18n.Hindi && lang != i18n.English {
		lang = s.AnonymousLang(c)
	}
	c.SetUserContext(i18n.With(c.UserContext(), lang, tenant.Location()))
}

// TrustPage is the public page of a business.
func (s *Pages) TrustPage(c *fiber.Ctx) error {
	tenant, page, handles, err := s.trustOf(c)
	if err != nil {
		return err
	}
	s.inTrustLang(c, tenant)

	return s.showTrust(c, fiber.StatusOK, tenant, page, pages.Trust{Numbers: handles, Sent: c.Query("sent") == "1"})
}

func (s *Pages) showTrust(c *fiber.Ctx, status int, tenant tenants.Tenant, page trust.Page, p pages.Trust) error {
	p.Slug, p.Business, p.Asks, p.Kinds = tenant.Slug, tenant.Name, page.Asks, trust.Kinds
	p.Days, p.Most = privacy.AnswerDays(privacy.Access), privacy.AnswerDays(privacy.Grievance)
	p.Use, p.UseLang = page.Use(i18n.Lang(c.UserContext()))
	m, known := access.From(c.UserContext())
	if page.Asks && !p.Sent {
		if p.Stamp = s.trustStamp(tenant.ID, time.Now()); known {
			p.CSRF = s.FormToken(m.FormScope())
		} else {
			p.CSRF = s.FormToken(s.Visitor(c))
		}
	}
	c.Set("Referrer-Policy", "same-origin")

	return s.Show(c, status, pages.TrustPage(p))
}

// trustStamp says when a form was made for a business, in a way that nobody else can.
func (s *Pages) trustStamp(tenant uuid.UUID, at time.Time) string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(at.Unix()))

	return base64.RawURLEncoding.EncodeToString(append(raw, s.trustSum(tenant, raw)...))
}

func (s *Pages) trustSum(tenant uuid.UUID, raw []byte) []byte {
	mac := hmac.New(sha256.New, s.Keys.Derive("trust form"))
	mac.Write(tenant[:])
	mac.Write(raw)

	return mac.Sum(nil)[:trustStamp-8]
}

// inTime tells whether a form was filled in within a time in which people do.
func (s *Pages) inTime(tenant uuid.UUID, stamp string, now time.Time) bool {
	raw, err := base64.RawURLEncoding.DecodeString(stamp)
	if err != nil || len(raw) != trustStamp || !hmac.Equal(raw[8:], s.trustSum(tenant, raw[:8])) {
		return false
	}
	age := now.Sub(time.Unix(int64(binary.BigEndian.Uint64(raw[:8])), 0))

	return age >= trustSoonest && age <= trustLatest
}

// AskTrust takes a request. Whoever fills in the field that people do not see is told that it was sent, and it is thrown away. The
// answer never depends on whether the business knows who asks.
func (s *Pages) AskTrust(c *fiber.Ctx) error {
	tenant, page, handles, err := s.trustOf(c)
	if err != nil {
		return err
	}
	if !page.Asks {
		return tenants.ErrNotFound
	}
	s.inTrustLang(c, tenant)
	ctx := c.UserContext()
	sent := trust.Prefix + tenant.Slug + "?lang=" + i18n.Lang(ctx) + "&sent=1"
	if web.RawField(c, "website") != "" {
		return c.Redirect(sent, fiber.StatusSeeOther)
	}
	back := func(status int, p pages.Trust) error {
		p.Numbers = handles
		p.Form.Values = map[string]string{"kind": web.Field(c, "kind"), "name": web.Field(c, "name"), "reach": web.Field(c, "reach"), "body": web.Field(c, "body")}

		return s.showTrust(c, status, tenant, page, p)
	}
	if !s.inTime(tenant.ID, web.Field(c, "stamp"), time.Now()) {
		return back(fiber.StatusUnprocessableEntity, pages.Trust{Again: true})
	}

	err = s.rationTrust(ctx, tenant.ID, s.ClientIP(c))
	var tooMany *access.TooMany
	if errors.As(err, &tooMany) {
		c.Set(fiber.HeaderRetryAfter, web.Seconds(web.Classify(err).Retry))
		return back(web.Classify(err).Status, pages.Trust{TooMany: true, Tomorrow: tooMany.RetryAfter > time.Hour})
	}
	if err == nil {
		err = s.keepTrust(ctx, tenant, trust.Request{
			Kind: web.Field(c, "kind"), Name: web.Field(c, "name"), Reach: web.Field(c, "reach"), Body: web.Field(c, "body"), Lang: i18n.Lang(ctx),
		})
	}
	if form, ok := web.Refilled(c, err, "kind", "name", "reach", "body"); ok {
		return back(web.Classify(err).Status, pages.Trust{Form: form})
	}
	if err != nil {
		return err
	}

	return c.Redirect(sent, fiber.StatusSeeOther)
}

// rationTrust counts a request of an address to a business. What an address may not send takes nothing of what all may.
func (s *Pages) rationTrust(ctx context.Context, tenant uuid.UUID, from netip.Addr) error {
	what := "trust " + tenant.String()
	if err := access.Ration(ctx, s.DB, what, from, trustByAddress); err != nil {
		return err
	}

	if err := access.RationDay(ctx, s.DB, s.Keys.Derive("trust address"), what, from, trustByDay); err != nil {
		return err
	}

	return access.Ration(ctx, s.DB, what, netip.Addr{}, trustByAll)
}

// keepTrust keeps a request and has the owners told by mail, which holds nothing of it.
func (s *Pages) keepTrust(ctx context.Context, tenant tenants.Tenant, r trust.Request) error {
	return s.DB.As(ctx, tenant.ID, func(tx *tenants.Tx) error {
		made, err := trust.Ask(ctx, tx, r)
		if err != nil {
			return err
		}
		if err := privacy.CountClocks(ctx, tx); err != nil {
			return err
		}
		readers, err := access.Readers(ctx, tx, access.MailAlerts)
		if err != nil {
			return err
		}
		origin := s.Origin.Load().String()
		for _, to := range readers {
			ctx := teller.InLanguage(ctx, to, tenant.Lang, tenant.Location())
			letter := pages.TrustMail(ctx, tenant.Name, made.Kind, origin+web.TrustPath+"#requests")
			letter.Leave = origin + web.LeavePath + teller.LeaveToken(s.Keys, tenant.ID, to.ID, access.MailAlerts)
			if err := teller.QueueCalm(ctx, tx, s.Keys, tenant, to, fmt.Sprintf("trust %s %s", made.ID, to.ID), letter); err != nil {
				return err
			}
		}

		return nil
	})
}

// TrustSettings is where the owner sets the page up.
func (s *Pages) TrustSettings(c *fiber.Ctx) error {
	return s.showTrustSettings(c, fiber.StatusOK, nil, components.Filled{})
}

// showTrustSettings shows the page as it is, or as it was typed.
func (s *Pages) showTrustSettings(c *fiber.Ctx, status int, typed *trust.Page, form components.Filled) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.TrustSettings{
		Frame: s.Frame(c, "trust.title"), Now: time.Now(), Address: s.Origin.Load().String() + trust.Prefix + m.Tenant.Slug, Form: form,
	}
	p.Frame.Path = web.TrustPath
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		page, err := trust.Get(ctx, tx)
		if err != nil {
			return err
		}
		fresh := page.ChangedAt.IsZero() && typed == nil
		if typed != nil {
			page = *typed
		}
		list, err := usernames.List(ctx, tx)
		if err != nil {
			return err
		}
		for _, n := range list {
			p.Numbers = append(p.Numbers, trustNumber(n, fresh || page.Shows(n.Number.ID)))
		}
		p.On, p.Asks = page.On, page.Asks
		if p.Form.Values == nil {
			p.Form.Values = map[string]string{"use_en": page.UseEN, "use_hi": page.UseHI}
		}
		if fresh {
			p.Form.Values = map[string]string{"use_en": pages.TrustStart(ctx, i18n.English), "use_hi": pages.TrustStart(ctx, i18n.Hindi)}
		}
		requests, err := trust.Requests(ctx, tx, requestsShown)
		for _, r := range requests {
			p.Requests = append(p.Requests, pages.TrustRequest{
				ID: r.ID.String(), Kind: r.Kind, Name: r.Name, Reach: r.Reach, Body: r.Body, At: r.MadeAt, Done: r.DoneAt != nil, DoneBy: r.DoneBy,
			})
		}

		return err
	})
	if err != nil {
		return err
	}

	return s.Show(c, status, pages.TrustSettingsPage(p))
}

func (s *Pages) SaveTrust(c *fiber.Ctx) error {
	page := trust.Page{On: web.Field(c, "on") == "yes", UseEN: web.Field(c, "use_en"), UseHI: web.Field(c, "use_hi"), Asks: web.Field(c, "asks") == "yes"}
	for _, id := range c.Request().PostArgs().PeekMulti("numbers") {
		page.Numbers = append(page.Numbers, string(id))
	}
	ctx, m := c.UserContext(), web.Member(c)
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return trust.Set(ctx, tx, m.Actor, page) })
	if form, ok := web.Refilled(c, err, "use_en", "use_hi"); ok {
		return s.showTrustSettings(c, web.Classify(err).Status, &page, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.TrustPath, web.Flash{Key: "trust.saved"})
}

// AnsweredTrust notes that a request was answered.
func (s *Pages) AnsweredTrust(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	if err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if err := trust.Answered(ctx, tx, m.Actor, id); err != nil {
			return err
		}

		return privacy.CountClocks(ctx, tx)
	}); err != nil {
		return err
	}

	return s.Done(c, web.TrustPath+"#requests", web.Flash{Key: "trust.answered_toast"})
}
