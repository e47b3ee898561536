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
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/queue"
)

// MergePreview shows what putting two contacts together would do.
func (s *Pages) MergePreview(c *fiber.Ctx) error {
	keep, err := uuid.Parse(c.Query("keep"))
	if err != nil {
		return tenants.ErrNotFound
	}
	lose, err := uuid.Parse(c.Query("lose"))
	if err != nil {
		return tenants.ErrNotFound
	}

	return s.showMerge(c, fiber.StatusOK, keep, lose, pages.Merge{})
}

func (s *Pages) showMerge(c *fiber.Ctx, status int, keep, lose uuid.UUID, p pages.Merge) error {
	ctx, m := c.UserContext(), web.Member(c)
	p.Frame, p.Now = s.Frame(c, "merge.title"), time.Now()
	p.Frame.Path = "/merges/preview?keep=" + keep.String() + "&lose=" + lose.String()
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		preview, err := identity.PreviewMerge(ctx, tx, keep, lose)
		if err != nil {
			return err
		}
		fillMerge(ctx, web.Eyes{Clear: m.Can("phones:clear")}, preview, &p)

		return privacy.Saw(ctx, tx, m.Actor, privacy.SawPage, preview.Keep.ID, preview.Lose.ID)
	})
	if err != nil {
		return err
	}
	p.NotYou = len(p.Warnings) > 0 && !m.Can("merges:risky")

	return s.Show(c, status, pages.MergePage(p))
}

func fillMerge(ctx context.Context, e web.Eyes, preview identity.Preview, p *pages.Merge) {
	p.Keep, p.Lose = e.Someone(preview.Keep), e.Someone(preview.Lose)
	p.KeepVersion, p.LoseVersion = preview.Versions.Keep, preview.Versions.Lose
	p.After = e.Someone(identity.Contact{DisplayName: preview.NameAfter, Identities: preview.Replies})
	for _, b := range preview.Blocked {
		p.Blocked = append(p.Blocked, i18n.T(ctx, "conflict."+b.Code))
	}
	if preview.Allowed() {
		p.Warnings = e.Reasons(ctx, preview.Warnings)
	}
	p.Identities, p.Messages, p.OpenCases = preview.Moves.Identities, preview.Moves.Messages, preview.Moves.OpenCases
	p.ManyMore = p.Messages >= identity.MaxCounted
}

// Merge puts two contacts together as they were previewed, or shows the preview again with why not.
func (s *Pages) Merge(c *fiber.Ctx) error {
	keep, err := uuid.Parse(web.Field(c, "keep"))
	if err != nil {
		return tenants.ErrNotFound
	}
	lose, err := uuid.Parse(web.Field(c, "lose"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	in := identity.MergeInput{Keep: keep, Lose: lose, Reason: web.Field(c, "reason"), MayRisk: m.Can("merges:risky")}
	if v := web.Field(c, "keep_version"); v != "" {
		k, err1 := strconv.Atoi(v)
		l, err2 := strconv.Atoi(web.Field(c, "lose_version"))
		if err := errors.Join(err1, err2); err != nil {
			k, l = -1, -1 // of no contact: refused as out of date
		}
		in.Versions = &identity.Versions{Keep: k, Lose: l}
	}

	var link uuid.UUID
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		link, err = identity.Merge(ctx, tx, m.Actor, in)
		return err
	})
	var invalid *tenants.Invalid
	switch {
	case errors.As(err, &invalid):
		form := components.Filled{Values: map[string]string{"reason": in.Reason}, Wrong: map[string]string{invalid.Field: invalid.Key}}
		return s.showMerge(c, fiber.StatusUnprocessableEntity, keep, lose, pages.Merge{Form: form})
	case tenants.ConflictCode(err) == "changed":
		return s.showMerge(c, fiber.StatusConflict, keep, lose, pages.Merge{Changed: true, Form: components.Filled{Values: map[string]string{"reason": in.Reason}}})
	case tenants.ConflictCode(err) != "":
		return s.showMerge(c, fiber.StatusConflict, keep, lose, pages.Merge{})
	case errors.Is(err, tenants.ErrForbidden):
		return s.showMerge(c, fiber.StatusForbidden, keep, lose, pages.Merge{})
	case err != nil:
		return err
	}

	return s.Done(c, "/merges/"+link.String(), web.Flash{
		Key: "toast.merged", Undo: "/merges/" + link.String() + "/undo", Fields: map[string]string{"next": "/contacts/" + keep.String()},
	})
}

