package privacy

import (
	"encoding/csv"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/migrations"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/privacy"
)

// RecordPage is the record of processing: what is kept of people, what for, from where, who gets it and for how long. It is made from
// what the schema says of itself.
func (s *Pages) RecordPage(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Record{Frame: s.Frame(c, "record.title"), Business: m.Tenant.Name, Now: time.Now()}
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		p.Kept, err = privacy.Kept(ctx, tx)
		return err
	})
	if err != nil {
		return err
	}
	for _, holds := range migrations.Holds {
		group := pages.RecordGroup{Holds: holds}
		for _, column := range migrations.Record() {
			if column.Holds == holds {
				group.Columns = append(group.Columns, column.Table+"."+column.Name)
			}
		}
		p.Groups = append(p.Groups, group)
	}

	return s.Show(c, fiber.StatusOK, pages.RecordPage(p))
}

// RecordFile is the record as a file.
func (s *Pages) RecordFile(c *fiber.Ctx) error {
	ctx := c.UserContext()
	web.CSVAnswer(c, "pehchan-record-"+time.Now().In(i18n.Zone(ctx)).Format("2006-01-02")+".csv")
	out := csv.NewWriter(c.Response().BodyWriter())
	lines := [][]string{{"table", "column", "holds", "what", "purpose", "source", "recipients"}}
	for _, column := range migrations.Record() {
		if column.Holds != "none" {
			lines = append(lines, []string{
				column.Table, column.Name, column.Holds, i18n.T(ctx, "record.what_"+column.Holds), i18n.T(ctx, "record.for_"+column.Holds),
				i18n.T(ctx, "record.from_"+column.Holds), i18n.T(ctx, "record.to_"+column.Holds),
			})
		}
	}

	return out.WriteAll(lines) //nolint:wrapcheck // to memory
}
