package server_test

import (
	"context"
	"fmt"
	"net/http"
	"slices"
	"strings"
	"sync"
	"testing"
	"time"

	"github.com/gofiber/fiber/v2"
	"github.com/valyala/fasthttp"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

// Cases 12 and 14 over HTTP: many pages of two businesses at once, over the same connections, some of them cut off by a panic, stay apart;
// and what a handler keeps of its request stays what it was, however often the memory of requests is used again.
func TestManyPagesAtOnceStayApart(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha, ravi := st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	st.App().Get("/breaks", st.Guard("team:read", func(c *fiber.Ctx) error {
		return st.DB.As(c.UserContext(), st.clinic.ID, func(*tenants.Tx) error { panic("on purpose") })
	}))
	var all sync.WaitGroup
	for i := range 120 {
		own, other, from := "asha@", "ravi@", asha
		if i%2 == 1 {
			own, other, from = other, own, ravi
		}
		b := &browser{t: t, s: st.Server, cookies: map[string]string{sessionCookie: from.cookies[sessionCookie]}}
		all.Go(func() {
			if i%20 > 17 {
				if r := b.get("/breaks"); r.status < http.StatusInternalServerError || strings.Contains(r.body, "on purpose") {
					t.Errorf("a page that breaks: got %d %.200s", r.status, r.body)
				}
			}
			r := b.get("/team")
			if r.status != http.StatusServiceUnavailable && (r.status != http.StatusOK || !strings.Contains(r.body, own) || strings.Contains(r.body, other)) {
				t.Errorf("want the own team alone, got %d", r.status)
			}
		})
	}
	all.Wait()

	var (
		mu   sync.Mutex
		kept = map[string][]string{}
	)
	st.App().Get("/keeps/:id", func(c *fiber.Ctx) error {
		id := strings.Clone(c.Query("id"))
		words := []string{c.Params("id"), c.Query("id"), c.Get("X-Id"), c.Cookies("id"), c.Path()[len("/keeps/"):], c.OriginalURL()[len(c.OriginalURL())-len(id):], c.GetReqHeaders()["X-Id"][0]}
		mu.Lock()
		defer mu.Unlock()
		kept[id] = words

		return c.SendStatus(http.StatusNoContent)
	})
	serve := st.App().Handler()
	for w := range 8 {
		all.Go(func() {
			var ctx fasthttp.RequestCtx // used again and again, as a connection's is
			for i := range 1250 {
				id := fmt.Sprintf("id-%d-%04d", w, i)
				ctx.Request.Reset()
				ctx.Response.Reset()
				ctx.Request.SetRequestURI("/keeps/" + id + "?id=" + id)
				ctx.Request.Header.SetHost("pehchan.example")
				ctx.Request.Header.Set("X-Id", id)
				ctx.Request.Header.SetCookie("id", id)
				serve(&ctx)
			}
		})
	}
	all.Wait()
	if len(kept) != 10_000 {
		t.Errorf("%d requests kept something, want all", len(kept))
	}
	for id, words := range kept {
		if slices.ContainsFunc(words, func(w string) bool { return w != id }) {
			t.Fatalf("%s was kept as %q", id, words)
		}
	}
}

// Case 13: whoever forgets to say which tenant sees no row of any, and no error either.
func TestWithoutATenantThereIsNothing(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	for _, table := range []string{"contacts", "identifiers", "identities", "messages", "cases", "links", "numbers", "audit_entries"} {
		var held, seen int
		count := func(tx *tenants.Tx, n *int) error { return tx.Get(n, `SELECT count(*) FROM `+table) }
		if err := st.DB.As(context.Background(), st.clinic.ID, func(tx *tenants.Tx) error { return count(tx, &held) }); err != nil {
			t.Fatal(err)
		}
		if err := st.DB.System(context.Background(), func(tx *tenants.Tx) error { return count(tx, &seen) }); err != nil {
			t.Errorf("%s: %v", table, err)
		}
		if held == 0 && table != "links" || seen != 0 {
			t.Errorf("%s: the business has %d rows and whoever names none sees %d, want none", table, held, seen)
		}
	}
}

// Case 55: of two texts under one id the one that was written first stays, in whatever order they come, there is one message, and it says
// that there was another.
func TestSameIDWithOtherWords(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	n := sandbox.Known().Numbers[0]
	now := time.Now().Unix()
	for id, order := range map[string][]string{"wamid.forth": {"the first", "the second"}, "wamid.back": {"the second", "the first"}} {
		for _, words := range order {
			at := now - 60
			if words == "the second" {
				at = now - 30
			}
			body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp","metadata":{"display_phone_number":%q,"phone_number_id":%q},
				"contacts":[{"profile":{"name":"Lata"},"user_id":"IN.5500000000000001"}],"messages":[{"from_user_id":"IN.5500000000000001","id":%q,"timestamp":"%d","type":"text","text":{"body":%q}}]}}]}]}`,
				n.WABAID, n.DisplayPhone, n.PhoneNumberID, id, at, words)
			if r := st.deliver(t, hook, body, signed(sandboxSecret, body)); r.status != http.StatusOK {
				t.Fatalf("deliver: %d", r.status)
			}
			st.drain(t)
		}
		var texts []string
		err := st.DB.As(context.Background(), st.clinic.ID, func(tx *tenants.Tx) error {
			return tx.Select(&texts, `SELECT text || coalesce(' of ' || (SELECT count(*) FROM inbox_items i WHERE i.id = other_item), '') FROM messages WHERE wamid = $1`, id)
		})
		if err != nil || !slices.Equal(texts, []string{"the first of 1"}) {
			t.Errorf("%s: got %q (%v), want the first alone, and where the other is", id, texts, err)
		}
	}
}

// Cases 89 and 90: of many merges at once, of the same two in both directions and of one of them into a third, while all of them write, one
// each is made, none makes a ring, and every message stands with who is left.
func TestMergesAtOnce(t *testing.T) {
	t.Parallel()
	st := newMetaSite(t)
	number := sandbox.Known().Numbers[0]
	st.number(t, st.clinic, number)
	cl := st.client(t, st.clinic, "read", "write")
	write := func(who, nth int) {
		st.says(t, number, message{wamid: fmt.Sprintf("wamid.%d.%d", who, nth), phone: fmt.Sprint("91980000070", who), bsuid: fmt.Sprint("IN.910000000000000", who), at: time.Now().Unix() - 100 + int64(nth)})
	}
	for who := range 3 {
		write(who, 0)
	}
	st.drain(t)
	r := cl.get("/contacts?limit=3")
	a, b, c := r.text("items", 0, "id"), r.text("items", 1, "id"), r.text("items", 2, "id")
	ctx, stop := context.WithCancel(t.Context())
	var working, writing sync.WaitGroup
	working.Go(func() { _ = ingest.NewWorker(st.DB, st.deps(t).Log).Run(ctx) })
	writing.Go(func() {
		for nth := range 60 {
			write(nth%3, 1+nth)
		}
	})
	for _, pairs := range [][][2]string{{{a, b}, {b, a}}, {{a, c}, {b, c}, {c, a}, {c, b}}} {
		replies := make([]reply, 12)
		var all sync.WaitGroup
		for i := range replies {
			keep, lose := pairs[i%len(pairs)][0], pairs[i%len(pairs)][1]
			all.Go(func() { replies[i] = cl.post("/merges", merging(keep, lose, "same voice")) })
		}
		all.Wait()
		made := 0
		for _, r := range replies {
			switch {
			case r.status == http.StatusCreated:
				made++
			case r.status != http.StatusConflict && r.status != http.StatusNotFound && r.status != http.StatusUnprocessableEntity && r.status != http.StatusServiceUnavailable:
				t.Errorf("want the others refused, got %d %s", r.status, r.body)
			}
		}
		if made != 1 {
			t.Errorf("%d of %v were made, want one", made, pairs)
		}
	}
	writing.Wait()
	stop()
	working.Wait()
	st.drain(t)

	var end struct{ Away, Rings, Messages, Left int }
	err := st.DB.As(context.Background(), st.clinic.ID, func(tx *tenants.Tx) error {
		return tx.Get(&end, `
			SELECT count(*) FILTER (WHERE merged_into IS NOT NULL) AS away, count(*) FILTER (WHERE merged_into = id OR merged_into IN (SELECT id FROM contacts WHERE merged_into IS NOT NULL)) AS rings,
			       (SELECT count(*) FROM messages) AS messages,
			       (SELECT count(*) FROM messages m JOIN tenures n ON n.tenant_id = m.tenant_id AND n.id = m.tenure_id JOIN identities i ON i.tenant_id = n.tenant_id AND i.id = n.identity_id
			        JOIN contacts k ON k.tenant_id = i.tenant_id AND k.id = i.contact_id WHERE k.merged_into IS NULL) AS left
			FROM contacts`)
	})
	if err != nil || end.Away != 2 || end.Rings != 0 || end.Messages != 63 || end.Left != 63 {
		t.Errorf("want one of three left with all 63 messages, got %+v (%v)", end, err)
	}
}
