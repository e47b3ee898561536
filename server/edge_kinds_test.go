package server_test

import (
	"testing"

	"github.com/pehchan/pehchan/tenants/identity"
)

// own is a message of the business's own, written in its app.
var own = ev{is: "echo", id: "own", at: 5, phone: ashasPhone, bsuid: ashasID, text: "ready at six"}

// told is a status of it.
func told(word, id string, at int) ev {
	return ev{is: "status", word: word, id: id, at: at, phone: ashasPhone, bsuid: ashasID}
}

// kindCases: events of every kind, alone, together and out of turn.
var kindCases = []edgeCase{
	{n: 80, told: []any{told("delivered", "own", 8), own}, want: `
			nobody yet: bsuid IN.7704418820035512, phone 919800000101 | - | 5 out text "ready at six" delivered
			status: 8 delivered bsuid IN.7704418820035512`},
	{n: 81, told: []any{[]ev{{is: "status", word: "read", id: "unknown", at: 3, bsuid: mateosID}, {id: "b", at: 4, phone: ashasPhone}}}, want: `
			contact: phone 919800000101 | - | 4 in text "hello b"
			nobody yet: bsuid CO.1092755501238467 | - | nothing
			status: 3 read bsuid CO.1092755501238467`},
	{n: 82, told: []any{own, told("sent", "own", 6), told("read", "own", 9), told("delivered", "own", 8)}, want: `
			nobody yet: bsuid IN.7704418820035512, phone 919800000101 | - | 5 out text "ready at six" read
			status: 6 sent bsuid IN.7704418820035512
			status: 8 delivered bsuid IN.7704418820035512
			status: 9 read bsuid IN.7704418820035512`},
	{n: 82, told: []any{own, told("sent", "own", 6), told("failed", "own", 9)}, want: `
			nobody yet: bsuid IN.7704418820035512, phone 919800000101 | - | 5 out text "ready at six" failed
			status: 6 sent bsuid IN.7704418820035512
			status: 9 failed bsuid IN.7704418820035512`},
	{n: 83, told: []any{own, ev{is: "status", word: "failed", id: "own", at: 9, alone: true, more: map[string]any{"errors": []any{map[string]any{"code": 131049, "title": "held back"}}}}}, want: `
			nobody yet: bsuid IN.7704418820035512, phone 919800000101 | - | 5 out text "ready at six" failed 131049: held back
			status: 9 failed 131049: held back`},
	{n: 84, told: []any{ev{is: "status", word: "sent", id: "x", bsuid: mateosID, more: map[string]any{"parent_recipient_user_id": "CO.ENT.1"}}}, want: `
			nobody yet: bsuid CO.1092755501238467, parent_bsuid CO.ENT.1 | - | nothing
			status: 0 sent bsuid CO.1092755501238467`},
	{n: 84, told: []any{ev{is: "status", word: "sent", id: "x", bsuid: mateosID, more: map[string]any{"recipient_parent_user_id": "CO.ENT.1"}}}, want: `
			nobody yet: bsuid CO.1092755501238467, parent_bsuid CO.ENT.1 | - | nothing
			status: 0 sent bsuid CO.1092755501238467`},
	{n: 85, told: []any{[]ev{{is: "status", word: "", id: "x", at: 1, bsuid: mateosID}, {is: "status", word: "failed", id: "y", at: 2, bsuid: mateosID, more: map[string]any{"errors": "not a list"}}, {id: "b", at: 3, phone: ashasPhone}}}, want: `
			contact: phone 919800000101 | - | 3 in text "hello b"
			item: messages status set_aside missing_status
			nobody yet: bsuid CO.1092755501238467 | - | nothing
			status: 2 failed bsuid CO.1092755501238467`},
	{n: 86, told: []any{ev{is: "echo", id: "a", at: 1, bsuid: mateosID, text: "hola"}}, want: `
			nobody yet: bsuid CO.1092755501238467 | - | 1 out text "hola"`},
	{n: 87, told: []any{
		ev{is: "history", id: "a", at: 1, bsuid: mateosID, username: "mateo.ruiz", text: "hola"},
		ev{is: "history", id: "b", at: 2, phone: ashasPhone, bsuid: ashasID, text: "old question"},
		ev{is: "history", id: "c", at: 3, phone: ashasPhone, bsuid: ashasID, text: "old answer", more: map[string]any{"from": ownPhone, "from_user_id": "", "to": ashasPhone, "history_context": map[string]any{"status": "READ"}}},
	}, want: `
			contact: bsuid CO.1092755501238467 | @mateo.ruiz | 1 in text past "hola"
			contact: bsuid IN.7704418820035512, phone 919800000101 | - | 2 in text past "old question"; 3 out text past "old answer" read`},
	// The number has another owner by now: what is live says so, and what is past gives way without asking anybody.
	{n: 87, told: []any{ev{is: "history", id: "a", at: 1, phone: ashasPhone, bsuid: ashasID, text: "old question"}, ev{id: "b", at: 900, phone: ashasPhone, bsuid: leilasID}}, want: `
			contact: bsuid DZ.88120045517723901, phone 919800000101 | - | 900 in text "hello b"
			contact: bsuid IN.7704418820035512 | - | 1 in text past "old question"`},
	// A message that came live and with the past is one, and live.
	{n: 87, told: []any{ev{is: "history", id: "a", at: 1, bsuid: mateosID, text: "hola"}, ev{id: "a", at: 1, bsuid: mateosID, text: "hola"}}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 1 in text "hola"`},
	{n: 88, told: []any{
		ev{id: "a", phone: ashasPhone, name: "Asha"},
		ev{id: "b", at: 1, bsuid: mateosID},
		ev{is: "saved", at: 2, phone: ashasPhone, bsuid: mateosID, name: "Asha Boutique"},
	}, want: `
			case: suggested about bsuid CO.1092755501238467 | B saved_contact 919800000101
			contact: bsuid CO.1092755501238467 | - | 1 in text "hello b"
			contact: phone 919800000101 | Asha | 0 in text "hello a"
			saved: 919800000101 CO.1092755501238467 "Asha Boutique"`},
	{n: 88, told: []any{
		ev{id: "b", at: 1, bsuid: mateosID},
		ev{is: "saved", at: 2, bsuid: mateosID, name: "Mateo Plumber"},
		ev{is: "saved", word: "remove", at: 3, bsuid: mateosID},
	}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 1 in text "hello b"
			saved: CO.1092755501238467 "" removed`, then: func(t *testing.T, in *inbox) {
		if got := in.whois(t, "bsuid", mateosID).SavedName; got != "" {
			t.Errorf("still saved as %q", got)
		}
	}},
	{n: 89, told: []any{"050"}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | @mateo.ruiz, Mateo | 50 in text in a group "hola grupo"`},
	{n: 90, told: []any{
		ev{is: "reaction", id: "a", phone: ashasPhone, bsuid: ashasID, more: map[string]any{"reaction": map[string]any{"message_id": "wamid.x", "emoji": "👍"}}},
		ev{is: "unsupported", id: "b", at: 1, phone: leilasPhone, bsuid: leilasID, more: map[string]any{"errors": []any{map[string]any{"code": 131051}}}},
		ev{is: "revoke", id: "c", at: 2, bsuid: mateosID, more: map[string]any{"revoke": map[string]any{"original_message_id": "wamid.y"}}},
	}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 2 in revoke about another
			contact: bsuid DZ.88120045517723901, phone 213550000202 | - | 1 in unsupported 131051
			contact: bsuid IN.7704418820035512, phone 919800000101 | - | 0 in reaction "👍" about another`},
	{n: 91, told: []any{
		ev{id: "a", bsuid: ashasID},
		ev{is: "preference", word: "stop", at: 1, phone: ashasPhone, alone: true},
		ev{is: "status", word: "sent", id: "x", at: 2, phone: ashasPhone, bsuid: ashasID},
	}, want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | - | 0 in text "hello a"
			signal: 1 preference marketing_messages stop phone 919800000101
			status: 2 sent bsuid IN.7704418820035512`, then: func(t *testing.T, in *inbox) {
		if got := in.wants(t, ashasPhone); got != identity.Stop {
			t.Errorf("the word is lost: %q", got)
		}
	}},
	{n: 91, told: []any{
		ev{is: "preference", word: "resume", at: 5, phone: ashasPhone, bsuid: ashasID}, ev{is: "preference", word: "stop", at: 5, phone: ashasPhone, bsuid: ashasID}, ev{id: "a", bsuid: ashasID},
	}, want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | - | 0 in text "hello a"
			signal: 5 preference marketing_messages stop bsuid IN.7704418820035512
			signal: 5 preference marketing_messages stop phone 919800000101`, then: func(t *testing.T, in *inbox) {
		if got := in.wants(t, ashasPhone); got != identity.Stop {
			t.Errorf("of two words at one second counts %q, want the stricter", got)
		}
	}},
	{n: 92, told: []any{
		ev{is: "call", word: "connect", id: "a", bsuid: mateosID, name: "Mateo"},
		ev{is: "call", word: "terminate", id: "a", at: 40, bsuid: mateosID, more: map[string]any{"status": "COMPLETED", "duration": 35}},
	}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | Mateo | 0 in call of 35s completed`},
	{n: 95, told: []any{ev{id: "a", bsuid: mateosID, more: map[string]any{"timestamp": "1790000007000"}}, ev{is: "call", word: "connect", id: "b", bsuid: mateosID, more: map[string]any{"timestamp": 1790000009000}}}, want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | - | 7 in text "hello a"; 9 in call of 0s`},
}
