package whatsapp_test

import (
	"encoding/json"
	"fmt"
	"slices"
	"strings"
	"testing"
	"time"
	"unicode/utf8"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// parse reads the only item of a change.
func parse(t *testing.T, members string) whatsapp.Event {
	t.Helper()
	items := split(t, delivery(value(members)))
	if len(items) != 1 {
		t.Fatalf("items: got %d, want 1", len(items))
	}
	event, err := whatsapp.ParseEvent(items[0].Kind, items[0].Body)
	if err != nil {
		t.Fatalf("parse: %v", err)
	}
	return event
}

func message(members string) string {
	return `{"id":"wamid.X","timestamp":"1790000001","type":"text","text":{"body":"hi"}` + members + `}`
}

// TestContactsJoinByID holds edge cases 11, 12 and 20 to 25.
func TestContactsJoinByID(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		contacts, ids string
		want          whatsapp.Party
		warning       string
	}{
		"by BSUID, phone from the contact": {
			`{"wa_id":"919800000101","user_id":"IN.1","profile":{"name":"Asha","username":"@asha"}}`, `,"from_user_id":"IN.1"`,
			whatsapp.Party{Phone: "919800000101", PhoneRaw: "919800000101", BSUID: "IN.1", ProfileName: "Asha", Username: "asha"},
			"",
		},
		"by phone, BSUID from the contact": {
			`{"wa_id":"919800000101","user_id":"IN.1"}`, `,"from":"919800000101"`,
			whatsapp.Party{Phone: "919800000101", PhoneRaw: "919800000101", BSUID: "IN.1"},
			"",
		},
		"by two spellings of one phone": {
			`{"wa_id":"551187654321","user_id":"BR.1"}`, `,"from":"5511987654321"`,
			whatsapp.Party{Phone: "5511987654321", PhoneRaw: "5511987654321", BSUID: "BR.1"},
			"",
		},
		"typo in the contact's BSUID": {
			`{"wa_id":"919800000101","user_id":"uUS.1","profile":{"name":"Asha"}}`, `,"from":"919800000101","from_user_id":"IN.1"`,
			whatsapp.Party{Phone: "919800000101", PhoneRaw: "919800000101", BSUID: "IN.1", ProfileName: "Asha"},
			"contact_id_mismatch",
		},
		"a stranger standing alone lends a name only": {
			`{"wa_id":"919800000999","user_id":"IN.9","profile":{"name":"Asha","username":"asha"}}`, `,"from_user_id":"IN.1"`,
			whatsapp.Party{BSUID: "IN.1", ProfileName: "Asha"},
			"contact_id_mismatch",
		},
		"two strangers lend nothing": {
			`{"user_id":"IN.8","profile":{"name":"A"}},{"user_id":"IN.9","profile":{"name":"B"}}`, `,"from_user_id":"IN.1"`,
			whatsapp.Party{BSUID: "IN.1"},
			"",
		},
		"another phone for the same BSUID": {
			`{"wa_id":"919800000999","user_id":"IN.1"}`, `,"from":"919800000101","from_user_id":"IN.1"`,
			whatsapp.Party{Phone: "919800000101", PhoneRaw: "919800000101", BSUID: "IN.1"},
			"contact_id_mismatch",
		},
		"BSUID where the phone belongs": {
			`{"wa_id":"IN.1"}`, `,"from":"IN.1"`,
			whatsapp.Party{BSUID: "IN.1"},
			"",
		},
		"parent id where the BSUID belongs": {
			``, `,"from_user_id":"IN.ENT.5"`,
			whatsapp.Party{Parent: "IN.ENT.5"},
			"",
		},
		"malformed BSUID is dropped": {
			``, `,"from":"919800000101","from_user_id":"foo_bar"`,
			whatsapp.Party{Phone: "919800000101", PhoneRaw: "919800000101"},
			"malformed_bsuid",
		},
		"malformed phone is dropped": {
			``, `,"from":"hidden","from_user_id":"IN.1"`,
			whatsapp.Party{BSUID: "IN.1"},
			"malformed_phone",
		},
		"nobody at all": {`{"wa_id":"919800000101"}`, ``, whatsapp.Party{}, ""},
		"null and empty are absent": {
			`{"wa_id":null,"user_id":"IN.1","parent_user_id":""}`, `,"from":"","from_user_id":"IN.1","from_parent_user_id":null`,
			whatsapp.Party{BSUID: "IN.1"},
			"",
		},
		"phone as a number": {
			``, `,"from":919800000101`,
			whatsapp.Party{Phone: "919800000101", PhoneRaw: "919800000101"},
			"",
		},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event := parse(t, `"contacts":[`+c.contacts+`],"messages":[`+message(c.ids)+`]`)
			if event.Party != c.want {
				t.Errorf("party: got %+v, want %+v", event.Party, c.want)
			}
			if got := strings.Join(event.Warnings, " "); got != c.warning {
				t.Errorf("warnings: got %q, want %q", got, c.warning)
			}
		})
	}
}

