package operator

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/privacy"
	pages "github.com/pehchan/pehchan/views/operator"
)

// ClocksPage shows how many privacy requests wait in each business, and how long: counts, and nothing of who asks.
func (s *Pages) ClocksPage(c *fiber.Ctx) error {
	p := pages.Clocks{Frame: s.Frame(c, "clocks.title")}
	err := s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, _ access.Member) error {
		list, err := privacy.AllClocks(ctx, tx)
		for _, b := range list {
			p.Items = append(p.Items, pages.Clock{
				ID: b.Tenant.String(), Slug: b.Slug, Name: b.Name, Asked: int(b.Asked), Open: int(b.Open()), Overdue: int(b.Overdue),
				Age: time.Duration(b.Age * float64(time.Second)), Answered: b.Answered, InTime: b.InTime,
				Kinds: []pages.Waiting{
					{Kind: privacy.Grievance, N: b.Grievance},
					{Kind: privacy.Erase, N: b.Erase},
					{Kind: privacy.Access, N: b.Access},
					{Kind: privacy.Correct, N: b.Correct},
					{Kind: privacy.Object, N: b.Object},
				},
			})
			p.Open += int(b.Open())
			p.Overdue += int(b.Overdue)
		}

		return err
	})
	if err != nil {
		return err
	}
	p.Full = len(p.Items) == privacy.MostClocks

	return s.Show(c, fiber.StatusOK, pages.ClocksPage(p))
}
