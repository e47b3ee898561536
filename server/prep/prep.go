package prep

import (
	"cmp"
	"context"
	"slices"
	"strconv"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/answers"
	"github.com/pehchan/pehchan/server/teller"
	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/facts"
	"github.com/pehchan/pehchan/tenants/training"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/prep"
)

// pupil is somebody of the team who has something to learn, and how ready they are.
type pupil struct {
	access.Colleague
	training.Standing
}

// pupils are all of tx's team who have, the least ready first.
func (s *Pages) pupils(ctx context.Context, tx *tenants.Tx, now time.Time) ([]pupil, error) {
	team, err := access.Team(ctx, tx)
	if err != nil {
		return nil, err
	}
	team = slices.DeleteFunc(team, func(c access.Colleague) bool { return !training.Learns(c.Role) })
	ids := make([]uuid.UUID, len(team))
	for i, colleague := range team {
		ids[i] = colleague.ID
	}
	news, err := facts.LastNews(ctx, tx)
	if err != nil {
		return nil, err
	}
	records, err := training.Records(ctx, tx, ids)
	if err != nil {
		return nil, err
	}
	list := make([]pupil, len(team))
	for i, colleague := range team {
		list[i] = pupil{colleague, training.Judge(s.bank, colleague.Role, records[colleague.ID], news, now)}
	}
	order := []string{training.NotReady, training.Due, training.Ready}
	slices.SortStableFunc(list, func(a, b pupil) int { return cmp.Compare(slices.Index(order, a.State), slices.Index(order, b.State)) })

	return list, nil
}

// Page tells how ready the team is: who, and why not, to those who lead it; to everybody else their own standing and how many.
func (s *Pages) Page(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	p := pages.Prep{
		Now: now, CanTeam: m.Can("training:team"), CanLearn: m.Can("training:learn"), CanRead: m.Can("training:read"), CanBrief: m.Can("briefings:make"), CanEscalate: m.Can("escalations:use"),
	}
	from, err := web.From(c, "from")
	if err != nil {
		return err
	}
	err = s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		list, err := s.pupils(ctx, tx, now)
		if err != nil {
			return err
		}
		titles, err := s.factTitles(ctx, tx)
		if err != nil {
			return err
		}
		nudged, err := training.Nudged(ctx, tx)
		if err != nil {
			return err
		}
		for i, one := range list {
			p.Team++
			switch one.State {
			case training.Ready:
				p.Ready++
			case training.Due:
				p.Due++
			}
			shown := p.CanTeam && i >= from && i < from+pupilsShown
			if shown || one.ID == m.Person.ID {
				standing := s.standingView(ctx, one.Standing, titles)
				if one.ID == m.Person.ID {
					p.Mine = &standing
				}
				if shown {
					p.People = append(p.People, s.pupilView(m, one, standing, nudged[one.ID], now))
				}
			}
			p.AnyToNudge = p.AnyToNudge || s.mayNudge(m, one, nudged[one.ID], now)
		}
		if p.CanTeam && from+pupilsShown < len(list) {
			p.Next = web.PrepPath + "?from=" + strconv.Itoa(from+pupilsShown)
		}
		if err := answers.FillAsked(ctx, tx, m, now, &p); err != nil || !p.CanEscalate {
			return err
		}
		open, err := training.Escalations(ctx, tx, true)
		for _, e := range open {
			p.Escalations++
			if e.Overdue(now) {
				p.Overdue++
			}
		}

		return err
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "training.title")

	return s.Show(c, fiber.StatusOK, pages.PrepPage(p))
}

func (s *Pages) pupilView(m access.Member, one pupil, standing pages.Standing, nudged, now time.Time) pages.Pupil {
	view := pages.Pupil{ID: one.ID.String(), Name: one.Name, Role: one.Role, Standing: standing, Practised: one.Practised, Nudged: nudged}
	if one.Last != nil {
		view.Quiz, view.Score, view.Of = web.QuizPath+"/"+one.Last.ID.String(), one.Last.Score, one.Last.Of
	}
	view.CanNudge = s.mayNudge(m, one, nudged, now)

	return view
}

