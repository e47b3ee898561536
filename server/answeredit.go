package server

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/answers"
	"github.com/pehchan/pehchan/views/pages"
)

var answerFields = []string{
	"version", "audience", "country", "question_en", "question_hi", "short_en", "short_hi", "long_en", "long_hi", "never_en", "never_hi", "source", "asks",
}

// newAnswerPage is the editor of a new card; ?question= is one that was asked, to be answered by it.
func (s *Server) newAnswerPage(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), member(c)
	p := pages.AnswerEdit{Form: pages.Filled{Values: map[string]string{"version": "0", "audience": answers.Audiences[0]}}}
	if asked := c.Query("question"); asked != "" {
		id, err := uuid.Parse(asked)
		if err != nil {
			return tenants.ErrNotFound
		}
		err = s.db.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
			g, err := answers.GroupOf(ctx, tx, id, time.Now())
			draftCard(p.Form.Values, g)

			return err
		})
		if err != nil {
			return err
		}
		p.Question = id.String()
	}

	return s.showAnswerEdit(c, fiber.StatusOK, p)
}

// draftCard fills the form of a new card with how a question was asked and what was learnt about it, each in the language it is in.
func draftCard(form map[string]string, g answers.Group) {
	var ways []string
	for _, q := range g.Latest {
		ways = append(ways, q.Text)
	}
	form["asks"] = strings.Join(ways, "\n")
	if len(g.Learnt) == 0 {
		return
	}
	long := map[string][]string{}
	for _, l := range g.Learnt {
		lang := writtenIn(l.Text)
		long[lang] = append(long[lang], l.Text)
	}
	for lang, texts := range long {
		form["long_"+lang] = strings.Join(texts, "\n\n")
	}
	form["question_"+writtenIn(ways[0])] = ways[0]
}

// writtenIn is Hindi for a text in Devanagari, else English.
func writtenIn(text string) string {
	if strings.ContainsFunc(text, func(r rune) bool { return unicode.Is(unicode.Devanagari, r) }) {
		return answers.Hindi
	}

	return answers.English
}

// editAnswerPage is the editor of a card, as it stands or, with ?from=, as a version of it was.
func (s *Server) editAnswerPage(c *fiber.Ctx) error {
	ctx, m, key := c.UserContext(), member(c), c.Params("id")
	p := pages.AnswerEdit{Key: key}
	err := s.db.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		card, _, err := answers.One(ctx, tx, key, time.Now())
		if err != nil {
			return err
		}
		content, newest := card.Content, 0
		history, err := answers.Versions(ctx, tx, key)
		for i, v := range history {
			if i == 0 {
				newest = v.Version
			}
			if c.Query("from") == strconv.Itoa(v.Version) {
				content = v.Content
			}
		}
		p.Form.Values = answerForm(content, newest)

		return err
	})
	if err != nil {
		return err
	}

	return s.showAnswerEdit(c, fiber.StatusOK, p)
}

func (s *Server) showAnswerEdit(c *fiber.Ctx, status int, p pages.AnswerEdit) error {
	title := "answers.edit"
	if p.Key == "" {
		title = "answers.new"
	}
	p.Frame = s.frame(c, title)
	p.Frame.Path = answersPath + "/new"
	if p.Key != "" {
		p.Frame.Path = answersPath + "/" + p.Key + "/edit"
	}

	return s.show(c, status, pages.AnswerEditPage(p))
}

func answerForm(card answers.Content, version int) map[string]string {
	return map[string]string{
		"version": strconv.Itoa(version), "audience": card.Audience, "country": card.Country, "question_en": card.Question.EN, "question_hi": card.Question.HI,
		"short_en": card.Short.EN, "short_hi": card.Short.HI, "long_en": card.Long.EN, "long_hi": card.Long.HI,
		"never_en": card.Never.EN, "never_hi": card.Never.HI, "source": card.Source.EN, "asks": strings.Join(card.Asks, "\n"),
	}
}

func (s *Server) addAnswer(c *fiber.Ctx) error  { return s.saveAnswer(c, "") }
func (s *Server) editAnswer(c *fiber.Ctx) error { return s.saveAnswer(c, c.Params("id")) }

// saveAnswer keeps the business's own text of a card, a new one where key is empty, and hangs the question that led to it on it.
func (s *Server) saveAnswer(c *fiber.Ctx, key string) error {
	ctx, m, now, asked := c.UserContext(), member(c), time.Now(), field(c, "question")
	text := func(name string) string { return strings.ReplaceAll(field(c, name), "\r\n", "\n") }
	words := func(name string) answers.Words { return answers.Words{EN: text(name + "_en"), HI: text(name + "_hi")} }
	in := answers.Edit{Key: key, Content: answers.Content{
		Audience: field(c, "audience"), Country: strings.ToUpper(field(c, "country")), Question: words("question"), Short: words("short"), Long: words("long"),
		Never: words("never"), Source: answers.Words{EN: field(c, "source"), HI: field(c, "source")},
	}}
	for line := range strings.Lines(text("asks")) {
		if line = strings.TrimSpace(line); line != "" {
			in.Asks = append(in.Asks, line)
		}
	}
	var err error
	if in.Version, err = strconv.Atoi(field(c, "version")); err != nil {
		in.Version = -1 // refused as out of date
	}

	err = s.db.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if key, err = answers.Save(ctx, tx, m.Actor, in, now); err != nil || asked == "" {
			return err
		}

		return hangOn(ctx, tx, m.Actor, asked, key, now)
	})
	if form, refused := refilled(c, err, answerFields...); refused {
		return s.showAnswerEdit(c, classify(err).status, pages.AnswerEdit{Key: in.Key, Question: asked, Form: form})
	}
	if err != nil {
		return err
	}

	return s.done(c, answersPath+"/"+key, flash{Key: "toast.answer_saved"})
}

// hangOn says that a card answers a question that was asked.
func hangOn(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, question, card string, now time.Time) error {
	id, err := uuid.Parse(question)
	if err != nil {
		return tenants.ErrNotFound
	}

	return answers.Answer(ctx, tx, actor, id, card, now)
}
