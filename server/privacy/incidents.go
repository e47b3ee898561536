package privacy

import (
	"cmp"
	"context"
	"encoding/csv"
	"slices"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/privacy"
)

// incidentFields are what the forms of an incident hold.
var incidentFields = []string{"what", "known", "from", "to", "viewer", "consequences", "measures", "advice", "findings", "contact"}

// NewIncidentPage asks what happened. With ?escalation= it begins with what was passed on.
func (s *Pages) NewIncidentPage(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	form := components.Filled{Values: map[string]string{"known": pages.TypedTime(ctx, now), "to": pages.TypedTime(ctx, now)}}
	if given := c.Query("escalation"); given != "" {
		id, err := uuid.Parse(given)
		if err != nil {
			return tenants.ErrNotFound
		}
		var e training.Escalation
		if err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
			e, err = training.GetEscalation(ctx, tx, id)
			return err
		}); err != nil {
			return err
		}
		form.Values["what"] = web.Eyes{Clear: m.Can("phones:clear")}.Words(e.Reason)
		form.Values["known"], form.Values["from"] = pages.TypedTime(ctx, e.OpenedAt), pages.TypedTime(ctx, e.OpenedAt.AddDate(0, 0, -1))
	}

	return s.showNewIncident(c, fiber.StatusOK, form)
}

func (s *Pages) showNewIncident(c *fiber.Ctx, status int, form components.Filled) error {
	p := pages.NewIncident{Frame: s.Frame(c, "incident.new"), Form: form}
	p.Frame.Path = web.PrivacyPath

	return s.Show(c, status, pages.NewIncidentPage(p))
}

// typedIncident is an incident as the form has it. A time that is none is the zero time, which is refused.
func typedIncident(c *fiber.Ctx) privacy.Incident {
	at := func(name string) time.Time {
		t, err := time.ParseInLocation(pages.TimeForm, web.Field(c, name), i18n.Zone(c.UserContext()))
		if err != nil {
			return time.Time{}
		}

		return t
	}

	return privacy.Incident{
		What: web.Field(c, "what"), KnownAt: at("known"), From: at("from"), To: at("to"), Viewer: web.Field(c, "viewer"),
		Consequences: web.Field(c, "consequences"), Measures: web.Field(c, "measures"), Advice: web.Field(c, "advice"),
		Findings: web.Field(c, "findings"), Contact: web.Field(c, "contact"),
	}
}

// OpenIncident writes down what happened.
func (s *Pages) OpenIncident(c *fiber.Ctx) error {
	ctx, m, in := c.UserContext(), web.Member(c), typedIncident(c)
	var id uuid.UUID
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		id, err = privacy.OpenIncident(ctx, tx, m.Actor, in, time.Now())
		return err
	})
	if form, ok := web.Refilled(c, err, incidentFields...); ok {
		return s.showNewIncident(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.IncidentsPath+"/"+id.String(), web.Flash{Key: "toast.saved"})
}

// IncidentPage shows an incident: its clocks, whom it concerns and the letters. It names nobody it concerns.
func (s *Pages) IncidentPage(c *fiber.Ctx) error {
	return s.showIncident(c, fiber.StatusOK, components.Filled{})
}

func (s *Pages) showIncident(c *fiber.Ctx, status int, form components.Filled) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.IncidentPage{Frame: s.Frame(c, "incident.one"), Business: m.Tenant.Name, Now: time.Now(), Form: form}
	p.Frame.Path = web.PrivacyPath
	err = s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		i, err := privacy.GetIncident(ctx, tx, id)
		if err != nil {
			return err
		}
		p.Incident = incidentView(i, p.Now)
		viewers, people, err := privacy.Viewers(ctx, tx, i)
		p.People = people
		if err != nil {
			return err
		}
		for _, v := range viewers {
			p.Viewers = append(p.Viewers, pages.Viewer{Key: v.Key, Name: v.Name, People: v.People})
		}
		accounts, err := privacy.Accounts(ctx, tx, i)
		for _, v := range accounts {
			if !slices.ContainsFunc(viewers, func(seen privacy.Viewer) bool { return seen.Key == v.Key }) {
				p.Idle = append(p.Idle, pages.Viewer{Key: v.Key, Name: v.Name})
			}
		}

		return err
	})
	if err != nil {
		return err
	}

	return s.Show(c, status, pages.IncidentShown(p))
}

func incidentView(i privacy.Incident, now time.Time) pages.Incident {
	view := pages.Incident{
		ID: i.ID.String(), What: i.What, KnownAt: i.KnownAt, From: i.From, To: i.To, Viewer: i.Viewer, ViewerName: i.ViewerName,
		Consequences: i.Consequences, Measures: i.Measures, Advice: i.Advice, Findings: i.Findings, Contact: i.Contact,
		OpenedAt: i.OpenedAt, OpenedBy: i.OpenedBy, ClosedAt: web.OrZero(i.ClosedAt), ClosedBy: i.ClosedBy, Done: i.Done, Lesson: i.Lesson,
	}
	for _, o := range i.Owed() {
		view.Owed = append(view.Owed, pages.Owed{To: o.To, Due: o.Due, At: web.OrZero(o.At), None: o.None, Over: o.Over(now)})
	}

	return view
}

