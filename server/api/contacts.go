package api

import (
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

type identifier struct {
	Kind      string    `json:"kind"`
	Value     string    `json:"value"`
	Current   bool      `json:"current"`
	FirstSeen time.Time `json:"first_seen"`
	LastSeen  time.Time `json:"last_seen"`
}

type account struct {
	ID           uuid.UUID    `json:"id"`
	PortfolioID  *string      `json:"portfolio_id"`
	Username     string       `json:"username"`
	ProfileName  string       `json:"profile_name"`
	PhoneVisible bool         `json:"phone_visible"`
	Identifiers  []identifier `json:"identifiers"`
}

type contact struct {
	ID          uuid.UUID         `json:"id"`
	RequestedID *uuid.UUID        `json:"requested_id,omitempty"`
	DisplayName string            `json:"display_name"`
	ProfileName string            `json:"profile_name"`
	SavedName   string            `json:"saved_name"`
	Notes       string            `json:"notes"`
	ExternalIDs map[string]string `json:"external_ids"`
	Version     int               `json:"version"`
	CreatedAt   time.Time         `json:"created_at"`
	LastWroteAt *time.Time        `json:"last_wrote_at"`
	Identities  []account         `json:"identities"`
	*wishes
}

// wishes are added where one contact is asked for.
type wishes struct {
	Marketing   *string      `json:"marketing"`
	Preferences []preference `json:"preferences"`
}

type preference struct {
	IdentityID uuid.UUID `json:"identity_id"`
	NumberID   uuid.UUID `json:"number_id"`
	Category   string    `json:"category"`
	Value      string    `json:"value"`
	At         time.Time `json:"at"`
}

func newWishes(list []identity.Preference) *wishes {
	w := &wishes{Preferences: each(list, func(p identity.Preference) preference {
		return preference{IdentityID: p.IdentityID, NumberID: p.NumberID, Category: p.Category, Value: p.Value, At: p.At.UTC()}
	})}
	if p, ok := identity.Strictest(list, identity.Marketing); ok && (p.Value == identity.Stop || p.Value == identity.Resume) {
		w.Marketing = &p.Value
	}

	return w
}

func newIdentifier(d identity.Identifier) identifier {
	return identifier{Kind: string(d.Kind), Value: d.Value, Current: d.Current, FirstSeen: d.FirstSeen.UTC(), LastSeen: d.LastSeen.UTC()}
}

func newAccount(i identity.Identity) account {
	// What stands for a phone that is not kept is nothing that a caller could use.
	shown := slices.DeleteFunc(slices.Clone(i.Identifiers), func(d identity.Identifier) bool {
		return d.Kind == whatsapp.KindPhone && whatsapp.IsHiddenPhone(d.Value)
	})

	return account{
		ID: i.ID, PortfolioID: known(i.PortfolioID()), Username: i.Username, ProfileName: i.ProfileName, PhoneVisible: i.PhoneVisible,
		Identifiers: each(shown, newIdentifier),
	}
}

func newContact(c identity.Contact) contact {
	return contact{
		ID: c.ID, RequestedID: known(c.RequestedID), DisplayName: c.DisplayName, ProfileName: c.ProfileName, SavedName: c.SavedName, Notes: c.Notes,
		ExternalIDs: c.ExternalIDs, Version: c.Version, CreatedAt: c.CreatedAt.UTC(), LastWroteAt: utc(&c.LastAt),
		Identities: each(c.Identities, newAccount),
	}
}

// Contacts answers GET /contacts: those heard of last first, or those that q finds.
func (a *API) Contacts(c *fiber.Ctx) error {
	query, err := params(c, "q", "limit", "cursor")
	if err != nil {
		return err
	}
	page, err := a.page(c, query)
	if err != nil {
		return err
	}

	var (
		found []identity.Contact
		next  string
	)
	err = a.read(c, func(tx *tenants.Tx) (err error) {
		found, next, err = identity.List(c.UserContext(), tx, query["q"], page)
		return err
	})
	if err != nil {
		return err
	}
	if err := a.saw(c, each(found, func(f identity.Contact) uuid.UUID { return f.ID })...); err != nil {
		return err
	}

	return answer(c, list[contact]{each(found, newContact), a.next(c, query, next)})
}

// Contact answers GET /contacts/{id}. A merged-away id answers with the contact it is part of now.
func (a *API) Contact(c *fiber.Ctx) error {
	which, err := a.only(c)
	if err != nil {
		return err
	}

	var found contact
	err = a.read(c, func(tx *tenants.Tx) error {
		of, err := identity.Get(c.UserContext(), tx, which)
		if err != nil {
			return err
		}
		told, err := identity.Preferences(c.UserContext(), tx, of)
		found = newContact(of)
		found.wishes = newWishes(told)
		return err
	})
	if err != nil {
		return err
	}
	if err := a.saw(c, found.ID); err != nil {
		return err
	}

	return answer(c, found)
}

// only reads the id in the path of a call that takes no parameters.
func (a *API) only(c *fiber.Ctx) (uuid.UUID, error) {
	which, err := id(c.Params("id"))
	if err != nil {
		return uuid.Nil, err
	}
	_, err = params(c)

	return which, err
}

type editInput struct {
	DisplayName *string            `json:"display_name"`
	Notes       *string            `json:"notes"`
	ExternalIDs *map[string]string `json:"external_ids"`
}

// EditContact answers PATCH /contacts/{id}. If-Match carries the version that was seen, with or without quotes; without one
// nothing shows that the caller has seen what they overwrite, which is "stale" like an old one.
func (a *API) EditContact(c *fiber.Ctx) error {
	which, err := a.only(c)
	if err != nil {
		return err
	}
	var in editInput
	if err := body(c, &in); err != nil {
		return err
	}
	if err := nulls(c); err != nil {
		return err
	}
	if in == (editInput{}) {
		return &Problem{Status: fiber.StatusUnprocessableEntity, Code: "nothing_to_change"}
	}
	version, err := strconv.Atoi(strings.Trim(c.Get(fiber.HeaderIfMatch), `"`))
	if err != nil || version < 1 {
		version = -1
	}

	ctx := c.UserContext()
	err = a.write(c, func(tx *tenants.Tx) (int, any, error) {
		edited, err := identity.Edit{
			Contact: which, Version: version, DisplayName: in.DisplayName, Notes: in.Notes, ExternalIDs: in.ExternalIDs,
		}.Apply(ctx, tx, caller(c).Actor)
		if err == nil {
			err = privacy.Saw(ctx, tx, caller(c).Actor, privacy.ByProgram, edited.ID)
		}

		return fiber.StatusOK, newContact(edited), err
	})

	return a.told(c, err, "stale", "contact", func(tx *tenants.Tx) (any, error) {
		now, err := identity.Get(ctx, tx, which)
		return newContact(now), err
	})
}

// told adds to a Conflict of one code what the caller has to look at before they try again.
func (a *API) told(c *fiber.Ctx, err error, code, name string, now func(tx *tenants.Tx) (any, error)) error {
	if tenants.ConflictCode(err) != code {
		return err
	}

	var v any
	if err := a.read(c, func(tx *tenants.Tx) (err error) {
		v, err = now(tx)
		return err
	}); err != nil {
		return err
	}

	return &Problem{Status: fiber.StatusConflict, Code: code, More: map[string]any{name: v}}
}

type message struct {
	ID         uuid.UUID `json:"id"`
	WAMID      string    `json:"wamid"`
	NumberID   uuid.UUID `json:"number_id"`
	IdentityID uuid.UUID `json:"identity_id"`
	Direction  string    `json:"direction"`
	Type       string    `json:"type"`
	Text       string    `json:"text"`
	At         time.Time `json:"at"`
	Status     *string   `json:"status"`
	About      *string   `json:"about_wamid"`
	GroupID    *string   `json:"group_id"`
	Imported   bool      `json:"imported"`
	Reworded   bool      `json:"reworded"`
	Seconds    *int      `json:"call_seconds"`
}

func newMessage(m conversations.Message) message {
	wamid := m.WAMID
	if m.Pending() {
		wamid = ""
	}

	return message{
		ID: m.ID, WAMID: wamid, NumberID: m.NumberID, IdentityID: m.IdentityID, Direction: m.Direction, Type: m.Type, Text: m.Text,
		At: m.At.UTC(), Status: known(m.Status), About: known(m.TargetWAMID), GroupID: known(m.GroupID), Imported: m.Imported,
		Reworded: m.OtherItem != nil,
		Seconds:  known(m.Call().Seconds),
	}
}

// Messages answers GET /contacts/{id}/messages, newest first.
func (a *API) Messages(c *fiber.Ctx) error {
	which, query, page, err := a.within(c)
	if err != nil {
		return err
	}

	var (
		found []conversations.Message
		next  string
	)
	err = a.read(c, func(tx *tenants.Tx) (err error) {
		found, next, err = conversations.Messages(c.UserContext(), tx, which, page)
		return err
	})
	if err != nil {
		return err
	}
	if err := a.saw(c, which); err != nil {
		return err
	}

	return answer(c, list[message]{each(found, newMessage), a.next(c, query, next)})
}

// within reads what a list inside a contact is asked for with.
func (a *API) within(c *fiber.Ctx) (which uuid.UUID, query map[string]string, page identity.Page, err error) {
	if which, err = id(c.Params("id")); err != nil {
		return uuid.Nil, nil, identity.Page{}, err
	}
	if query, err = params(c, "limit", "cursor"); err != nil {
		return uuid.Nil, nil, identity.Page{}, err
	}
	page, err = a.page(c, query)

	return which, query, page, err
}
