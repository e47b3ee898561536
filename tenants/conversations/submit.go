package conversations

import (
	"context"
	"crypto/sha256"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"strings"
	"time"
	"unicode"
	"unicode/utf8"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Draft is a message somebody wants sent.
type Draft struct {
	Version  string // Recipient.Version as it was shown
	Key      string // one for each opened composer, 1 to 100 bytes: the same key sends once
	Text     string // 1 to 4096 characters, where Template is nil
	Template *Filling
	Ask      *Question // it asks for the phone number; Text then has at most MaxAskRunes
}

// Filling is a template with its variables filled in, in the order of Template.Params.
type Filling struct {
	Name, Language string
	Params         []string
}

// Why a message is not sent, as a Conflict of Submit and as the reason of one that was refused at its turn.
const (
	refusedWindow     = "window_closed"     // free text, and they wrote more than 24 hours ago
	refusedStopped    = "opted_out"         // marketing, and the person has stopped it on one of their accounts
	refusedNeedsPhone = "auth_needs_phone"  // a one-time code, and only a WhatsApp ID is known (edge case 94)
	refusedTemplate   = "template_gone"     // Meta does not list the template as approved
	refusedKind       = "template_not_here" // the template holds what cannot be filled in here
	refusedErased     = "names_erased"      // it names somebody who was erased before it could go out
)

// outgoing is what an outbox row sends, as it is stored.
type outgoing struct {
	Text     string                 `json:"text,omitempty"`
	Template *whatsapp.TemplateCall `json:"template,omitempty"`
	Category string                 `json:"category,omitempty"` // of the template
	Ask      bool                   `json:"ask,omitempty"`      // it asks for the phone number
}

const (
	categoryMarketing = "MARKETING"
	categoryAuth      = "AUTHENTICATION"
	categoryUtility   = "UTILITY"
)

// Submit stores a message and its way to Meta in tx; a worker sends it once tx is committed. The same Key of the same actor stores
// nothing again and answers with the message there is. Errors: *Changed where the recipient is not the one that was shown;
// Conflict window_closed, opted_out, auth_needs_phone, template_gone, template_not_here, no_address, phone_free,
// number_disconnected, sending_stopped, other_portfolio, ask_known, ask_opted_out, ask_enough, ask_phone_free, too_many_asks, or key_reused where the key was another draft's; Invalid.
func Submit(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, d Draft) (Outgoing, error) {
	was, err := d.check()
	if err != nil {
		return Outgoing{}, err
	}
	// The lane takes it too: what the recipient is does not move while it is looked at.
	if err := identity.Lock(ctx, tx); err != nil {
		return Outgoing{}, err
	}
	if first, again, err := d.submitted(ctx, tx, actor); err != nil || again {
		return first, err
	}

	now, what, err := recheck(ctx, tx, was)
	if err != nil {
		return Outgoing{}, err
	}
	if len(what) > 0 {
		return Outgoing{}, &Changed{Now: now, What: what}
	}
	if now.Blocked != "" {
		return Outgoing{}, &tenants.Conflict{Code: now.Blocked}
	}
	out, shown, err := d.compose(ctx, tx, now)
	if err != nil {
		return Outgoing{}, err
	}
	why, err := refusal(ctx, tx, now, out, uuid.Nil)
	if err != nil {
		return Outgoing{}, err
	}
	if why != "" {
		return Outgoing{}, &tenants.Conflict{Code: why}
	}
	if out.Ask {
		if err := tenants.Within(ctx, tx, tenants.QuotaAsks); err != nil {
			return Outgoing{}, err
		}
	}

	return d.store(ctx, tx, actor, now, out, shown)
}

func (d Draft) check() (shown, error) {
	switch {
	case d.Key == "" || len(d.Key) > 100 || strings.ContainsFunc(d.Key, func(r rune) bool { return r < '!' || r > '~' }):
		return shown{}, &tenants.Invalid{Field: "key", Key: "needed"}
	case d.Ask != nil && d.Ask.check() != nil:
		return shown{}, d.Ask.check()
	case d.Template != nil:
		for _, p := range d.Template.Params {
			if err := checkText("params", p, maxParam); err != nil {
				return shown{}, err
			}
		}
	default:
		limit := whatsapp.MaxTextRunes
		if d.Ask != nil {
			limit = MaxAskRunes
		}
		if err := checkText("text", d.Text, limit); err != nil {
			return shown{}, err
		}
	}

	return readVersion(d.Version)
}

// checkText refuses what WhatsApp or the database would refuse.
func checkText(field, text string, limit int) error {
	switch {
	case strings.TrimSpace(text) == "":
		return &tenants.Invalid{Field: field, Key: "needed"}
	case utf8.RuneCountInString(text) > limit:
		return &tenants.Invalid{Field: field, Key: "too_long"}
	case !utf8.ValidString(text), strings.ContainsFunc(text, func(r rune) bool { return unicode.IsControl(r) && r != '\n' && r != '\t' && r != '\r' }):
		return &tenants.Invalid{Field: field, Key: "bad_character"}
	}

	return nil
}

// digest tells drafts apart. What was shown is no part of it: a composer that came back with a change keeps its key.
func (d Draft) digest() []byte {
	parts := []any{d.Text, d.Template}
	if d.Ask != nil {
		parts = append(parts, d.Ask)
	}
	raw, err := json.Marshal(parts)
	if err != nil {
		panic(err) // strings and ids always encode
	}
	sum := sha256.Sum256(raw)

	return sum[:]
}

// submitted is the message that the draft's key was used for before.
func (d Draft) submitted(ctx context.Context, tx *tenants.Tx, actor tenants.Actor) (first Outgoing, again bool, err error) {
	var row struct {
		Message uuid.UUID `db:"message_id"`
		Same    bool      `db:"same"`
	}
	err = tx.GetContext(ctx, &row, `
		SELECT message_id, draft = $4 AS same FROM outbox WHERE tenant_id = $1 AND actor_id = $2 AND key = $3`, tx.Tenant, actor.ID, d.Key, d.digest())
	switch {
	case errors.Is(err, sql.ErrNoRows):
		return Outgoing{}, false, nil
	case err != nil:
		return Outgoing{}, false, fmt.Errorf("look for first submit: %w", err)
	case !row.Same:
		return Outgoing{}, false, &tenants.Conflict{Code: "key_reused"}
	}
	list, err := OutgoingOf(ctx, tx, []uuid.UUID{row.Message})

	return list[row.Message], true, err
}

// compose makes of a draft what is sent, and the text in which people read it.
func (d Draft) compose(ctx context.Context, tx *tenants.Tx, to Recipient) (out outgoing, shown string, err error) {
	if d.Template == nil {
		out.Text, out.Ask = d.Text, d.Ask != nil

		return out, d.Text, nil
	}

	list, _, err := Templates(ctx, tx, to.Number)
	if err != nil {
		return outgoing{}, "", err
	}
	for _, t := range list {
		if t.Name != d.Template.Name || t.Language != d.Template.Language {
			continue
		}
		switch {
		case t.Status != templateApproved:
			return outgoing{}, "", &tenants.Conflict{Code: refusedTemplate}
		case !t.Sendable:
			return outgoing{}, "", &tenants.Conflict{Code: refusedKind}
		case d.Ask != nil && !t.AsksNumber:
			return outgoing{}, "", &tenants.Invalid{Field: "template", Key: "needed"}
		case len(d.Template.Params) != len(t.Params):
			return outgoing{}, "", &tenants.Invalid{Field: "params", Key: "needed"}
		}
		out.Template, out.Category = t.call(d.Template.Params), t.Category
		// Who writes a template with the button asks too, unless the phone is known and there is nothing to ask.
		out.Ask = t.AsksNumber && to.Kind != whatsapp.KindPhone

		return out, t.Preview(d.Template.Params), nil
	}

	return outgoing{}, "", &tenants.Conflict{Code: refusedTemplate}
}

// refusal is why a message may not go to a recipient now, "" where it may. It is asked when the message is submitted, and again at
// its turn: they may have stopped marketing meanwhile, or the window may have closed.
func refusal(ctx context.Context, tx *tenants.Tx, to Recipient, out outgoing, message uuid.UUID) (string, error) {
	if why, err := refusalToAsk(ctx, tx, to, out, message); err != nil || why != "" {
		return why, err
	}
	switch {
	case out.Template == nil && !to.Open:
		return refusedWindow, nil
	case out.Category == categoryAuth && to.Kind != whatsapp.KindPhone:
		return refusedNeedsPhone, nil
	case out.Category != categoryMarketing:
		return "", nil
	}

	list, err := identity.Preferences(ctx, tx, to.contact)
	if err != nil {
		return "", err
	}
	if p, said := identity.Strictest(list, identity.Marketing); said && p.Value == identity.Stop {
		return refusedStopped, nil
	}

	return "", nil
}

// placeholderPrefix begins the wamid of a message that Meta has not given one.
const placeholderPrefix = "outbox:"

func (d Draft) store(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, to Recipient, out outgoing, shown string) (Outgoing, error) {
	id, err := uuid.NewV7()
	if err != nil {
		return Outgoing{}, fmt.Errorf("make outbox id: %w", err)
	}
	message, err := uuid.NewV7()
	if err != nil {
		return Outgoing{}, fmt.Errorf("make message id: %w", err)
	}
	raw, err := json.Marshal(out)
	if err != nil {
		return Outgoing{}, fmt.Errorf("encode message: %w", err)
	}
	kind, content := "text", ""
	if out.Template != nil {
		encoded, err := json.Marshal(map[string]string{"name": out.Template.Name, "language": out.Template.Language})
		if err != nil {
			return Outgoing{}, fmt.Errorf("encode template: %w", err)
		}
		kind, content = "template", string(encoded)
	} else if out.Ask {
		kind, content = "interactive", `{"type":"`+whatsapp.AskType+`"}`
	}

	if to.PhoneFree {
		shown = whatsapp.MaskPhones(shown)
	}
	var placed struct {
		Tenure uuid.UUID `db:"tenure_id"`
		At     time.Time `db:"at"`
	}
	// WhatsApp's clock may be a little ahead of ours, and what is answered comes first all the same.
	if err := tx.GetContext(ctx, &placed, `
		INSERT INTO messages (tenant_id, id, number_id, wamid, tenure_id, direction, type, text, content, at, digest, item_id, received_at)
		SELECT $1, $2, $3, $4, t.id, 'out', $5, $6, $7, greatest(now(), $10), '', 0, now()
		FROM tenures t WHERE t.tenant_id = $1 AND t.identity_id = $8 AND t.identifier_id = $9 AND t.current
		RETURNING tenure_id, at`,
		tx.Tenant, message, to.Number, placeholderPrefix+id.String(), kind, shown, content, to.Identity, to.identifierID,
		to.LastInboundAt); err != nil {
		return Outgoing{}, fmt.Errorf("store message: %w", err)
	}
	if err := touchAnswered(ctx, tx, to.Identity, placed.Tenure, to.Number, placed.At); err != nil {
		return Outgoing{}, err
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO outbox (tenant_id, id, message_id, number_id, identity_id, identifier_id, last_inbound, key, draft, content, actor_kind, actor_id, actor_name)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13)`,
		tx.Tenant, id, message, to.Number, to.Identity, to.identifierID, tenureOrNil(to.lastInbound), d.Key, d.digest(), string(raw),
		actor.Kind, actor.ID, actor.Name); err != nil {
		return Outgoing{}, fmt.Errorf("store outbox row: %w", err)
	}
	if _, err := tx.ExecContext(ctx, `
		INSERT INTO outbox_lanes AS l (tenant_id, number_id) VALUES ($1, $2)
		ON CONFLICT (tenant_id, number_id) DO UPDATE
		SET gen = l.gen + 1, ready = true, not_before = CASE WHEN l.trouble = '' THEN least(l.not_before, now()) ELSE l.not_before END`, tx.Tenant, to.Number); err != nil {
		return Outgoing{}, fmt.Errorf("wake lane of number: %w", err)
	}

	list, err := OutgoingOf(ctx, tx, []uuid.UUID{message})
	if err != nil {
		return Outgoing{}, err
	}
	action, detail := "message.submit", map[string]any{"number": to.Number, "identity": to.Identity, "by": to.Kind}
	if out.Ask {
		var q Question
		if d.Ask != nil {
			q = *d.Ask
		}
		if err := keepAsk(ctx, tx, message, to, q, placed.At); err != nil {
			return Outgoing{}, err
		}
		action = "number.ask"
	}
	if out.Template != nil {
		detail["template"] = out.Template.Name
	}

	return list[message], tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: action, ObjectKind: "contact", ObjectID: to.Contact.String(), Detail: detail,
	})
}
