package server_test

import (
	"net/http"
	"slices"
	"testing"

	"github.com/pehchan/pehchan/tenants"
)

const (
	ashasNewPhone, ashasNewID = "919800000155", "IN.9910027753341188"
	mateosNewID               = "CO.6617720034455180"
)

// moved is WhatsApp's word that Asha has another number.
var moved = ev{is: "system", word: "user_changed_number", id: "moved", at: 10, phone: ashasPhone, phone2: ashasNewPhone, bsuid2: ashasNewID, bsuid0: ashasID}

// changeCases: a person's number or WhatsApp ID becomes another.
var changeCases = []edgeCase{
	{n: 26, told: []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID}, moved, ev{id: "b", at: 20, phone: ashasNewPhone, bsuid: ashasNewID}}, want: `
			contact: bsuid IN.7704418820035512 (past), bsuid IN.9910027753341188, phone 919800000101 (past), phone 919800000155 | - | 0 in text "hello a"; 20 in text "hello b"`, then: func(t *testing.T, in *inbox) {
		cl := in.client(t, tenants.Tenant{ID: in.tenant}, "read")
		contact := cl.get("/resolve?phone=" + ashasPhone).text("contact_id")
		if !slices.ContainsFunc(cl.all("/contacts/"+contact+"/links"), func(l any) bool { return l.(map[string]any)["kind"] == "rotated" }) {
			t.Error("the change is not in the journal")
		}
	}},
	{n: 27, told: []any{ev{id: "a", bsuid: mateosID}, ev{is: "system", word: "user_changed_user_id", id: "b", at: 1, bsuid2: mateosNewID, bsuid0: mateosID}, ev{id: "c", at: 2, bsuid: mateosNewID}}, want: `
			case: unresolved about bsuid CO.1092755501238467 (past), bsuid CO.6617720034455180
			contact: bsuid CO.1092755501238467 (past), bsuid CO.6617720034455180 | - | 0 in text "hello a"; 2 in text "hello c"`},
	{n: 28, told: []any{
		ev{id: "a", bsuid: mateosID},
		ev{is: "system", word: "user_changed_user_id", id: "b", at: 1, bsuid2: mateosNewID, text: "User Mateo changed from " + mateosID + " to " + mateosNewID},
		ev{id: "c", at: 2, bsuid: mateosNewID},
	}, want: `
			case: suggested about bsuid CO.6617720034455180 | B rotation_prose CO.1092755501238467
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 0 in text "hello a"
			contact: bsuid CO.6617720034455180 | - | 2 in text "hello c"`},
	// No check of a number asks for the field: subscribed means the WABA, not which fields.
	{n: 29, told: []any{"003", "083"}, want: `
			case: unresolved about bsuid CO.1092755501238467 (past), bsuid CO.6617720034455180, parent_bsuid CO.ENT.4455000011112222, parent_bsuid CO.ENT.9912340078651123 (past)
			contact: bsuid CO.1092755501238467 (past), bsuid CO.6617720034455180, parent_bsuid CO.ENT.4455000011112222, parent_bsuid CO.ENT.9912340078651123 (past) | @mateo.ruiz, Mateo | 3 in text "Hola, tienen stock?"`},
	{n: 30, told: []any{ev{id: "a", bsuid: mateosID}, ev{id: "b", at: 2, bsuid: mateosNewID}, ev{is: "system", word: "user_changed_user_id", id: "c", at: 1, bsuid2: mateosNewID, bsuid0: mateosID}}, want: `
			case: unresolved about bsuid CO.1092755501238467 (past), bsuid CO.6617720034455180
			contact: bsuid CO.1092755501238467 (past), bsuid CO.6617720034455180 | - | 0 in text "hello a"; 2 in text "hello b"`, then: func(t *testing.T, in *inbox) {
		if n := in.count(t, `SELECT count(*) FROM links WHERE kind = 'rotated' AND undone_at IS NULL`); n == 0 {
			t.Error("the journal has no line of it")
		}
		if n := in.count(t, `SELECT count(*) FROM cases WHERE state = 'done' AND closed_by = 'system'`); n != 1 {
			t.Errorf("%d cases closed themselves, want the new id's", n)
		}
	}},
	{n: 31, told: []any{moved, ev{id: "a", phone: ashasPhone}, ev{id: "b", at: 20, bsuid: ashasNewID}}, want: `
			contact: bsuid IN.7704418820035512 (past), bsuid IN.9910027753341188, phone 919800000101 (past), phone 919800000155 | - | 0 in text "hello a"; 20 in text "hello b"`},
	{n: 32, told: []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID}, moved, append([]byte(" "), posted(moved)...)}, want: `
			contact: bsuid IN.7704418820035512 (past), bsuid IN.9910027753341188, phone 919800000101 (past), phone 919800000155 | - | 0 in text "hello a"`, then: func(t *testing.T, in *inbox) {
		if n := in.count(t, `SELECT count(*) FROM rotations`); n != 1 {
			t.Errorf("%d changes are known, want 1", n)
		}
	}},
	{n: 33, told: []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID}, ev{id: "b", at: 1, phone: ashasNewPhone}, moved}, want: `
			contact: bsuid IN.7704418820035512 (past), bsuid IN.9910027753341188, phone 919800000101 (past), phone 919800000155 | - | 0 in text "hello a"; 1 in text "hello b"`},
	{n: 33, told: []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID}, ev{id: "b", at: 1, phone: ashasNewPhone, bsuid: leilasID}, moved}, want: `
			case: conflict about bsuid IN.7704418820035512 (past), bsuid IN.9910027753341188, phone 919800000101 (past), phone 919800000155 | B recycled_number DZ.88120045517723901
			contact: bsuid DZ.88120045517723901, phone 919800000155 (past) | - | 1 in text "hello b"
			contact: bsuid IN.7704418820035512 (past), bsuid IN.9910027753341188, phone 919800000101 (past), phone 919800000155 | - | 0 in text "hello a"`},
	{n: 34, told: []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID, name: "Asha"}, ev{id: "b", at: 9, phone: ashasPhone, bsuid: leilasID, name: "Somebody"}}, want: `
			case: conflict about bsuid DZ.88120045517723901, phone 919800000101 | B recycled_number IN.7704418820035512
			contact: bsuid DZ.88120045517723901, phone 919800000101 | Somebody | 9 in text "hello b"
			contact: bsuid IN.7704418820035512, phone 919800000101 (past) | Asha | 0 in text "hello a"`},
	{n: 35, told: []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID}, ev{id: "b", at: 9, phone: ashasPhone, bsuid: ashasNewID}}, want: `
			case: conflict about bsuid IN.9910027753341188, phone 919800000101 | B recycled_number IN.7704418820035512
			contact: bsuid IN.7704418820035512, phone 919800000101 (past) | - | 0 in text "hello a"
			contact: bsuid IN.9910027753341188, phone 919800000101 | - | 9 in text "hello b"`},
	{n: 35, told: []any{
		ev{id: "a", phone: ashasPhone, bsuid: ashasID},
		ev{id: "b", at: 9, phone: ashasPhone, bsuid: ashasNewID},
		ev{is: "system", word: "user_changed_user_id", id: "c", at: 8, bsuid2: ashasNewID, bsuid0: ashasID},
	}, want: `
			contact: bsuid IN.7704418820035512 (past), bsuid IN.9910027753341188, phone 919800000101 | - | 0 in text "hello a"; 9 in text "hello b"`},
	{n: 37, told: []any{ev{id: "a", bsuid: mateosID}, ev{is: "system", word: "user_changed_user_id", id: "b", at: 5, bsuid2: mateosNewID, bsuid0: mateosID}, ev{id: "c", at: 2, bsuid: mateosID}}, want: `
			case: unresolved about bsuid CO.1092755501238467 (past), bsuid CO.6617720034455180
			contact: bsuid CO.1092755501238467 (past), bsuid CO.6617720034455180 | - | 0 in text "hello a"; 2 in text "hello c"`},
	{n: 38, told: []any{
		ev{id: "a", phone: ashasPhone, bsuid: ashasID},
		ev{is: "system", word: "customer_identity_changed", id: "b", at: 3, phone: ashasPhone, text: "security code changed", more: map[string]any{"identity": map[string]any{"hash": "x"}}},
	}, want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | - | 0 in text "hello a"
			signal: 3 security code changed phone 919800000101`, then: func(t *testing.T, in *inbox) {
		asha := in.reads(t, "owner")
		cl := in.client(t, tenants.Tenant{ID: in.tenant}, "read")
		asha.has(asha.get("/contacts/"+cl.get("/resolve?phone="+ashasPhone).text("contact_id")), http.StatusOK, "new security code")
	}},
	{n: 39, told: []any{ev{id: "a", phone: ashasPhone, bsuid: ashasID}, moved}, want: `
			contact: bsuid IN.7704418820035512 (past), bsuid IN.9910027753341188, phone 919800000101 (past), phone 919800000155 | - | 0 in text "hello a"`, then: func(t *testing.T, in *inbox) {
		if n := in.count(t, `SELECT count(*) FROM pairings p JOIN identifiers b ON b.id = p.bsuid_id JOIN identifiers o ON o.id = p.other_id
			WHERE b.value = '`+ashasNewID+`' AND o.value = '`+ashasPhone+`' OR b.value = '`+ashasID+`' AND o.value = '`+ashasNewPhone+`'`); n != 0 {
			t.Error("old and new were crossed")
		}
	}},
}

// spellingCases: one phone in several spellings, and several that look like one.
var spellingCases = []edgeCase{
	{n: 40, told: []any{ev{id: "a", phone: "551187654321"}, ev{id: "b", at: 1, phone: "5511987654321"}}, want: `
			contact: phone 5511987654321 | - | 0 in text "hello a"; 1 in text "hello b"`, then: func(t *testing.T, in *inbox) {
		if n := in.count(t, `SELECT count(*) FROM identifiers WHERE value = '5511987654321' AND raw IN ('551187654321', '5511987654321')`); n != 1 {
			t.Error("the raw form is not kept beside the key")
		}
	}},
	{n: 41, told: []any{ev{id: "a", phone: "541123456789"}, ev{id: "b", at: 1, phone: "5491123456789"}}, want: `
			contact: phone 5491123456789 | - | 0 in text "hello a"; 1 in text "hello b"`},
	{n: 42, told: []any{ev{id: "a", phone: "525512345678"}, ev{id: "b", at: 1, phone: "5215512345678"}}, want: `
			contact: phone 525512345678 | - | 0 in text "hello a"; 1 in text "hello b"`},
	{n: 43, told: []any{[]byte(string(posted(ev{id: "a", bsuid: mateosID})))}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 0 in text "hello a"`, then: func(t *testing.T, in *inbox) {
		in.exec(t, `UPDATE number_directory SET display_phone = '22501020304' WHERE phone_number_id = $1`, ownNumber+in.tag) // as before the numbers grew
		in.tell(t, ev{id: "b", at: 1, bsuid: mateosID})
		if n := in.count(t, `SELECT count(*) FROM messages`); n != 2 {
			t.Errorf("%d messages arrived, want 2", n)
		}
	}},
	{n: 44, told: []any{ev{id: "a", phone: "551132654321"}, ev{id: "b", at: 1, phone: "5511932654321"}, ev{id: "c", at: 2, phone: "912232654321"}}, want: `
			contact: phone 551132654321 | - | 0 in text "hello a"
			contact: phone 5511932654321 | - | 1 in text "hello b"
			contact: phone 912232654321 | - | 2 in text "hello c"`},
	{n: 45, told: []any{ev{id: "a", phone: "5511987654321"}, ev{id: "b", at: 1, phone: "55119876543211"}}, want: `
			contact: phone 5511987654321 | - | 0 in text "hello a"
			contact: phone 55119876543211 | - | 1 in text "hello b"`},
}
