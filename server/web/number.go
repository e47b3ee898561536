package web

import (
	"cmp"
	"context"
	"slices"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/numbers"
	numberspages "github.com/pehchan/pehchan/views/numbers"
)

// NumberView is one of the business's numbers.
func NumberView(n numbers.Number, counts ingest.Counts) numberspages.Number {
	return numberspages.Number{
		ID: n.ID.String(), Name: n.Name, Phone: n.DisplayPhone, State: n.State, App: n.App, WABAID: n.WABAID, PhoneNumberID: n.PhoneNumberID,
		PortfolioID: n.PortfolioID, HasToken: n.HasToken, TokenProblem: n.TokenProblem, TokenExpires: OrZero(n.TokenExpiresAt), ConnectedAt: n.CreatedAt,
		FirstEvent: OrZero(n.FirstEventAt), LastEvent: OrZero(n.LastEventAt), Tested: OrZero(n.TestedAt), SetAside: int(counts.SetAside),
		OnApp: n.OnApp, Onboarded: OrZero(n.OnboardedAt), GraceUntil: OrZero(n.GraceUntil), MayRenew: n.OnboardedAt != nil,
		QuietSince: OrZero(n.QuietSince),
		PhoneFree:  n.PhoneFree, PhoneCleaning: n.PhoneCleaning,
	}
}

// Choices are the numbers of the business, in the order of their names, for a page that is narrowed down to one.
func (e Eyes) Choices() []numberspages.NumberChoice {
	var list []numberspages.NumberChoice
	for id, name := range e.Numbers {
		list = append(list, numberspages.NumberChoice{ID: id.String(), Name: name})
	}
	slices.SortFunc(list, func(a, b numberspages.NumberChoice) int {
		return cmp.Or(cmp.Compare(a.Name, b.Name), cmp.Compare(a.ID, b.ID))
	})

	return list
}

// CountsView is the zero-loss equation of a number since the beginning.
func CountsView(n ingest.Counts) numberspages.Meter {
	return numberspages.Meter{Received: n.Received, Routed: n.Routed, Held: n.Held, SetAside: n.SetAside, Waiting: n.Waiting}
}

// MeterView is the same of everybody, with what no number is known for.
func MeterView(m ingest.Meter) numberspages.Meter {
	view := CountsView(m.Items)
	view.Duplicates, view.OldestWaiting = m.Duplicates, time.Duration(m.OldestWaitingSeconds)*time.Second

	return view
}

// ToldView is something WhatsApp said of the business's own account.
func ToldView(n notices.Notice) numberspages.Told {
	return numberspages.Told{Field: n.Field, Event: n.Event, At: n.At, Facts: n.Facts, Account: !n.NumberID.Valid}
}

// DriftViews are what WhatsApp sends that is in no documentation.
func DriftViews(list []ingest.Novelty) []numberspages.Drift {
	out := make([]numberspages.Drift, len(list))
	for i, n := range list {
		out[i] = numberspages.Drift{Field: n.Field, What: n.What, First: n.FirstAt, Last: n.LastAt, Times: n.Times, Sample: Readable([]byte(n.Sample), true)}
	}

	return out
}

// Rank sorts what is last behind everything else.
func Rank(last bool) int {
	if last {
		return 1
	}

	return 0
}

// AskingMeta is the context of a request that asks Meta. Unlike others it does not end after PageTimeout.
func AskingMeta(c *fiber.Ctx) (context.Context, context.CancelFunc) {
	return context.WithTimeout(context.WithoutCancel(c.UserContext()), graphPatience)
}

// graphPatience is how long a request may wait for Meta, which is asked several things one after the other. It ends before the
// connection to the browser does.
const graphPatience = 25 * time.Second

// Drift is what WhatsApp sends to any business that is in no documentation.
func (s *Site) Drift(ctx context.Context) ([]numberspages.Drift, error) {
	list, err := ingest.Novelties(ctx, s.DB)
	if err != nil {
		return nil, err
	}

	return DriftViews(list), nil
}
