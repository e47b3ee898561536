package server_test

import (
	"context"
	"fmt"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func TestWordsThatStopAdvertising(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	in, other := h.open(t), h.open(t)

	cases := []struct {
		is, text, want string
		more           map[string]any
	}{
		{text: "STOP", want: "stop"},
		{text: "  stop. \n", want: "stop"},
		{text: "“Stop!!” 🙏🏽", want: "stop"},
		{text: "Unsubscribe", want: "stop"},
		{text: "opt  out", want: "stop"},
		{text: "रोकें", want: "stop"},
		{text: "बंद  करें।", want: "stop"},
		{text: "बंद करो", want: "stop"},
		{text: "Start", want: "resume"},
		{text: "चालू करें", want: "resume"},
		{text: "शुरू करें।", want: "resume"},
		{is: "button", want: "stop", more: map[string]any{"button": map[string]any{"text": "Stop promotions", "payload": "x"}}},

		{text: "please stop calling my brother"},
		{text: "stop at the bank"},
		{text: "don't stop"},
		{text: "stop?"},
		{text: "nonstop"},
		{text: "दुकान बंद करें या नहीं"},
		{text: "start tomorrow"},
		{is: "echo", text: "STOP"},
		{is: "history", text: "STOP"},
		{is: "image", more: map[string]any{"image": map[string]any{"id": "1", "mime_type": "image/jpeg", "sha256": "x", "caption": "STOP"}}},
		{text: "STOP", more: map[string]any{"group_id": "120363040000000000@g.us"}},
	}
	phone := func(i int) string { return fmt.Sprintf("9198000%05d", 20000+i) }
	for i, c := range cases {
		in.tell(t, []ev{
			{id: fmt.Sprint("first", i), at: 1, phone: phone(i), text: "hello"}, // so that each is a contact
			{is: c.is, id: fmt.Sprint("word", i), at: 2, phone: phone(i), text: c.text, more: c.more},
		})
		other.tell(t, ev{id: fmt.Sprint("first", i), at: 1, phone: phone(i), text: "hello"})
	}
	in.settle(t)
	other.settle(t)
	for i, c := range cases {
		if got := in.wants(t, phone(i)); got != c.want {
			t.Errorf("%s %q %v: want %q, got %q", c.is, c.text, c.more, c.want, got)
		}
		if got := other.wants(t, phone(i)); got != "" {
			t.Errorf("%q to one business: another is told %q", c.text, got)
		}
	}
}

// TestLastWordCounts: of several words the one that was written last counts, in whatever order and however often they arrive, and by
// whichever identifier they lead to the person. It is the message that proves it, and the page and the privacy record say so.
func TestLastWordCounts(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	said := []ev{
		{id: "hello", at: 1, phone: ashasPhone, bsuid: ashasID, name: "Asha"},
		{id: "no", at: 10, phone: ashasPhone, text: "STOP", alone: true},
		{id: "yes", at: 20, bsuid: ashasID, text: "START"},
		{id: "never", at: 30, bsuid: ashasID, text: "रोकें"},
	}
	var last *inbox
	for _, order := range [][]int{{0, 1, 2, 3}, {3, 2, 1, 0}, {1, 3, 0, 2, 1, 2}, {2, 2, 3, 3, 1, 1, 0}} {
		in := h.open(t)
		for _, i := range order {
			in.tell(t, said[i])
		}
		in.settle(t)
		if got := in.wants(t, ashasPhone); got != "stop" {
			t.Errorf("in the order %v: want stop, got %q", order, got)
		}
		last = in
	}
	last.tell(t, ev{id: "again", at: 40, phone: ashasPhone, text: "शुरू करें", alone: true})
	last.settle(t)
	if got := last.wants(t, ashasPhone); got != "resume" {
		t.Errorf("after a later word: want resume, got %q", got)
	}

	// Nobody but WhatsApp takes back what WhatsApp was told.
	last.tell(t, ev{is: "preference", word: "stop", at: 50, bsuid: ashasID})
	last.tell(t, ev{id: "more", at: 60, bsuid: ashasID, text: "START"})
	last.settle(t)
	if got := last.wants(t, ashasPhone); got != "stop" {
		t.Errorf("a word after what WhatsApp was told: want stop, got %q", got)
	}

	contact := last.whois(t, whatsapp.KindPhone, ashasPhone)
	last.do(t, func(ctx context.Context, tx *tenants.Tx) error {
		list, err := privacy.Consents(ctx, tx, contact.ID)
		words := 0
		for _, one := range list {
			if one.Channel == "word" {
				words++
			}
		}
		if words != 5 || len(list) != 6 {
			t.Errorf("the record of what they said is %+v, want five words and one setting", list)
		}
		return err
	})
	page := last.reads(t, "owner").get("/contacts/" + contact.ID.String()).body
	for _, want := range []string{"By a message with this one word", "Stopped marketing messages"} {
		if !strings.Contains(page, want) {
			t.Errorf("the page does not say %q", want)
		}
	}
}
