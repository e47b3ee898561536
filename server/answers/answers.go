package answers

import (
	"context"
	"net/url"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/answers"
	"github.com/pehchan/pehchan/tenants/numbers"
	"github.com/pehchan/pehchan/tenants/trust"
	"github.com/pehchan/pehchan/tenants/usernames"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	pages "github.com/pehchan/pehchan/views/answers"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
)

const (
	answersPageSize = 12
)

// Page lists the ready answers, or those that a question finds.
func (s *Pages) Page(c *fiber.Ctx) error {
	ctx, m, now := c.UserContext(), web.Member(c), time.Now()
	p := pages.Answers{
		Query: strings.TrimSpace(c.Query("q")), Audience: c.Query("for"), CanUse: m.Can("answers:use"), CanEdit: m.Can("answers:edit"),
		CanMacros: m.Can("macros:read"), CanQuestions: m.Can("questions:read"),
	}
	from, err := web.From(c, "from")
	if err != nil {
		return err
	}
	if p.Audience != "" && !slices.Contains(answers.Audiences, p.Audience) || len(p.Query) > 1000 {
		return tenants.ErrNotFound
	}
	err = s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		cards, ledger, err := answers.Library(ctx, tx, now)
		if err != nil {
			return err
		}
		p.All = len(cards)
		for _, card := range cards {
			if len(card.Doubts) > 0 {
				p.Doubtful++
			}
		}
		if cards, err = answers.Find(cards, p.Query); err != nil {
			return err
		}
		cards = slices.DeleteFunc(slices.Clone(cards), func(card answers.Card) bool { return p.Audience != "" && card.Audience != p.Audience })
		p.Found = len(cards)
		cards = cards[min(from, len(cards)):]
		if len(cards) > answersPageSize {
			cards = cards[:answersPageSize]
			p.Next = web.AnswersPath + "?" + url.Values{"q": {p.Query}, "for": {p.Audience}, "from": {strconv.Itoa(from + answersPageSize)}}.Encode()
		}
		own, err := businessWords(ctx, s.Site, tx, m)
		for _, card := range cards {
			p.Items = append(p.Items, answerView(ctx, card, ledger, own, now))
		}

		return err
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "answers.title")

	return s.Show(c, fiber.StatusOK, pages.AnswersPage(p))
}

// businessWords are the values that texts may take in of the business itself. A username that is only reserved is none: customers do not
// find it yet.
func businessWords(ctx context.Context, s *web.Site, tx *tenants.Tx, m access.Member) (map[string]string, error) {
	words := map[string]string{"business": m.Tenant.Name}
	handles, err := usernames.Handles(ctx, tx)
	if err != nil {
		return nil, err
	}
	for _, h := range handles {
		if h.Status == whatsapp.UsernameApproved && words["handle"] == "" {
			words["handle"] = h.Name
		}
	}
	path, on, err := trust.Path(ctx, tx)
	if err != nil {
		return nil, err
	}
	if on {
		words["trust_url"] = s.Origin.Load().String() + path
	}
	list, err := numbers.List(ctx, tx, uuid.Nil, 0)
	for _, n := range list {
		if n.State != numbers.Disconnected && words["our_number"] == "" {
			words["our_number"] = components.ClearPhone(n.DisplayPhone)
		}
	}

	return words, err
}

// answerView is a card in the reader's language and then the other, with its facts and the business's words filled in.
func answerView(ctx context.Context, card answers.Card, ledger answers.Ledger, own map[string]string, now time.Time) pages.Answer {
	lang, other := i18n.Lang(ctx), i18n.Hindi
	if lang == i18n.Hindi {
		other = i18n.English
	}
	a := pages.Answer{
		Key: card.Key, Audience: card.Audience, Country: card.Country, Question: card.Question.In(lang), Source: card.Source.In(lang),
		Timeless: len(card.Facts) == 0 && card.Version == 0 && !card.Edition.Own, Version: card.Version, Own: card.Own, By: card.By, At: card.At,
		Checked: pages.Checked{By: card.CheckedBy, At: card.CheckedAt}, Uses: card.Uses, Helpful: card.Helpful, Unhelpful: card.Unhelpful,
		Texts: []pages.AnswerText{answerText(card.Content, ledger, lang, own), answerText(card.Content, ledger, other, own)},
	}
	a.Held, a.Moved = card.Held(), card.Moved
	if card.Version == 0 && card.Edition.Own {
		a.PlatformAt = card.Edition.WrittenAt
	}
	if card.Under != nil {
		a.Under = []pages.AnswerText{answerText(*card.Under, ledger, lang, own), answerText(*card.Under, ledger, other, own)}
	}
	a.Verified, a.Until = ledger.Verified(card)
	for _, key := range card.Facts {
		if f, ok := ledger.Fact(key); ok {
			a.Facts = append(a.Facts, web.FactView(ctx, f, now))
		}
	}
	a.Doubts = doubtViews(ctx, card.Doubts)

	return a
}

func doubtViews(ctx context.Context, list []answers.Doubt) []pages.AnswerDoubt {
	var views []pages.AnswerDoubt
	for _, d := range list {
		views = append(views, pages.AnswerDoubt{Code: d.Code, Title: d.Fact.Title(i18n.Lang(ctx)), Since: d.Since})
	}

	return views
}

