package server

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

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/trust"
	"github.com/pehchan/pehchan/tenants/usernames"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/pages"
)

const (
	trustPath     = usernamesPath + "/trust"
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
func (s *Server) trustOf(c *fiber.Ctx) (tenant tenants.Tenant, page trust.Page, handles []pages.TrustNumber, err error) {
	ctx := c.UserContext()
	err = s.db.System(ctx, func(tx *tenants.Tx) error {
		tenant, err = access.TenantBySlug(ctx, tx, c.Params("slug"))
		return err
	})
	if err != nil {
		return tenant, page, nil, err
	}
	if tenant.State == "suspended" || tenant.State == "closing" {
		return tenant, page, nil, tenants.ErrNotFound
	}
	err = s.db.As(ctx, tenant.ID, func(tx *tenants.Tx) error {
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
	v := pages.TrustNumber{ID: n.Number.ID.String(), Name: numberView(n.Number, ingest.Counts{}).Name, Phone: n.Number.DisplayPhone, Shown: shown}
	if n.Has.Holds() {
		v.Handle, v.Reserved = n.Has.Name, n.Has.Status == whatsapp.UsernameReserved
	}

	return v
}

// inTrustLang is the language of the page: that of its address, else that of the browser.
func (s *Server) inTrustLang(c *fiber.Ctx, tenant tenants.Tenant) {
	lang := c.Query("lang")
	if lang != i18n.Hindi && lang != i18n.English {
		lang = s.anonymousLang(c)
	}
	c.SetUserContext(i18n.With(c.UserContext(), lang, tenant.Location()))
}

// trustPage is the public page of a business.
func (s *Server) trustPage(c *fiber.Ctx) error {
	tenant, page, handles, err := s.trustOf(c)
	if err != nil {
		return err
	}
	s.inTrustLang(c, tenant)

	return s.showTrust(c, fiber.StatusOK, tenant, page, pages.Trust{Numbers: handles, Sent: c.Query("sent") == "1"})
}

func (s *Server) showTrust(c *fiber.Ctx, status int, tenant tenants.Tenant, page trust.Page, p pages.Trust) error {
	p.Slug, p.Business, p.Asks, p.Kinds = tenant.Slug, tenant.Name, page.Asks, trust.Kinds
	p.Use, p.UseLang = page.Use(i18n.Lang(c.UserContext()))
	m, known := access.From(c.UserContext())
	if page.Asks && !p.Sent {
		if p.Stamp = s.trustStamp(tenant.ID, time.Now()); known {
			p.CSRF = s.formToken(m.FormScope())
		} else {
			p.CSRF = s.formToken(s.visitor(c))
		}
	}
	c.Set("Referrer-Policy", "same-origin")

	return s.show(c, status, pages.TrustPage(p))
}

// trustStamp says when a form was made for a business, in a way that nobody else can.
func (s *Server) trustStamp(tenant uuid.UUID, at time.Time) string {
	raw := binary.BigEndian.AppendUint64(nil, uint64(at.Unix()))

	return base64.RawURLEncoding.EncodeToString(append(raw, s.trustSum(tenant, raw)...))
}

func (s *Server) trustSum(tenant uuid.UUID, raw []byte) []byte {
	mac := hmac.New(sha256.New, s.keys.Derive("trust form"))
	mac.Write(tenant[:])
	mac.Write(raw)

	return mac.Sum(nil)[:trustStamp-8]
}

// inTime tells whether a form was filled in within a time in which people do.
func (s *Server) inTime(tenant uuid.UUID, stamp string, now time.Time) bool {
	raw, err := base64.RawURLEncoding.DecodeString(stamp)
	if err != nil || len(raw) != trustStamp || !hmac.Equal(raw[8:], s.trustSum(tenant, raw[:8])) {
		return false
	}
	age := now.Sub(time.Unix(int64(binary.BigEndian.Uint64(raw[:8])), 0))

	return age >= trustSoonest && age <= trustLatest
}

// askTrust takes a request. Whoever fills in the field that people do not see is told that it was sent, and it is thrown away. The
// answer never depends on whether the business knows who asks.
func (s *Server) askTrust(c *fiber.Ctx) error {
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
	if rawField(c, "website") != "" {
		return c.Redirect(sent, fiber.StatusSeeOther)
	}
	back := func(status int, p pages.Trust) error {
		p.Numbers = handles
		p.Form.Values = map[string]string{"kind": field(c, "kind"), "name": field(c, "name"), "reach": field(c, "reach"), "body": field(c, "body")}

		return s.showTrust(c, status, tenant, page, p)
	}
	if !s.inTime(tenant.ID, field(c, "stamp"), time.Now()) {
		return back(fiber.StatusUnprocessableEntity, pages.Trust{Again: true})
	}

	err = s.rationTrust(ctx, tenant.ID, s.clientIP(c))
	var tooMany *access.TooMany
	if errors.As(err, &tooMany) {
		c.Set(fiber.HeaderRetryAfter, seconds(classify(err).retry))
		return back(classify(err).status, pages.Trust{TooMany: true, Tomorrow: tooMany.RetryAfter > time.Hour})
	}
	if err == nil {
		err = s.keepTrust(ctx, tenant, trust.Request{
			Kind: field(c, "kind"), Name: field(c, "name"), Reach: field(c, "reach"), Body: field(c, "body"), Lang: i18n.Lang(ctx),
		})
	}
	if form, ok := refilled(c, err, "kind", "name", "reach", "body"); ok {
		return back(classify(err).status, pages.Trust{Form: form})
	}
	if err != nil {
		return err
	}

	return c.Redirect(sent, fiber.StatusSeeOther)
}

// rationTrust counts a request of an address to a business. What an address may not send takes nothing of what all may.
func (s *Server) rationTrust(ctx context.Context, tenant uuid.UUID, from netip.Addr) error {
	what := "trust " + tenant.String()
	if err := access.Ration(ctx, s.db, what, from, trustByAddress); err != nil {
		return err
	}

	if err := access.RationDay(ctx, s.db, s.keys.Derive("trust address"), what, from, trustByDay); err != nil {
		return err
	}

	return access.Ration(ctx, s.db, what, netip.Addr{}, trustByAll)
}

// keepTrust keeps a request and has the owners told by mail, which holds nothing of it.
func (s *Server) keepTrust(ctx context.Context, tenant tenants.Tenant, r trust.Request) error {
	return s.db.As(ctx, tenant.ID, func(tx *tenants.Tx) error {
		made, err := trust.Ask(ctx, tx, r)
		if err != nil {
			return err
		}
		readers, err := access.Readers(ctx, tx, access.MailAlerts)
		if err != nil {
			return err
		}
		origin := s.origin.Load().String()
		for _, to := range readers {
			ctx := inLanguage(ctx, to, tenant.Lang, tenant.Location())
			letter := pages.TrustMail(ctx, tenant.Name, made.Kind, origin+trustPath+"#requests")
			letter.Leave = origin + leavePath + leaveToken(s.keys, tenant.ID, to.ID, access.MailAlerts)
			if err := queueCalm(ctx, tx, s.keys, tenant, to.Email, fmt.Sprintf("trust %s %s", made.ID, to.ID), letter); err != nil {
				return err
			}
		}

		return nil
	})
}

// trustSettings is where the owner sets the page up.
func (s *Server) trustSettings(c *fiber.Ctx) error {
	return s.showTrustSettings(c, fiber.StatusOK, nil, pages.Filled{})
}

// showTrustSettings shows the page as it is, or as it was typed.
func (s *Server) showTrustSettings(c *fiber.Ctx, status int, typed *trust.Page, form pages.Filled) error {
	ctx, m := c.UserContext(), member(c)
	p := pages.TrustSettings{
		Frame: s.frame(c, "trust.title"), Now: time.Now(), Address: s.origin.Load().String() + trust.Prefix + m.Tenant.Slug, Form: form,
	}
	p.Frame.Path = trustPath
	err := s.db.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
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

	return s.show(c, status, pages.TrustSettingsPage(p))
}

func (s *Server) saveTrust(c *fiber.Ctx) error {
	page := trust.Page{On: field(c, "on") == "yes", UseEN: field(c, "use_en"), UseHI: field(c, "use_hi"), Asks: field(c, "asks") == "yes"}
	for _, id := range c.Request().PostArgs().PeekMulti("numbers") {
		page.Numbers = append(page.Numbers, string(id))
	}
	ctx, m := c.UserContext(), member(c)
	err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return trust.Set(ctx, tx, m.Actor, page) })
	if form, ok := refilled(c, err, "use_en", "use_hi"); ok {
		return s.showTrustSettings(c, classify(err).status, &page, form)
	}
	if err != nil {
		return err
	}

	return s.done(c, trustPath, flash{Key: "trust.saved"})
}

// answeredTrust notes that a request was answered.
func (s *Server) answeredTrust(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), member(c)
	if err := s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return trust.Answered(ctx, tx, m.Actor, id) }); err != nil {
		return err
	}

	return s.done(c, trustPath+"#requests", flash{Key: "trust.answered_toast"})
}
