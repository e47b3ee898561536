package privacy

import (
	"context"
	"errors"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/trust"
	pages "github.com/pehchan/pehchan/views/privacy"
)

// errGoing asks for the confirmation of a choice by which something may be let go.
var errGoing = errors.New("what would go is not confirmed")

// SaveKeeping says how long what is kept. A choice by which something is kept shorter than now shows first what would go.
func (s *Pages) SaveKeeping(c *fiber.Ctx) error {
	ctx, m, days := c.UserContext(), web.Member(c), map[string]int{}
	var names []string
	for _, class := range privacy.Classes {
		names = append(names, class.Name)
		n, err := strconv.Atoi(web.Field(c, class.Name))
		if err != nil {
			n = -1 // refused as too short
		}
		days[class.Name] = n
	}
	typed, p := web.Field(c, "confirm"), pages.KeepingPreview{Word: confirmDigits(m.Tenant.ID)}
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		was, err := privacy.Kept(ctx, tx)
		if err != nil {
			return err
		}
		if err := privacy.Keep(ctx, tx, m.Actor, days); err != nil {
			return err
		}
		going, err := privacy.WouldGo(ctx, tx, was, days)
		if err != nil || len(going) == 0 || typed == p.Word {
			return err
		}
		for _, g := range going {
			p.Going = append(p.Going, pages.Going{Class: g.Class, Days: g.Days, N: g.N, Most: g.N >= privacy.MostCounted, Oldest: web.OrZero(g.Oldest)})
		}
		hold, err := privacy.HoldOf(ctx, tx)
		if p.Held = hold != nil; err != nil {
			return err
		}

		return errGoing
	})
	if errors.Is(err, errGoing) {
		return s.showGoing(c, days, typed, p)
	}
	if form, ok := web.Refilled(c, err, names...); ok {
		return s.showPrivacy(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.PrivacyPath+"#keeping", web.Flash{Key: "toast.saved"})
}

// showGoing shows what would go, and asks for digits to be typed.
func (s *Pages) showGoing(c *fiber.Ctx, days map[string]int, typed string, p pages.KeepingPreview) error {
	p.Frame = s.Frame(c, "keeping.sure")
	p.Frame.Path = web.PrivacyPath
	for _, class := range privacy.Classes {
		p.Keeping = append(p.Keeping, pages.Keeping{Class: class.Name, Days: days[class.Name]})
	}
	status := fiber.StatusOK
	if typed != "" {
		p.Form.Wrong, status = map[string]string{"confirm": "confirm"}, fiber.StatusUnprocessableEntity
	}

	return s.Show(c, status, pages.KeepingPreviewPage(p))
}

// SetHold has nothing let go for its age from now on, or ends that.
func (s *Pages) SetHold(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if web.Field(c, "end") == "yes" {
			return privacy.EndHold(ctx, tx, m.Actor)
		}

		return privacy.SetHold(ctx, tx, m.Actor, web.Field(c, "reason"))
	})
	if form, ok := web.Refilled(c, err, "reason"); ok {
		return s.showPrivacy(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.PrivacyPath+"#keeping", web.Flash{Key: "toast.saved"})
}

// fillPage puts on the list of requests what waits on the public page, and how long what is kept.
func (s *Pages) fillPage(ctx context.Context, tx *tenants.Tx, m access.Member, e web.Eyes, suggest bool, p *pages.Privacy) error {
	list, err := trust.Requests(ctx, tx, 0)
	if err != nil {
		return err
	}
	for _, r := range list {
		if kind, ours := asksOfPage[r.Kind]; ours && r.DoneAt == nil {
			p.Asked = append(p.Asked, pages.Request{ID: r.ID.String(), Kind: kind, Subject: e.Words(r.Reach), Note: e.Words(r.Body), OpenedAt: r.MadeAt})
		}
	}
	kept, err := privacy.Kept(ctx, tx)
	if err != nil {
		return err
	}
	hold, err := privacy.HoldOf(ctx, tx)
	if err != nil {
		return err
	}
	if hold != nil {
		p.Hold = &pages.Hold{Reason: hold.Reason, By: hold.By, At: hold.At}
	}
	p.MayKeep, p.Suggest = m.Can("settings:edit"), suggest
	for _, class := range privacy.Classes {
		keeping := pages.Keeping{Class: class.Name, Days: kept[class.Name], Usual: class.Usual}
		for _, days := range []int{30, 90, 180, 365, 730, 1095} {
			if days >= class.Least {
				keeping.Choices = append(keeping.Choices, days)
			}
		}
		p.Keeping = append(p.Keeping, keeping)
	}

	return nil
}

// TakeOver makes a request of what somebody asked on the public page. Its clock runs since then.
func (s *Pages) TakeOver(c *fiber.Ctx) error {
	given, err := uuid.Parse(web.Field(c, "asked"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	var id uuid.UUID
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		r, err := trust.Asked(ctx, tx, given)
		if err != nil {
			return err
		}
		kind, ours := asksOfPage[r.Kind]
		if !ours || r.DoneAt != nil {
			return tenants.ErrNotFound
		}
		if id, err = privacy.Add(ctx, tx, s.Keys, m.Actor, privacy.New{
			Kind: kind, Subject: r.Reach, Note: r.Name + "\n" + r.Body, Origin: "page", From: &r.ID, Since: r.MadeAt,
		}); err != nil {
			return err
		}

		if err := trust.Answered(ctx, tx, m.Actor, r.ID); err != nil {
			return err
		}

		return privacy.CountClocks(ctx, tx)
	})
	if err != nil {
		return err
	}

	return s.Done(c, web.RequestsPath+"/"+id.String(), web.Flash{Key: "toast.saved"})
}

// asksOfPage are the kinds of what people ask on the public page that belong here.
var asksOfPage = map[string]string{"access": privacy.Access, "correct": privacy.Correct, "erase": privacy.Erase, "stop": privacy.Object, "grievance": privacy.Grievance}
