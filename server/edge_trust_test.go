package server_test

import (
	"context"
	"net/http"
	"net/url"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// trustCases: what a person, a card or a name says is not what WhatsApp says.
var trustCases = []edgeCase{
	{n: 46, told: []any{ev{id: "a", phone: ashasPhone, name: "Asha"}, card(ev{id: "b", at: 1, bsuid: mateosID}, "", "+91 98000 00101", ashasPhone)}, want: `
			case: suggested about bsuid CO.1092755501238467 | B card_other 919800000101
			contact: bsuid CO.1092755501238467 | - | 1 in contacts "Card"
			contact: phone 919800000101 | Asha | 0 in text "hello a"`},
	{n: 47, told: []any{ev{id: "a", phone: ashasPhone, name: "Asha"}, card(ev{id: "b", at: 1, bsuid: mateosID}, "contact_request", "+91 98000 00101", ashasPhone)}, want: `
			case: suggested about bsuid CO.1092755501238467 | A card_request 919800000101
			contact: bsuid CO.1092755501238467 | - | 1 in contacts "Card"
			contact: phone 919800000101 | Asha | 0 in text "hello a"`},
	{n: 47, told: []any{ev{id: "a", phone: ashasPhone, name: "Asha"}, card(ev{id: "b", at: 1, bsuid: mateosID}, "contact_request/other", "+91 98000 00101", ashasPhone)}, want: `
			case: suggested about bsuid CO.1092755501238467 | B card_other 919800000101
			contact: bsuid CO.1092755501238467 | - | 1 in contacts "Card"
			contact: phone 919800000101 | Asha | 0 in text "hello a"`},
	{n: 48, told: []any{ev{id: "a", phone: ashasPhone, name: "Asha"}, card(ev{id: "b", at: 1, bsuid: mateosID}, "contact_request", "+91 98000 00102", ashasPhone)}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 1 in contacts "Card"
			contact: phone 919800000101 | Asha | 0 in text "hello a"`},
	{n: 49, told: []any{ev{id: "a", phone: ashasPhone, name: "Asha"}, card(ev{id: "b", at: 1, bsuid: mateosID}, "contact_request", "+91 98000 00101", ashasPhone)}, then: func(t *testing.T, in *inbox) {
		cl := in.client(t, tenants.Tenant{ID: in.tenant}, "read", "write")
		open := cl.get("/cases?state=open")
		who := open.text("items", 0, "candidates", 0, "contact_id")
		cl.want(cl.post("/cases/"+open.text("items", 0, "id")+"/decision", `{"decision":"same","contact_id":"`+who+`","reason":"we asked, they tapped"}`), http.StatusOK, "")
		in.ends(t, `
			contact: bsuid CO.1092755501238467 | - | 1 in contacts "Card" + contact: phone 919800000101 | Asha | 0 in text "hello a"`)
	}},
	{n: 50, told: []any{ev{id: "a", phone: ashasPhone, name: "Asha"}, ev{id: "b", at: 1, bsuid: mateosID, text: "my number is 98000 00101"}}, want: `
			case: suggested about bsuid CO.1092755501238467 | B typed_number 919800000101
			contact: bsuid CO.1092755501238467 | - | 1 in text "my number is 98000 00101"
			contact: phone 919800000101 | Asha | 0 in text "hello a"`},
	{n: 51, told: []any{ev{id: "a", bsuid: ashasID, username: "asha"}, ev{id: "b", at: 90, bsuid: mateosID, username: "asha"}}, want: `
			case: unresolved about bsuid CO.1092755501238467
			case: unresolved about bsuid IN.7704418820035512
			contact: bsuid CO.1092755501238467 | @asha | 90 in text "hello b"
			contact: bsuid IN.7704418820035512 | @asha | 0 in text "hello a"`},
	{n: 52, told: []any{ev{id: "a", bsuid: mateosID, username: "@Mateo.Ruiz"}}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | @Mateo.Ruiz | 0 in text "hello a"`, then: func(t *testing.T, in *inbox) {
		cl := in.client(t, tenants.Tenant{ID: in.tenant}, "read")
		for _, q := range []string{"@Mateo.Ruiz", "@mateo.ruiz", "@MATEO.RUIZ"} {
			if n := len(cl.get("/contacts?q=" + url.QueryEscape(q)).items()); n != 1 {
				t.Errorf("%s finds %d people, want 1", q, n)
			}
		}
	}},
	{n: 53, told: []any{ev{id: "a", phone: ashasPhone, name: "~ Asha 🌸"}}, want: `
			contact: phone 919800000101 | ~ Asha 🌸 | 0 in text "hello a"`, then: func(t *testing.T, in *inbox) {
		c := in.whois(t, whatsapp.KindPhone, ashasPhone)
		name := "Asha Verma, clinic"
		in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
			_, err := identity.Edit{Contact: c.ID, Version: c.Version, DisplayName: &name}.Apply(ctx, tx, access.Command("test").Actor)
			return err
		})
		in.tell(t, ev{id: "b", at: 1, phone: ashasPhone, name: "Asha V"})
		if c = in.whois(t, whatsapp.KindPhone, ashasPhone); c.DisplayName != name || c.ProfileName != "Asha V" {
			t.Errorf("called %q, calls herself %q", c.DisplayName, c.ProfileName)
		}
	}},
	{n: 54, told: []any{ev{id: "a", bsuid: mateosID}}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 0 in text "hello a"`, then: nameless},
	{n: 55, told: []any{ev{is: "echo", id: "a", bsuid: mateosID, text: "hola"}, ev{id: "b", at: 1, bsuid: mateosID}}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 0 out text "hola"; 1 in text "hello b"`, then: nameless},
}

// nameless looks at the page of somebody without a name.
func nameless(t *testing.T, in *inbox) {
	t.Helper()
	asha := in.reads(t, "owner")
	page := asha.get("/contacts/" + in.whois(t, whatsapp.KindBSUID, mateosID).ID.String())
	asha.has(page, http.StatusOK, "WhatsApp user ··8467")
	if title := page.body[strings.Index(page.body, "<h1>"):strings.Index(page.body, "</h1>")]; strings.Contains(title, mateosID) {
		t.Errorf("the raw id is a name: %s", title)
	}
}

// reads is the browser of a member with a role.
func (in *inbox) reads(t *testing.T, role string) *browser {
	t.Helper()
	in.member(t, tenants.Tenant{ID: in.tenant}, role+in.tag, role)

	return in.signedIn(t, role+in.tag)
}

func (in *inbox) do(t *testing.T, fn func(context.Context, *tenants.Tx) error) {
	t.Helper()
	ctx := context.Background()
	if err := in.DB.As(ctx, in.tenant, func(tx *tenants.Tx) error { return fn(ctx, tx) }); err != nil {
		t.Fatal(err)
	}
}

// whois is the contact that an identifier leads to.
func (in *inbox) whois(t *testing.T, kind whatsapp.Kind, value string) (c identity.Contact) {
	t.Helper()
	in.do(t, func(ctx context.Context, tx *tenants.Tx) error {
		found, err := identity.Resolve(ctx, tx, kind, value, "")
		if err == nil {
			c = *found.Contact
		}
		return err
	})

	return c
}
