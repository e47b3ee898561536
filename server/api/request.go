package api

import (
	"bytes"
	"crypto/hmac"
	"crypto/sha256"
	"encoding/base64"
	"errors"
	"mime"
	"slices"
	"strconv"
	"strings"
	"unicode"
	"unicode/utf8"

	"github.com/go-json-experiment/json"
	"github.com/go-json-experiment/json/jsontext"
	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

const (
	maxBody   = 256 << 10
	maxParam  = 2000
	maxPage   = 200
	macLength = 12 // bytes; enough for what only has to be unguessable within a request
)

// bad refuses a parameter or the shape of a body. What is well-formed and cannot be is the domain's to refuse, as 422.
func bad(field, why string) error {
	return &Problem{Status: fiber.StatusBadRequest, Field: field, Code: why}
}

// params reads the query. A parameter that the call does not know, or that stands there twice, is refused: whoever sent it
// meant something by it.
func params(c *fiber.Ctx, names ...string) (map[string]string, error) {
	found := map[string]string{}
	var wrong error
	c.Context().QueryArgs().VisitAll(func(k, v []byte) {
		name, value := strings.Clone(string(k)), strings.Clone(string(v))
		_, twice := found[name]
		switch {
		case wrong != nil:
		case !slices.Contains(names, name):
			wrong = bad(clipped(name), "unknown_parameter")
		case twice:
			wrong = bad(name, "repeated")
		case len(value) > maxParam:
			wrong = bad(name, "too_long")
		case !utf8.ValidString(value) || strings.ContainsFunc(value, unicode.IsControl):
			wrong = bad(name, "bad_character")
		}
		found[name] = value
	})

	return found, wrong
}

func clipped(name string) string {
	return strings.ToValidUTF8(name[:min(len(name), 60)], "")
}

// id reads a UUID in the form in which we write it. Anything else is an id that nothing has.
func id(s string) (uuid.UUID, error) {
	parsed, err := uuid.Parse(s)
	if err != nil || len(s) != 36 {
		return uuid.Nil, tenants.ErrNotFound
	}

	return parsed, nil
}

// page reads limit and cursor out of the query.
func (a *API) page(c *fiber.Ctx, query map[string]string) (identity.Page, error) {
	p := identity.Page{Limit: 50}
	if text, given := query["limit"]; given {
		n, err := strconv.Atoi(text)
		if err != nil || n < 1 || n > maxPage {
			return identity.Page{}, bad("limit", "bad_limit")
		}
		p.Limit = n
	}
	if text := query["cursor"]; text != "" {
		raw, err := base64.RawURLEncoding.DecodeString(text)
		if err != nil || len(raw) <= macLength || !hmac.Equal(raw[:macLength], a.cursorMAC(c, query, raw[macLength:])) {
			return identity.Page{}, bad("cursor", "bad_cursor")
		}
		p.Cursor = string(raw[macLength:])
	}

	return p, nil
}

// next is the cursor of the page that follows. It is good for this list of this tenant only: one that was edited, or belongs
// to another list, is refused and does not quietly skip rows.
func (a *API) next(c *fiber.Ctx, query map[string]string, cursor string) string {
	if cursor == "" {
		return ""
	}

	return base64.RawURLEncoding.EncodeToString(append(a.cursorMAC(c, query, []byte(cursor)), cursor...))
}

func (a *API) cursorMAC(c *fiber.Ctx, query map[string]string, cursor []byte) []byte {
	mac := hmac.New(sha256.New, a.cursorKey)
	part := func(p []byte) {
		mac.Write([]byte(strconv.Itoa(len(p)) + ":"))
		mac.Write(p)
	}

	tenant := caller(c).Tenant.ID
	part(tenant[:])
	part([]byte(c.Path()))
	names := make([]string, 0, len(query))
	for name := range query {
		if name != "limit" && name != "cursor" {
			names = append(names, name)
		}
	}
	slices.Sort(names)
	for _, name := range names {
		part([]byte(name))
		part([]byte(query[name]))
	}
	part(cursor)

	return mac.Sum(nil)[:macLength]
}

// body reads a JSON object into v: names as they are written in the document, none unknown and none twice.
func body(c *fiber.Ctx, v any) error {
	raw := c.Request().Body()
	if len(raw) > maxBody {
		return fiber.ErrRequestEntityTooLarge
	}
	kind, args, err := mime.ParseMediaType(c.Get(fiber.HeaderContentType))
	if err != nil || kind != fiber.MIMEApplicationJSON || args["charset"] != "" && !strings.EqualFold(args["charset"], "utf-8") {
		return fiber.ErrUnsupportedMediaType
	}
	if !bytes.HasPrefix(bytes.TrimLeft(raw, " \t\r\n"), []byte("{")) {
		return &Problem{Status: fiber.StatusBadRequest, Code: "bad_json"}
	}

	return shape(json.Unmarshal(raw, v, json.RejectUnknownMembers(true)))
}

// noBody is body for a call without fields: nothing, or an empty object.
func noBody(c *fiber.Ctx) error {
	if len(c.Request().Body()) == 0 {
		return nil
	}

	return body(c, &struct{}{})
}

// shape says what is wrong with a JSON document without quoting it.
func shape(err error) error {
	if err == nil {
		return nil
	}

	var (
		semantic *json.SemanticError
		syntax   *jsontext.SyntacticError
	)
	switch {
	case errors.As(err, &semantic) && errors.Is(err, json.ErrUnknownName):
		return bad(pointed(semantic.JSONPointer), "unknown_field")
	case errors.As(err, &semantic):
		return bad(pointed(semantic.JSONPointer), "wrong_type")
	case errors.As(err, &syntax) && errors.Is(err, jsontext.ErrDuplicateName):
		return bad(pointed(syntax.JSONPointer), "repeated")
	}

	return &Problem{Status: fiber.StatusBadRequest, Code: "bad_json"}
}

func pointed(p jsontext.Pointer) string {
	return clipped(strings.ReplaceAll(strings.TrimPrefix(string(p), "/"), "/", "."))
}

// nulls refuses fields that are null. Where leaving a field out means to leave it as it is, null could be meant to empty it.
func nulls(c *fiber.Ctx) error {
	var fields map[string]jsontext.Value
	if err := shape(json.Unmarshal(c.Request().Body(), &fields)); err != nil {
		return err
	}
	for name, value := range fields {
		if value.Kind() == 'n' {
			return bad(name, "wrong_type")
		}
	}

	return nil
}
