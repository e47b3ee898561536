package operator

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/teller"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/mail"
	"github.com/pehchan/pehchan/tenants/operator"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/operator"
	teampages "github.com/pehchan/pehchan/views/team"
)

// Where the operators' pages are.
// asOperator runs something on the platform's own tables.
func (s *Pages) asOperator(c *fiber.Ctx, do func(context.Context, *tenants.Tx, access.Member) error) error {
	ctx := c.UserContext()

	return s.DB.System(ctx, func(tx *tenants.Tx) error { return do(ctx, tx, web.Member(c)) })
}

func opCardView(b operator.Card) pages.Card {
	return pages.Card{
		ID: b.ID.String(), Slug: b.Slug, Name: b.Name, State: b.State, Reason: b.StateReason, By: b.StateBy, Since: b.StateSince, EraseAfter: web.OrZero(b.EraseAfter),
		Lang: b.Lang, CreatedAt: b.CreatedAt, Standing: b.Standing, Plan: b.Plan, APIPerMinute: b.APIPerMinute, MostPeople: b.MostPeople,
		Numbers: b.Numbers, Tokens: b.Tokens, Blocked: b.Blocked, Members: b.Members, Received: b.Received, SetAside: b.SetAside, Waiting: b.Waiting,
		Oldest: time.Duration(b.Oldest) * time.Second, Novel: b.Novel, Needs: b.Needs(), Lost: b.Received - b.Routed - b.SetAside - b.Waiting,
	}
}

// findRed puts on the operator's start what burns anywhere, each with where to look.
func (s *Pages) findRed(c *fiber.Ctx, p *pages.Fleet) error {
	ctx := c.UserContext()
	mails, err := mail.Count(ctx, s.DB)
	if err != nil {
		return err
	}
	p.FailedMails = mails.Failed

	return s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, _ access.Member) error {
		cards, err := operator.InNeed(ctx, tx)
		if err != nil {
			return err
		}
		for _, b := range cards {
			p.Red = append(p.Red, opCardView(b))
		}
		jobs, err := operator.Failed(ctx, tx)
		p.FailedJobs = len(jobs)

		return err
	})
}

func (s *Pages) TenantsPage(c *fiber.Ctx) error {
	after, err := uuid.Parse(c.Query("after", uuid.Nil.String()))
	if err != nil {
		return tenants.ErrNotFound
	}
	p := pages.Tenants{Frame: s.Frame(c, "console.tenants"), Now: time.Now(), Query: c.Query("q"), State: c.Query("state"), CanWrite: web.Member(c).Can("op:write")}
	if p.State != "" && !slices.Contains(pages.LifeStates, p.State) {
		return tenants.ErrNotFound
	}
	err = s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, _ access.Member) error {
		list, err := operator.Search(ctx, tx, p.Query, p.State, after, opPageSize+1)
		if len(list) > opPageSize {
			list = list[:opPageSize]
			p.Next = web.OpTenantsPath + "?" + url.Values{"q": {p.Query}, "state": {p.State}, "after": {list[opPageSize-1].ID.String()}}.Encode()
		}
		for _, b := range list {
			p.Items = append(p.Items, opCardView(b))
		}
		return err
	})
	if err != nil {
		return err
	}

	return s.Show(c, fiber.StatusOK, pages.TenantsPage(p))
}

func (s *Pages) NewTenantPage(c *fiber.Ctx) error {
	return s.showNewTenant(c, fiber.StatusOK, components.Filled{})
}

func (s *Pages) showNewTenant(c *fiber.Ctx, status int, form components.Filled) error {
	p := pages.TenantNew{Frame: s.Frame(c, "console.new"), Form: form}
	p.Frame.Path = web.OpTenantsPath + "/new"

	return s.Show(c, status, pages.TenantNewPage(p))
}

