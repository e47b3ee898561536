package api

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/views/i18n"
)

type replyTo struct {
	IdentityID uuid.UUID `json:"identity_id"`
	Kind       *string   `json:"kind"`
	Value      *string   `json:"value"`
}

type preview struct {
	Allowed      bool              `json:"allowed"`
	Blocked      []said            `json:"blocked"`
	Warnings     []said            `json:"warnings"`
	ReasonNeeded bool              `json:"reason_needed"`
	Moves        identity.Moves    `json:"moves"`
	RepliesGoTo  []replyTo         `json:"replies_go_to"`
	Versions     identity.Versions `json:"versions"`
}

func newPreview(ctx context.Context, p identity.Preview) preview {
	return preview{
		Allowed: p.Allowed(), Warnings: reasons(ctx, p.Warnings), ReasonNeeded: p.Risky(), Moves: p.Moves, Versions: p.Versions,
		Blocked: each(p.Blocked, func(r identity.Reason) said { return said{r.Code, i18n.T(ctx, "conflict."+r.Code)} }),
		RepliesGoTo: each(p.Replies, func(i identity.Identity) replyTo {
			kind, value := i.Address()
			return replyTo{i.ID, known(string(kind)), known(value)}
		}),
	}
}

// PreviewMerge answers GET /merges/preview. It changes nothing.
func (a *API) PreviewMerge(c *fiber.Ctx) error {
	query, err := params(c, "keep", "lose")
	if err != nil {
		return err
	}
	for _, name := range []string{"keep", "lose"} {
		if query[name] == "" {
			return bad(name, "needed")
		}
	}
	keep, lose, err := both(query["keep"], query["lose"])
	if err != nil {
		return err
	}

	var p identity.Preview
	err = a.read(c, func(tx *tenants.Tx) (err error) {
		p, err = identity.PreviewMerge(c.UserContext(), tx, keep, lose)
		return err
	})
	if err != nil {
		return err
	}
	if err := a.saw(c, keep, lose); err != nil {
		return err
	}

	return answer(c, newPreview(c.UserContext(), p))
}

func both(first, second string) (a, b uuid.UUID, err error) {
	if a, err = id(first); err != nil {
		return uuid.Nil, uuid.Nil, err
	}
	b, err = id(second)

	return a, b, err
}

type mergeInput struct {
	Keep     string             `json:"keep"`
	Lose     string             `json:"lose"`
	Reason   string             `json:"reason"`
	Versions *identity.Versions `json:"versions"`
}

// Merge answers POST /merges.
func (a *API) Merge(c *fiber.Ctx) error {
	if _, err := params(c); err != nil {
		return err
	}
	var in mergeInput
	if err := body(c, &in); err != nil {
		return err
	}
	switch {
	case in.Keep == "":
		return &tenants.Invalid{Field: "keep", Key: "needed"}
	case in.Lose == "":
		return &tenants.Invalid{Field: "lose", Key: "needed"}
	}
	keep, lose, err := both(in.Keep, in.Lose)
	if err != nil {
		return err
	}

	ctx := c.UserContext()
	err = a.write(c, func(tx *tenants.Tx) (int, any, error) {
		link, err := identity.Merge(ctx, tx, caller(c).Actor, identity.MergeInput{
			Keep: keep, Lose: lose, Reason: in.Reason, Versions: in.Versions, MayRisk: true,
		})

		return fiber.StatusCreated, map[string]any{"link_id": link, "contact_id": keep}, err
	})

	return a.told(c, err, "changed", "preview", func(tx *tenants.Tx) (any, error) {
		now, err := identity.PreviewMerge(ctx, tx, keep, lose)
		return newPreview(ctx, now), err
	})
}

type actor struct {
	Kind string  `json:"kind"`
	ID   *string `json:"id"`
	Name string  `json:"name"`
}

type evidence struct {
	Reason      string       `json:"reason"`
	CaseID      *uuid.UUID   `json:"case_id"`
	Identifiers []identifier `json:"identifiers"`
}

type link struct {
	ID            uuid.UUID  `json:"id"`
	Kind          string     `json:"kind"`
	At            time.Time  `json:"at"`
	Actor         actor      `json:"actor"`
	KeepContactID *uuid.UUID `json:"keep_contact_id"`
	LoseContactID *uuid.UUID `json:"lose_contact_id"`
	IdentityID    *uuid.UUID `json:"identity_id"`
	Evidence      evidence   `json:"evidence"`
	UndoneAt      *time.Time `json:"undone_at"`
}

func newLink(l identity.Link, gained []identity.Identifier) link {
	return link{
		ID: l.ID, Kind: l.Kind, At: l.At.UTC(), Actor: actor{l.ActorKind, known(l.ActorID), l.ActorName},
		KeepContactID: l.Keep, LoseContactID: l.Lose, IdentityID: l.IdentityID, UndoneAt: utc(l.UndoneAt),
		Evidence: evidence{Reason: l.Reason, CaseID: l.CaseID, Identifiers: each(gained, newIdentifier)},
	}
}

// Links answers GET /contacts/{id}/links: the journal of who belongs to whom, newest first.
func (a *API) Links(c *fiber.Ctx) error {
	which, query, page, err := a.within(c)
	if err != nil {
		return err
	}

	ctx := c.UserContext()
	var out list[link]
	err = a.read(c, func(tx *tenants.Tx) error {
		links, next, err := identity.LinkPage(ctx, tx, which, page)
		if err != nil {
			return err
		}
		gained, err := identity.Gained(ctx, tx, links)
		if err != nil {
			return err
		}
		out.Items = each(links, func(l identity.Link) link { return newLink(l, gained[l.ID]) })
		out.NextCursor = a.next(c, query, next)

		return nil
	})
	if err != nil {
		return err
	}
	if err := a.saw(c, which); err != nil {
		return err
	}

	return answer(c, out)
}

// Undo answers POST /links/{id}/undo with the link as the journal then has it.
func (a *API) Undo(c *fiber.Ctx) error {
	which, err := a.only(c)
	if err != nil {
		return err
	}
	if err := noBody(c); err != nil {
		return err
	}

	ctx := c.UserContext()

	return a.write(c, func(tx *tenants.Tx) (int, any, error) {
		l, err := identity.Undo(ctx, tx, caller(c).Actor, which, true)
		if err != nil {
			return 0, nil, err
		}
		gained, err := identity.Gained(ctx, tx, []identity.Link{l})

		return fiber.StatusOK, newLink(l, gained[l.ID]), err
	})
}
