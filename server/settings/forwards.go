package settings

import (
	"context"
	"fmt"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/forward"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/settings"
)

const forwardsPageSize = 25

// ForwardsPage lists the addresses that webhooks are passed on to.
func (s *Pages) ForwardsPage(c *fiber.Ctx) error {
	return s.showForwards(c, fiber.StatusOK, components.Filled{})
}

func (s *Pages) showForwards(c *fiber.Ctx, status int, form components.Filled) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.Forwards{Frame: s.Frame(c, "forwards.title"), Now: time.Now(), CanManage: m.Can("forwards:manage"), Form: form, Most: tenants.QuotaForwards.Most()}
	p.Frame.Path = web.ForwardsPath
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		list, err := forward.Targets(ctx, tx)
		if err != nil {
			return err
		}
		own, err := numberLabels(ctx, tx)
		if err != nil {
			return err
		}
		for _, t := range list {
			view := forwardView(t, own)
			if p.CanManage {
				if view.Path, err = pathOf(ctx, tx, s.Keys, t.ID); err != nil {
					return err
				}
			}
			p.Items = append(p.Items, view)
		}
		p.Numbers = own.options()

		return nil
	})
	if err != nil {
		return err
	}

	return s.Show(c, status, pages.ForwardsPage(p))
}

// labels are how the numbers of a business are called, in order.
type labels struct {
	ids  []string
	name map[string]string
	off  map[string]bool // disconnected
}

func numberLabels(ctx context.Context, tx *tenants.Tx) (labels, error) {
	l := labels{name: map[string]string{}, off: map[string]bool{}}
	list, err := numbers.List(ctx, tx, uuid.Nil, tenants.QuotaNumbers.Most())
	if err != nil {
		return l, err
	}
	for _, n := range list {
		view := web.NumberView(n, ingest.Counts{})
		l.ids = append(l.ids, view.ID)
		l.name[view.ID], l.off[view.ID] = view.Label(), n.State == numbers.Disconnected
	}

	return l, nil
}

func (l labels) options() []components.Option {
	var options []components.Option
	for _, id := range l.ids {
		if !l.off[id] {
			options = append(options, components.Option{Value: id, Label: l.name[id]})
		}
	}

	return options
}

// pathOf tells targets of one host apart. What follows a question mark is often a secret, and stands on the target's own page alone.
func pathOf(ctx context.Context, tx *tenants.Tx, keys *secrets.Keyring, id uuid.UUID) (string, error) {
	address, err := forward.Address(ctx, tx, keys, id)
	if err != nil {
		return "", err
	}
	u, err := url.Parse(address)
	if err != nil {
		return "", fmt.Errorf("read address: %w", err)
	}

	return u.EscapedPath(), nil
}

func forwardView(t forward.Target, own labels) pages.ForwardTarget {
	view := pages.ForwardTarget{
		ID: t.ID.String(), Host: t.Host, State: t.State, FailingSince: web.OrZero(t.FailingSince), OldUntil: web.OrZero(t.OldUntil),
		Made: t.MadeAt, By: t.By, Waiting: t.Waiting, Failed: t.Failed, LastSent: web.OrZero(t.LastSent),
	}
	if t.Number.Valid {
		view.Number = own.name[t.Number.UUID.String()]
	}

	return view
}

// doors are where forwards may go.
func (s *Pages) doors() forward.Doors { return s.Config.Doors() }

// AddForward shows the secret in its own answer, as it is shown nowhere again.
func (s *Pages) AddForward(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	number := uuid.Nil
	if typed := web.Field(c, "number"); typed != "" {
		var err error
		if number, err = uuid.Parse(typed); err != nil {
			form, _ := web.Refilled(c, &tenants.Invalid{Field: "number", Key: "choice"}, "address", "number")
			return s.showForwards(c, fiber.StatusUnprocessableEntity, form)
		}
	}
	var (
		t      forward.Target
		secret string
	)
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		t, secret, err = forward.Add(ctx, tx, s.Keys, s.doors(), m.Actor, forward.Input{Address: web.Field(c, "address"), Number: number})
		return err
	})
	if form, ok := web.Refilled(c, err, "address", "number"); ok {
		return s.showForwards(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return s.showForward(c, fiber.StatusOK, t.ID, secret, components.Filled{})
}

// ForwardPage is one address with the log of what was passed on: ?state= one state, ?before= the place after which it goes on.
func (s *Pages) ForwardPage(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}

	return s.showForward(c, fiber.StatusOK, id, "", components.Filled{})
}

func (s *Pages) showForward(c *fiber.Ctx, status int, id uuid.UUID, fresh string, form components.Filled) error {
	page, err := logPage(c)
	if err != nil {
		return err
	}
	ctx, m := c.UserContext(), web.Member(c)
	times, over := forward.Tries()
	p := pages.ForwardHome{
		Frame: s.Frame(c, "forwards.title"), Now: time.Now(), Fresh: fresh, CanManage: m.Can("forwards:manage"), Form: form, State: page.State,
		Times: times, Hours: int(over.Hours()), StopDays: int(forward.StopAfter.Hours() / 24), KeepDays: int(forward.KeepLog.Hours() / 24), Most: forward.MostWaiting,
	}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		t, err := forward.Get(ctx, tx, id)
		if err != nil {
			return err
		}
		own, err := numberLabels(ctx, tx)
		if err != nil {
			return err
		}
		p.Target = forwardView(t, own)
		if p.CanManage {
			if p.Address, err = forward.Address(ctx, tx, s.Keys, id); err != nil {
				return err
			}
		}

		return fillLog(ctx, tx, id, page, &p)
	})
	if err != nil {
		return err
	}
	p.Frame.Path = p.At(p.State)

	return s.Show(c, status, pages.ForwardPage(p))
}

