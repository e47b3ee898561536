package queue

import (
	"context"
	"errors"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/queue"
)

// wakeHour is when a case that was put off comes back, in the business's own time.
const wakeHour = 9

// decided are the words for what was decided.
var decided = map[string]string{
	identity.DecideSame: "toast.linked", identity.DecideNotSame: "toast.not_same", identity.DecideNew: "toast.new_person",
	identity.DecideHold: "toast.put_off", identity.DecideUnsure: "toast.unsure",
}

// DecideCase carries a decision out and goes on to the next case of the tab. After a link that rests on a hint alone it shows the
// receipt instead: those are not for speed.
func (s *Pages) DecideCase(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	f, err := queueFilter(c, web.Field(c, "tab"), web.Field(c, "number"))
	if err != nil {
		return err
	}
	ctx, m := c.UserContext(), web.Member(c)
	d, err := decisionOf(c, id)
	if err != nil {
		return err
	}
	d.MayRisk = m.Can("merges:risky")

	var (
		after identity.Case
		link  uuid.UUID
		hint  bool
		words []any // whom it is about
	)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		before, err := identity.GetCase(ctx, tx, id)
		if err != nil {
			return err
		}
		if words, err = s.decisionWords(ctx, tx, m, before, d); err != nil {
			return err
		}
		hint = !slices.ContainsFunc(before.Candidates, func(o identity.Candidate) bool { return o.Contact.ID == d.Contact && o.Tier != "C" })
		after, link, err = identity.Decide(ctx, tx, m.Actor, d)

		return err
	})
	if err != nil {
		return s.notDecided(c, id, f, d, err)
	}

	say := web.Flash{Key: decided[d.Kind], Args: words, Undo: "/resolve/" + id.String() + "/undo", Fields: map[string]string{"next": "/resolve/" + id.String() + "?" + queueQuery(f)}}
	if link != uuid.Nil {
		say.Undo = "/merges/" + link.String() + "/undo"
	}
	switch {
	case after.IdentityID == nil && d.Kind == identity.DecideNew:
		say.Key = "toast.put_aside"
	case d.Kind == identity.DecideSame && link == uuid.Nil:
		say.Key = "toast.second_person"
	case d.Until != nil && d.Until.Before(morning(ctx, 2)):
		say.Key = "toast.put_off_tomorrow"
	}
	switch {
	case link != uuid.Nil && hint:
		return s.Done(c, "/merges/"+link.String()+"?"+queueQuery(f), say)
	case d.Kind == identity.DecideNotSame && after.State == "open":
		return s.goOn(c, f, id, say)
	}
	next, f, err := s.caseAfter(c, f, id)
	if errors.Is(err, tenants.ErrNotFound) {
		return s.Done(c, "/resolve", say)
	}
	if err != nil {
		return err
	}

	return s.goOn(c, f, next, say)
}

// decisionWords are whom a decision is about, as the reader may see them, for what is said of it afterwards.
func (s *Pages) decisionWords(ctx context.Context, tx *tenants.Tx, m access.Member, k identity.Case, d identity.Decision) ([]any, error) {
	e, err := web.EyesOf(ctx, tx, m)
	if err != nil {
		return nil, err
	}
	words := []any{"who", i18n.T(ctx, "resolve.nobody_named")}
	if who := whoOf(e, k); who != nil {
		words[1] = who.Label(ctx)
	}
	if d.Until != nil {
		words = append(words, "date", i18n.Date(ctx, *d.Until))
	}
	if d.Contact == uuid.Nil {
		return words, nil
	}
	other, err := identity.Get(ctx, tx, d.Contact)
	if errors.Is(err, tenants.ErrNotFound) {
		return words, nil // Decide says so
	}

	return append(words, "other", e.Label(ctx, other)), err
}