func (s *Pages) mayNudge(m access.Member, one pupil, nudged, now time.Time) bool {
	zone := m.Tenant.Location()
	today := now.In(zone).Format(time.DateOnly)

	return one.State != training.Ready && one.ID != m.Person.ID && nudged.In(zone).Format(time.DateOnly) != today
}

const (
	// everybody in the address of a nudge means all who are not ready.
	everybody = "all"
	// mostNudged is how many are reminded by one press; the next goes on with the others.
	mostNudged  = 300
	pupilsShown = 25
)

// Nudge reminds one person by mail, or everybody who is not ready, each at most once a day.
func (s *Pages) Nudge(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	whom := c.Params("person")
	if _, err := uuid.Parse(whom); err != nil && whom != everybody {
		return tenants.ErrNotFound
	}
	var told []string
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		list, err := s.pupils(ctx, tx, now)
		if err != nil {
			return err
		}
		titles := map[string]map[string]string{}
		for _, one := range list {
			if one.State == training.Ready || one.ID == m.Person.ID || whom != everybody && whom != one.ID.String() {
				continue
			}
			err := training.Nudge(ctx, tx, m.Actor, one.ID, now, m.Tenant.Location())
			if tenants.ConflictCode(err) == "nudged_today" && whom == everybody {
				continue
			}
			if err != nil {
				return err
			}
			if err := s.mailNudge(ctx, tx, m, one, titles, now); err != nil {
				return err
			}
			if told = append(told, one.Name); len(told) == mostNudged {
				break
			}
		}

		return nil
	})
	if err != nil && tenants.ConflictCode(err) != "nudged_today" {
		return err
	}
	switch {
	case len(told) == 0:
		return s.Done(c, web.PrepPath, web.Flash{Key: "training.nudged_none"})
	case whom != everybody:
		return s.Done(c, web.PrepPath, web.Flash{Key: "training.nudged_one", Args: []any{"name", told[0]}})
	case len(told) == mostNudged:
		return s.Done(c, web.PrepPath, web.Flash{Key: "training.nudged_part", Args: []any{"n", len(told)}})
	}

	return s.Done(c, web.PrepPath, web.Flash{Key: "training.nudged_many", Args: []any{"n", len(told)}})
}

// mailNudge tells somebody, in their language, what they still have to do. titles keeps what facts are called, by language.
func (s *Pages) mailNudge(ctx context.Context, tx *tenants.Tx, m access.Member, one pupil, titles map[string]map[string]string, now time.Time) error {
	to, err := access.ReaderIn(ctx, tx, one.ID)
	if err != nil {
		return err
	}
	ctx = teller.InLanguage(ctx, to, m.Tenant.Lang, m.Tenant.Location())
	lang := i18n.Lang(ctx)
	if titles[lang] == nil {
		if titles[lang], err = s.factTitles(ctx, tx); err != nil {
			return err
		}
	}
	letter := pages.NudgeMail(ctx, m.Actor.Name, m.Tenant.Name, s.standingView(ctx, one.Standing, titles[lang]), s.Origin.Load().String()+web.LearnPath)

	return teller.QueueCalm(ctx, tx, s.Keys, m.Tenant, to, "nudge "+one.ID.String()+" "+now.In(m.Tenant.Location()).Format(time.DateOnly), letter)
}

// PosterPage is what hangs beside the counter: what to do and what never.
func (s *Pages) PosterPage(c *fiber.Ctx) error {
	ctx := c.UserContext()
	p := pages.Poster{Lang: i18n.Lang(ctx)}
	if asked := c.Query("lang"); asked == i18n.Hindi || asked == i18n.English {
		p.Lang = asked
	}
	p.Title = s.bank.Poster.Title.In(p.Lang)
	for _, point := range s.bank.Poster.Do {
		p.Do = append(p.Do, pages.Point{Text: point.Text.In(p.Lang), Why: point.Why.In(p.Lang)})
	}
	for _, point := range s.bank.Poster.Dont {
		p.Dont = append(p.Dont, pages.Point{Text: point.Text.In(p.Lang), Why: point.Why.In(p.Lang)})
	}
	p.Frame = s.Frame(c, "training.poster")

	return s.Show(c, fiber.StatusOK, pages.PosterPage(p))
}
