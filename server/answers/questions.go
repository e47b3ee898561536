package answers

import (
	"context"
	"errors"
	"net/url"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/answers"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	pages "github.com/pehchan/pehchan/views/answers"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	preppages "github.com/pehchan/pehchan/views/prep"
)

const (
	questionsPageSize = 15
	latestSaid        = 20 // messages that are looked through for what they asked
)

// QuestionsPage lists what customers ask, those that ask alike together.
func (s *Pages) QuestionsPage(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	p := pages.Questions{Now: now, OnlyOpen: c.Query("show") == "open", OnlyLearnt: c.Query("show") == "learnt", CanEdit: m.Can("answers:edit")}
	from, err := web.From(c, "from")
	if err != nil {
		return err
	}
	err = s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		cards, _, err := answers.Library(ctx, tx, now)
		if err != nil {
			return err
		}
		titles := map[string]string{}
		for _, card := range cards {
			titles[card.Key] = card.Question.In(i18n.Lang(ctx))
			p.Cards = append(p.Cards, components.Option{Value: card.Key, Label: titles[card.Key]})
		}
		groups, err := answers.Groups(ctx, tx, now)
		for _, g := range groups {
			p.Count += g.Count
			if p.OnlyOpen && g.Card != "" || p.OnlyLearnt && len(g.Learnt) == 0 {
				continue
			}
			view := pages.QuestionGroup{ID: g.ID.String(), Text: g.Latest[0].Text, Count: g.Count, Last: g.Latest[0].At, Card: g.Card, CardTitle: titles[g.Card], Chosen: g.Chosen}
			for _, l := range g.Learnt {
				view.Learnt = append(view.Learnt, pages.Learnt{Text: l.Text, By: l.By, At: l.At})
			}
			for _, q := range g.Latest[1:] {
				if q.Text != view.Text {
					view.Others = append(view.Others, q.Text)
				}
			}
			p.Items = append(p.Items, view)
		}

		return err
	})
	if err != nil {
		return err
	}
	p.Items = p.Items[min(from, len(p.Items)):]
	if len(p.Items) > questionsPageSize {
		p.Items = p.Items[:questionsPageSize]
		p.Next = web.QuestionsPath + "?" + url.Values{"show": {c.Query("show")}, "from": {strconv.Itoa(from + questionsPageSize)}}.Encode()
	}
	p.Frame = s.Frame(c, "questions.title")

	return s.Show(c, fiber.StatusOK, pages.QuestionsPage(p))
}

// mostAsked is how many questions the board of the team shows.
const mostAsked = 5

// FillAsked puts on the board of the team what customers ask most, and how many answers are to be verified again.
func FillAsked(ctx context.Context, tx *tenants.Tx, m access.Member, now time.Time, p *preppages.Prep) error {
	cards, _, err := answers.Library(ctx, tx, now)
	if err != nil {
		return err
	}
	for _, card := range cards {
		if len(card.Doubts) > 0 {
			p.Doubtful++
		}
	}
	if p.CanAsked = m.Can("questions:read"); !p.CanAsked {
		return nil
	}
	groups, err := answers.Groups(ctx, tx, now)
	for _, g := range groups[:min(mostAsked, len(groups))] {
		p.Asked = append(p.Asked, pages.QuestionGroup{ID: g.ID.String(), Text: g.Latest[0].Text, Count: g.Count, Last: g.Latest[0].At, Card: g.Card})
	}

	return err
}

// LogQuestion keeps what was searched for and not found, or what a customer wrote last.
func (s *Pages) LogQuestion(c *fiber.Ctx) error {
	ctx, m, back := c.UserContext(), web.Member(c), web.AnswersPath
	var asked answers.Question
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) (err error) {
		if contact := web.Field(c, "contact"); contact != "" {
			back = web.LocalPath(web.Field(c, "next"))
			asked, err = logLast(ctx, tx, m, contact)
			return err
		}
		asked, err = answers.Log(ctx, tx, m.Actor, answers.FromSearch, web.Field(c, "text"))

		return err
	})
	var nothing *tenants.Invalid
	if errors.As(err, &nothing) {
		return s.Done(c, back, web.Flash{Key: "questions.nothing_asked"})
	}
	if err != nil {
		return err
	}

	return s.Done(c, back, web.Flash{Key: "questions.logged", Args: []any{"text", asked.Text}, Undo: web.QuestionsPath + "/" + asked.ID.String() + "/undo", Fields: map[string]string{"next": back}})
}

// logLast logs what a contact wrote last, without their names.
func logLast(ctx context.Context, tx *tenants.Tx, m access.Member, id string) (answers.Question, error) {
	parsed, err := uuid.Parse(id)
	if err != nil {
		return answers.Question{}, tenants.ErrNotFound
	}
	contact, err := identity.Get(ctx, tx, parsed)
	if err != nil {
		return answers.Question{}, err
	}
	text, err := lastAsked(ctx, tx, contact)
	if err != nil {
		return answers.Question{}, err
	}

	return answers.Log(ctx, tx, m.Actor, answers.FromContact, text, namesOf(contact)...)
}

// namesOf is all that a contact is called by.
func namesOf(contact identity.Contact) []string {
	names := []string{contact.DisplayName, contact.ProfileName, contact.SavedName}
	for _, i := range contact.Identities {
		names = append(names, i.ProfileName, i.Username)
	}

	return names
}

// lastAsked is what a contact wrote last; empty where nothing of late.
func lastAsked(ctx context.Context, tx *tenants.Tx, contact identity.Contact) (string, error) {
	entries, _, err := conversations.Entries(ctx, tx, contact, identity.Page{Limit: latestSaid})
	for i := range entries {
		e := &entries[i]
		if e.Direction == whatsapp.DirectionIn && e.GroupID == "" && e.RevokedAt.IsZero() && strings.TrimSpace(e.Text) != "" {
			return e.Text, nil
		}
	}

	return "", err
}

// UnlogQuestion takes back what the member has just logged.
func (s *Pages) UnlogQuestion(c *fiber.Ctx) error {
	return s.onQuestion(c, web.LocalPath(web.Field(c, "next")), "toast.question_taken_back", func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) error {
		return answers.Unlog(ctx, tx, m.Actor, id)
	})
}

// AnswerQuestion says which card answers a group of questions.
func (s *Pages) AnswerQuestion(c *fiber.Ctx) error {
	card := web.Field(c, "card")

	return s.onQuestion(c, web.QuestionsPath, "toast.question_answered", func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) error {
		return answers.Answer(ctx, tx, m.Actor, id, card, time.Now())
	})
}

// ForgetQuestion removes a group of questions.
func (s *Pages) ForgetQuestion(c *fiber.Ctx) error {
	return s.onQuestion(c, web.QuestionsPath, "toast.question_removed", func(ctx context.Context, tx *tenants.Tx, m access.Member, id uuid.UUID) error {
		return answers.Forget(ctx, tx, m.Actor, id, time.Now())
	})
}

func (s *Pages) onQuestion(c *fiber.Ctx, back, said string, do func(context.Context, *tenants.Tx, access.Member, uuid.UUID) error) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	if err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error { return do(ctx, tx, m, id) }); err != nil {
		return err
	}

	return s.Done(c, back, web.Flash{Key: said})
}
