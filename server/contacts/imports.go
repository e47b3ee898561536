package contacts

import (
	"context"
	"encoding/csv"
	"fmt"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/contacts"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

const (
	importPageSize = 20
	problemsShown  = 10
	storePatience  = 90 * time.Second // for the rows of a whole list
)

// countries are offered for phones without a country code: those the product is made for first.
var countries = []string{"IN", "BD", "NP", "LK", "PK", "AE", "SA", "SG", "MY", "ID", "BR", "MX", "GB", "US"}

func (s *Pages) ImportsPage(c *fiber.Ctx) error {
	return s.showImports(c, fiber.StatusOK, components.Filled{})
}

func (s *Pages) showImports(c *fiber.Ctx, status int, form components.Filled) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Imports{Frame: s.Frame(c, "imports.title"), Now: time.Now(), Form: form, MaxMB: web.UploadMB}
	p.Frame.Path = web.UploadPath
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		list, next, err := imports.List(ctx, tx, identity.Page{Limit: importPageSize, Cursor: c.Query("cursor")})
		if next != "" {
			p.Next = web.UploadPath + "?cursor=" + next
		}
		for _, i := range list {
			p.Items = append(p.Items, importItem(i))
		}

		return err
	})
	if err != nil {
		return err
	}

	return s.Show(c, status, pages.ImportsPage(p))
}

func importItem(i imports.Import) pages.ImportItem {
	return pages.ImportItem{ID: i.ID.String(), File: i.FileName, State: i.State, By: i.ActorName, At: i.CreatedAt, Rows: i.People(), New: i.New}
}

// UploadList stores a list and leads to the naming of its columns.
func (s *Pages) UploadList(c *fiber.Ctx) error {
	if c.Request().Header.ContentLength() > web.BodyLimit {
		defer s.Uploads.Leave()
	}
	m := web.Member(c)
	ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), storePatience)
	defer cancel()

	var stored imports.Import
	err := error(&tenants.Invalid{Field: "file", Key: "file_needed"})
	if web.IsMultipart(c.Get(fiber.HeaderContentType)) {
		file, readErr := web.ReadUpload(c)
		if readErr != nil {
			return readErr
		}
		if file != nil {
			err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
				stored, err = imports.Start(ctx, tx, m.Actor, file.FileName(), file)
				return err
			})
		}
	}
	if form, ok := web.Refilled(c, err); ok {
		return s.showImports(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return c.Redirect(web.UploadPath+"/"+stored.ID.String(), fiber.StatusSeeOther)
}

// SampleList is a list as it can be, in the reader's language.
func (s *Pages) SampleList(c *fiber.Ctx) error {
	ctx := c.UserContext()
	head := []string{i18n.T(ctx, "imports.sample_name"), i18n.T(ctx, "imports.sample_phone"), i18n.T(ctx, "imports.sample_id"), i18n.T(ctx, "imports.sample_number")}
	web.CSVAnswer(c, "pehchan-sample.csv")
	out := csv.NewWriter(c.Response().BodyWriter())
	rows := [][]string{head}
	for _, row := range strings.Split(i18n.T(ctx, "imports.sample_rows"), "\n") {
		rows = append(rows, strings.Split(row, "|"))
	}
	if _, err := c.WriteString("\uFEFF"); err != nil {
		return fmt.Errorf("write sample: %w", err)
	}
	if err := out.WriteAll(rows); err != nil {
		return fmt.Errorf("write sample: %w", err)
	}

	return nil
}

func (s *Pages) ImportPage(c *fiber.Ctx) error {
	return s.showImport(c, fiber.StatusOK, nil, components.Filled{})
}

// showImport shows a list. mapping is one that came back with form, nil where none did.
func (s *Pages) showImport(c *fiber.Ctx, status int, mapping *imports.Mapping, form components.Filled) error {
	p := pages.Import{Form: form, Mapping: c.Query("columns") != "" || mapping != nil, Undoing: c.Query("undo") != ""}
	if err := s.fillImport(c, &p, mapping); err != nil {
		return err
	}
	p.Frame = s.Frame(c, "imports.title")
	p.Frame.Title, p.Frame.Path = p.Item.File, web.UploadPath+"/"+p.Item.ID

	return s.Show(c, status, pages.ImportPage(p))
}

// ImportLive is the part of a list's page that follows the work.
func (s *Pages) ImportLive(c *fiber.Ctx) error {
	p := pages.Import{Frame: layout.Frame{CSRF: s.FormToken(web.Member(c).FormScope())}}
	if err := s.fillImport(c, &p, nil); err != nil {
		return err
	}

	return s.Show(c, fiber.StatusOK, pages.ImportLive(p))
}

func (s *Pages) fillImport(c *fiber.Ctx, p *pages.Import, mapping *imports.Mapping) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)

	return s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		i, err := imports.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		p.Now, p.Item, p.Done = time.Now(), importItem(i), max(0, i.AtRow-(i.Rows-i.People()))
		p.Changed, p.Same, p.Conflict, p.Skipped, p.Undone, p.Kept = i.Changed, i.Same, i.Conflict, i.Skipped, i.Reverted, i.Kept
		p.Mapping = i.State == imports.Unmapped || p.Mapping && i.State == imports.Checked
		if p.Mapping {
			if mapping == nil {
				mapping = &i.Mapping
			}
			return fillColumns(ctx, tx, listEyes(m, i), i, *mapping, p)
		}
		if i.Working() {
			return nil
		}

		return fillProblems(ctx, tx, listEyes(m, i), i, p)
	})
}

