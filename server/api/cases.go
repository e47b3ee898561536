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

// said is a code for machines with its sentence for people.
type said struct {
	Code string `json:"code"`
	Text string `json:"text"`
}

func reasons(ctx context.Context, rs []identity.Reason) []said {
	return each(rs, func(r identity.Reason) said { return said{r.Code, i18n.Reason(ctx, r.Code, r.Args)} })
}

type candidate struct {
	ContactID uuid.UUID `json:"contact_id"`
	Tier      string    `json:"tier"`
	Reasons   []said    `json:"reasons"`
	Against   []said    `json:"against"`
	Score     *score    `json:"score"`
}

// score is how likely a candidate is, in bits: the log2 of odds.
type score struct {
	Model       string   `json:"model"`
	Prior       float64  `json:"prior"`
	Items       []weight `json:"items"`
	Probability float64  `json:"probability"`
	Margin      *float64 `json:"margin"`
}

type weight struct {
	Code string  `json:"code"`
	Bits float64 `json:"bits"`
}

func newScore(s *identity.Score) *score {
	if s == nil {
		return nil
	}

	return &score{s.Model, s.Prior, each(s.Items, func(w identity.Weight) weight { return weight{w.Code, w.Bits} }), s.P, s.Margin}
}

type queued struct {
	ID           uuid.UUID   `json:"id"`
	Kind         string      `json:"kind"`
	State        string      `json:"state"`
	IdentityID   *uuid.UUID  `json:"identity_id"`
	ContactID    *uuid.UUID  `json:"contact_id"`
	Candidates   []candidate `json:"candidates"`
	OpenedAt     time.Time   `json:"opened_at"`
	WaitingSince time.Time   `json:"waiting_since"`
	HoldUntil    *time.Time  `json:"hold_until"`
	LeasedUntil  *time.Time  `json:"leased_until"`
	Version      int         `json:"version"`
	Outcome      *string     `json:"outcome"`
	ClosedAt     *time.Time  `json:"closed_at"`
	LinkID       *uuid.UUID  `json:"link_id"`
	NextProof    *said       `json:"next_proof"`
}

func newCase(ctx context.Context, k identity.Case) queued {
	out := queued{
		ID: k.ID, Kind: k.Kind, State: k.State, IdentityID: k.IdentityID, ContactID: k.ContactID, OpenedAt: k.OpenedAt.UTC(),
		WaitingSince: k.Since.UTC(), HoldUntil: utc(k.HoldUntil), Version: k.Version, Outcome: known(k.Outcome),
		ClosedAt: utc(k.ClosedAt), LinkID: k.LinkID,
		Candidates: each(k.Candidates, func(c identity.Candidate) candidate {
			return candidate{ContactID: c.Contact.ID, Tier: c.Tier, Reasons: reasons(ctx, c.Reasons), Against: reasons(ctx, c.Against), Score: newScore(c.Score)}
		}),
	}
	if k.LeaseBy != "" {
		out.LeasedUntil = utc(k.LeaseUntil)
	}

	return out
}

// shown is a case with the people whom hints alone name, who are looked up when it is shown, and with what would settle it.
func shown(ctx context.Context, tx *tenants.Tx, k identity.Case) (queued, error) {
	k, err := identity.Suggest(ctx, tx, k)
	if err != nil {
		return queued{}, err
	}
	out := newCase(ctx, k)
	if next := identity.NextProof(k, 0); next.Code != "" {
		out.NextProof = &said{next.Code, i18n.Reason(ctx, next.Code, next.Args)}
	}

	return out, nil
}

func shownByID(ctx context.Context, tx *tenants.Tx, which uuid.UUID) (queued, error) {
	k, err := identity.GetCase(ctx, tx, which)
	if err != nil {
		return queued{}, err
	}

	return shown(ctx, tx, k)
}

// Cases answers GET /cases: the open ones by how long they have waited, or the done ones, newest first.
func (a *API) Cases(c *fiber.Ctx) error {
	query, err := params(c, "state", "kind", "limit", "cursor")
	if err != nil {
		return err
	}
	page, err := a.page(c, query)
	if err != nil {
		return err
	}
	state, kind := query["state"], query["kind"]
	switch state {
	case "", "open", "done":
	default:
		return bad("state", "unknown_state")
	}
	switch kind {
	case "", identity.CaseUnresolved, identity.CaseSuggested, identity.CaseConflict, identity.CaseUnidentifiable:
	default:
		return bad("kind", "unknown_kind")
	}

	ctx := c.UserContext()
	out := list[queued]{Items: []queued{}}
	err = a.read(c, func(tx *tenants.Tx) error {
		cases, next, err := identity.Cases(ctx, tx, identity.CaseFilter{State: state, Kind: kind, Page: page})
		if err != nil {
			return err
		}
		for _, k := range cases {
			one, err := shown(ctx, tx, k)
			if err != nil {
				return err
			}
			out.Items = append(out.Items, one)
		}
		out.NextCursor = a.next(c, query, next)

		return nil
	})
	if err != nil {
		return err
	}

	return answer(c, out)
}

type decisionInput struct {
	Decision  string     `json:"decision"`
	ContactID string     `json:"contact_id"`
	Reason    string     `json:"reason"`
	Until     *time.Time `json:"until"`
	Version   int        `json:"version"`
}

// decision puts what was sent into the domain's words. A field that belongs to another decision is refused: one of the two
// cannot be meant.
func (in decisionInput) decision(which uuid.UUID) (identity.Decision, error) {
	aboutSomebody := in.Decision == identity.DecideSame || in.Decision == identity.DecideNotSame
	switch {
	case in.ContactID != "" && !aboutSomebody:
		return identity.Decision{}, &tenants.Invalid{Field: "contact_id", Key: "not_for_this"}
	case in.ContactID == "" && aboutSomebody:
		return identity.Decision{}, &tenants.Invalid{Field: "contact_id", Key: "needed"}
	case in.Reason != "" && in.Decision != identity.DecideSame:
		return identity.Decision{}, &tenants.Invalid{Field: "reason", Key: "not_for_this"}
	case in.Until != nil && in.Decision != identity.DecideHold:
		return identity.Decision{}, &tenants.Invalid{Field: "until", Key: "not_for_this"}
	case in.Version < 0:
		return identity.Decision{}, &tenants.Invalid{Field: "version", Key: "bad_version"}
	}

	d := identity.Decision{Case: which, Kind: in.Decision, Reason: in.Reason, Until: in.Until, Version: in.Version, MayRisk: true}
	if aboutSomebody {
		var err error
		if d.Contact, err = id(in.ContactID); err != nil {
			return identity.Decision{}, err
		}
	}

	return d, nil
}

// Decide answers POST /cases/{id}/decision.
func (a *API) Decide(c *fiber.Ctx) error {
	which, err := a.only(c)
	if err != nil {
		return err
	}
	var in decisionInput
	if err := body(c, &in); err != nil {
		return err
	}
	d, err := in.decision(which)
	if err != nil {
		return err
	}

	ctx := c.UserContext()
	err = a.write(c, func(tx *tenants.Tx) (int, any, error) {
		k, link, err := identity.Decide(ctx, tx, caller(c).Actor, d)
		if err != nil {
			return 0, nil, err
		}
		now, err := shown(ctx, tx, k)

		return fiber.StatusOK, map[string]any{"case": now, "link_id": known(link)}, err
	})

	return a.told(c, err, "changed", "case", func(tx *tenants.Tx) (any, error) { return shownByID(ctx, tx, which) })
}