func answerText(card answers.Content, ledger answers.Ledger, lang string, own map[string]string) pages.AnswerText {
	t := pages.AnswerText{Lang: lang}
	var inLong, inNever []string
	t.Short, t.Missing = ledger.Fill(card.Short.In(lang), lang, own)
	t.Long, inLong = ledger.Fill(card.Long.In(lang), lang, own)
	t.Never, inNever = ledger.Fill(card.Never.In(lang), lang, own)
	for _, name := range slices.Concat(inLong, inNever) {
		if !slices.Contains(t.Missing, name) {
			t.Missing = append(t.Missing, name)
		}
	}

	return t
}

func (s *Pages) AnswerPage(c *fiber.Ctx) error { return s.showAnswer(c, fiber.StatusOK, "") }

// showAnswer shows one answer. failed is why what was asked of it could not be done.
func (s *Pages) showAnswer(c *fiber.Ctx, status int, failed string) error {
	ctx, m, now, key := c.UserContext(), web.Member(c), time.Now(), c.Params("id")
	p := pages.AnswerCard{Now: now, CanUse: m.Can("answers:use"), CanEdit: m.Can("answers:edit"), Failed: failed}
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		card, ledger, err := answers.One(ctx, tx, key, now)
		if err != nil {
			return err
		}
		own, err := businessWords(ctx, s.Site, tx, m)
		if err != nil {
			return err
		}
		p.Answer = answerView(ctx, card, ledger, own, now)
		history, err := answers.Versions(ctx, tx, key)
		if err != nil {
			return err
		}
		for _, v := range history {
			p.History = append(p.History, pages.AnswerVersion{
				Version: v.Version, Removed: v.Removed, By: v.By, At: v.At, Current: v.Version == card.Version,
				Text: answerText(v.Content, ledger, i18n.Lang(ctx), own),
			})
		}
		helpful, said, err := answers.VoteOf(ctx, tx, m.Person.ID, key)
		if said {
			p.Voted = yesNo(helpful)
		}

		return err
	})
	if err != nil {
		return err
	}
	p.Frame = s.Frame(c, "answers.title")
	p.Frame.Title = p.Answer.Question
	p.Frame.Path = web.AnswersPath + "/" + key

	return s.Show(c, status, pages.AnswerCardPage(p))
}

func yesNo(yes bool) string {
	if yes {
		return "yes"
	}

	return "no"
}

// UseAnswer counts that an answer was copied or shared. The browser asks for it by itself and shows nothing of it.
func (s *Pages) UseAnswer(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		return answers.Use(ctx, tx, answers.UsedCard, c.Params("id"), time.Now())
	})
	if err != nil {
		return err
	}

	return c.SendStatus(fiber.StatusNoContent)
}

// VoteAnswer keeps whether an answer helped.
func (s *Pages) VoteAnswer(c *fiber.Ctx) error {
	ctx, m, key := c.UserContext(), web.Member(c), c.Params("id")
	helpful := web.Field(c, "helpful")
	if helpful != "yes" && helpful != "no" {
		return &tenants.Invalid{Field: "helpful", Key: "choice"}
	}
	err := s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		return answers.Vote(ctx, tx, m.Person.ID, key, helpful == "yes", time.Now())
	})
	if err != nil {
		return err
	}

	return s.Done(c, web.AnswersPath+"/"+key, web.Flash{Key: "toast.voted"})
}

// CheckAnswer notes that the member stands by an answer.
func (s *Pages) CheckAnswer(c *fiber.Ctx) error {
	return s.changeAnswer(c, "toast.answer_checked", func(ctx context.Context, tx *tenants.Tx, m access.Member, key string, seen int) error {
		return answers.Check(ctx, tx, m.Actor, key, seen, time.Now())
	})
}

// RestoreAnswer takes the business's own text of an answer back.
func (s *Pages) RestoreAnswer(c *fiber.Ctx) error {
	return s.changeAnswer(c, "toast.answer_restored", func(ctx context.Context, tx *tenants.Tx, m access.Member, key string, seen int) error {
		return answers.Restore(ctx, tx, m.Actor, key, seen, time.Now())
	})
}

func (s *Pages) changeAnswer(c *fiber.Ctx, said string, change func(context.Context, *tenants.Tx, access.Member, string, int) error) error {
	ctx, m, key := c.UserContext(), web.Member(c), c.Params("id")
	seen, err := strconv.Atoi(web.Field(c, "version"))
	if err != nil {
		seen = -1 // of no version: refused as out of date
	}
	to := web.AnswersPath + "/" + key
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if err := change(ctx, tx, m, key, seen); err != nil {
			return err
		}
		if shipped, err := answers.Shipped(); err != nil || !slices.ContainsFunc(shipped, func(card answers.Card) bool { return card.Key == key }) {
			if _, _, err := answers.One(ctx, tx, key, time.Now()); err != nil {
				to = web.AnswersPath // it is no more
			}
		}

		return nil
	})
	if code := tenants.ConflictCode(err); code != "" {
		return s.showAnswer(c, web.Classify(err).Status, code)
	}
	if err != nil {
		return err
	}

	return s.Done(c, to, web.Flash{Key: said})
}
