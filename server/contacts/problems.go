package contacts

import (
	"context"
	"encoding/csv"
	"strconv"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/views/i18n"
)

// ImportProblems gives out the rows that were left out, with the reason of each, to be corrected and uploaded again.
func (s *Pages) ImportProblems(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	var (
		i    imports.Import
		head []string
	)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if i, err = imports.Get(ctx, tx, id); err != nil {
			return err
		}
		sample, err := imports.Sample(ctx, tx, id)
		if err == nil && len(sample) > 0 && i.Mapping.Headed {
			head = sample[0]
		}
		return err
	})
	if err != nil {
		return err
	}

	e := listEyes(m, i)
	head = append(append(make([]string, 0, i.Widest+2), head...), make([]string, i.Widest-len(head))...)
	head = append(head, i18n.T(ctx, "imports.row"), i18n.T(ctx, "imports.problem"))
	web.CSVAnswer(c, "pehchan-rows.csv")
	s.StreamCSV(c, func(ctx context.Context, out *csv.Writer, alive func() error) error {
		if err := web.WriteLine(out, e, head); err != nil {
			return err
		}
		for after, more := 0, true; more; {
			if err := alive(); err != nil {
				return err
			}
			var list []imports.Problem
			err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
				list, err = imports.Problems(ctx, tx, id, after, 500)
				return err
			})
			if err != nil {
				return err
			}
			for _, p := range list {
				why := i18n.T(ctx, "imports.why_"+p.Why)
				if p.OtherRow != nil {
					why = i18n.T(ctx, "imports.why_twice_of", "row", *p.OtherRow)
				}
				cells := append(append(make([]string, 0, i.Widest+2), p.Cells...), make([]string, i.Widest-len(p.Cells))...)
				if err := web.WriteLine(out, e, append(cells, strconv.Itoa(p.Row), why)); err != nil {
					return err
				}
				after = p.Row
			}
			more = len(list) == 500
			if out.Flush(); out.Error() != nil {
				return out.Error() //nolint:wrapcheck // the reader has left
			}
		}

		return nil
	})

	return nil
}
