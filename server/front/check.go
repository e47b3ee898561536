package front

import (
	"time"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/tenants"
	pages "github.com/pehchan/pehchan/views/front"
)

// CheckPage is the readiness check of somebody without an account. The answers come with the address, and nothing is kept of them.
func (s *Pages) CheckPage(c *fiber.Ctx) error {
	if err := s.visitors.take(s.ClientIP(c), time.Now()); err != nil {
		return err
	}
	answers := c.Query("a")
	if !pages.IsCheck(answers) {
		return tenants.ErrNotFound
	}
	path := "/check"
	if answers != "" {
		path += "?a=" + answers
	}

	return s.Show(c, fiber.StatusOK, pages.CheckPage(pages.Check{Around: s.around(c, "selfcheck.title", path), Answers: answers, At: time.Now()}))
}
