package answers

import (
	"context"
	"strconv"
	"strings"
	"time"
	"unicode"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/answers"
	pages "github.com/pehchan/pehchan/views/answers"
	"github.com/pehchan/pehchan/views/components"
)

var answerFields = []string{
	"version", "audience", "country", "question_en", "question_hi", "short_en", "short_hi", "long_en", "long_hi", "never_en", "never_hi", "source", "asks",
}

// NewAnswerPage is the editor of a new card; ?question= is one that was asked, to be answered by it.
func (s *Pages) NewAnswerPage(c *fiber.Ctx) error {
	ctx, m := c.UserContext(), web.Member(c)
	p := pages.AnswerEdit{Form: components.Filled{Values: map[string]string{"version": "0", "audience": answers.Audiences[0]}}}
	if asked := c.Query("question"); asked != "" {
		id, err := uuid.Parse(asked)
		if err != nil {
			return tenants.ErrNotFound
		}
		err = s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
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

// EditAnswerPage is the editor of a card, as it stands or, with ?from=, as a version of it was.
func (s *Pages) EditAnswerPage(c *fiber.Ctx) error {
	ctx, m, key := c.UserContext(), web.Member(c), c.Params("id")
	p := pages.AnswerEdit{Key: key}
	err := s.DB.AsSnapshot(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
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

func (s *Pages) showAnswerEdit(c *fiber.Ctx, status int, p pages.AnswerEdit) error {
	title := "answers.edit"
	if p.Key == "" {
		title = "answers.new"
	}
	p.Frame = s.Frame(c, title)
	p.Frame.Path = web.AnswersPath + "/new"
	if p.Key != "" {
		p.Frame.Path = web.AnswersPath + "/" + p.Key + "/edit"
	}

	return s.Show(c, status, pages.AnswerEditPage(p))
}

func answerForm(card answers.Content, version int) map[string]string {
	return map[string]string{
		"version": strconv.Itoa(version), "audience": card.Audience, "country": card.Country, "question_en": card.Question.EN, "question_hi": card.Question.HI,
		"short_en": card.Short.EN, "short_hi": card.Short.HI, "long_en": card.Long.EN, "long_hi": card.Long.HI,
		"never_en": card.Never.EN, "never_hi": card.Never.HI, "source": card.Source.EN, "asks": strings.Join(card.Asks, "\n"),
	}
}

func (s *Pages) AddAnswer(c *fiber.Ctx) error { return s.saveAnswer(c, "") }

func (s *Pages) EditAnswer(c *fiber.Ctx) error { return s.saveAnswer(c, c.Params("id")) }

// saveAnswer keeps the business's own text of a card, a new one where key is empty, and hangs the question that led to it on it.
func (s *Pages) saveAnswer(c *fiber.Ctx, key string) error {
	ctx, m, now, asked := c.UserContext(), web.Member(c), time.Now(), web.Field(c, "question")
	text := func(name string) string { return strings.ReplaceAll(web.Field(c, name), "\r\n", "\n") }
	words := func(name string) answers.Words { return answers.Words{EN: text(name + "_en"), HI: text(name + "_hi")} }
	in := answers.Edit{Key: key, Content: answers.Content{
		Audience: web.Field(c, "audience"), Country: strings.ToUpper(web.Field(c, "country")), Question: words("question"), Short: words("short"), Long: words("long"),
		Never: words("never"), Source: answers.Words{EN: web.Field(c, "source"), HI: web.Field(c, "source")},
	}}
	for line := range strings.Lines(text("asks")) {
		if line = strings.TrimSpace(line); line != "" {
			in.Asks = append(in.Asks, line)
		}
	}
	var err error
	if in.Version, err = strconv.Atoi(web.Field(c, "version")); err != nil {
		in.Version = -1 // refused as out of date
	}

	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if key, err = answers.Save(ctx, tx, m.Actor, in, now); err != nil || asked == "" {
			return err
		}

		return hangOn(ctx, tx, m.Actor, asked, key, now)
	})
	if form, refused := web.Refilled(c, err, answerFields...); refused {
		return s.showAnswerEdit(c, web.Classify(err).Status, pages.AnswerEdit{Key: in.Key, Question: asked, Form: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.AnswersPath+"/"+key, web.Flash{Key: "toast.answer_saved"})
}

// hangOn says that a card answers a question that was asked.
func hangOn(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, question, card string, now time.Time) error {
	id, err := uuid.Parse(question)
	if err != nil {
		return tenants.ErrNotFound
	}

	return answers.Answer(ctx, tx, actor, id, card, now)
}
