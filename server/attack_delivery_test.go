package server_test

import (
	"bytes"
	"fmt"
	"html"
	"net/http"
	"regexp"
	"strings"
	"testing"
	"unicode/utf8"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// oddDelivery is a delivery to the house's own number with messages as they are given, well formed or not.
func oddDelivery(messages ...string) []byte {
	return fmt.Appendf(nil, `{"object":"whatsapp_business_account","entry":[{"id":"%s","changes":[%s]}]}`, ownWABA, oddChange(ownPhone, ownNumber, messages...))
}

func oddChange(phone, number string, messages ...string) string {
	return fmt.Sprintf(`{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":"%s","phone_number_id":"%s"},"contacts":[%s],"messages":[%s]}}`,
		phone, number, `{"profile":{"name":"Savitri"},"user_id":"`+savitrisID+`"}`, strings.Join(messages, ","))
}

// oddText is a message of Savitri's; members stand in for what a text has besides who sent it.
func oddText(id, members string) string {
	return `{"from_user_id":"` + savitrisID + `","id":"wamid.` + id + `",` + members + `}`
}

const plainText = `"timestamp":"1790000001","type":"text","text":{"body":"a good one"}`

// olderPage leads to the messages before those of a page.
var olderPage = regexp.MustCompile(`href="(/inbox/[0-9a-f-]{36}\?before=[^"]+)"`)

// raw tells whether a delivery is kept as it came.
func (in *inbox) raw(t *testing.T, body []byte) (kept bool) {
	t.Helper()
	body = []byte(in.ids.Replace(string(body)))
	err := in.DB.System(t.Context(), func(tx *tenants.Tx) error {
		return tx.Get(&kept, `SELECT EXISTS (SELECT 1 FROM inbox_events WHERE body = $1)`, body)
	})
	if err != nil {
		t.Fatal(err)
	}

	return kept
}

// Case 59: what is too deep, too many or too long is taken, kept as it came and set aside, and the messages beside and after it are read. Of
// nobody's hand it is refused like anything else.
func TestMonstrousDeliveriesHarmNobody(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	keys, colliding := make([]string, 100_000), make([]string, 1<<15)
	for i := range keys {
		keys[i] = fmt.Sprintf(`"k%d":1`, i)
	}
	for i := range colliding {
		var key strings.Builder
		for bit := range 15 {
			key.WriteString([]string{"Aa", "BB"}[i>>bit&1])
		}
		colliding[i] = `"` + key.String() + `":1`
	}
	const mega = 1 << 20
	for name, c := range map[string]struct {
		item  string
		whole bool // the delivery has no items to take apart
		reads bool // the item is a message all the same
	}{
		"ten thousand levels":  {item: strings.Repeat(`{"a":`, 10_001) + "1" + strings.Repeat("}", 10_001)},
		"a million brackets":   {item: strings.Repeat("[", mega) + strings.Repeat("]", mega)},
		"a million of nothing": {item: strings.TrimSuffix(strings.Repeat("{},", 1_000_000), ","), whole: true},
		"a long number":        {item: "1" + strings.Repeat("0", mega)},
		"a number past all":    {item: "1e1000000"},
		"many names":           {item: oddText("odd", plainText+","+strings.Join(keys, ",")), reads: true},
		"names that collide":   {item: oddText("odd", plainText+","+strings.Join(colliding, ",")), reads: true},
		"a long text":          {item: oddText("odd", `"timestamp":"1790000002","type":"text","text":{"body":"`+strings.Repeat("a", mega)+`"}`), reads: true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			in := h.open(t)
			body := oddDelivery(oddText("first", plainText), c.item, oddText("last", plainText))
			if got := in.answers(t, in.app, body, whatsapp.Sign([]byte("not-the-secret"), body)); got != http.StatusUnauthorized {
				t.Errorf("of nobody's hand: %d, want 401", got)
			}
			in.post(t, body)
			if !in.raw(t, body) {
				t.Error("it is not kept as it came")
			}
			want := ingest.Counts{Received: 3, Routed: 2, SetAside: 1}
			switch {
			case c.whole:
				want = ingest.Counts{}
			case c.reads:
				want = ingest.Counts{Received: 3, Routed: 3}
			}
			if got := in.meter(t).Items; got != want {
				t.Errorf("items %+v, want %+v", got, want)
			}
			in.post(t, oddDelivery(oddText("after", plainText)))
			owner := in.reads(t, "owner")
			owner.has(owner.get("/inbox/"+in.whois(t, whatsapp.KindBSUID, savitrisID).ID.String()), http.StatusOK, "a good one")
			if c.whole {
				var problems int
				if err := in.DB.System(t.Context(), func(tx *tenants.Tx) error {
					return tx.Get(&problems, `SELECT count(*) FROM inbox_items WHERE tenant_id IS NULL AND state = 'set_aside'`)
				}); err != nil || problems == 0 {
					t.Errorf("what cannot be taken apart is set aside nowhere: %v", err)
				}
			}
		})
	}
}

