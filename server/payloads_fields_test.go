package server_test

var fieldStories = []story{
	{
		name: "marketing messages stopped, by a person known", files: "001 080",
		want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | 1 in text "Hi, is my order 4471 on the way?"
			signal: 90 preference marketing_messages stop bsuid IN.7704418820035512
			signal: 90 preference marketing_messages stop phone 919800000101`,
	},
	{
		name: "marketing messages allowed again, by somebody not known yet", files: "081",
		want: `
			nobody yet: bsuid CO.1092755501238467, parent_bsuid CO.ENT.9912340078651123 | @mateo.ruiz, Mateo | nothing
			signal: 91 preference marketing_messages resume bsuid CO.1092755501238467`,
	},
	{
		name: "an id that changed, in the shape that was withdrawn", files: "002 082",
		want: `
			contact: bsuid DZ.11002200330044005, bsuid DZ.88120045517723901 (past), phone 213550000202 (past), phone 213550000299 | @leila.b_22, Leila B | 2 in text "Can I still keep my username if I change"`,
	},
	{
		name: "and with a parent", files: "004 083",
		want: `
			case: unresolved about bsuid CO.1092755501238467 (past), bsuid CO.6617720034455180, parent_bsuid CO.ENT.4455000011112222, parent_bsuid CO.ENT.9912340078651123 (past)
			contact: bsuid CO.1092755501238467 (past), bsuid CO.6617720034455180, parent_bsuid CO.ENT.4455000011112222, parent_bsuid CO.ENT.9912340078651123 (past) | @mateo.ruiz, Mateo | 4 in text "Hola de nuevo"`,
	},
	{
		name: "our own username, from reserved to taken away", files: "090 091 092 093 094 095",
		want: `
			notice: 100 business_username_updates reserved acme.support
			notice: 101 business_username_updates approved acme.support
			notice: 102 business_username_updates deleted
			notice: 103 business_username_updates deleted revoked
			notice: 104 business_username_updates approved acme.support_4821 revoked
			notice: 105 business_username_updates approved acme.support`,
	},
	{
		name: "a call from a hidden phone", files: "100",
		want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | @mateo.ruiz, Mateo | 110 in call of 0s`,
	},
	{
		name: "a call we made", files: "101",
		want: `
			nobody yet: bsuid DZ.88120045517723901, parent_bsuid DZ.ENT.3390071145528816 | @leila.b_22 | 111 out call of 0s`,
	},
	{
		name: "a call that ended", files: "102",
		want: `
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | 112 in call of 60s completed`,
	},
	{
		name: "a call of ours, told from its end", files: "104 103",
		want: `
			nobody yet: bsuid CO.1092755501238467 | @mateo.ruiz | 113 out call of 0s completed`,
	},
	{
		name: "who joined a group", files: "110 111",
		want: `
			nobody yet: bsuid CO.1092755501238467 | @mateo.ruiz | nothing
			nobody yet: bsuid IN.7704418820035512, phone 919800000101 | - | nothing`,
	},
	{
		name: "who left a group, who asked to join", files: "112 113 114",
		want: `
			nobody yet: bsuid CO.1092755501238467, parent_bsuid CO.ENT.9912340078651123 | @mateo.ruiz | nothing
			nobody yet: bsuid DZ.88120045517723901, phone 213550000202 | @leila.b_22 | nothing`,
	},
	{
		name: "what the owner wrote in the app", files: "003 120 122 123",
		want: `
			case: unresolved about bsuid CO.1092755501238467, parent_bsuid CO.ENT.9912340078651123
			contact: bsuid CO.1092755501238467, parent_bsuid CO.ENT.9912340078651123 | @mateo.ruiz, Mateo | 3 in text "Hola, tienen stock?"; 130 out text "Sent from the phone app"; 132 out revoke about another; 133 out edit "corrected" about another`,
	},
	{
		name: "and to somebody who never wrote", files: "121",
		want: `
			nobody yet: bsuid IN.7704418820035512, phone 919800000101 | - | 131 out text "no profile object here"`,
	},
	{
		name: "the owner's address book", files: "001 003 124",
		want: `
			case: unresolved about bsuid CO.1092755501238467
			contact: bsuid CO.1092755501238467 | @mateo.ruiz, Mateo | 3 in text "Hola, tienen stock?"
			contact: bsuid IN.7704418820035512, phone 919800000101 | Asha Verma | 1 in text "Hi, is my order 4471 on the way?"
			saved: 919800000101 IN.7704418820035512 "Asha Verma"
			saved: 919800000888 "" removed
			saved: CO.1092755501238467 "Mateo Ruiz"`,
	},
	{
		name: "chats of before", files: "125 126 127",
		want: `
			contact: bsuid CO.1092755501238467 | @mateo.ruiz | -7000 in text past "hola antigua"; -6900 in image past; -6800 out image past
			contact: bsuid IN.7704418820035512, phone 919800000101 | - | -9000 in text past "old question"; -8900 out text past "old answer" delivered`,
	},
	{
		name: "chats of before, not shared", files: "128",
		want: `
			notice: errors 2593109 History sync is turned off by the business from the WhatsApp Business App`,
	},
	{
		name: "an account connected, then cut off", files: "130 131",
		want: `
			notice: 140 account_update PARTNER_APP_INSTALLED of the account
			notice: 141 account_update PARTNER_REMOVED of the account`,
	},
	{
		name: "an account to be disabled", files: "132 133",
		want: `
			notice: 142 account_update DISABLED_UPDATE of the account
			notice: 143 account_update ACCOUNT_OFFBOARDED of the account`,
	},
	{
		name: "judgements on a number, a name, a template", files: "134 135 136 137",
		want: `
			notice: 144 phone_number_quality_update ONBOARDING
			notice: 145 phone_number_name_update APPROVED
			notice: 146 message_template_status_update APPROVED of the account
			notice: 147 account_alerts OBA_APPROVED of the account`,
	},
	{
		name: "a field nobody has documented", files: "138",
		want: `
			drift: consumer_profile unknown_field 1x`,
	},
}