// logPage reads which part of a log is asked for.
func logPage(c *fiber.Ctx) (forward.Page, error) {
	p := forward.Page{State: strings.Clone(c.Query("state")), Limit: forwardsPageSize + 1}
	before := c.Query("before")
	if before == "" {
		return p, nil
	}
	at, id, _ := strings.Cut(before, ".")
	micros, err := strconv.ParseInt(at, 10, 64)
	if err == nil {
		p.Before.ID, err = uuid.Parse(id)
	}
	if err != nil || micros < 0 || micros > 1<<52 {
		return p, &tenants.Invalid{Field: "before", Key: "bad_cursor"}
	}
	p.Before.MadeAt = time.UnixMicro(micros)

	return p, nil
}

func fillLog(ctx context.Context, tx *tenants.Tx, id uuid.UUID, page forward.Page, p *pages.ForwardHome) error {
	list, err := forward.Log(ctx, tx, id, page)
	if err != nil {
		return err
	}
	if len(list) > forwardsPageSize {
		list = list[:forwardsPageSize]
		last := list[len(list)-1]
		p.Next = fmt.Sprintf("%sbefore=%d.%s", p.More(), last.MadeAt.UnixMicro(), last.ID)
	}
	tries, err := forward.TriesOf(ctx, tx, list)
	if err != nil {
		return err
	}
	for _, f := range list {
		line := pages.ForwardLine{
			ID: f.ID.String(), Kind: f.Kind, State: f.State, Reason: f.Reason, Status: f.Status, Tries: f.Tries, Next: f.NotBefore, Made: f.MadeAt, Done: web.OrZero(f.DoneAt),
		}
		for _, t := range tries[f.ID] {
			line.Failures = append(line.Failures, pages.ForwardTry{At: t.At, Reason: t.Reason, Status: t.Status, Answer: t.Answer})
		}
		p.Lines = append(p.Lines, line)
	}

	return nil
}

// changeForward does something to a target, and says so on its page.
func (s *Pages) changeForward(c *fiber.Ctx, toast string, do func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) (args []any, err error)) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	var args []any
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		args, err = do(ctx, tx, m, id)
		return err
	})
	if form, ok := web.Refilled(c, err); ok {
		return s.showForward(c, web.Classify(err).Status, id, "", form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.ForwardsPath+"/"+id.String(), web.Flash{Key: toast, Args: args})
}

// TurnForward pauses a target or has it go on.
func (s *Pages) TurnForward(c *fiber.Ctx) error {
	switch web.Field(c, "to") {
	case forward.Paused:
		return s.changeForward(c, "toast.forward_paused", func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) ([]any, error) {
			t, err := forward.Pause(ctx, tx, m.Actor, id)
			return []any{"host", t.Host}, err
		})
	case forward.On:
		return s.changeForward(c, "toast.forward_resumed", func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) ([]any, error) {
			t, err := forward.Resume(ctx, tx, m.Actor, id)
			return []any{"host", t.Host}, err
		})
	default:
		return &tenants.Invalid{Field: "to", Key: "choice"}
	}
}

// TestForward sends a test to a target.
func (s *Pages) TestForward(c *fiber.Ctx) error {
	return s.changeForward(c, "toast.forward_tested", func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) ([]any, error) {
		return nil, forward.Test(ctx, tx, m.Actor, id)
	})
}

// ForwardAgain passes on again one thing, or all that failed where none is named.
func (s *Pages) ForwardAgain(c *fiber.Ctx) error {
	one := web.Field(c, "forward")
	return s.changeForward(c, "toast.forward_again", func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) ([]any, error) {
		if one == "" {
			n, err := forward.AllAgain(ctx, tx, m.Actor, id)
			return []any{"count", n}, err
		}
		which, err := uuid.Parse(one)
		if err != nil {
			return nil, tenants.ErrNotFound
		}

		return []any{"count", int64(1)}, forward.Again(ctx, tx, m.Actor, id, which)
	})
}

// NewForwardSecret shows the new secret in its own answer.
func (s *Pages) NewForwardSecret(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	var secret string
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		_, secret, err = forward.NewSecret(ctx, tx, s.Keys, m.Actor, id)
		return err
	})
	if err != nil {
		return err
	}

	return s.showForward(c, fiber.StatusOK, id, secret, components.Filled{})
}

// RemoveForward ends a target, once its host has been typed to confirm which.
func (s *Pages) RemoveForward(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	var t forward.Target
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if t, err = forward.Get(ctx, tx, id); err != nil {
			return err
		}
		if web.Field(c, "confirm") != t.Host {
			return &tenants.Invalid{Field: "confirm", Key: "confirm"}
		}
		_, err = forward.Remove(ctx, tx, m.Actor, id)
		return err
	})
	if form, ok := web.Refilled(c, err); ok {
		form.Failed = form.Wrong["confirm"]
		return s.showForward(c, web.Classify(err).Status, id, "", form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.ForwardsPath, web.Flash{Key: "toast.forward_removed", Args: []any{"host", t.Host}})
}
