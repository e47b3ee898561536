package server_test

import (
	"path/filepath"
	"slices"
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
)

// story is payload files that make sense together, and where they end.
type story struct{ name, files, want string }

// messageStories are the payload files of the field messages, fieldStories those of all others.
var messageStories = []story{
	{
		name: "a person with phone and id, delivered twice", files: "001 053",
		want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | 1 in text "Hi, is my order 4471 on the way?"`,
	},
	{
		name: "a username with a visible phone", files: "002",
		want: `
			contact: bsuid DZ.88120045517723901, phone 213550000202 | @leila.b_22, Leila B | 2 in text "Can I still keep my username if I change"`,
	},
	{
		name: "a hidden phone, in every spelling of hidden", files: "003 006 007 011",
		want: `
			case: unresolved about bsuid CO.1092755501238467
			case: unresolved about bsuid DZ.88120045517723901
			contact: bsuid CO.1092755501238467 | @mateo.ruiz, Mateo | 3 in text "Hola, tienen stock?"; 7 in text "Phone keys present but empty"; 11 in text "Contact without a profile object"
			contact: bsuid DZ.88120045517723901 | @leila.b_22, Leila B | 6 in text "Username arrives with a leading at-sign"`,
	},
	{
		name: "a parent id beside the id", files: "004 005",
		want: `
			case: unresolved about bsuid CO.1092755501238467, parent_bsuid CO.ENT.9912340078651123
			contact: bsuid CO.1092755501238467, parent_bsuid CO.ENT.9912340078651123 | @mateo.ruiz, Mateo | 4 in text "Hola de nuevo"
			contact: bsuid IN.7704418820035512, parent_bsuid IN.ENT.5581200934417706, phone 919800000101 | Asha Verma | 5 in text "Same person, two portfolios"`,
	},
	{
		name: "before WhatsApp had ids", files: "008",
		want: `
			contact: phone 919800000101 | Asha Verma | 8 in text "Shape from before April 2026"`,
	},
	{
		name: "and then the id appears", files: "008 001",
		want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | 1 in text "Hi, is my order 4471 on the way?"; 8 in text "Shape from before April 2026"`,
	},
	{
		name: "the longest id and mixed case", files: "009 010",
		want: `
			case: unresolved about bsuid GH.A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8
			case: unresolved about bsuid SG.4A9fQ2LmT0b77Zx81
			contact: bsuid GH.A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8A1b2C3d4E5f6G7h8 | Kofi | 9 in text "Longest BSUID allowed"
			contact: bsuid SG.4A9fQ2LmT0b77Zx81 | @sandra_k, Sandra K | 10 in text "Mixed-case identifier, keep it byte for "`,
	},
	{
		name: "pictures, sounds, papers, places", files: "012 013 014 015 016",
		want: `
			case: unresolved about bsuid CO.1092755501238467
			case: unresolved about bsuid SG.4A9fQ2LmT0b77Zx81
			contact: bsuid CO.1092755501238467 | @mateo.ruiz, Mateo | 12 in image "mi recibo"
			contact: bsuid DZ.88120045517723901, phone 213550000202 | @leila.b_22, Leila B | 14 in document "voila"
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | 13 in audio; 15 in location "Shop, MG Road, Bengaluru"
			contact: bsuid SG.4A9fQ2LmT0b77Zx81 | @sandra_k, Sandra K | 16 in sticker`,
	},
	{
		name: "answers, forwards, an ad", files: "017 018 019",
		want: `
			case: unresolved about bsuid CO.1092755501238467
			case: unresolved about bsuid DZ.88120045517723901
			contact: bsuid CO.1092755501238467 | @mateo.ruiz, Mateo | 17 in text "Si, ese" answering
			contact: bsuid DZ.88120045517723901 | @leila.b_22, Leila B | 19 in text "I saw your ad"
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | 18 in text "FW: WhatsApp will charge for usernames"`,
	},
	{
		name: "reactions come and go", files: "020 021",
		want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | @mateo.ruiz, Mateo | 20 in reaction "👍" about another; 21 in reaction about another`,
	},
	{
		name: "buttons, lists, flows, permissions, orders", files: "022 023 024 025 026 027",
		want: `
			case: unresolved about bsuid CO.1092755501238467
			case: unresolved about bsuid DZ.88120045517723901
			contact: bsuid CO.1092755501238467 | @mateo.ruiz, Mateo | 24 in interactive "Username key" answering
			contact: bsuid DZ.88120045517723901 | @leila.b_22, Leila B | 22 in button "Help with usernames" answering; 26 in interactive "accept" answering
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | 23 in interactive "Yes" answering; 25 in interactive "Sent" answering; 27 in order "2 items"`,
	},
	{
		name: "shared contact cards", files: "030 031",
		want: `
			contact: bsuid CO.1092755501238467, phone 573000000303 | @mateo.ruiz, Mateo | 30 in contacts; 31 in contacts "Mateo Ruiz"`,
	},
	{
		name: "cards shared by hand", files: "008 032 033",
		want: `
			case: unresolved about bsuid DZ.88120045517723901
			contact: bsuid DZ.88120045517723901 | @leila.b_22, Leila B | 32 in contacts "Nadia"
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | 8 in text "Shape from before April 2026"; 33 in contacts "Ravi S"`,
	},
	{
		name: "what WhatsApp cannot show", files: "034 035 036 037",
		want: `
			case: unresolved about bsuid CO.1092755501238467
			case: unresolved about bsuid DZ.88120045517723901
			contact: bsuid CO.1092755501238467 | @mateo.ruiz, Mateo | 34 in unsupported 131051: Message type unknown
			contact: bsuid DZ.88120045517723901 | @leila.b_22, Leila B | 36 in future_kind
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | 35 in unsupported 131051: Message type unknown
			drift: messages unknown_type:future_kind 1x
			notice: errors 130429 Rate limit hit`,
	},
	{
		name: "edits and a deletion", files: "038 039 040",
		want: `
			case: unresolved about bsuid CO.1092755501238467
			case: unresolved about bsuid DZ.88120045517723901
			contact: bsuid CO.1092755501238467 | @mateo.ruiz, Mateo | 38 in edit "mi recibo corregido" about another
			contact: bsuid DZ.88120045517723901 | @leila.b_22, Leila B | 40 in revoke about another
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | 39 in edit "order 4472, sorry" about another`,
	},
	{
		name: "a new number, told before and after", files: "001 041",
		want: `
			contact: bsuid IN.7704418820035512 (past), bsuid IN.9910027753341188, phone 919800000101 (past), phone 919800000155 | Asha Verma | 1 in text "Hi, is my order 4471 on the way?"`,
	},
	{
		name: "a new number with parents", files: "005 042",
		want: `
			contact: bsuid IN.7704418820035512 (past), bsuid IN.9910027753341188, parent_bsuid IN.ENT.5581200934417706 (past), parent_bsuid IN.ENT.7700112233445566, phone 919800000101 (past), phone 919800000155 | Asha Verma | 5 in text "Same person, two portfolios"`,
	},
	{
		name: "a new number, phones only", files: "008 043",
		want: `
			contact: phone 919800000101 (past), phone 919800000155 | Asha Verma | 8 in text "Shape from before April 2026"`,
	},
	{
		name: "a new id without a phone", files: "003 044",
		want: `
			case: unresolved about bsuid CO.1092755501238467 (past), bsuid CO.6617720034455180
			contact: bsuid CO.1092755501238467 (past), bsuid CO.6617720034455180 | @mateo.ruiz, Mateo | 3 in text "Hola, tienen stock?"`,
	},
	{
		name: "a new id with parents", files: "004 045",
		want: `
			case: unresolved about bsuid CO.1092755501238467 (past), bsuid CO.6617720034455180, parent_bsuid CO.ENT.4455000011112222, parent_bsuid CO.ENT.9912340078651123 (past)
			contact: bsuid CO.1092755501238467 (past), bsuid CO.6617720034455180, parent_bsuid CO.ENT.4455000011112222, parent_bsuid CO.ENT.9912340078651123 (past) | @mateo.ruiz, Mateo | 4 in text "Hola de nuevo"`,
	},
	{
		name: "a new id, the old one in prose, the phone known", files: "002 046",
		want: `
			contact: bsuid DZ.11002200330044005, bsuid DZ.88120045517723901 (past), phone 213550000202 (past), phone 213550000299 | @leila.b_22, Leila B | 2 in text "Can I still keep my username if I change"`,
	},
	{
		name: "a new id from another country", files: "010 047",
		want: `
			case: unresolved about bsuid MY.77aa01Zz9, bsuid SG.4A9fQ2LmT0b77Zx81 (past)
			contact: bsuid MY.77aa01Zz9, bsuid SG.4A9fQ2LmT0b77Zx81 (past) | @sandra_k, Sandra K | 10 in text "Mixed-case identifier, keep it byte for "`,
	},
	{
		name: "a change WhatsApp has not invented yet", files: "048",
		want: `
			drift: messages unknown_type:user_did_something_new 1x
			nobody yet: bsuid CO.1092755501238467 | - | nothing`,
	},
	{
		name: "a group message", files: "050",
		want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | @mateo.ruiz, Mateo | 50 in text in a group "hola grupo"`,
	},
	{
		name: "two people in one delivery", files: "051",
		want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | @mateo.ruiz, Mateo | 51 in text "second"
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | 51 in text "first"; 52 in text "third"`,
	},
	{
		name: "five changes of two accounts in one delivery", files: "052",
		want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | @mateo.ruiz, Mateo | 60 in text "other business number"
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | 60 in text "number one"
			drift: business_username_updates waba_drift 1x
			drift: user_preferences waba_drift 1x
			nobody yet: bsuid DZ.88120045517723901 | @leila.b_22, Leila B | nothing
			notice: 62 business_username_updates approved acme.help
			signal: 62 preference marketing_messages stop bsuid IN.7704418820035512
			signal: 62 preference marketing_messages stop phone 919800000101
			status: 61 read bsuid DZ.88120045517723901`,
	},
	{
		name: "a number nobody connected, and an empty delivery", files: "054 055",
		want: `
			held: messages message unknown_number`,
	},
	{
		name: "statuses of a message to a phone", files: "060 061 062",
		want: `
			nobody yet: bsuid DZ.88120045517723901, phone 213550000202 | @leila.b_22, Leila B | nothing
			nobody yet: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | nothing
			status: 70 sent bsuid DZ.88120045517723901
			status: 71 delivered bsuid DZ.88120045517723901
			status: 72 read bsuid IN.7704418820035512`,
	},
	{
		name: "statuses of a message to an id", files: "063 064 065 066 067",
		want: `
			nobody yet: bsuid CO.1092755501238467, parent_bsuid CO.ENT.9912340078651123, phone 573000000303 | @mateo.ruiz, Mateo | nothing
			status: 73 sent bsuid CO.1092755501238467
			status: 74 delivered bsuid CO.1092755501238467
			status: 75 delivered bsuid CO.1092755501238467
			status: 76 read bsuid CO.1092755501238467
			status: 77 played bsuid CO.1092755501238467`,
	},
	{
		name: "failures", files: "068 069",
		want: `
			nobody yet: bsuid CO.1092755501238467 | - | nothing
			nobody yet: phone 919800000101 | - | nothing
			status: 78 failed phone 919800000101 131049: This message was not delivered to maintain healthy ecosystem engagement.
			status: 79 failed bsuid CO.1092755501238467 131026: Message undeliverable`,
	},
	{
		name: "out of order, new prices, a group, two at once, an old shape", files: "070 071 072 073 074",
		want: `
			nobody yet: bsuid CO.1092755501238467 | @mateo.ruiz, Mateo | nothing
			nobody yet: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | nothing
			status: 81 delivered bsuid CO.1092755501238467
			status: 82 read bsuid CO.1092755501238467
			status: 83 delivered bsuid IN.7704418820035512
			status: 84 read bsuid CO.1092755501238467
			status: 84 read bsuid IN.7704418820035512
			status: 85 delivered bsuid IN.7704418820035512
			status: 85 delivered bsuid IN.7704418820035512
			status: 86 delivered phone 919800000101`,
	},
	{
		name: "the dashboard's test button", files: "139",
		want: `
			item: messages message routed test`,
	},
}