func TestTimestamps(t *testing.T) {
	t.Parallel()

	at := time.Unix(1749416383, 0).UTC()
	for raw, want := range map[string]time.Time{
		`"1749416383"`:    at,
		`1749416383`:      at,
		`"1749416383000"`: at, // milliseconds, edge case 95
		`1749416383999`:   at,
		`1e9`:             time.Unix(1e9, 0).UTC(),
		`"1"`:             time.Unix(1, 0).UTC(),
		`0`:               {},
		`"0"`:             {},
		`-5`:              {},
		`253402300799`:    time.Unix(253402300, 0).UTC(), // year 9999 can only be read as milliseconds
		`99999999999`:     {},
		`1e1000000`:       {},
		`"soon"`:          {},
		`true`:            {},
		`{}`:              {},
		`"NaN"`:           {},
	} {
		event := parse(t, `"messages":[{"id":"wamid.X","type":"text","timestamp":`+raw+`}]`)
		if !event.At.Equal(want) {
			t.Errorf("timestamp %s: got %v, want %v", raw, event.At, want)
		}
		if warned := slices.Contains(event.Warnings, "bad_timestamp"); warned != want.IsZero() {
			t.Errorf("timestamp %s: got warnings %v", raw, event.Warnings)
		}
	}
}

func TestHostileTextIsStorable(t *testing.T) {
	t.Parallel()

	for name, body := range map[string]string{
		"escaped NUL":     `a\u0000b`,
		"raw NUL":         "a\x00b",
		"lone surrogate":  `a\ud83db`,
		"invalid UTF-8":   "a\xffb",
		"overlong":        "a\xc0\xafb",
		"raw newline":     "a\nb\uFFFD",
		"escaped control": `a\u0001b` + "\uFFFD",
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			event := parse(t, `"contacts":[{"user_id":"IN.1","profile":{"name":"`+body+`","username":"`+body+
				`"}}],"messages":[{"id":"wamid.X","from_user_id":"IN.1","timestamp":"1790000001","type":"text","text":{"body":"`+body+`","`+body+`":1e1000000}}]`)
			for _, s := range []string{event.Text, event.Party.ProfileName, event.Party.Username, string(event.Content)} {
				if !utf8.ValidString(s) || strings.Contains(s, "\x00") || strings.Contains(s, `\u0000`) {
					t.Errorf("got %q, want no NUL and valid UTF-8", s)
				}
			}
			if !strings.Contains(event.Text, "\uFFFD") || !strings.HasPrefix(event.Text, "a") {
				t.Errorf("text: got %q, want it visible with a replacement mark", event.Text)
			}
			if !json.Valid(event.Content) || strings.Contains(string(event.Content), ":1e") {
				t.Errorf("content: got %s, want JSON without a number beyond all size", event.Content)
			}
		})
	}
}

