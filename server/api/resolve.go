package api

import (
	"errors"
	"strings"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

type resolved struct {
	ContactID   *uuid.UUID   `json:"contact_id"`
	IdentityID  uuid.UUID    `json:"identity_id"`
	DisplayName string       `json:"display_name"`
	Username    string       `json:"username"`
	Matched     string       `json:"matched"`
	Identifiers []identifier `json:"identifiers"`
}

// Resolve answers GET /resolve: who holds an identifier now, or held it last.
func (a *API) Resolve(c *fiber.Ctx) error {
	query, err := params(c, "phone", "bsuid", "parent_bsuid", "portfolio")
	if err != nil {
		return err
	}
	kind, value, err := asked(query)
	if err != nil {
		return err
	}
	portfolio := query["portfolio"]
	if len(portfolio) > 32 || whatsapp.Digits(portfolio) != portfolio {
		return bad("portfolio", "meta_id")
	}

	var r identity.Resolved
	err = a.read(c, func(tx *tenants.Tx) (err error) {
		r, err = identity.Resolve(c.UserContext(), tx, kind, value, portfolio)
		if phone, ok := whatsapp.Phone(value); ok && kind == whatsapp.KindPhone && errors.Is(err, tenants.ErrNotFound) {
			// A number that keeps no phones knows its customers by tokens, which only who holds the phone already can ask by.
			r, err = identity.Resolve(c.UserContext(), tx, kind, phonefree.For(a.Keys, tx.Tenant).Phone(phone), portfolio)
		}

		return err
	})
	if errors.Is(err, tenants.ErrNotFound) {
		return &Problem{Status: fiber.StatusNotFound, Code: "unknown_identifier"}
	}
	if err != nil {
		return err
	}

	if r.Contact != nil {
		if err := a.saw(c, r.Contact.ID); err != nil {
			return err
		}
	}
	out := resolved{
		IdentityID: r.IdentityID, DisplayName: r.Identity.ProfileName, Username: r.Identity.Username, Matched: "current",
		Identifiers: each(r.Identity.Identifiers, newIdentifier),
	}
	if r.Contact != nil {
		out.ContactID, out.DisplayName = &r.Contact.ID, r.Contact.Name()
	}
	if r.Historic {
		out.Matched = "historic"
	}

	return answer(c, out)
}

// asked reads the one identifier that a query names.
func asked(query map[string]string) (kind whatsapp.Kind, value string, err error) {
	for _, k := range []whatsapp.Kind{whatsapp.KindPhone, whatsapp.KindBSUID, whatsapp.KindParentBSUID} {
		v, given := query[string(k)]
		switch {
		case !given:
			continue
		case kind != "":
			return "", "", bad(string(k), "one_identifier")
		}
		kind, value = k, v
	}

	var ok bool
	switch kind {
	case whatsapp.KindPhone:
		value = strings.TrimPrefix(value, " ") // an unescaped + in a query reads as a space
		_, ok = whatsapp.Phone(value)
	case whatsapp.KindBSUID:
		ok = whatsapp.IsBSUID(value)
	case whatsapp.KindParentBSUID:
		ok = whatsapp.IsParentBSUID(value)
	default:
		return "", "", bad("phone", "one_identifier")
	}
	if !ok {
		return "", "", bad(string(kind), string(kind))
	}

	return kind, value, nil
}
