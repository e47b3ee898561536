package operator

import (
	"context"
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/answers"
	"github.com/pehchan/pehchan/views/components"
	pages "github.com/pehchan/pehchan/views/operator"
)

// NewCardPage is the form of a card that no release ships.
func (s *Pages) NewCardPage(c *fiber.Ctx) error {
	return s.showNewCard(c, fiber.StatusOK, pages.LibraryCard{Form: components.Filled{Values: map[string]string{"audience": answers.Audiences[0], "verified_on": time.Now().UTC().Format(time.DateOnly)}}})
}

func (s *Pages) showNewCard(c *fiber.Ctx, status int, p pages.LibraryCard) error {
	p.Kind, p.CanWrite, p.Today = answers.UsedCard, true, time.Now().UTC().Format(time.DateOnly)
	p.Frame = s.Frame(c, "library.new")
	p.Frame.Path = web.OpLibraryPath + "/new"

	return s.Show(c, status, pages.LibraryNewPage(p))
}

// AddCard says what a new card would be and whom it reaches, or puts it into the library, where the next page takes it back.
func (s *Pages) AddCard(c *fiber.Ctx) error {
	now, do := time.Now(), web.Field(c, "do")
	var key string
	var p pages.LibraryCard
	err := s.asOperator(c, func(ctx context.Context, tx *tenants.Tx, m access.Member) error {
		in, err := typedRevision(c, answers.UsedCard, "", 0)
		if err != nil {
			return err
		}
		in.Card.Audience = web.Field(c, "audience")
		switch do {
		case "save":
			key, err = answers.Add(ctx, tx, m.Actor, in, now)
		case "preview":
			var tried answers.Shelved
			var e answers.Edition
			var ledger answers.Ledger
			if tried, e, ledger, err = answers.TryAdd(ctx, tx, in, now); err == nil {
				p.Preview, p.Reach, err = previewOf(ctx, tx, tried, ledger, e, now)
			}
		}

		return err
	})
	fields := pages.LibraryFields(answers.UsedCard)
	if form, ok := web.Refilled(c, err, fields...); ok {
		wrongFields(form, err)
		return s.showNewCard(c, web.Classify(err).Status, pages.LibraryCard{Form: form})
	}
	if err != nil {
		return err
	}
	if key != "" {
		to := web.OpLibraryPath + "/" + answers.UsedCard + "/" + key
		return s.Done(c, to, web.Flash{Key: "library.published", Undo: to, Fields: map[string]string{"do": "withdraw", "version": "1"}})
	}
	p.Form = web.Typed(c, fields...)

	return s.showNewCard(c, fiber.StatusOK, p)
}
