package web

import (
	"cmp"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"math"
	"strconv"
	"strings"

	"github.com/gofiber/fiber/v2"

	"github.com/pehchan/pehchan/server/api"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/views/i18n"
)

const codeFormExpired = "form_expired"

// Refusal is what an error looks like from outside. Code is stable.
type Refusal struct {
	Status int
	code   string
	field  string // of an invalid input
	Retry  int    // seconds, 0 for not said
	more   map[string]any
}

// Classify is the only place that turns an error into a status. What it does not know is 500, and its cause stays in the log.
func Classify(err error) Refusal {
	var (
		conflict *tenants.Conflict
		invalid  *tenants.Invalid
		form     *formError
		tooMany  *access.TooMany
		stopped  *access.Stopped
		problem  *api.Problem
		fe       *fiber.Error
	)
	switch {
	case errors.As(err, &problem):
		return Refusal{Status: problem.Status, code: problem.Code, field: problem.Field, Retry: problem.Retry, more: problem.More}
	case errors.As(err, &conflict):
		return Refusal{Status: fiber.StatusConflict, code: conflict.Code}
	case errors.As(err, &invalid):
		return Refusal{Status: fiber.StatusUnprocessableEntity, code: invalid.Key, field: invalid.Field}
	case errors.As(err, &form):
		return Refusal{Status: fiber.StatusForbidden, code: codeFormExpired}
	case errors.As(err, &tooMany):
		return Refusal{Status: fiber.StatusTooManyRequests, code: cmp.Or(tooMany.Code, "too_many"), Retry: int(math.Ceil(tooMany.RetryAfter.Seconds()))}
	case errors.As(err, &stopped):
		return Refusal{Status: fiber.StatusForbidden, code: "business_" + stopped.State}
	case errors.Is(err, tenants.ErrNotFound):
		return Refusal{Status: fiber.StatusNotFound, code: "not_found"}
	case errors.Is(err, tenants.ErrForbidden):
		return Refusal{Status: fiber.StatusForbidden, code: "forbidden"}
	case errors.Is(err, access.ErrNoSession):
		return Refusal{Status: fiber.StatusUnauthorized, code: "unauthorized"}
	case errors.Is(err, tenants.ErrUnavailable), errors.Is(err, context.DeadlineExceeded), errors.Is(err, context.Canceled), tenants.Away(err):
		return Refusal{Status: fiber.StatusServiceUnavailable, code: "unavailable", Retry: 2}
	case errors.As(err, &fe):
		return Refusal{Status: fe.Code, code: httpCodes[fe.Code]}
	}

	return Refusal{Status: fiber.StatusInternalServerError, code: "internal"}
}

var httpCodes = map[int]string{
	fiber.StatusBadRequest:                  "bad_request",
	fiber.StatusUnauthorized:                "unauthorized",
	fiber.StatusForbidden:                   "forbidden",
	fiber.StatusNotFound:                    "not_found",
	fiber.StatusMethodNotAllowed:            "method_not_allowed",
	fiber.StatusRequestTimeout:              "timeout",
	fiber.StatusRequestEntityTooLarge:       "too_large",
	fiber.StatusUnsupportedMediaType:        "unsupported_media_type",
	fiber.StatusRequestHeaderFieldsTooLarge: "headers_too_large",
}

// logFailed writes one line of a request that failed for a reason of ours. Deliveries that have to come again do so by the thousand, and
// nobody is shown the number of one: of these there is a line a second, with how many it stands for.
func (s *Site) logFailed(c *fiber.Ctx, err error, r Refusal) {
	about := []any{"error", err, "method", c.Method(), "route", c.Route().Path, "status", r.Status, "request", RequestID(c.UserContext())}
	if r.Status != fiber.StatusServiceUnavailable || !strings.HasPrefix(c.Path(), "/hooks/") {
		s.Log.Error("request failed", about...)
		return
	}
	s.putOff.Add(1)
	s.tellPutOff.Do(func() { s.Log.Error("request failed", append(about, "deliveries", s.putOff.Swap(0))...) })
}

// Fail answers an error in the form its reader understands: a problem for the API, one line for Meta and probes, a fragment for htmx,
// else a page.
func (s *Site) Fail(c *fiber.Ctx, err error) error {
	s.SecureHeaders(c)
	r := Classify(err)
	if r.Status >= fiber.StatusInternalServerError {
		s.logFailed(c, err, r)
	}

	c.Response().ResetBody()
	c.Response().Header.Del(fiber.HeaderContentEncoding)
	c.Response().Header.Del(fiber.HeaderLocation)
	c.Status(r.Status)
	if r.Retry > 0 {
		c.Set(fiber.HeaderRetryAfter, strconv.Itoa(r.Retry))
	}

	path := c.Path()
	switch {
	case strings.HasPrefix(path, "/api/"):
		return s.problem(c, r)
	case strings.HasPrefix(path, "/hooks/"), strings.HasPrefix(path, "/static/"), path == "/healthz", path == "/readyz":
		return c.SendString(r.code + "\n")
	}

	if err := s.errorPage(c, r); err != nil {
		s.Log.Error("error page failed", "error", err, "request", RequestID(c.UserContext()))
		c.Response().ResetBody()

		return c.Status(r.Status).SendString(r.code + "\n")
	}

	return nil
}

// problem is an error of the API, RFC 9457.
func (s *Site) problem(c *fiber.Ctx, r Refusal) error {
	body := map[string]any{"type": "about:blank", "title": statusText(r.Status), "status": r.Status, "code": r.code, "request_id": RequestID(c.UserContext())}
	key := "conflict." + r.code
	if r.field != "" {
		body["code"], body["reason"], body["field"] = "invalid", r.code, r.field
		key = "invalid." + r.code
	}
	if i18n.Known(key) {
		body["detail"] = i18n.T(c.UserContext(), key)
	}
	maps.Copy(body, r.more)
	if r.Status == fiber.StatusUnauthorized {
		c.Set(fiber.HeaderWWWAuthenticate, `Bearer realm="pehchan"`)
	}

	raw, err := json.Marshal(body)
	if err != nil {
		return fmt.Errorf("write problem: %w", err)
	}
	c.Set(fiber.HeaderContentType, "application/problem+json")

	return c.Send(raw)
}

func statusText(status int) string { return fiber.NewError(status).Message }

// ErrStale says that what a form asks for needs a recent proof of who asks. A handler whose form needs one only at times returns it.
var ErrStale = errors.New("needs a recent proof")
