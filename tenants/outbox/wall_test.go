package outbox_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/conversations"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func TestNotAnotherTenants(t *testing.T) {
	t.Parallel()
	h := open(t)
	h.writes(ashasPhone, ashasID)
	whole := h.whois(whatsapp.KindPhone, ashasPhone)
	asha := h.opens(whole.ID)
	out := h.sends(asha, "hello")
	h.as(func(tx *tenants.Tx) error {
		_, err := conversations.AddNote(t.Context(), tx, meera, conversations.Thread{Contact: whole.ID}, "wants a refund")
		return err
	})

	other, _ := h.business("ravi-motors", "701", "801")
	ctx := t.Context()
	for name, ask := range map[string]func(tx *tenants.Tx) error{
		"reply to": func(tx *tenants.Tx) error {
			_, err := conversations.ReplyTo(ctx, tx, conversations.Thread{Contact: asha.Contact})
			return err
		},
		"cancel": func(tx *tenants.Tx) error { return conversations.Cancel(ctx, tx, meera, out.ID) },
		"outcome": func(tx *tenants.Tx) error {
			return conversations.Accept(ctx, tx, map[uuid.UUID]string{out.ID: "wamid.x"})
		},
		"take": func(tx *tenants.Tx) error {
			if _, ok, err := conversations.Take(ctx, tx, out.ID, uuid.New()); ok || err != nil {
				t.Errorf("another tenant takes the message: %v, %v", ok, err)
			}
			return nil
		},
		"outgoing": func(tx *tenants.Tx) error {
			if list, err := conversations.OutgoingOf(ctx, tx, []uuid.UUID{out.MessageID}); len(list) > 0 || err != nil {
				t.Errorf("another tenant reads %v, %v", list, err)
			}
			return nil
		},
		"note": func(tx *tenants.Tx) error {
			_, err := conversations.AddNote(ctx, tx, meera, asha.Thread, "x")
			return err
		},
		"notes": func(tx *tenants.Tx) error {
			if list, _, err := conversations.Notes(ctx, tx, whole, identity.Page{}); len(list) > 0 || err != nil {
				t.Errorf("another tenant reads %v, %v", list, err)
			}
			return nil
		},
		"assign": func(tx *tenants.Tx) error {
			return conversations.Assign(ctx, tx, meera, asha.Thread, uuid.New())
		},
		"templates": func(tx *tenants.Tx) error {
			if list, _, err := conversations.Templates(ctx, tx, h.number); len(list) > 0 || err != nil {
				t.Errorf("another tenant reads %v, %v", list, err)
			}
			return nil
		},
	} {
		err := h.db.DB.As(ctx, other, ask)
		switch name {
		case "reply to", "cancel", "note", "assign":
			if err != tenants.ErrNotFound { //nolint:errorlint // never wrapped
				t.Errorf("%s of another tenant's: %v, want not found", name, err)
			}
		default:
			if err != nil {
				t.Errorf("%s of another tenant's: %v", name, err)
			}
		}
	}
	err := h.db.DB.As(ctx, other, func(tx *tenants.Tx) error {
		_, err := conversations.Submit(ctx, tx, meera, conversations.Draft{Version: asha.Version, Key: "k", Text: "x"})
		return err
	})
	wantChanged(t, err, conversations.ChangedAccount)
	if s := h.state(out.MessageID); s.State != conversations.StateWaiting {
		t.Errorf("another tenant moved the message: %+v", s)
	}
}