func TestSizesAreBounded(t *testing.T) {
	t.Parallel()

	event := parse(t, `"messages":[`+message(`,"text":{"body":"`+strings.Repeat("न", 300_000)+`"}`)+`]`)
	if got := utf8.RuneCountInString(event.Text); got != 4096 {
		t.Errorf("text: got %d runes, want 4096", got)
	}
	if event.Content != nil || !slices.Contains(event.Warnings, "content_dropped") {
		t.Errorf("content: got %d bytes and %v, want it dropped", len(event.Content), event.Warnings)
	}
}

func TestWhatCannotBeReadIsSetAside(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		kind whatsapp.ItemKind
		item string
		code string
	}{
		{whatsapp.KindMessage, `{"type":"text"}`, "missing_wamid:"},
		{whatsapp.KindMessage, `{"id":{},"type":"text"}`, "missing_wamid:"},
		{whatsapp.KindMessage, `{"id":"` + strings.Repeat("w", 600) + `"}`, "missing_wamid:"},
		{whatsapp.KindSystem, `{"system":{"type":"user_changed_number"}}`, "missing_wamid:"},
		{whatsapp.KindStatus, `{"status":"read"}`, "missing_wamid:"},
		{whatsapp.KindStatus, `{"id":"wamid.X"}`, "missing_status:"},
		{whatsapp.KindMessage, `[]`, "item_not_object:"},
		{whatsapp.KindMessage, `{`, "item_not_json:"},
	} {
		_, err := whatsapp.ParseEvent(c.kind, []byte(`{"field":"messages","contacts":[],"item":`+c.item+`}`))
		if err == nil || !strings.HasPrefix(err.Error(), c.code) {
			t.Errorf("%s %s: got %v, want %s", c.kind, c.item, err, c.code)
		}
	}
	event := parse(t, `"messages":[{"id":"wamid.X","type":7,"text":"bare","ID":"other","context":[],"odd_key":1}]`)
	if event.Type != "7" || event.WAMID != "wamid.X" || !slices.Contains(event.Warnings, "unknown_key:odd_key") {
		t.Errorf("odd message: got %+v, want it read", event)
	}
}

func TestStatusParentHasTwoNames(t *testing.T) {
	t.Parallel()

	for _, key := range []string{"recipient_parent_user_id", "parent_recipient_user_id"} {
		event := parse(t, fmt.Sprintf(`"statuses":[{"id":"wamid.X","status":"read","timestamp":"1","recipient_user_id":"IN.1","%s":"IN.ENT.1"}]`, key))
		if event.Party.Parent != "IN.ENT.1" || len(event.Warnings) != 0 {
			t.Errorf("%s: got %+v %v", key, event.Party, event.Warnings)
		}
	}
}

func TestRotationNeverCrossesOldAndNew(t *testing.T) {
	t.Parallel()

	rotated := func(members, system string) whatsapp.Event {
		return parse(t, `"messages":[{"id":"wamid.S","timestamp":"1","type":"system"`+members+`,"system":{`+system+`}}]`)
	}
	e := rotated(`,"from":"919800000101","from_user_id":"IN.2"`, `"type":"user_changed_number","wa_id":"919800000155","user_id":"IN.2","body":"x IN.1 to IN.2"`)
	if e.Rotation == nil || e.Rotation.Old.BSUID != "" || e.Rotation.New.BSUID != "IN.2" || len(e.Rotation.BodyIDs) != 2 {
		t.Errorf("new id beside the old phone: got %+v", e.Rotation)
	}
	if e = rotated(`,"from":"919800000101","from_user_id":"IN.1"`, `"type":"user_changed_number","wa_id":"919800000155","user_id":"IN.2"`); e.Rotation.Old.BSUID != "IN.1" {
		t.Errorf("old id beside the old phone: got %+v", e.Rotation.Old)
	}
	if e = rotated(``, `"type":"customer_identity_changed","identity":"h","user_id":"IN.2","wa_id":"919800000155"`); e.Rotation != nil || e.Party != (whatsapp.Party{BSUID: "IN.2"}) {
		t.Errorf("a security notice: got %+v %+v, want no rotation", e.Rotation, e.Party)
	}
}
