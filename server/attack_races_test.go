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

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

// Case 12 in small: many pages of two businesses at once, over the same connections, stay apart.
func TestManyPagesAtOnceStayApart(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha, ravi := st.signedIn(t, "asha"), st.signedIn(t, "ravi")
	var all sync.WaitGroup
	for i := range 120 {
		own, other, from := "asha@", "ravi@", asha
		if i%2 == 1 {
			own, other, from = other, own, ravi
		}
		b := &browser{t: t, s: st.Server, cookies: map[string]string{sessionCookie: from.cookies[sessionCookie]}}
		all.Go(func() {
			r := b.get("/team")
			if r.status != http.StatusServiceUnavailable && (r.status != http.StatusOK || !strings.Contains(r.body, own) || strings.Contains(r.body, other)) {
				t.Errorf("want the own team alone, got %d", r.status)
			}
		})
	}
	all.Wait()
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

// Cases 24 and 87: no page that the owner reaches, no answer of the API and no line of the log holds an app's secret, a number's token, a
// password or what a session is known by.
func TestNothingHoldsASecret(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	st.Server = st.open(t, server.Config{PublicURL: origin})
	asha := st.signedIn(t, "asha")
	secrets := []string{sandboxSecret, sandboxVerify, "sandbox-token-good", password, "$argon2", asha.cookies[sessionCookie]}
	look := func(where, text string) {
		for i, secret := range secrets {
			if strings.Contains(text, secret) {
				t.Errorf("%s holds secret %d", where, i)
			}
		}
	}
	n := asha.crawl(t, []string{"/home", "/numbers", "/apps", "/audit", "/team", "/settings", "/settings/security", "/dev/keys", "/contacts"}, 120, func(path string, r answer) { look(path, r.body) })
	if n < 60 {
		t.Errorf("crawled only %d pages", n)
	}
	for _, path := range []string{"/numbers", "/contacts", "/ingest", "/openapi.json"} {
		look("the API's "+path, st.mine.get(path).body)
	}
	look("the log", st.log.String())
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

// Case 89: of many merges of the same two at once, in both directions, one is made.
func TestMergesAtOnce(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	pair := st.mine.mergeable()
	replies := make([]reply, 12)
	var all sync.WaitGroup
	for i := range replies {
		keep, lose := pair[i%2], pair[1-i%2]
		all.Go(func() { replies[i] = st.mine.post("/merges", merging(keep, lose, "same voice")) })
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
	var away int
	err := st.DB.As(context.Background(), st.clinic.ID, func(tx *tenants.Tx) error {
		return tx.Get(&away, `SELECT count(*) FROM contacts WHERE merged_into IS NOT NULL AND id IN ($1, $2)`, pair[0], pair[1])
	})
	if err != nil || made != 1 || away != 1 {
		t.Errorf("%d merges were made and %d contacts merged away (%v), want one", made, away, err)
	}
}
