package prep

import (
	"context"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/changes"
	"github.com/pehchan/pehchan/server/overview"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/adoption"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	overviewpages "github.com/pehchan/pehchan/views/overview"
	pages "github.com/pehchan/pehchan/views/prep"
)

const (
	briefDays = 28 // of who was heard from
	briefFar  = 30 // days ahead
)

// BriefingPage is a page for a part of the team, with the business's own figures as they are, and what was given out.
func (s *Pages) BriefingPage(c *fiber.Ctx) error {
	return s.showBriefing(c, fiber.StatusOK, c.Query("for"), c.Query("lang"), "", components.Filled{})
}

func (s *Pages) showBriefing(c *fiber.Ctx, status int, audience, lang, fresh string, form components.Filled) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	if !slices.Contains(training.Audiences, audience) {
		audience = training.Audiences[1]
	}
	if lang != i18n.Hindi && lang != i18n.English {
		lang = i18n.Lang(ctx)
	}
	p := pages.Briefings{Now: now, Audiences: training.Audiences, Fresh: fresh, Days: int(training.BriefingLife.Hours() / 24), Form: form}
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		snapshot, err := s.snapshot(ctx, tx, now)
		if err != nil {
			return err
		}
		if p.Shown, err = briefingView(ctx, tx, m.Tenant.Name, audience, lang, snapshot, now); err != nil {
			return err
		}
		given, opens, err := training.Briefings(ctx, tx)
		for _, b := range given {
			line := pages.BriefingLine{
				ID: b.ID.String(), Audience: b.Audience, Lang: b.Lang, By: b.By, At: b.CreatedAt, Until: b.ExpiresAt, Opens: b.Opens,
				Over: b.RevokedAt != nil || !b.ExpiresAt.After(now),
			}
			for _, o := range opens[b.ID] {
				line.Readers = append(line.Readers, pages.Reader{Name: o.Reader, At: o.At})
			}
			p.Given = append(p.Given, line)
		}

		return err
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "briefing.title")
	p.Frame.Path = web.BriefingPath + "?for=" + audience + "&lang=" + lang

	return s.Show(c, status, pages.BriefingsPage(p))
}

// snapshot are the figures of tx's tenant as they are.
func (s *Pages) snapshot(ctx context.Context, tx *tenants.Tx, now time.Time) (training.Snapshot, error) {
	snap := training.Snapshot{At: now}
	seen, err := adoption.Latest(ctx, tx, adoption.Where{}, briefDays, now)
	if err != nil {
		return snap, err
	}
	snap.Active, snap.WithID, snap.Named, snap.Hidden = seen.Active, seen.WithID, seen.Named, seen.Hidden()
	if snap.Counting, err = adoption.Filling(ctx, tx); err != nil {
		return snap, err
	}
	list, err := numbers.List(ctx, tx, uuid.Nil, 0)
	if err != nil {
		return snap, err
	}
	at, err := overview.ForecastAt(ctx, tx, list, adoption.Where{}, &overviewpages.Forecast{})
	if err != nil {
		return snap, err
	}
	ahead, err := adoption.Forecast(ctx, tx, at, now)
	if err != nil {
		return snap, err
	}
	for _, v := range ahead {
		if v.Days == briefFar {
			snap.Vanishing, snap.Unknown = v.All(), v.Unknown
		}
	}
	cases, err := identity.CountCases(ctx, tx)
	if err != nil {
		return snap, err
	}
	waiting, err := conversations.CountWaiting(ctx, tx)
	if err != nil {
		return snap, err
	}
	snap.Cases, snap.Unanswered = cases.Due(), waiting
	team, err := s.pupils(ctx, tx, now)
	if err != nil {
		return snap, err
	}
	snap.Team = len(team)
	for _, one := range team {
		if one.State == training.Ready {
			snap.Ready++
		}
	}
	told, err := changes.HomeFacts(ctx, tx, list, now)
	for _, f := range told {
		snap.Countries = append(snap.Countries, f.Country)
	}

	return snap, err
}