// Case 60: letters that are none are taken, kept as they came, and shown with a mark in their place.
func TestBrokenLettersAreShownWithAMark(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	owner := in.reads(t, "owner")
	for i, broken := range []string{`\u0000`, "\x00", `\ud83d`, "\xff", "\xc0\xaf", "\ufeff", "\xed\xa0\x80"} {
		name := fmt.Sprintf("%q", broken)
		id := fmt.Sprint("IN.90000000000000", i)
		body := bytes.ReplaceAll(oddDelivery(
			`{"from_user_id":"`+savitrisID+`","id":"wamid.odd`+fmt.Sprint(i)+broken+`","timestamp":"1790000001","type":"document","document":{"id":"11","mime_type":"application/pdf","filename":"bill`+broken+`.pdf","caption":"paper`+broken+`"}}`,
			`{"from_user_id":"`+savitrisID+`","id":"wamid.text`+fmt.Sprint(i)+`","timestamp":"1790000002","type":"text","text":{"body":"a`+broken+`b","x`+broken+`":1}}`,
		), []byte(savitrisID), []byte(id))
		body = bytes.ReplaceAll(body, []byte(`"name":"Savitri"`), []byte(`"name":"Sav`+broken+`itri"`))
		in.post(t, body)
		if !in.raw(t, body) {
			t.Errorf("%s: it is not kept as it came", name)
		}
		page := owner.get("/inbox/" + in.whois(t, whatsapp.KindBSUID, id).ID.String())
		mark := regexp.MustCompile("a\uFFFD+b")
		if broken == "\ufeff" {
			mark = regexp.MustCompile("a\ufeffb") // within a text a letter like any other
		}
		if page.status != http.StatusOK || !mark.MatchString(page.body) {
			t.Errorf("%s: %d, and the page does not show %s", name, page.status, mark)
		}
		if !utf8.ValidString(page.body) || strings.ContainsRune(page.body, 0) {
			t.Errorf("%s: the page is no text", name)
		}
	}
	if got, want := in.meter(t).Items, (ingest.Counts{Received: 14, Routed: 14}); got != want {
		t.Errorf("items %+v, want %+v", got, want)
	}
	in.post(t, oddDelivery(oddText("after", plainText)))
	owner.has(owner.get("/inbox/"+in.whois(t, whatsapp.KindBSUID, savitrisID).ID.String()), http.StatusOK, "a good one")
}

