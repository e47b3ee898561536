package whatsapp_test

import (
	"fmt"
	"slices"
	"strings"
	"testing"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// read takes a change apart and reads its items.
func read(t *testing.T, field, value string) (events []whatsapp.Event) {
	t.Helper()
	items, err := whatsapp.Split(fmt.Appendf(nil, `{"entry":[{"id":"1","time":1790000000,"changes":[{"field":%q,"value":%s}]}]}`, field, value))
	if err != nil {
		t.Fatal(err)
	}
	for _, it := range items {
		e, err := whatsapp.ParseEvent(it.Kind, it.Body)
		if err != nil {
			t.Fatalf("%s: %v", it.Position, err)
		}
		events = append(events, e)
	}

	return events
}

func TestWhatNobodyHasDocumentedIsNamed(t *testing.T) {
	t.Parallel()

	for name, c := range map[string]struct {
		field, value string
		want         []string
	}{
		"a key of an item":  {"calls", `{"calls":[{"id":"c","event":"connect","internal_1p_only_data":1}]}`, []string{"unknown_key:internal_1p_only_data"}},
		"a key beside":      {"messages", `{"messages":[{"id":"a","type":"text"}],"recipient_logical_id":{"a":1}}`, []string{"unknown_key:value.recipient_logical_id"}},
		"a type of message": {"messages", `{"messages":[{"id":"a","type":"hologram"}]}`, []string{"unknown_type:hologram"}},
		"a status":          {"messages", `{"statuses":[{"id":"a","status":"pondered"}]}`, []string{"unknown_type:pondered"}},
		"a call's event":    {"calls", `{"calls":[{"id":"c","event":"transcribed"}]}`, []string{"unknown_type:transcribed"}},
		"a preference":      {"user_preferences", `{"user_preferences":[{"value":"pause"}]}`, []string{"unknown_type:pause"}},
		"a username state":  {"business_username_updates", `{"status":"auctioned"}`, []string{"unknown_type:auctioned"}},
		"a field":           {"consumer_profile", `{"x":1}`, []string{"unknown_field"}},
		"nothing":           {"account_update", `{"event":"ANYTHING_AT_ALL","x":{"y":1}}`, nil},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			if got := read(t, c.field, c.value)[0].Warnings; !slices.Equal(got, c.want) {
				t.Errorf("warnings %q, want %q", got, c.want)
			}
		})
	}
}

func TestAnOddKeyIsTheConcernOfOneItem(t *testing.T) {
	t.Parallel()

	events := read(t, "messages", `{"odd":[1,2,3],"messages":[{"id":"a","type":"text"},{"id":"b","type":"text"}]}`)
	if len(events) != 2 || len(events[0].Warnings) != 1 || len(events[1].Warnings) != 0 {
		t.Errorf("%+v", events)
	}
}

func TestGroupMembersInEveryShape(t *testing.T) {
	t.Parallel()

	e := read(t, "group_participants_update", `{"groups":[{"group_id":"G","type":"group_participants_remove","removed_participants":[
		{"input":"+919800000101"},{"input":"CO.1"},{"wa_id":"213550000202","user_id":"DZ.8","username":"@leila"},{"input":"somebody"},{}]}]}`)[0]
	var got []string
	for _, m := range e.Members {
		got = append(got, m.Phone+" "+m.BSUID+" "+m.Username)
	}
	if want := []string{"919800000101  ", " CO.1 ", "213550000202 DZ.8 leila"}; !slices.Equal(got, want) || e.Party != (whatsapp.Party{}) {
		t.Errorf("members %q and party %+v, want %q and nobody", got, e.Party, want)
	}
	if e := read(t, "group_lifecycle_update", `{"groups":[{"group_id":"G","type":"group_create","subject":"x"}]}`)[0]; len(e.Members) != 0 {
		t.Errorf("a group's making names %+v", e.Members)
	}
}

func TestFactsOfANoticeAreBounded(t *testing.T) {
	t.Parallel()

	var value strings.Builder
	value.WriteString(`{"event":"X","list":[{"a":1},{"a":2}],"none":null,"deep":{"a":{"b":{"c":{"d":1}}}},"long":"` + strings.Repeat("x", 9999) + `"`)
	for i := range 500 {
		fmt.Fprintf(&value, `,"k%d":%d`, i, i)
	}
	value.WriteString("}")
	facts := read(t, "account_update", value.String())[0].Facts
	if len(facts) > 64 {
		t.Errorf("%d facts", len(facts))
	}
	for k, v := range facts {
		if len(v) > 256 || strings.HasPrefix(k, "deep.a.b.c.d") || v == "null" {
			t.Errorf("fact %s = %.20s… of %d bytes", k, v, len(v))
		}
	}
}

func TestACallNeedsItsID(t *testing.T) {
	t.Parallel()

	_, err := whatsapp.ParseEvent(whatsapp.KindCall, []byte(`{"item":{"event":"connect"}}`))
	if err == nil || !strings.HasPrefix(err.Error(), "missing_wamid:") {
		t.Errorf("got %v", err)
	}
}