// listEyes: who uploaded a list may see what stands in it.
func listEyes(m access.Member, i imports.Import) web.Eyes {
	return web.Eyes{Clear: m.Can("phones:clear") || i.ActorID == m.Actor.ID}
}

func fillColumns(ctx context.Context, tx *tenants.Tx, e web.Eyes, i imports.Import, mapping imports.Mapping, p *pages.Import) error {
	sample, err := imports.Sample(ctx, tx, i.ID)
	if err != nil {
		return err
	}
	scopes, err := imports.Scopes(ctx, tx)
	if err != nil {
		return err
	}
	p.Headed, p.Replace, p.Country, p.Scope, p.Countries = mapping.Headed, mapping.Replace, mapping.Country, i.Scope, countries
	for _, scope := range scopes {
		p.Scopes = append(p.Scopes, components.Option{Value: scope.ID, Label: scope.Name})
	}
	if !slices.Contains(countries, mapping.Country) {
		p.Countries = append([]string{mapping.Country}, countries...)
	}
	for n := range i.Widest {
		column := pages.ImportColumn{Letter: imports.ColumnLetter(n), Use: mapping.Columns[n]}
		for r, cells := range sample {
			switch {
			case n >= len(cells):
			case r == 0 && mapping.Headed:
				column.Title = e.Words(cells[n])
			case cells[n] != "" && len(column.Samples) < 5:
				column.Samples = append(column.Samples, e.Words(cells[n]))
			}
		}
		p.Columns = append(p.Columns, column)
	}

	return nil
}

func fillProblems(ctx context.Context, tx *tenants.Tx, e web.Eyes, i imports.Import, p *pages.Import) error {
	counts, err := imports.CountProblems(ctx, tx, i.ID)
	if err != nil {
		return err
	}
	for _, n := range counts {
		p.Reasons = append(p.Reasons, pages.ImportReason{Why: n.Why, Rows: n.Rows})
	}
	list, err := imports.Problems(ctx, tx, i.ID, 0, problemsShown)
	if err != nil {
		return err
	}
	for _, problem := range list {
		view := pages.ImportProblem{Row: problem.Row, Why: problem.Why, Text: e.Words(strings.Join(nonEmpty(problem.Cells), " · "))}
		if problem.OtherRow != nil {
			view.Other = *problem.OtherRow
		}
		if problem.Contact != nil {
			view.Href = "/contacts/" + problem.Contact.String()
		}
		p.Problems = append(p.Problems, view)
	}

	return nil
}

func nonEmpty(cells []string) []string {
	var out []string
	for _, c := range cells {
		if c != "" {
			out = append(out, c)
		}
	}

	return out
}

// NameColumns says what the columns hold, and has the list tried.
func (s *Pages) NameColumns(c *fiber.Ctx) error {
	var mapping imports.Mapping
	err := s.importStep(c, func(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, id uuid.UUID) error {
		i, err := imports.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		mapping = imports.Mapping{
			Headed: web.Field(c, "headed") != "", Country: web.Field(c, "country"), Replace: web.Field(c, "replace") != "", Columns: make([]string, i.Widest), Names: make([]string, i.Widest),
		}
		sample, err := imports.Sample(ctx, tx, id)
		if err != nil {
			return err
		}
		for n := range mapping.Columns {
			mapping.Columns[n] = web.Field(c, "column-"+strconv.Itoa(n))
			if mapping.Headed && len(sample) > 0 && n < len(sample[0]) {
				mapping.Names[n] = sample[0][n]
			}
		}

		return imports.Map(ctx, tx, actor, id, mapping, web.Field(c, "scope"))
	})
	if form, ok := web.Refilled(c, err); ok && form.Failed == "" {
		return s.showImport(c, web.Classify(err).Status, &mapping, form)
	}

	return s.stepped(c, err)
}

func (s *Pages) RunImport(c *fiber.Ctx) error { return s.stepped(c, s.importStep(c, imports.Run)) }

func (s *Pages) StopImport(c *fiber.Ctx) error { return s.stepped(c, s.importStep(c, imports.Stop)) }

func (s *Pages) UndoImport(c *fiber.Ctx) error { return s.stepped(c, s.importStep(c, imports.Undo)) }

func (s *Pages) DiscardImport(c *fiber.Ctx) error {
	if err := s.importStep(c, imports.Discard); err != nil {
		return s.stepped(c, err)
	}

	return c.Redirect(web.UploadPath, fiber.StatusSeeOther)
}

func (s *Pages) importStep(c *fiber.Ctx, step func(context.Context, *tenants.Tx, tenants.Actor, uuid.UUID) error) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)

	return s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return step(ctx, tx, m.Actor, id) })
}

// stepped leads back to the list, also where it had moved on before: its page shows where it is.
func (s *Pages) stepped(c *fiber.Ctx, err error) error {
	if err != nil && tenants.ConflictCode(err) != "import_moved" {
		return err
	}

	return c.Redirect(web.UploadPath+"/"+c.Params("id"), fiber.StatusSeeOther)
}