// briefingView is a briefing in its own language: the figures as they were, the facts as they are.
func briefingView(ctx context.Context, tx *tenants.Tx, business, audience, lang string, snap training.Snapshot, now time.Time) (pages.Briefing, error) {
	p := pages.Briefing{Business: business, Audience: audience, Lang: lang, Now: now, Figures: pages.BriefingFigures(snap)}
	status, err := facts.Status(ctx, tx, snap.Countries...)
	if err != nil {
		return p, err
	}
	ctx = i18n.With(ctx, lang, i18n.Zone(ctx))
	for _, country := range snap.Countries {
		if f, ok := status[country][facts.Usernames]; ok {
			view := web.FactView(ctx, f, now)
			view.Country = country
			p.Facts = append(p.Facts, view)
		}
	}

	return p, nil
}

// ShareBriefing makes a link to a briefing with the figures of now, and shows it this once.
func (s *Pages) ShareBriefing(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	audience, lang := web.Field(c, "audience"), web.Field(c, "lang")
	var token string
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		snap, err := s.snapshot(ctx, tx, now)
		if err != nil {
			return err
		}
		token, err = training.MakeBriefing(ctx, tx, m.Actor, audience, lang, snap)

		return err
	})
	if form, ok := web.Refilled(c, err, "audience", "lang"); ok {
		return s.showBriefing(c, web.Classify(err).Status, audience, lang, "", form)
	}
	if err != nil {
		return err
	}

	return s.showBriefing(c, fiber.StatusOK, audience, lang, s.Origin.Load().String()+web.SharedPath+token, components.Filled{})
}

func (s *Pages) RevokeBriefing(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	if err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return training.RevokeBriefing(ctx, tx, m.Actor, id) }); err != nil {
		return err
	}

	return s.Done(c, web.BriefingPath, web.Flash{Key: "briefing.revoked"})
}

// SharedPage is a briefing for whoever has its link. It is opened by a press of a button: programs that look at links in chats count as
// no reader.
func (s *Pages) SharedPage(c *fiber.Ctx) error {
	return s.showShared(c, fiber.StatusOK, components.Filled{})
}

func (s *Pages) showShared(c *fiber.Ctx, status int, form components.Filled) error {
	ctx, token, now := c.UserContext(), c.Params("token"), time.Now()
	c.Set("Referrer-Policy", "no-referrer")
	c.Set("X-Robots-Tag", "noindex")
	p := pages.SharedBriefing{Token: token, Form: form, Open: s.Cookie(c, web.ReadCookie) == s.readProof(token)}
	err := s.DB.System(ctx, func(tx *tenants.Tx) error {
		b, err := training.BriefingBy(ctx, tx, token)
		if err != nil {
			return err
		}
		p.Business, p.Audience, p.By, p.Until, p.Lang = b.Business, b.Audience, b.By, b.ExpiresAt, b.Lang
		if !p.Open {
			return nil
		}
		snap, err := b.Figures()
		if err != nil {
			return err
		}
		zone := (tenants.Tenant{Timezone: b.Timezone}).Location()
		p.Shown, err = briefingView(i18n.With(ctx, b.Lang, zone), tx, b.Business, b.Audience, b.Lang, snap, now)

		return err
	})
	p.Frame = s.Frame(c, "briefing.title")
	if errors.Is(err, training.ErrBadBriefing) {
		p.Over = true
		return s.Show(c, fiber.StatusGone, pages.SharedBriefingPage(p))
	}
	if err != nil {
		return err
	}

	return s.Show(c, status, pages.SharedBriefingPage(p))
}

// readProof is what the browser keeps that has opened a briefing: reading it again is not opening it again.
func (s *Pages) readProof(token string) string {
	mac := hmac.New(sha256.New, s.ReadKey)
	mac.Write([]byte("briefing " + token))

	return base64.RawURLEncoding.EncodeToString(mac.Sum(nil))
}

// OpenShared notes that a briefing is opened, and by whom where they say so.
func (s *Pages) OpenShared(c *fiber.Ctx) error {
	ctx, token := c.UserContext(), c.Params("token")
	err := s.DB.System(ctx, func(tx *tenants.Tx) error { return training.OpenBriefing(ctx, tx, token, web.Field(c, "reader")) })
	if form, ok := web.Refilled(c, err, "reader"); ok {
		return s.showShared(c, web.Classify(err).Status, form)
	}
	if errors.Is(err, training.ErrBadBriefing) {
		return s.showShared(c, fiber.StatusGone, components.Filled{})
	}
	if err != nil {
		return err
	}
	s.SetCookie(c, web.ReadCookie, s.readProof(token), 24*time.Hour)

	return c.Redirect(web.SharedPath+token, fiber.StatusSeeOther)
}