// goOn leads on to a case. A page that can put it in its own place gets it with this very answer: a decision and the sight of the
// next case are one round trip.
func (s *Pages) goOn(c *fiber.Ctx, f identity.CaseFilter, id uuid.UUID, say web.Flash) error {
	to := "/resolve/" + id.String() + "?" + queueQuery(f)
	if c.Get("HX-Request") == "" {
		return s.Done(c, to, say)
	}
	c.Set("HX-Push-Url", to)
	c.Set(fiber.HeaderLocation, to) // where a second press of the same button is sent

	return s.showCase(c, fiber.StatusOK, id, caseShown{filter: f, done: &say})
}

func decisionOf(c *fiber.Ctx, id uuid.UUID) (identity.Decision, error) {
	d := identity.Decision{Case: id, Kind: web.Field(c, "decision"), Reason: web.Field(c, "reason")}
	if who := web.Field(c, "contact"); who != "" {
		contact, err := uuid.Parse(who)
		if err != nil {
			return identity.Decision{}, tenants.ErrNotFound
		}
		d.Contact = contact
	}
	if version := web.Field(c, "version"); version != "" {
		n, err := strconv.Atoi(version)
		if err != nil {
			return identity.Decision{}, &tenants.Conflict{Code: "changed"}
		}
		d.Version = n
	}
	if d.Kind == identity.DecideHold {
		days, err := strconv.Atoi(web.Field(c, "days"))
		if err != nil || days < 1 || days > 365 {
			return identity.Decision{}, &tenants.Invalid{Field: "until", Key: "bad_date"}
		}
		until := morning(c.UserContext(), days)
		d.Until = &until
	}

	return d, nil
}

// morning is the start of work that many days from today.
func morning(ctx context.Context, days int) time.Time {
	now := time.Now().In(i18n.Zone(ctx))

	return time.Date(now.Year(), now.Month(), now.Day()+days, wakeHour, 0, 0, 0, now.Location())
}

// notDecided shows the case as it stands now, with why nothing was done.
func (s *Pages) notDecided(c *fiber.Ctx, id uuid.UUID, f identity.CaseFilter, d identity.Decision, err error) error {
	how := caseShown{filter: f, who: d.Contact}
	var invalid *tenants.Invalid
	switch {
	case errors.As(err, &invalid):
		how.form = components.Filled{Values: map[string]string{"reason": d.Reason}, Wrong: map[string]string{invalid.Field: invalid.Key}}
		if invalid.Field != "reason" {
			how.form.Failed = invalid.Key
		}
	case tenants.ConflictCode(err) == "changed":
		how.seen = web.Field(c, "seen")
		if how.seen == "" {
			how.form.Failed = "changed"
		}
	case tenants.ConflictCode(err) != "":
		how.form.Failed = tenants.ConflictCode(err)
	default:
		return err
	}
	if how.form.Failed == "same_contact" || how.form.Failed == "merged_away" {
		how.who = uuid.Nil
	}

	if c.Get("HX-Request") != "" {
		c.Set("HX-Retarget", pages.CaseTarget)
		c.Set("HX-Push-Url", "false")
	}

	return s.showCase(c, web.Classify(err).Status, id, how)
}

// TakeBack undoes what the member decided about a case.
func (s *Pages) TakeBack(c *fiber.Ctx) error {
	id, err := web.PathID(c)
	if err != nil {
		return err
	}
	ctx, m := c.UserContext(), web.Member(c)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		_, err := identity.TakeBack(ctx, tx, m.Actor, id)
		return err
	})
	if code := tenants.ConflictCode(err); code != "" {
		return s.showCase(c, fiber.StatusConflict, id, caseShown{form: components.Filled{Failed: code}})
	}
	if err != nil {
		return err
	}

	return s.Done(c, nextOr(c, "/resolve/"+id.String()), web.Flash{Key: "toast.undone"})
}

// nextOr is where the form wants to go next, if that is a page of ours.
func nextOr(c *fiber.Ctx, otherwise string) string {
	if next := web.LocalPath(web.Field(c, "next")); next != "/" {
		return next
	}

	return otherwise
}