func TestPayloadStories(t *testing.T) {
	t.Parallel()
	h := newHouse(t)

	for _, story := range slices.Concat(messageStories, fieldStories) {
		t.Run(story.name, func(t *testing.T) {
			t.Parallel()
			in := h.open(t)
			for _, n := range strings.Fields(story.files) {
				in.post(t, payload(t, n))
			}
			want := strings.TrimSpace(strings.ReplaceAll(story.want, "\n\t\t\t", "\n"))
			if diff := cmp.Diff(want, in.state(t)); diff != "" {
				t.Errorf("files %s end elsewhere (-want +got):\n%s", story.files, diff)
			}
		})
	}
}

// TestEveryPayloadHasItsStory: a payload file that no story tells fails.
func TestEveryPayloadHasItsStory(t *testing.T) {
	t.Parallel()

	told := map[string]bool{}
	for _, s := range slices.Concat(messageStories, fieldStories) {
		for _, n := range strings.Fields(s.files) {
			told[n] = true
		}
	}
	files, err := filepath.Glob("../tenants/whatsapp/testdata/[0-9]*.json")
	if err != nil || len(files) != 106 {
		t.Fatalf("found %d payloads, %v", len(files), err)
	}
	for _, f := range files {
		if n := filepath.Base(f)[:3]; !told[n] {
			t.Errorf("no story tells %s", filepath.Base(f))
		}
	}
}
