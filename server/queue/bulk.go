package queue

import (
	"context"
	"errors"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/queue"
)

const (
	bulkPageSize = 25
	// bulkFor is how long one request goes on deciding. The rest is done by a job, and the page shows how far it has come.
	bulkFor = 2 * time.Second
)

// ChooseCases keeps which cases somebody means, and leads to what would become of each.
func (s *Pages) ChooseCases(c *fiber.Ctx) error {
	f, err := queueFilter(c, web.Field(c, "tab"), web.Field(c, "number"))
	if err != nil {
		return err
	}
	f.Cursor = ""
	ctx, m := c.UserContext(), web.Member(c)
	in := identity.BulkInput{Decision: web.Field(c, "decision"), Evidence: signCode(web.Field(c, "sign"))}
	if f.Evidence = in.Evidence; in.Decision == identity.DecideNew {
		in.Evidence, f.Evidence = "", ""
	}
	if web.Field(c, "all") != "" {
		in.All = &f
	}
	for _, value := range c.Request().PostArgs().PeekMulti("case") {
		id, err := uuid.ParseBytes(value)
		if err != nil {
			return tenants.ErrNotFound
		}
		in.Cases = append(in.Cases, id)
	}

	var id uuid.UUID
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		id, err = identity.StartBulk(ctx, tx, m.Actor, in)
		return err
	})
	var invalid *tenants.Invalid
	if errors.As(err, &invalid) && invalid.Key == "nothing_chosen" {
		return s.Done(c, "/resolve?"+queueQuery(f), web.Flash{Key: "toast.nothing_chosen"})
	}
	if err != nil {
		return err
	}

	return c.Redirect(web.BulkPath+"/"+id.String()+"?"+queueQuery(f), fiber.StatusSeeOther)
}

func (s *Pages) BulkPage(c *fiber.Ctx) error {
	return s.showBulk(c, fiber.StatusOK, "")
}

// showBulk shows what would become, or became, of many cases. failed is why it could not go on, an i18n key suffix.
func (s *Pages) showBulk(c *fiber.Ctx, status int, failed string) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	f, err := queueFilter(c, c.Query("tab"), c.Query("number"))
	if err != nil {
		return err
	}
	f.Evidence = signCode(c.Query("sign"))
	after, err := strconv.Atoi(c.Query("after", "0"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Bulk{Frame: s.Frame(c, "bulk.title"), Now: time.Now(), ID: id.String(), Form: components.Filled{Failed: failed}, Query: queueQuery(f)}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		b, err := identity.GetBulk(ctx, tx, id)
		if err != nil {
			return err
		}

		return fillBulk(ctx, tx, m, b, after, &p)
	})
	if err != nil {
		return err
	}

	return s.Show(c, status, pages.BulkPage(p))
}

func fillBulk(ctx context.Context, tx *tenants.Tx, m access.Member, b identity.Bulk, after int, p *pages.Bulk) error {
	e, err := web.EyesOf(ctx, tx, m)
	if err != nil {
		return err
	}
	mine := b.ActorKind == m.Actor.Kind && b.ActorID == m.Actor.ID
	p.Decision, p.State, p.By, p.At, p.CutShort = b.Decision, b.State, b.ActorName, b.CreatedAt, b.CutShort
	p.Total, p.Chosen, p.Done, p.Skipped, p.Undone, p.Kept = b.Total, b.Chosen, b.Done, b.Skipped, b.Undone, b.Kept
	p.Stuck = b.Stuck
	p.CanRun = mine && m.Can("queue:decide") && b.Chosen > 0
	p.CanUndo = m.Can("queue:decide") && (mine || m.Can("merges:undo_any")) && b.Done > 0
	if b.Evidence != "" {
		p.Sign = pages.SignName(ctx, b.Evidence)
	}
	for _, state := range []string{identity.BulkSkipped, identity.BulkKept} {
		counts, err := identity.BulkWhy(ctx, tx, b.ID, state)
		if err != nil {
			return err
		}
		for why, count := range counts {
			p.Why = append(p.Why, pages.BulkWhy{State: state, Code: why, Count: count})
		}
	}
	pages.SortWhy(p.Why)

	items, next, err := identity.BulkItems(ctx, tx, b.ID, "", after, bulkPageSize)
	if err != nil {
		return err
	}
	if next > 0 {
		p.Next = p.Path() + "&after=" + strconv.Itoa(next)
	}
	var known []uuid.UUID
	for _, i := range items {
		if i.Contact != nil {
			known = append(known, *i.Contact)
		}
	}
	people, err := identity.Several(ctx, tx, known)
	if err != nil {
		return err
	}
	for _, i := range items {
		view := pages.BulkItem{State: i.State, Why: i.Why}
		if i.Case != nil {
			view.Who, view.Href = whoOf(e, *i.Case), "/resolve/"+i.CaseID.String()
		}
		if i.LinkID != nil && m.Can("merges:read") {
			view.Href = "/merges/" + i.LinkID.String()
		}
		if i.Contact != nil {
			view.Candidate = e.Label(ctx, people[*i.Contact])
		}
		p.Items = append(p.Items, view)
	}

	return nil
}

// RunBulk decides, as many as there is time for.
func (s *Pages) RunBulk(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	more, err := s.stepBulk(c, func(tx *tenants.Tx, id uuid.UUID) (bool, error) {
		return identity.RunBulk(ctx, tx, m.Actor, id)
	})

	return s.bulkStepped(c, more, err, "toast.bulk_done")
}

// UndoBulk takes back, as many as there is time for.
func (s *Pages) UndoBulk(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	more, err := s.stepBulk(c, func(tx *tenants.Tx, id uuid.UUID) (bool, error) {
		return identity.UndoBulk(ctx, tx, m.Actor, id, m.Can("merges:undo_any"))
	})

	return s.bulkStepped(c, more, err, "toast.undone")
}

func (s *Pages) stepBulk(c *fiber.Ctx, step func(*tenants.Tx, uuid.UUID) (bool, error)) (more bool, err error) {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return false, tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	for until := time.Now().Add(bulkFor); ; {
		err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
			more, err = step(tx, id)
			return err
		})
		if err != nil || !more || time.Now().After(until) {
			return more, err
		}
	}
}

func (s *Pages) bulkStepped(c *fiber.Ctx, more bool, err error, said string) error {
	var invalid *tenants.Invalid
	switch {
	case tenants.ConflictCode(err) != "":
		return s.showBulk(c, fiber.StatusConflict, tenants.ConflictCode(err))
	case errors.As(err, &invalid):
		return s.showBulk(c, fiber.StatusUnprocessableEntity, invalid.Key)
	case err != nil:
		return err
	}
	f, err := queueFilter(c, web.Field(c, "tab"), web.Field(c, "number"))
	if err != nil {
		return err
	}
	f.Evidence = signCode(web.Field(c, "sign"))
	to := web.BulkPath + "/" + c.Params("id") + "?" + queueQuery(f)
	if more {
		return c.Redirect(to, fiber.StatusSeeOther)
	}

	return s.Done(c, to, web.Flash{Key: said})
}
