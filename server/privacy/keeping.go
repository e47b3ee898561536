package privacy

import (
	"context"
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

// SaveKeeping says how long what is kept.
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
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return privacy.Keep(ctx, tx, m.Actor, days) })
	if form, ok := web.Refilled(c, err, names...); ok {
		return s.showPrivacy(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.PrivacyPath+"#keeping", web.Flash{Key: "toast.saved"})
}

// fillPage puts on the list of requests what waits on the public page, and how long what is kept.
func (s *Pages) fillPage(ctx context.Context, tx *tenants.Tx, m access.Member, e web.Eyes, p *pages.Privacy) error {
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

		return trust.Answered(ctx, tx, m.Actor, r.ID)
	})
	if err != nil {
		return err
	}

	return s.Done(c, web.RequestsPath+"/"+id.String(), web.Flash{Key: "toast.saved"})
}

// asksOfPage are the kinds of what people ask on the public page that belong here.
var asksOfPage = map[string]string{"access": privacy.Access, "correct": privacy.Correct, "erase": privacy.Erase, "stop": privacy.Object, "grievance": privacy.Grievance}
