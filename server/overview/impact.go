package overview

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/answers"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/overview"
)

const (
	impactNewest = 250 // parts of conversations that are looked at
	impactSample = 5   // rows of each area
)

// ImpactPage shows what of the business hangs on customers' phone numbers.
func (s *Pages) ImpactPage(c *fiber.Ctx) error {
	p, err := s.impact(c)
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "impact.title")

	return s.Show(c, fiber.StatusOK, pages.ImpactPage(p))
}

// ExportImpact gives out the same; the names of customers only to who may take customers out.
func (s *Pages) ExportImpact(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	p, err := s.impact(c)
	if err != nil {
		return err
	}
	lines := [][]string{{i18n.T(ctx, "impact.area"), i18n.T(ctx, "impact.count"), i18n.T(ctx, "impact.of"), i18n.T(ctx, "impact.sample")}}
	for _, a := range p.Areas {
		name := i18n.T(ctx, "impact.area_"+a.Key)
		lines = append(lines, web.Figures(name, a.Count, a.Of))
		for _, row := range a.Sample {
			if !row.Customer || m.Can("contacts:export") {
				lines = append(lines, []string{name, "", "", row.Label})
			}
		}
	}

	return web.ShowCSV(c, "pehchan-impact.csv", lines)
}

func (s *Pages) impact(c *fiber.Ctx) (pages.Impact, error) {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Impact{Now: time.Now()}
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		for _, area := range []func(context.Context, *tenants.Tx, access.Member) (pages.ImpactArea, error){
			impactContacts, impactThreads, impactTemplates, impactKeys, impactMacros,
		} {
			a, err := area(ctx, tx, m)
			if err != nil {
				return err
			}
			p.Areas = append(p.Areas, a)
		}

		return nil
	})

	return p, err
}

func impactContacts(ctx context.Context, tx *tenants.Tx, m access.Member) (pages.ImpactArea, error) {
	reaches, err := identity.CountReach(ctx, tx)
	if err != nil {
		return pages.ImpactArea{}, err
	}
	list, _, err := identity.ListReach(ctx, tx, identity.ReachPhone, identity.Page{Limit: impactSample})
	if err != nil {
		return pages.ImpactArea{}, err
	}
	a := pages.ImpactArea{Key: "contacts", Count: reaches.Phone, Of: reaches.All(), More: where(m.Can("contacts:read"), "/contacts?reach=phone")}
	e := web.Eyes{Clear: m.Can("phones:clear")}
	for _, k := range list {
		a.Sample = append(a.Sample, pages.ImpactRow{
			Label: e.Label(ctx, k), Href: where(m.Can("contacts:read"), "/contacts/"+k.ID.String()), Customer: true,
		})
	}

	return a, nil
}

func impactThreads(ctx context.Context, tx *tenants.Tx, m access.Member) (pages.ImpactArea, error) {
	found, err := conversations.HangOnPhone(ctx, tx, impactNewest, impactSample)
	if err != nil {
		return pages.ImpactArea{}, err
	}
	people, err := identity.Several(ctx, tx, found.Who)
	if err != nil {
		return pages.ImpactArea{}, err
	}
	a := pages.ImpactArea{Key: "threads", Count: int64(found.Count), Of: int64(found.Of), More: where(m.Can("conversations:read"), web.InboxPath)}
	e := web.Eyes{Clear: m.Can("phones:clear")}
	for _, id := range found.Who {
		a.Sample = append(a.Sample, pages.ImpactRow{
			Label: e.Label(ctx, people[id]), Href: where(m.Can("conversations:read"), web.InboxPath+"/"+id.String()), Customer: true,
		})
	}

	return a, nil
}

// impactTemplates counts the templates that reach a phone alone: one-time codes (domain facts 5.1).
func impactTemplates(ctx context.Context, tx *tenants.Tx, _ access.Member) (pages.ImpactArea, error) {
	a := pages.ImpactArea{Key: "templates"}
	list, err := numbers.List(ctx, tx, uuid.Nil, 0)
	if err != nil {
		return a, err
	}
	seen := map[string]bool{} // numbers of one account share their templates
	for _, n := range list {
		if seen[n.WABAID] {
			continue
		}
		seen[n.WABAID] = true
		templates, _, err := conversations.Templates(ctx, tx, n.ID)
		if err != nil {
			return a, err
		}
		a.Of += int64(len(templates))
		for _, t := range templates {
			if !t.NeedsPhone {
				continue
			}
			if a.Count++; len(a.Sample) < impactSample {
				a.Sample = append(a.Sample, pages.ImpactRow{Label: t.Name + " · " + t.Language})
			}
		}
	}

	return a, nil
}

// impactKeys counts the API keys in use: what programs do with phones cannot be seen from here, so each is to be looked at.
func impactKeys(ctx context.Context, tx *tenants.Tx, m access.Member) (pages.ImpactArea, error) {
	keys, err := access.Keys(ctx, tx)
	if err != nil {
		return pages.ImpactArea{}, err
	}
	a := pages.ImpactArea{Key: "keys", More: where(m.Can("apikeys:read"), "/dev/keys")}
	for _, k := range keys {
		if k.RevokedAt != nil {
			continue
		}
		a.Of++
		if k.LastUsedAt == nil {
			continue
		}
		if a.Count++; len(a.Sample) < impactSample && m.Can("apikeys:read") {
			a.Sample = append(a.Sample, pages.ImpactRow{Label: k.Name, Href: "/dev/keys"})
		}
	}

	return a, nil
}

// impactMacros counts the macros that speak of the business's own number, which is no longer how everybody writes to it.
func impactMacros(ctx context.Context, tx *tenants.Tx, m access.Member) (pages.ImpactArea, error) {
	macros, err := answers.Macros(ctx, tx, time.Now())
	if err != nil {
		return pages.ImpactArea{}, err
	}
	a := pages.ImpactArea{Key: "macros", Of: int64(len(macros)), More: where(m.Can("macros:read"), web.MacrosPath)}
	for _, macro := range macros {
		for _, name := range macro.Variables() {
			if name != "our_number" {
				continue
			}
			if a.Count++; len(a.Sample) < impactSample {
				a.Sample = append(a.Sample, pages.ImpactRow{Label: macro.Title.In(i18n.Lang(ctx)), Href: a.More})
			}
		}
	}

	return a, nil
}
