package server_test

import (
	"encoding/json"
	"fmt"
	"maps"
	"net/http"
	"net/url"
	"slices"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/server"
	"github.com/pehchan/pehchan/tenants/sandbox"
)

// Cases 7, 15, 32, 43, 70, 71, 78, 98 and 100 of the attack list, over the route table.

// odd are values that no page asks for.
var odd = map[string]string{
	"quotes":         `' OR 1=1--`,
	"a second query": `1; SELECT pg_sleep(5)--`,
	"an operator":    `{"$ne":null}`,
	"a wildcard":     strings.Repeat("%_", 40) + `\`,
	"a regex bomb":   strings.Repeat("(a+)+", 30) + "$",
	"a NUL":          "a\x00b",
	"bad UTF-8":      "a\xff\xfe\xc0\xafb",
	"a line break":   "a\r\nSet-Cookie: evil=1\r\n\r\n<script>",
	"a long one":     strings.Repeat("क", 500),
	"below nothing":  "-1",
	"very much":      "99999999999999999999",
	"no number":      "NaN",
	"a foreign key":  "tenant_id",
}

// secretsOfTheProgram are what an error page would say that said too much.
var secretsOfTheProgram = []string{"pq:", "SQLSTATE", "goroutine ", ".go:", "panic", "/tenants/"}

// Whatever stands in whatever parameter or field of whatever page: an answer, in words, and never a failure.
func TestOddValuesEverywhere(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	st.Server = st.open(t, server.Config{PublicURL: origin})
	asha, names := st.signedIn(t, "asha"), fieldsRead(t)
	kinds := slices.Sorted(maps.Keys(odd))
	for n, route := range st.Routes() {
		if !attacked(route.Path) || strings.HasSuffix(route.Path, "/live") || route.Path == "/events" {
			continue
		}
		for i, what := range kinds {
			if (i+n)%4 != 0 { // by turns
				continue
			}
			value := odd[what]
			given := url.Values{}
			for _, name := range names {
				given.Set(name, value)
			}
			path := param.ReplaceAllString(route.Path, url.PathEscape(value))
			if len(path) > 2000 { // an address has its length
				path = param.ReplaceAllString(route.Path, uuid.NewString())
			}
			var r answer
			if route.Method == http.MethodGet {
				query := given.Encode()
				if len(path)+len(query) > 3000 {
					query = url.Values{"q": {value[:min(len(value), 900)]}}.Encode()
				}
				r = asha.get(path + "?" + query)
			} else {
				given.Set("_csrf", asha.csrf)
				given.Del("_once")
				r = asha.post(path, given)
			}
			if r.status >= http.StatusInternalServerError {
				t.Errorf("%s %s with %s: %d %.200s", route.Method, route.Path, what, r.status, r.body)
			}
			if r.header.Get("Cache-Control") != "no-store" && strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
				t.Errorf("%s %s may be kept: %q", route.Method, route.Path, r.header.Get("Cache-Control"))
			}
			if strings.Contains(strings.Join(r.header.Values("Set-Cookie"), ";"), "evil") || strings.ContainsAny(r.location, "\r\n") {
				t.Errorf("%s %s with %s writes a header: %v", route.Method, route.Path, what, r.header)
			}
			if r.status < http.StatusBadRequest {
				continue
			}
			for _, secret := range secretsOfTheProgram {
				if strings.Contains(r.body, secret) {
					t.Errorf("%s %s with %s answers %d and says %q", route.Method, route.Path, what, r.status, secret)
				}
			}
		}
	}
}

// Every write of a page wants its token, and no read does what a write does.
func TestEveryWriteWantsItsToken(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	st.operator(t, "op-admin", "admin")
	asha, boss := st.signedIn(t, "asha"), st.signedIn(t, "op-admin")
	// Its address is its proof; a mail program presses it.
	free := map[string]bool{"/hooks/whatsapp/:app": true, "/mails/leave/:token": true}
	writes := 0
	for _, route := range st.Routes() {
		if route.Method != http.MethodPost || free[route.Path] || strings.HasPrefix(route.Path, "/api/") {
			continue
		}
		writes++
		b := asha
		if strings.HasPrefix(route.Path, "/op") {
			b = boss
		}
		path := param.ReplaceAllString(route.Path, uuid.NewString())
		for what, forge := range map[string]func(url.Values){
			"no token":  func(f url.Values) { f.Set("_csrf", "") },
			"another's": func(f url.Values) { f.Set("_csrf", strings.Repeat("A", 43)) },
			"another site": func(f url.Values) {
				f.Set("_csrf", b.csrf)
				b.headers = map[string]string{"Sec-Fetch-Site": "cross-site"}
			},
			"a null Origin": func(f url.Values) { f.Set("_csrf", b.csrf); b.headers = map[string]string{"Origin": "null"} },
		} {
			form := url.Values{}
			forge(form)
			if r := b.post(path, form); r.status != http.StatusForbidden && r.status != http.StatusUnsupportedMediaType {
				t.Errorf("POST %s with %s: want 403, got %d", route.Path, what, r.status)
			}
		}
	}
	if writes < 80 {
		t.Errorf("found %d writes, the walk is broken", writes)
	}
}

// hostile are texts that would be more than text in a page that did not take care.
var hostile = []string{
	`<script>alert(%d)</script>`, `"><img src=x onerror=alert(%d)>`, `'><svg/onload=alert(%d)>`, `</title><script>alert(%d)</script>`,
	`</textarea><script>alert(%d)</script>`, `<a href="javascript:alert(%d)">x</a>`, `<div hx-get="/evil%d" hx-trigger="load">`,
	`<b data-hx-on:click="alert(%d)">`, `<template><script>alert(%d)</script></template>`, `<math><mtext><img src onerror=alert(%d)>`,
	`"onmouseover="alert(%d)`, `' autofocus onfocus='alert(%d)`, `<!--><script>alert(%d)//-->`, `<iframe srcdoc="<script>alert(%d)</script>">`,
	`<style>*{background:url(//evil%d)}</style>`, `<base href="//evil%d/">`, `<meta http-equiv=refresh content="0;//evil%d">`, `<form action="//evil%d"><button>`,
	"\u2028<script>alert(%d)</script>", "\u202e<script>alert(%d)</script>",
}