// incidentsOf lists incidents on the page of privacy.
func incidentsOf(ctx context.Context, tx *tenants.Tx, p *pages.Privacy) error {
	list, err := privacy.Incidents(ctx, tx)
	for _, i := range list {
		p.Incidents = append(p.Incidents, incidentView(i, p.Now))
	}

	return err //nolint:wrapcheck // it says what it read
}

// change does something to the incident of the address. Refused, it shows it with the form of the fields to keep.
func (s *Pages) change(c *fiber.Ctx, keep []string, do func(ctx context.Context, tx *tenants.Tx, by tenants.Actor, id uuid.UUID) error) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return do(ctx, tx, m.Actor, id) })
	if form, ok := web.Refilled(c, err, keep...); ok {
		return s.showIncident(c, web.Classify(err).Status, form)
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.IncidentsPath+"/"+id.String(), web.Flash{Key: "toast.saved"})
}

// ChangeIncident writes anew what is known of an incident.
func (s *Pages) ChangeIncident(c *fiber.Ctx) error {
	return s.change(c, incidentFields, func(ctx context.Context, tx *tenants.Tx, by tenants.Actor, id uuid.UUID) error {
		in := typedIncident(c)
		in.ID = id

		return privacy.ChangeIncident(ctx, tx, by, in, time.Now())
	})
}

// MarkIncident writes down that something owed was given.
func (s *Pages) MarkIncident(c *fiber.Ctx) error {
	return s.change(c, nil, func(ctx context.Context, tx *tenants.Tx, by tenants.Actor, id uuid.UUID) error {
		return privacy.MarkIncident(ctx, tx, by, id, web.Field(c, "do"))
	})
}

// CloseIncident ends an incident with what was done and learnt.
func (s *Pages) CloseIncident(c *fiber.Ctx) error {
	return s.change(c, []string{"done", "lesson"}, func(ctx context.Context, tx *tenants.Tx, by tenants.Actor, id uuid.UUID) error {
		return privacy.CloseIncident(ctx, tx, by, id, web.Field(c, "done"), web.Field(c, "lesson"))
	})
}

// concernedRows are read at a time.
const concernedRows = 200

// ExportIncident gives out whom an incident concerns as a file. Each of them is seen by whoever takes it.
func (s *Pages) ExportIncident(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	var i privacy.Incident
	if err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		i, err = privacy.GetIncident(ctx, tx, id)
		return err
	}); err != nil {
		return err
	}
	if err := access.RationExport(ctx, s.DB, m.Tenant.ID); err != nil {
		return err
	}
	if err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		_, people, err := privacy.Viewers(ctx, tx, i)
		if err != nil {
			return err
		}

		return privacy.ExportIncident(ctx, tx, m.Actor, id, people)
	}); err != nil {
		return err
	}

	e, tenant, by := web.Eyes{Clear: m.Can("phones:clear")}, m.Tenant.ID, m.Actor
	web.CSVAnswer(c, "pehchan-incident-"+id.String()[:8]+".csv")
	s.StreamCSV(c, func(ctx context.Context, out *csv.Writer, alive func() error) error {
		if err := web.WriteLine(out, e, []string{
			i18n.T(ctx, "imports.use_name"), i18n.T(ctx, "imports.use_phone"), i18n.T(ctx, "imports.use_bsuid"), i18n.T(ctx, "imports.head_username"),
			i18n.T(ctx, "incident.head_by"), i18n.T(ctx, "incident.head_how"), i18n.T(ctx, "incident.head_first"), i18n.T(ctx, "incident.head_last"),
		}); err != nil {
			return err
		}
		for after := uuid.Nil; ; {
			if err := alive(); err != nil {
				return err
			}
			var (
				list   []privacy.Concerned
				people map[uuid.UUID]identity.Contact
			)
			if err := s.DB.As(ctx, tenant, func(tx *tenants.Tx) (err error) {
				if list, err = privacy.ConcernedBy(ctx, tx, i, after, concernedRows); err != nil || len(list) == 0 {
					return err
				}
				ids := make([]uuid.UUID, len(list))
				for n, seen := range list {
					ids[n] = seen.Contact
				}
				if people, err = identity.Several(ctx, tx, ids); err != nil {
					return err
				}

				return privacy.Saw(ctx, tx, by, privacy.SawExport, ids...)
			}); err != nil || len(list) == 0 {
				return err
			}
			for _, seen := range list {
				after = seen.Contact
				if err := web.WriteLine(out, e, concernedLine(ctx, e, people[seen.Contact], seen)); err != nil {
					return err
				}
			}
			if out.Flush(); out.Error() != nil {
				return out.Error() //nolint:wrapcheck // StreamCSV says what it wrote
			}
		}
	})

	return nil
}

func concernedLine(ctx context.Context, e web.Eyes, c identity.Contact, seen privacy.Concerned) []string {
	phone := c.Phone()
	switch {
	case phone == "":
	case e.Clear:
		phone = "+" + phone
	default:
		phone = components.MaskPhone(phone)
	}
	how := make([]string, len(seen.How))
	for n, way := range seen.How {
		how[n] = i18n.T(ctx, "looks.how_"+way)
	}

	return []string{
		cmp.Or(c.Name(), "-"), phone, c.BSUID(), c.Username(), strings.Join(seen.By, "; "), strings.Join(how, "; "),
		seen.First.UTC().Format(time.DateOnly), seen.Last.In(i18n.Zone(ctx)).Format("2006-01-02 15:04"),
	}
}
