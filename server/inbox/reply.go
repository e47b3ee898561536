package inbox

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server/web"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/answers"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/outbox"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	pages "github.com/pehchan/pehchan/views/inbox"
	"github.com/pehchan/pehchan/views/people"
)

// draft is what somebody wants to write: where, with which words or template, and what came back of it.
type draft struct {
	thread   conversations.Thread
	template string // name and language, "pick" for none yet, "" for words
	params   []string
	form     components.Filled // of the message
	note     components.Filled
	assign   components.Filled
	changed  []string
	reading  bool // nothing is to be written

	asks              bool   // it asks for their number
	language, purpose string // of what it asks by
}

// asked is the draft that the address of the page asks for.
func asked(c *fiber.Ctx, contact uuid.UUID) (draft, error) {
	d := draft{thread: conversations.Thread{Contact: contact}, template: c.Query("template")}
	for name, into := range map[string]*uuid.UUID{"account": &d.thread.Identity, "number": &d.thread.Number} {
		if value := c.Query(name); value != "" {
			id, err := uuid.Parse(value)
			if err != nil {
				return draft{}, tenants.ErrNotFound
			}
			*into = id
		}
	}

	return d, nil
}

// SendReply takes a message on its way. Where its recipient is not the one that was shown, or it cannot go, the page comes back with
// what was written, and says why.
func (s *Pages) SendReply(c *fiber.Ctx) error {
	id, err := uuid.Parse(c.Params("id"))
	if err != nil {
		return tenants.ErrNotFound
	}
	ctx, m := c.UserContext(), web.Member(c)
	d, err := asked(c, id)
	if err != nil {
		return err
	}
	d.template = web.Field(c, "template")
	out := conversations.Draft{Version: web.Field(c, "version"), Key: web.Field(c, "key"), Text: strings.ReplaceAll(web.Field(c, "text"), "\r\n", "\n")}
	if d.template != "" {
		out.Template = d.filling(c)
	}
	err = s.DB.As(ctx, m.Tenant.ID, func(tx *tenants.Tx) error {
		if _, err := conversations.Submit(ctx, tx, m.Actor, out); err != nil {
			return err
		}
		if macro := web.Field(c, "macro"); macro != "" && m.Can("macros:read") {
			return answers.Use(ctx, tx, answers.UsedMacro, macro, time.Now())
		}

		return nil
	})

	var changed *conversations.Changed
	switch form, refused := web.Refilled(c, err, "text"); {
	case errors.As(err, &changed):
		d.changed, d.form = changed.What, components.Filled{Values: map[string]string{"text": out.Text}}
		if d.thread = changed.Now.Thread; d.thread.Contact == uuid.Nil {
			d.thread.Contact = id
		}
		return s.showTalk(c, fiber.StatusConflict, d)
	case refused:
		d.form = form
		return s.showTalk(c, web.Classify(err).Status, d)
	case err != nil:
		return err
	}

	return c.Redirect(talkPath(id), fiber.StatusSeeOther)
}

// filling reads the variables of the draft's template from a form.
func (d *draft) filling(c *fiber.Ctx) *conversations.Filling {
	name, language, _ := strings.Cut(d.template, "|")
	for n := 0; c.Request().PostArgs().Has(fmt.Sprint("p", n)) && n < maxParams; n++ {
		d.params = append(d.params, web.Field(c, fmt.Sprint("p", n)))
	}

	return &conversations.Filling{Name: name, Language: language, Params: d.params}
}

// maxParams bounds the variables of a template.
const maxParams = 50

// compose says where a message of the draft goes, before it is written. here is the address of the page it is written on.
func compose(ctx context.Context, tx *tenants.Tx, e web.Eyes, contact identity.Contact, d draft, here string) (*pages.Composer, conversations.Recipient, error) {
	d.thread.Contact = contact.ID
	r, err := conversations.ReplyTo(ctx, tx, d.thread)
	if err != nil {
		return nil, r, err
	}
	to := pages.Composer{
		Account: r.Identity.String(), Number: r.Number.String(), Name: e.Label(ctx, contact), From: e.Numbers[r.Number], Ends: r.WindowEnds, Open: r.Open, Blocked: r.Blocked, Paused: r.Paused, Version: r.Version,
		Key: uuid.NewString(), Changed: d.changed, Form: d.form,
	}
	for _, i := range contact.Identities {
		if i.ID != r.Identity {
			if kind, _ := i.Address(); kind != "" {
				to.Others = append(to.Others, pages.OtherAccount{Label: accountLabel(ctx, e, i), Href: here + "?account=" + i.ID.String() + "#write"})
			}
			continue
		}
		to.To = e.Account(i)
		to.To.Reply = people.Handle{}
		if r.Kind != "" {
			to.To.Reply = e.Handle(r.Kind, r.Address)
		}
	}

	return &to, r, nil
}

func accountLabel(ctx context.Context, e web.Eyes, i identity.Identity) string {
	if i.Username != "" {
		return "@" + i.Username
	}

	return e.Account(i).Reply.Label(ctx)
}