// Case 61: whatever shape a part has, the others of the delivery are read, and what is not known is kept and shown as that.
func TestOddShapesLeaveTheOthersReadable(t *testing.T) {
	t.Parallel()
	in := newInbox(t)
	odd := []string{
		oddText("n1", `"timestamp":1749416383,"type":"text","text":{"body":"shape 1"}`),
		oddText("n2", `"timestamp":"1749416383000","type":"text","text":{"body":"shape 2"}`),
		oddText("n3", `"timestamp":1e9,"type":"text","text":{"body":"shape 3"}`),
		oddText("n4", `"timestamp":-5,"type":"text","text":{"body":"shape 4"}`),
		oddText("n5", `"timestamp":253402300799,"type":"text","text":{"body":"shape 5"}`),
		oddText("n6", `"timestamp":true,"type":"text","text":{"body":"shape 6"}`),
		oddText("n7", `"timestamp":null,"type":"text","text":{"body":"shape 7"}`),
		oddText("n8", `"timestamp":"1790000003","ID":"other","Type":"image","type":"text","text":{"body":"never this"},"text":{"body":"shape 8"}`),
		oddText("n9", `"timestamp":"1790000004","type":"telepathy","telepathy":{"thought":"x"}`),
		oddText("n10", `"timestamp":"1790000005","type":"text","text":["x"]`),
		oddText("n11", `"timestamp":"1790000006","type":7,"text":{"body":"x"}`),
		`null`, `true`, `7`, `"text"`, `[]`, `{}`,
	}
	var told []string
	for i, item := range odd {
		told = append(told, item, oddText(fmt.Sprint("good", i), `"timestamp":"`+fmt.Sprint(1790000100+i)+`","type":"text","text":{"body":"neighbour `+fmt.Sprint(i)+`."}`))
	}
	in.post(t, oddDelivery(told...))
	good := oddChange(ownPhone, ownNumber, oddText("within", `"timestamp":"1790000200","type":"text","text":{"body":"beside odd levels"}`))
	in.post(t, []byte(`{"object":"whatsapp_business_account","entry":[null,5,{},{"id":"`+ownWABA+`"},{"id":"`+ownWABA+`","changes":null},{"id":"`+ownWABA+`","changes":[]},
		{"id":"`+ownWABA+`","changes":[null,7,{"field":"messages"},{"field":"consumer_profile","value":[1]},`+good+`]}]}`))
	for _, empty := range []string{`{"object":"whatsapp_business_account","entry":[]}`, `{"object":"whatsapp_business_account","entry":null}`, `{"entry":{"changes":{}}}`, `[]`, `"x"`, `{`} {
		in.send(t, []byte(empty))
	}
	in.settle(t)

	owner, shown := in.reads(t, "owner"), ""
	for path := "/inbox/" + in.whois(t, whatsapp.KindBSUID, savitrisID).ID.String(); path != ""; {
		r := owner.get(path)
		shown += r.body
		path = ""
		if found := olderPage.FindStringSubmatch(r.body); found != nil {
			path = html.UnescapeString(found[1])
		}
	}
	for i := range odd {
		if !strings.Contains(shown, fmt.Sprintf("neighbour %d.", i)) {
			t.Errorf("beside %.80s the message is not shown", odd[i])
		}
	}
	for i := 1; i <= 8; i++ {
		if want := fmt.Sprint("shape ", i); !strings.Contains(shown, want) {
			t.Errorf("%s is not shown", want)
		}
	}
	for _, want := range []string{"beside odd levels", "A kind of message we do not know yet. It is kept as it came."} {
		if !strings.Contains(shown, want) {
			t.Errorf("%q is not shown", want)
		}
	}
	if strings.Contains(shown, "never this") {
		t.Error("of a member that stands twice the first was read")
	}
	if got := in.meter(t).Items; got.SetAside < 6 || got.Waiting != 0 {
		t.Errorf("items %+v, want what is no message set aside", got)
	}
}

// Case 62: of a thousand changes one is poison, and the others are each with whose number they came for.
func TestOnePoisonedChangeOfAThousand(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	asha, ravi := h.open(t), h.open(t)
	changes := map[*inbox][]string{}
	mine := 0
	for i := range 1000 {
		in := asha
		if i%4 == 3 {
			in = ravi
		}
		item := oddText(fmt.Sprint(i), fmt.Sprintf(`"timestamp":"%d","type":"text","text":{"body":"number %d."}`, 1790000000+i, i))
		if i == 500 {
			item = `{"from_user_id":"` + savitrisID + `","timestamp":"1790000500","type":"text","text":{"body":"poison"}}`
		} else if in == asha {
			mine++
		}
		changes[in] = append(changes[in], in.ids.Replace(oddChange(ownPhone, ownNumber, item)))
	}
	// One body, by one app, to the numbers of both: the app is the platform's.
	h.app(t, "both", appSecret, "verify-me-please")
	h.exec(t, `UPDATE number_directory SET app_id = (SELECT id FROM apps WHERE name = 'both')`)
	body := []byte(fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":"%s","changes":[%s]},{"id":"%s","changes":[%s]}]}`,
		ownWABA+asha.tag, strings.Join(changes[asha], ","), ownWABA+ravi.tag, strings.Join(changes[ravi], ",")))
	if got := asha.answers(t, "both", body, whatsapp.Sign([]byte(appSecret), body)); got != http.StatusOK {
		t.Fatalf("post: %d, want 200", got)
	}
	asha.settle(t)
	ravi.settle(t)
	for in, want := range map[*inbox]ingest.Counts{asha: {Received: 750, Routed: 749, SetAside: 1}, ravi: {Received: 250, Routed: 250}} {
		if got := in.meter(t).Items; got != want {
			t.Errorf("%s: items %+v, want %+v", in.app, got, want)
		}
		if got := in.count(t, `SELECT count(*) FROM messages`); int64(got) != want.Routed {
			t.Errorf("%s: %d messages, want %d", in.app, got, want.Routed)
		}
	}
	owner, other := asha.reads(t, "owner"), ravi.reads(t, "owner")
	r := owner.get("/inbox/" + asha.whois(t, whatsapp.KindBSUID, savitrisID).ID.String())
	owner.has(r, http.StatusOK, "number 998.")
	owner.lacks(r, "number 999.")
	r = other.get("/inbox/" + ravi.whois(t, whatsapp.KindBSUID, savitrisID).ID.String())
	other.has(r, http.StatusOK, "number 999.")
	other.lacks(r, "number 998.")
}