// AddTenant sets up a business and mails its owner the link to come in by.
func (s *Pages) AddTenant(c *fiber.Ctx) error {
	var t tenants.Tenant
	err := s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, m access.Member) error {
		var (
			in    access.Invitation
			token string
			err   error
		)
		t, in, token, tx, err = access.SetUp(ctx, tx, m, access.NewBusiness{Slug: web.Field(c, "slug"), Name: web.Field(c, "name"), Lang: web.Field(c, "lang"), Owner: web.Field(c, "email")})
		if err != nil {
			return err
		}
		if err := privacy.Begin(ctx, tx, m.Actor); err != nil {
			return err
		}
		ctx = i18n.With(ctx, in.Lang, t.Location())
		letter := teampages.InviteMail(ctx, in.Business, in.By, in.Role, s.Origin.Load().String()+web.InvitePath+token, in.ExpiresAt)

		return teller.Queue(ctx, tx, s.Keys, in.Email, "invitation "+in.ID.String(), letter)
	})
	if form, ok := web.Refilled(c, err, "slug", "name", "lang", "email"); ok {
		return s.showNewTenant(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.OpTenantsPath+"/"+t.ID.String(), web.Flash{Key: "console.added", Args: []any{"name", t.Name}})
}

func (s *Pages) TenantPage(c *fiber.Ctx) error {
	return s.showTenant(c, fiber.StatusOK, pages.Tenant{})
}

// showTenant shows a business to an operator. p holds forms that came back.
func (s *Pages) showTenant(c *fiber.Ctx, status int, p pages.Tenant) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	p.Frame, p.Now, p.CanWrite, p.CanAsk = s.Frame(c, "console.tenant"), time.Now(), web.Member(c).Can("op:write"), web.Member(c).Can("op:access")
	p.Frame.Path = web.OpTenantsPath + "/" + id.String()
	err = s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, _ access.Member) error {
		card, err := operator.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		p.Business, p.Moves = opCardView(card), access.Moves(card.State)
		notes, err := operator.Notes(ctx, tx, id)
		if err != nil {
			return err
		}
		for _, n := range notes {
			p.Notes = append(p.Notes, pages.Note{Text: n.Text, By: n.By, At: n.At})
		}
		used, err := operator.UsageBy(ctx, tx, id)
		for _, u := range used {
			p.Usage = append(p.Usage, usageView(u))
		}

		return err
	})
	if err != nil {
		return err
	}

	return s.Show(c, status, pages.TenantPage(p))
}

func usageView(u operator.Usage) pages.Used {
	return pages.Used{ID: u.Tenant.String(), Name: u.Name, Slug: u.Slug, Plan: u.Plan, Month: u.Month, Heard: u.Heard, Sent: u.Sent, API: u.API, Contacts: u.Contacts}
}

// onTenant changes something about the business of an address and returns to its page; fill puts a form back that was refused.
func (s *Pages) onTenant(c *fiber.Ctx, fields []string, fill func(*pages.Tenant, components.Filled), do func(context.Context, *tenants.Tx, access.Member, uuid.UUID) error) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	err = s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, m access.Member) error { return do(ctx, tx, m, id) })
	if form, ok := web.Refilled(c, err, fields...); ok {
		p := pages.Tenant{}
		fill(&p, form)
		return s.showTenant(c, web.Classify(err).Status, p)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.OpTenantsPath+"/"+id.String(), web.Flash{Key: "toast.saved"})
}

func (s *Pages) SetTenantState(c *fiber.Ctx) error {
	fill := func(p *pages.Tenant, form components.Filled) { p.StateForm = form }

	return s.onTenant(c, []string{"state", "reason"}, fill, func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) error {
		return access.PutState(ctx, tx, m, id, web.Field(c, "was"), web.Field(c, "state"), web.Field(c, "reason"))
	})
}

func (s *Pages) SetLimits(c *fiber.Ctx) error {
	fill := func(p *pages.Tenant, form components.Filled) { p.LimitForm = form }

	return s.onTenant(c, []string{"plan", "api_per_minute", "most_people"}, fill, func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) error {
		l := operator.Limits{Plan: web.Field(c, "plan")}
		var err error
		if l.APIPerMinute, err = strconv.Atoi(web.Field(c, "api_per_minute")); err != nil {
			return &tenants.Invalid{Field: "api_per_minute", Key: "choice"}
		}
		if l.MostPeople, err = strconv.Atoi(web.Field(c, "most_people")); err != nil {
			return &tenants.Invalid{Field: "most_people", Key: "choice"}
		}

		return operator.SetLimits(ctx, tx, m, id, l)
	})
}

func (s *Pages) AddNoteOn(c *fiber.Ctx) error {
	fill := func(p *pages.Tenant, form components.Filled) { p.NoteForm = form }

	return s.onTenant(c, []string{"text"}, fill, func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) error {
		return operator.AddNote(ctx, tx, m, id, web.Field(c, "text"))
	})
}