// pickTemplate puts the templates of a number on the page, and the chosen one as the customer will read it. Meta may have to be asked
// for them, so no transaction is open.
func (s *Pages) pickTemplate(c *fiber.Ctx, r conversations.Recipient, d draft, to *pages.Composer) error {
	ctx, m := c.UserContext(), web.Member(c)
	list, at, err := s.templates.Templates(ctx, m.Tenant.ID, r.Number)
	if errors.Is(err, outbox.ErrNotAsked) {
		// Graph's errors hold no token.
		s.Log.Warn("templates not listed", "tenant", m.Tenant.ID, "number", r.Number, "error", err)
		err = nil
	}
	if err != nil {
		return err
	}
	if d.asks {
		list = conversations.AskTemplates(list)
		d.template = firstAsk(list, d)
	}
	picker := pages.Picker{Unknown: at.IsZero()}
	for _, t := range list {
		value := t.Name + "|" + t.Language
		picker.Names = append(picker.Names, components.Option{Value: value, Label: t.Name + " · " + t.Language})
		if value != d.template {
			continue
		}
		picker.Chosen, picker.Parts = value, templateParts(t, d.params)
		for n, name := range t.Params {
			param := pages.Param{Name: "{{" + name + "}}"}
			if n < len(d.params) {
				param.Value = d.params[n]
			}
			picker.Params = append(picker.Params, param)
		}
		switch {
		case t.NeedsPhone && r.Kind != whatsapp.KindPhone:
			picker.Why = "needs_phone"
		case !t.Sendable:
			picker.Why = t.Why
		}
	}
	if len(picker.Names) > 0 && !d.asks {
		picker.Names = append([]components.Option{{Value: "pick", Label: i18n.T(ctx, "talk.pick")}}, picker.Names...)
	}
	to.Templates = &picker

	return nil
}

// templateParts takes a template apart where its variables stand.
func templateParts(t conversations.Template, params []string) []pages.Part {
	const mark = "\x00"
	marks := make([]string, len(t.Params))
	for n := range marks {
		marks[n] = mark + fmt.Sprint(n) + mark
	}
	var parts []pages.Part
	for n, piece := range strings.Split(t.Preview(marks), mark) {
		part := pages.Part{Text: piece, Slot: -1}
		if n%2 == 1 {
			if _, err := fmt.Sscan(piece, &part.Slot); err != nil || part.Slot >= len(t.Params) {
				continue
			}
			part.Text = "{{" + t.Params[part.Slot] + "}}"
			if part.Slot < len(params) && params[part.Slot] != "" {
				part.Text = params[part.Slot]
			}
		}
		parts = append(parts, part)
	}

	return parts
}

// sending says what became of a message of ours, where its status alone does not.
func sending(ctx context.Context, e web.Eyes, m conversations.Message, o conversations.Outgoing, ours bool) *people.Sending {
	if !ours {
		if m.Status != "failed" {
			return nil
		}
		code, title, _ := strings.Cut(m.Error, ": ")
		return failure(ctx, e, code, title)
	}

	switch {
	case m.Status == "failed":
		code, title, _ := strings.Cut(m.Error, ": ")
		return failure(ctx, e, code, title)
	case m.Status != "":
		return nil
	}
	view := &people.Sending{}
	switch o.State {
	case conversations.StateWaiting:
		view.Text, view.Cancel = i18n.T(ctx, "sending.state_waiting"), o.ID.String()
		if key := "sending.paused_" + o.Reason; o.Reason != "" && i18n.Known(key) {
			view.Text = i18n.T(ctx, "sending.state_waiting_why", "why", i18n.T(ctx, key))
		}
	case conversations.StateSending:
		view.Text = i18n.T(ctx, "sending.state_sending")
	case conversations.StateUnknown:
		view.Text, view.Next, view.Doubt = i18n.T(ctx, "sending.state_unknown"), i18n.T(ctx, "sending.unknown_next"), true
	case conversations.StateReturned:
		view.Text, view.Next, view.Bad, view.Cancel = i18n.T(ctx, "sending.state_returned"), i18n.T(ctx, "sending.returned_next"), true, o.ID.String()
	case conversations.StateFailed:
		return failure(ctx, e, o.Reason, o.Detail)
	default:
		view.Text = i18n.T(ctx, "sending.state_accepted")
		if o.Doubtful {
			view.Text, view.Next, view.Doubt = i18n.T(ctx, "sending.doubtful"), i18n.T(ctx, "sending.doubtful_next"), true
		}
	}

	return view
}

// failure is why a message did not arrive, and what to do: in our words where the code is known, with Meta's own beside them.
func failure(ctx context.Context, e web.Eyes, code, title string) *people.Sending {
	known := code
	if !i18n.Known("sending.failed_" + code) {
		known = "other"
	}
	view := &people.Sending{Bad: true, Text: i18n.T(ctx, "sending.failed_"+known), Next: i18n.T(ctx, "sending.next_"+known)}
	if strings.Trim(code, "0123456789") != "" {
		code = "" // ours; people read it in words
	}
	if title != "" {
		view.Meta = i18n.T(ctx, "sending.meta_says", "text", strings.TrimSpace(code+" "+e.Words(title)))
	}

	return view
}

// onItsWay tells whether news of a message is to be expected any moment.
func onItsWay(o conversations.Outgoing, m conversations.Message) bool {
	return m.Status == "" && time.Since(o.SubmittedAt) < time.Minute && (o.State == conversations.StateWaiting || o.State == conversations.StateSending || o.State == conversations.StateAccepted)
}
