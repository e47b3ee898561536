package operator

import (
	"context"
	"encoding/csv"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/mail"
	"github.com/pehchan/pehchan/tenants/operator"
	pages "github.com/pehchan/pehchan/views/operator"
)

// DriftPage lists what came that no documentation speaks of, over all businesses.
func (s *Pages) DriftPage(c *fiber.Ctx) error {
	list, err := ingest.Novelties(c.UserContext(), s.DB)
	if err != nil {
		return err
	}
	p := pages.Drift{Frame: s.Frame(c, "console.drift"), Now: time.Now(), Items: web.DriftViews(list)}
	for i, n := range list {
		p.Items[i].Tenants = n.Tenants
	}

	return s.Show(c, fiber.StatusOK, pages.DriftPage(p))
}

func (s *Pages) JobsPage(c *fiber.Ctx) error {
	p := pages.Jobs{Frame: s.Frame(c, "console.jobs"), Now: time.Now(), CanWrite: web.Member(c).Can("op:write")}
	mails, err := mail.Count(c.UserContext(), s.DB)
	if err != nil {
		return err
	}
	p.MailsWaiting, p.MailsFailed = mails.Waiting, mails.Failed
	err = s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, _ access.Member) error {
		list, err := operator.Failed(ctx, tx)
		for _, j := range list {
			p.Items = append(p.Items, pages.Job{ID: j.ID.String(), Tenant: j.Tenant.UUID.String(), Business: j.Business, Kind: j.Kind, Problem: j.Problem, Tries: j.Tries, At: j.At, Again: j.Again})
		}
		if err != nil {
			return err
		}
		failed, err := mail.Failed(ctx, tx)
		for _, m := range failed {
			p.Mails = append(p.Mails, mailView(m))
		}

		return err
	})
	if err != nil {
		return err
	}
	p.KeptDays = int(mail.KeepFailed / (24 * time.Hour))

	return s.Show(c, fiber.StatusOK, pages.JobsPage(p))
}

// mailKinds are what mails are about, by how their keys begin.
var mailKinds = map[string]string{
	"digest ": "digest", "notice ": "notice", "nudge ": "nudge", "overdue ": "overdue", "trust ": "trust", "invitation ": "invitation",
	"reset ": "reset", "signup ": "signup",
	"new e-mail ": "new_email", "old e-mail ": "old_email", "password changed ": "password", "second factor ": "factor", "sign-in ": "sign_in",
	mail.AboutLife: "life", "erased ": "erased", "support ": "support",
}

func mailView(m mail.Failure) pages.Mail {
	view := pages.Mail{ID: m.ID.String(), Tenant: m.Tenant.UUID.String(), Business: m.Business, Kind: "other", Problem: "server", At: m.At, Why: m.Why}
	for begins, kind := range mailKinds {
		if strings.HasPrefix(m.Key, begins) {
			view.Kind = kind
		}
	}
	if code, refused := strings.CutPrefix(m.Problem, mail.Refused); refused {
		view.Problem, view.Code = "refused", strings.TrimSpace(code)
	}
	switch m.Problem {
	case mail.NoAnswer:
		view.Problem = "silent"
	case mail.OtherKeys:
		view.Problem = "key"
	}

	return view
}

// RetryJobs tries one failed job or mail again, or all of the one or the other.
func (s *Pages) RetryJobs(c *fiber.Ctx) error {
	given, said, again := web.Field(c, "job"), "console.retried", operator.Retry
	if typed := web.Field(c, "mail"); typed != "" {
		given, said = typed, "console.resent"
		again = func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) (int64, error) {
			return mail.Again(ctx, tx, m.Actor, id)
		}
	}
	id := uuid.Nil
	if given != "all" {
		var err error
		if id, err = uuid.Parse(given); err != nil || id == uuid.Nil {
			return tenants.ErrNotFound
		}
	}
	var n int64
	err := s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, m access.Member) (err error) {
		n, err = again(ctx, tx, m, id)
		return err
	})
	if err != nil {
		return err
	}

	return s.Done(c, web.OpJobsPath, web.Flash{Key: said, Args: []any{"n", n}})
}

// usageMonth is the month a page of usage is about: the given one, else this.
func usageMonth(c *fiber.Ctx) (time.Time, error) {
	if given := c.Query("month"); given != "" {
		month, err := time.Parse("2006-01", given)
		if err != nil || month.Year() < 2000 || month.Year() > 9000 {
			return time.Time{}, tenants.ErrNotFound
		}
		return month, nil
	}
	now := time.Now().UTC()

	return time.Date(now.Year(), now.Month(), 1, 0, 0, 0, 0, time.UTC), nil
}

func (s *Pages) usageIn(c *fiber.Ctx) (month time.Time, list []operator.Usage, err error) {
	if month, err = usageMonth(c); err != nil {
		return month, nil, err
	}
	err = s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, _ access.Member) error {
		list, err = operator.UsageOf(ctx, tx, month)
		return err
	})

	return month, list, err
}

func (s *Pages) UsagePage(c *fiber.Ctx) error {
	month, list, err := s.usageIn(c)
	if err != nil {
		return err
	}
	p := pages.Usage{Frame: s.Frame(c, "console.usage"), Month: month, Before: month.AddDate(0, -1, 0), After: month.AddDate(0, 1, 0)}
	if p.After.After(time.Now()) {
		p.After = time.Time{}
	}
	for _, u := range list {
		p.Items = append(p.Items, usageView(u))
	}

	return s.Show(c, fiber.StatusOK, pages.UsagePage(p))
}

// ExportUsage gives out a month's usage as a table: figures of businesses, nothing of anybody's customers.
func (s *Pages) ExportUsage(c *fiber.Ctx) error {
	month, list, err := s.usageIn(c)
	if err != nil {
		return err
	}
	web.CSVAnswer(c, "pehchan-usage-"+month.Format("2006-01")+".csv")
	out := csv.NewWriter(c.Response().BodyWriter())
	lines := [][]string{{"month", "business_id", "slug", "name", "plan", "messages_in", "messages_out", "api_requests", "contacts"}}
	for _, u := range list {
		lines = append(lines, []string{
			month.Format("2006-01"), u.Tenant.String(), imports.Defuse(u.Slug), imports.Defuse(u.Name), imports.Defuse(u.Plan),
			strconv.FormatInt(u.Heard, 10), strconv.FormatInt(u.Sent, 10), strconv.FormatInt(u.API, 10), strconv.FormatInt(u.Contacts, 10),
		})
	}

	return out.WriteAll(lines)
}
