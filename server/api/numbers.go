package api

import (
	"context"
	"errors"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/views/i18n"
)

// connecting is how long the questions to Graph behind one connection may take together. The server takes another five
// seconds to write.
const connecting = 25 * time.Second

type check struct {
	Code   string  `json:"code"`
	OK     bool    `json:"ok"`
	Reason *string `json:"reason"`
	Text   string  `json:"text"`
}

func newCheck(ctx context.Context, r numbers.CheckResult) check {
	key := r.Code
	if !r.OK {
		key = r.Reason
	}
	args := []any{}
	for name, value := range r.Args {
		args = append(args, name, value)
	}

	return check{Code: r.Code, OK: r.OK, Reason: known(r.Reason), Text: i18n.T(ctx, "check."+key, args...)}
}

type number struct {
	ID             uuid.UUID  `json:"id"`
	App            string     `json:"app"`
	WABAID         string     `json:"waba_id"`
	PhoneNumberID  string     `json:"phone_number_id"`
	DisplayPhone   string     `json:"display_phone_number"`
	Name           string     `json:"name"`
	PortfolioID    *string    `json:"portfolio_id"`
	State          string     `json:"state"`
	Checks         []check    `json:"checks"`
	TokenExpiresAt *time.Time `json:"token_expires_at"`
	CreatedAt      time.Time  `json:"created_at"`
	FirstEventAt   *time.Time `json:"first_event_at"`
	LastEventAt    *time.Time `json:"last_event_at"`
}

func newNumber(ctx context.Context, n numbers.Number) number {
	return number{
		ID: n.ID, App: n.App, WABAID: n.WABAID, PhoneNumberID: n.PhoneNumberID, DisplayPhone: n.DisplayPhone, Name: n.Name,
		PortfolioID: known(n.PortfolioID), State: n.State, TokenExpiresAt: utc(n.TokenExpiresAt), CreatedAt: n.CreatedAt.UTC(),
		FirstEventAt: utc(n.FirstEventAt), LastEventAt: utc(n.LastEventAt),
		Checks: each(n.Checks, func(r numbers.CheckResult) check { return newCheck(ctx, r) }),
	}
}

// Numbers answers GET /numbers in the order in which they were connected, disconnected ones included.
func (a *API) Numbers(c *fiber.Ctx) error {
	query, err := params(c, "limit", "cursor")
	if err != nil {
		return err
	}
	page, err := a.page(c, query)
	if err != nil {
		return err
	}
	after := uuid.Nil
	if page.Cursor != "" {
		if after, err = uuid.Parse(page.Cursor); err != nil {
			return bad("cursor", "bad_cursor")
		}
	}

	ctx := c.UserContext()
	var found []numbers.Number
	more := false
	err = a.read(c, func(tx *tenants.Tx) (err error) {
		if found, err = numbers.List(ctx, tx, after, page.Limit); err != nil || len(found) < page.Limit {
			return err
		}
		beyond, err := numbers.List(ctx, tx, found[len(found)-1].ID, 1)
		more = len(beyond) > 0

		return err
	})
	if err != nil {
		return err
	}

	out := list[number]{Items: each(found, func(n numbers.Number) number { return newNumber(ctx, n) })}
	if more {
		out.NextCursor = a.next(c, query, found[len(found)-1].ID.String())
	}

	return answer(c, out)
}

type connectInput struct {
	App                string `json:"app"`
	WABAID             string `json:"waba_id"`
	PhoneNumberID      string `json:"phone_number_id"`
	DisplayPhoneNumber string `json:"display_phone_number"`
	PortfolioID        string `json:"portfolio_id"`
	AccessToken        string `json:"access_token"`
}

// ConnectNumber answers POST /numbers: 201 with the number, or 422 with each check that failed.
func (a *API) ConnectNumber(c *fiber.Ctx) error {
	if _, err := params(c); err != nil {
		return err
	}
	var in connectInput
	if err := body(c, &in); err != nil {
		return err
	}

	m := caller(c)

	return a.writeOutside(c, func() (int, any, error) {
		// Once it has begun, a connection is brought to its end, also where the client has gone.
		ctx, cancel := context.WithTimeout(context.WithoutCancel(c.UserContext()), connecting)
		defer cancel()

		n, err := numbers.Connect(ctx, a.DB, a.Keys, a.Graph, m.Actor, m.Tenant.ID, numbers.ConnectInput{
			App: in.App, WABAID: in.WABAID, PhoneNumberID: in.PhoneNumberID, DisplayPhone: in.DisplayPhoneNumber,
			PortfolioID: in.PortfolioID, AccessToken: in.AccessToken, PublicURL: a.Origin(),
		})

		return fiber.StatusCreated, newNumber(ctx, n), refusal(ctx, err)
	})
}

// refusal lists every check that a number did not pass.
func refusal(ctx context.Context, err error) error {
	var refused *numbers.Refused
	if !errors.As(err, &refused) {
		return err
	}

	failed := slices.DeleteFunc(refused.Failed(), func(r numbers.CheckResult) bool { return !r.Required })

	return &Problem{
		Status: fiber.StatusUnprocessableEntity, Code: "checks_failed",
		More: map[string]any{"checks": each(failed, func(r numbers.CheckResult) check { return newCheck(ctx, r) })},
	}
}
