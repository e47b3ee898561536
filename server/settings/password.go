package settings

import (
	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants/access"
)

// ChangePassword gives somebody who is signed in a new password.
func (s *Pages) ChangePassword(c *fiber.Ctx) error {
	err := access.ChangePassword(c.UserContext(), s.DB, web.Member(c), web.RawField(c, "old"), web.RawField(c, "password"))
	if form, ok := web.Refilled(c, err); ok {
		return s.showSettings(c, web.Classify(err).Status, settingsForms{password: form})
	}
	if err != nil {
		return err
	}

	return s.Done(c, web.SecurityPath+"?new=1", web.Flash{Key: "toast.password_changed"})
}
