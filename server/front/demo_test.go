package front_test

import (
	"io"
	"net/http"
	"net/http/httptest"
	"net/url"
	"strings"
	"testing"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/front"
	"github.com/pehchan/pehchan/server/web"
)

// What a visitor types as a reason or to a customer nobody reads; what they choose stays, and so does an empty reason.
func TestHush(t *testing.T) {
	t.Parallel()
	app := fiber.New(fiber.Config{Immutable: true})
	app.Post("/", func(c *fiber.Ctx) error {
		front.Hush(c)

		return c.SendString(web.Field(c, "reason") + "|" + web.Field(c, "text") + "|" + web.Field(c, "decision"))
	})
	for form, want := range map[string]string{
		"reason=a+rude+word&text=another&decision=same": "Words of a visitor of the demo|Words of a visitor of the demo|same",
		"reason=+&decision=new":                         "||new",
		"reason=" + url.QueryEscape("x") + "&reason=y":  "Words of a visitor of the demo||",
	} {
		r := httptest.NewRequest(http.MethodPost, "/", strings.NewReader(form))
		r.Header.Set("Content-Type", "application/x-www-form-urlencoded")
		answer, err := app.Test(r)
		if err != nil {
			t.Fatal(err)
		}
		got, err := io.ReadAll(answer.Body)
		if err != nil || string(got) != want {
			t.Errorf("%s: got %q (%v), want %q", form, got, err, want)
		}
		if err := answer.Body.Close(); err != nil {
			t.Error(err)
		}
	}
}
