package server_test

import (
	"context"
	"net/http"
	"net/url"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

func TestItemsSetAside(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	st.work(t)
	asha, number := st.signedIn(t, "asha"), sandbox.Known().Numbers[0]
	at := asha.connect(number)
	odd := textMessage("odd")
	delete(odd, "id")
	st.send(t, delivery(number, textMessage("good"), odd))

	r := asha.until(at+"/health/live", `data-testid="raw-`)
	item := regexp.MustCompile(`href="(/numbers/[^/]+/items/([0-9a-f-]{36}))"`).FindStringSubmatch(r.body)
	if item == nil || !strings.Contains(r.body, "It has no message id.") || !strings.Contains(r.body, `hx-swap-oob="morph:outerHTML"`) {
		t.Fatalf("want the item with its reason: %s", r.body)
	}
	asha.has(asha.get(at), http.StatusOK, `data-testid="version">v`, `data-testid="shape-id"`, "First seen")
	if r := asha.get("/home"); !strings.Contains(r.body, `data-testid="task-aside"`) || !strings.Contains(r.body, at+"/health#items") {
		t.Errorf("want home to lead to it: %s", r.body)
	}

	st.member(t, st.clinic, "meera", "lead")
	st.member(t, st.clinic, "arjun", "developer")
	for _, c := range []struct {
		who   string
		clear bool
		tries bool // may replay
	}{{"asha", true, true}, {"meera", true, false}, {"arjun", false, true}} {
		r := st.signedIn(t, c.who).get(item[1])
		if r.status != http.StatusOK || strings.Contains(r.body, "919800000101") != c.clear || strings.Contains(r.body, "parcel") != c.clear ||
			strings.Contains(r.body, `data-testid="replay-`+item[2]) != c.tries || !strings.Contains(r.body, "timestamp") {
			t.Errorf("%s: want clear %v and replay %v, got %d %s", c.who, c.clear, c.tries, r.status, r.body)
		}
	}

	ravi := st.signedIn(t, "ravi")
	if r := ravi.get(item[1]); r.status != http.StatusNotFound {
		t.Errorf("another business's item: want 404, got %d", r.status)
	}
	if r := ravi.post(at+"/replay", url.Values{"item": {item[2]}}); r.status != http.StatusNotFound {
		t.Errorf("replay another business's item: want 404, got %d", r.status)
	}

	asha.get(at)
	asha.want(asha.post(at+"/replay", url.Values{"item": {item[2]}}), http.StatusSeeOther, at+"/health#items")
	asha.want(asha.post(at+"/replay", nil), http.StatusSeeOther, at+"/health#items")
	if r := asha.post(at+"/replay", url.Values{"item": {"x"}}); r.status != http.StatusNotFound {
		t.Errorf("replay nonsense: want 404, got %d", r.status)
	}
	if r := asha.get("/audit?about=numbers"); strings.Count(r.body, "Events tried again") < 2 && strings.Count(r.body, "ingest.replay") < 2 {
		t.Errorf("want both replays in the audit: %s", r.body)
	}
	if r := asha.get(at + "/health?before=1.x"); r.status != http.StatusNotFound {
		t.Errorf("a made-up place in the list: want 404, got %d", r.status)
	}
}

// What names no number of the business is found beside its numbers.
func TestItemsOfNoNumber(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	st.work(t)
	asha, ravi := st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	asha.get("/apps")
	asha.want(asha.post("/apps", url.Values{"name": {"asha-own"}, "meta_app_id": {"77"}, "app_secret": {"secret-of-asha"}, "verify_token": {"verify-asha"}}),
		http.StatusSeeOther, "/apps")
	body := `{"object":"whatsapp_business_account","entry":"919800000101"}`
	if r := st.deliver(t, "/hooks/whatsapp/asha-own", body, signed("secret-of-asha", body)); r.status != http.StatusOK {
		t.Fatalf("deliver: want 200, got %d", r.status)
	}

	r := asha.until("/numbers", `data-testid="raw-`)
	item := regexp.MustCompile(`href="(/numbers/items/([0-9a-f-]{36}))"`).FindStringSubmatch(r.body)
	if item == nil || !strings.Contains(r.body, "The whole delivery could not be read.") {
		t.Fatalf("want the delivery with its reason: %s", r.body)
	}
	if r := asha.get("/home"); !strings.Contains(r.body, `href="/numbers#items"`) {
		t.Errorf("want home to lead to it: %s", r.body)
	}
	if r := asha.get(item[1]); r.status != http.StatusOK || !strings.Contains(r.body, "whatsapp_business_account") {
		t.Errorf("want its bytes, got %d %s", r.status, r.body)
	}
	asha.has(asha.get(item[1]), http.StatusOK, "not a delivery in the form WhatsApp documents")
	asha.has(asha.get("/overview"), http.StatusOK, `href="/numbers/items?state=set_aside"`)
	asha.has(asha.get("/numbers/items"), http.StatusOK, `href="`+item[1]+`"`, "of no number")
	asha.has(asha.get("/numbers/items?state=waiting"), http.StatusOK, "nothing waits", "Nothing here")
	asha.has(asha.get("/numbers/items?before=1.x"), http.StatusNotFound)
	ravi.lacks(ravi.get("/numbers/items"), item[2])
	if r := asha.get("/numbers/" + uuid.Nil.String() + "/items/" + item[2]); r.status != http.StatusNotFound {
		t.Errorf("by the nil number: want 404, got %d", r.status)
	}
	if r := ravi.get(item[1]); r.status != http.StatusNotFound {
		t.Errorf("another business's: want 404, got %d", r.status)
	}
	if r := ravi.post("/numbers/replay", url.Values{"item": {item[2]}}); r.status != http.StatusNotFound {
		t.Errorf("replay another business's: want 404, got %d", r.status)
	}
	asha.want(asha.post("/numbers/replay", nil), http.StatusSeeOther, "/numbers#items")

	// What is damaged is shown as it came, and to who sees no phones without what could be one.
	cut := "{\"object\":\"whatsapp_business_account\",\n\"from\":\"919800000102\", \"Sunita\":"
	st.deliver(t, "/hooks/whatsapp/asha-own", cut, signed("secret-of-asha", cut))
	found := regexp.MustCompile(`href="(/numbers/items/[0-9a-f-]{36})"`)
	for r = asha.get("/numbers/items"); len(found.FindAllString(r.body, -1)) < 2; r = asha.get("/numbers/items") {
		asha.until("/numbers/items", `data-testid="raw-`)
	}
	damaged := found.FindStringSubmatch(r.body)[1]
	asha.has(asha.get(damaged), http.StatusOK, "It stops before its end", "Reading stopped in line 2, at character 33.", "919800000102")
	st.member(t, st.clinic, "arjun", "developer")
	arjun := st.signedIn(t, "arjun")
	arjun.has(arjun.get(damaged), http.StatusOK, "It stops before its end", "whatsapp_business_account", "•••", "from")
	arjun.lacks(arjun.get(damaged), "919800000102", "Sunita")
}

func TestCountsAreOfOneBusiness(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	ctx := context.Background()
	counts := func(tenant tenants.Tenant) (n map[uuid.UUID]ingest.Counts) {
		err := st.DB.As(ctx, tenant.ID, func(tx *tenants.Tx) (err error) {
			n, err = ingest.NumberCounts(ctx, tx)
			return err
		})
		if err != nil {
			t.Fatal(err)
		}

		return n
	}
	st.exec(t, `INSERT INTO inbox_counters (tenant_id, number_id, slot, received, routed) VALUES ($1, $2, 0, 3, 3)`, st.clinic.ID, uuid.New())
	if got := counts(st.clinic); len(got) != 1 {
		t.Errorf("want the clinic's number counted, got %v", got)
	}
	if got := counts(st.motors); len(got) != 0 {
		t.Errorf("want nothing of another business counted, got %v", got)
	}
}
