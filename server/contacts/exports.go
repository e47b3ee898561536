package contacts

import (
	"context"
	"encoding/csv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/contacts"
	"github.com/pehchan/pehchan/views/i18n"
)

func (s *Pages) ExportPage(c *fiber.Ctx) error {
	return s.showExport(c, fiber.StatusOK, c.Query("q"), c.Query("reach"), components.Filled{})
}

func (s *Pages) showExport(c *fiber.Ctx, status int, query, reach string, form components.Filled) error {
	p := pages.Export{Frame: s.Frame(c, "imports.export_title"), Query: query, Reach: knownReach(reach), Clear: web.Member(c).Can("phones:clear"), Form: form}
	p.Frame.Path = "/contacts/export"

	return s.Show(c, status, pages.ExportPage(p))
}

func knownReach(reach string) string {
	switch reach {
	case identity.ReachBoth, identity.ReachID, identity.ReachPhone, identity.ReachNeither:
		return reach
	}

	return ""
}

// ExportContacts gives out contacts as a file, after writing down who asked and what for.
func (s *Pages) ExportContacts(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	query, reach, purpose := web.Field(c, "q"), knownReach(web.Field(c, "reach")), web.Field(c, "purpose")
	e := web.Eyes{Clear: m.Can("phones:clear")}
	err := error(&tenants.Invalid{Field: "purpose", Key: "purpose"})
	if n := len([]rune(purpose)); n >= 3 && n <= 200 && !strings.ContainsRune(purpose, 0) {
		if err = access.RationExport(ctx, s.DB, m.Tenant.ID); err != nil {
			return err
		}
		err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
			return tenants.Audit(ctx, tx, tenants.Act{
				Actor: m.Actor, Action: "contacts.export", ObjectKind: "contacts",
				Detail: map[string]any{"purpose": web.Eyes{}.Words(purpose), "clear": e.Clear, "reach": reach, "search": query != ""},
			})
		})
	}
	if form, ok := web.Refilled(c, err, "purpose"); ok {
		return s.showExport(c, web.Classify(err).Status, query, reach, form)
	}
	if err != nil {
		return err
	}

	export := imports.Export{
		Query: query, Reach: reach, Clear: e.Clear, Zone: i18n.Zone(ctx), Mask: e.Words,
		Heads: []string{
			i18n.T(ctx, "imports.use_name"), i18n.T(ctx, "imports.use_phone"), i18n.T(ctx, "imports.use_bsuid"),
			i18n.T(ctx, "imports.head_username"), i18n.T(ctx, "imports.head_last"),
		},
	}
	by := m.Actor
	export.Saw = func(ctx context.Context, tx *tenants.Tx, contacts []identity.Contact) error {
		ids := make([]uuid.UUID, len(contacts))
		for i, contact := range contacts {
			ids[i] = contact.ID
		}

		return privacy.Saw(ctx, tx, by, privacy.SawExport, ids...)
	}
	web.CSVAnswer(c, "pehchan-contacts-"+time.Now().In(i18n.Zone(ctx)).Format("2006-01-02")+".csv")
	s.StreamCSV(c, func(ctx context.Context, out *csv.Writer, alive func() error) error {
		export.Alive = alive
		_, err := export.Write(ctx, s.DB, m.Tenant.ID, out)
		return err
	})

	return nil
}