// What customers call themselves and say is text in every page, whatever it looks like.
func TestHostileTextStaysText(t *testing.T) {
	t.Parallel()
	st := newAPISite(t)
	st.Server = st.open(t, server.Config{PublicURL: origin})
	n := sandbox.Known().Numbers[0]
	var sent []string
	for i, pattern := range hostile {
		words := fmt.Sprintf(pattern, i)
		sent = append(sent, words)
		quoted, err := json.Marshal(words)
		if err != nil {
			t.Fatal(err)
		}
		bsuid, at := fmt.Sprintf("IN.66%014d", i), time.Now().Unix()-60
		body := fmt.Sprintf(`{"object":"whatsapp_business_account","entry":[{"id":%q,"changes":[{"field":"messages","value":{"messaging_product":"whatsapp",
			"metadata":{"display_phone_number":%q,"phone_number_id":%q},"contacts":[{"profile":{"name":%[4]s,"username":%[4]s},"user_id":%[5]q}],
			"messages":[{"from_user_id":%[5]q,"id":"wamid.t%[6]d","timestamp":"%[7]d","type":"text","text":{"body":%[4]s}},
			{"from_user_id":%[5]q,"id":"wamid.d%[6]d","timestamp":"%[7]d","type":"document","document":{"id":"1","mime_type":"text/html","filename":%[4]s,"caption":%[4]s}},
			{"from_user_id":%[5]q,"id":"wamid.l%[6]d","timestamp":"%[7]d","type":"location","location":{"latitude":1,"longitude":1,"name":%[4]s,"address":%[4]s}},
			{"from_user_id":%[5]q,"id":"wamid.b%[6]d","timestamp":"%[7]d","type":"button","button":{"text":%[4]s,"payload":%[4]s}},
			{"from_user_id":%[5]q,"id":"wamid.x%[6]d","timestamp":"%[7]d","type":%[4]s}]}}]}]}`, n.WABAID, n.DisplayPhone, n.PhoneNumberID, quoted, bsuid, i, at)
		if r := st.deliver(t, hook, body, signed(sandboxSecret, body)); r.status != http.StatusOK {
			t.Fatalf("deliver: %d %s", r.status, r.body)
		}
	}
	st.drain(t)

	asha := st.signedIn(t, "asha")
	shown := 0
	asha.crawl(t, []string{"/inbox", "/contacts", "/resolve", "/home"}, 100, func(path string, r answer) {
		if !strings.HasPrefix(r.header.Get("Content-Type"), "text/html") {
			return
		}
		for i, words := range sent {
			if strings.Contains(r.body, words) {
				t.Errorf("GET %s holds %q as it came", path, words)
			}
			if strings.Contains(r.body, fmt.Sprintf("alert(%d)", i)) {
				shown++
			}
		}
	})
	if shown < 50 {
		t.Errorf("the texts were met %d times, the walk is broken", shown)
	}
}