// ReceiptPage shows a link: what it joined, who did it and why, and what taking it back would do.
func (s *Pages) ReceiptPage(c *fiber.Ctx) error {
	return s.showReceipt(c, fiber.StatusOK)
}

func (s *Pages) showReceipt(c *fiber.Ctx, status int) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	f, err := queueFilter(c, c.Query("tab"), c.Query("number"))
	if err != nil {
		return err
	}
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Receipt{Frame: s.Frame(c, "merge.receipt"), Now: time.Now(), ID: id.String()}
	if f.Tab != "" && m.Can("queue:decide") {
		p.Next = "/resolve/next?" + queueQuery(f)
	}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		preview, err := identity.PreviewUndo(ctx, tx, id)
		if err != nil {
			return err
		}

		return fillReceipt(ctx, tx, web.Eyes{Clear: m.Can("phones:clear"), Items: s.Items(m)}, m, preview, &p)
	})
	if err != nil {
		return err
	}

	return s.Show(c, status, pages.ReceiptPage(p))
}

func fillReceipt(ctx context.Context, tx *tenants.Tx, e web.Eyes, m access.Member, preview identity.UndoPreview, p *pages.Receipt) error {
	l := preview.Link
	p.Kind, p.At, p.Reason, p.UndoneAt, p.UndoneBy = l.Kind, l.At, e.Words(l.Reason), web.OrZero(l.UndoneAt), l.UndoneBy
	if l.ActorKind != tenants.SystemActor.Kind {
		p.By = l.ActorName
	}
	p.NewMessages, p.CanUndo = preview.NewMessages, web.MayUndo(m, l)
	for _, b := range preview.Blocked {
		p.Blocked = append(p.Blocked, i18n.T(ctx, "conflict."+b.Code))
	}
	for _, i := range preview.Back {
		p.Back = append(p.Back, e.Account(i))
	}
	if l.CaseID != nil && m.Can("queue:read") {
		p.Case = "/resolve/" + l.CaseID.String()
	}
	if l.Keep != nil {
		keep, err := identity.Get(ctx, tx, *l.Keep)
		if err != nil {
			return err
		}
		p.Keep = e.Someone(keep)
		shown := []uuid.UUID{keep.ID}
		if l.Lose != nil {
			shown = append(shown, *l.Lose)
		}
		if err := privacy.Saw(ctx, tx, m.Actor, privacy.SawPage, shown...); err != nil {
			return err
		}
	}
	if len(preview.Back) > 0 {
		lost := e.Stranger(preview.Back[0])
		p.Loser = lost.Name
		if p.Loser == "" {
			p.Loser = lost.Handle.Shown
		}
	}
	if l.UndoneAt != nil && l.Lose != nil {
		if err := fillRestored(ctx, tx, e, *l.Lose, p); err != nil {
			return err
		}
	}
	joined, err := identity.LinkHandles(ctx, tx, []identity.Link{l})
	if err != nil {
		return err
	}
	p.Handles, p.Old, p.New = e.Handles(joined[l.ID].Handles), e.Handles(joined[l.ID].Old), e.Handles(joined[l.ID].New)
	if sign, ok := l.Sign(); ok {
		p.By, p.Rule, p.Why = "", l.Rule, e.Reason(ctx, sign)
		if sign.ItemID != 0 && l.Keep != nil {
			p.Event = "/contacts/" + p.Keep.ID + "/evidence/" + e.Items.Write(sign.ItemID).String()
		}
	}

	return nil
}

// fillRestored names the contact that is one of its own again, or of whoever it became part of since.
func fillRestored(ctx context.Context, tx *tenants.Tx, e web.Eyes, id uuid.UUID, p *pages.Receipt) error {
	back, err := identity.Get(ctx, tx, id)
	if errors.Is(err, tenants.ErrNotFound) || err == nil && back.ID.String() == p.Keep.ID {
		return nil // gone, or merged again
	}
	if err != nil {
		return err
	}
	who := e.Someone(back)
	p.Loser, p.LoserHref = who.Label(ctx), who.Href()

	return nil
}

// UndoMerge takes a link back: agents their own, leads and owners any.
func (s *Pages) UndoMerge(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		_, err := identity.Undo(ctx, tx, m.Actor, id, m.Can("merges:undo_any"))
		return err
	})
	if tenants.ConflictCode(err) != "" {
		return s.showReceipt(c, fiber.StatusConflict)
	}
	if err != nil {
		return err
	}

	return s.Done(c, nextOr(c, "/merges/"+id.String()), web.Flash{Key: "toast.undone"})
}
