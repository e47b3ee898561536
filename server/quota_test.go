package server_test

import (
	"cmp"
	"fmt"
	"html"
	"net/http"
	"net/url"
	"strconv"
	"strings"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/trust"
	"github.com/pehchan/pehchan/tenants/whatsapp"
	"github.com/pehchan/pehchan/views/i18n"
)

// TestExportsOfADay: all the people of a business together take out so many files in a day and no more. Another business takes out its own.
func TestExportsOfADay(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	st.exec(t, `
		INSERT INTO sign_in_failures (bucket, at) SELECT $1, now() - interval '20 hours' - i * interval '1 second' FROM generate_series(1, $2) i`,
		"day export "+st.clinic.ID.String(), access.ExportsADay-1)

	purpose := url.Values{"purpose": {"for the accountant"}}
	asha.get("/contacts/export")
	if r := asha.post("/contacts/export", purpose); r.status != http.StatusOK {
		t.Fatalf("the last of the day: %d %.200s", r.status, r.body)
	}
	for path, said := range map[string]string{"/contacts/export": "50 files", "/audit/export": "50 files"} {
		r := asha.post(path, purpose)
		wait, err := strconv.Atoi(r.header.Get("Retry-After"))
		if r.status != http.StatusTooManyRequests || err != nil || wait < 3*3600 || wait > 4*3600 || !strings.Contains(r.body, said) {
			t.Errorf("%s: %d, wait %q, want 429 for nearly four hours with the reason", path, r.status, r.header.Get("Retry-After"))
		}
	}
	if r := asha.post("/contacts/export", nil); r.status != http.StatusUnprocessableEntity {
		t.Errorf("what is no export takes nothing of the measure: %d, want 422", r.status)
	}
	asha.post("/language", url.Values{"lang": {"hi"}})
	if r := asha.post("/contacts/export", purpose); !strings.Contains(r.body, "50 फ़ाइलें") {
		t.Errorf("in Hindi: %d, without the reason", r.status)
	}
	if err := access.RationExport(t.Context(), st.DB, st.motors.ID); err != nil {
		t.Errorf("another business: %v, want it to have a day of its own", err)
	}
}

// pressing is a business whose owner asks for one more of something, and one more.
type pressing struct {
	*site
	asha     *browser
	customer [2]string
	stranger *browser
	page     answer // of what the stranger sees
	lang     string
	target   string // the page of an address that webhooks are passed on to
}

// quotaCase brings a business to one short of a quota and asks for more of it over HTTP.
type quotaCase struct {
	fill string                          // makes so many ($2) of it for the tenant $1
	has  int                             // it has so many before
	more func(p *pressing, n int) answer // asks for one more, the n-th
	done int                             // the answer while there is room, 303 where not said
	then string                          // makes room for another case, for the tenant $1
}

const someone = `'018f0000-0000-7000-8000-000000000001'::uuid`

var quotaCases = map[tenants.Quota]quotaCase{
	tenants.QuotaKeys: {
		fill: `INSERT INTO api_keys (tenant_id, id, name, prefix, key_hash, scopes) SELECT $1, gen_random_uuid(), 'k', 'pk_' || i, sha256(('k' || i)::bytea), '{read}' FROM generate_series(1, $2) i`,
		more: func(p *pressing, n int) answer {
			return p.asha.post("/dev/keys", url.Values{"name": {fmt.Sprint("key ", n)}, "scopes": {"read"}})
		},
		done: http.StatusOK,
	},
	tenants.QuotaApps: {
		fill: `INSERT INTO apps (id, name, tenant_id, meta_app_id, app_secret, verify_token) SELECT gen_random_uuid(), 'own-' || i, $1, '77', 'x', 'y' FROM generate_series(1, $2) i`,
		more: func(p *pressing, n int) answer {
			return p.asha.post("/apps", url.Values{"name": {fmt.Sprint("asha-", n)}, "meta_app_id": {"77"}, "app_secret": {"secret-of-asha"}, "verify_token": {"verify-asha"}})
		},
	},
	tenants.QuotaSegments: {
		fill: `INSERT INTO segments (tenant_id, id, name, filter, made_by) SELECT $1, gen_random_uuid(), 'group ' || i, '/contacts', 'asha' FROM generate_series(1, $2) i`,
		more: func(p *pressing, n int) answer {
			return p.asha.post("/adoption/segments", url.Values{"name": {fmt.Sprint("more ", n)}, "filter": {"/contacts?reach=id"}})
		},
	},
	tenants.QuotaAnswers: {
		fill: `INSERT INTO answer_versions (tenant_id, card, version, audience, country, question_en, question_hi, short_en, short_hi, long_en, long_hi, never_en, never_hi, source, asks, by_person, by_name, base)
			SELECT $1, 'own-' || lpad(i::text, 12, '0'), 1, 'customers', '', 'q', 'q', 's', 's', 'l', 'l', '', '', 'here', '{}', 'p', 'asha', '' FROM generate_series(1, $2) i`,
		more: func(p *pressing, _ int) answer { return p.asha.post("/prep/faq", withChange(answered)) },
	},
	tenants.QuotaMacros: {
		fill: `INSERT INTO macro_versions (tenant_id, macro, version, title_en, title_hi, when_en, when_hi, text_en, text_hi, text_hinglish, by_person, by_name)
			SELECT $1, 'own-' || lpad(i::text, 12, '0'), 1, 't', 't', 'w', 'w', 'x', 'x', 'x', 'p', 'asha' FROM generate_series(1, $2) i`,
		more: func(p *pressing, _ int) answer { return p.asha.post("/prep/macros", withChange(ownMacro)) },
	},
	tenants.QuotaQuestions: {
		fill: `INSERT INTO asked_questions (tenant_id, id, text, origin, by_person, by_name) SELECT $1, gen_random_uuid(), 'why?', 'search', 'p', 'asha' FROM generate_series(1, $2) i`,
		more: func(p *pressing, n int) answer {
			return p.asha.post("/prep/questions", url.Values{"text": {fmt.Sprint("Balloons in red?", n)}})
		},
	},
	tenants.QuotaInvitations: {
		fill: `INSERT INTO invitations (tenant_id, id, email, email_key, role, hash, by_person, by_name, expires_at)
			SELECT $1, gen_random_uuid(), i || '@x.example', i || '@x.example', 'agent', sha256(i::text::bytea), (SELECT person_id FROM memberships WHERE tenant_id = $1 LIMIT 1), 'asha', now() + interval '7 days'
			FROM generate_series(1, $2) i`,
		more: func(p *pressing, n int) answer {
			return p.asha.post("/team", url.Values{"email": {fmt.Sprint("more", n, "@pehchan.example")}, "role": {"agent"}})
		},
	},
	tenants.QuotaLists: {
		fill: `INSERT INTO imports (tenant_id, id, file_name, state, rows, widest, actor_kind) SELECT $1, gen_random_uuid(), 'l', 'done', 1, 1, 'person' FROM generate_series(1, $2) i`,
		then: `UPDATE imports SET created_at = now() - interval '2 days', state = 'done' WHERE tenant_id = $1`,
		more: func(p *pressing, n int) answer { return p.asha.upload(fmt.Sprintf("name,phone\nLata,98000%05d\n", n)) },
	},
	tenants.QuotaUnfinished: {
		fill: `INSERT INTO imports (tenant_id, id, file_name, state, rows, widest, actor_kind, created_at) SELECT $1, gen_random_uuid(), 'l', 'mapping', 1, 1, 'person', now() - interval '2 days' FROM generate_series(1, $2) i`,
		more: func(p *pressing, n int) answer { return p.asha.upload(fmt.Sprintf("name,phone\nLata,98000%05d\n", n)) },
	},
	tenants.QuotaWatched: {
		fill: `INSERT INTO username_watch (tenant_id, id, name, state, note, by_name) SELECT $1, gen_random_uuid(), 'asha_' || i, 'harmless', '', 'asha' FROM generate_series(1, $2) i`,
		more: func(p *pressing, n int) answer {
			return p.asha.post("/usernames/watch", url.Values{"of": {"asha.clinic"}, "name": {fmt.Sprint("asha.more", n)}, "state": {"fake"}})
		},
	},
	tenants.QuotaBriefings: {
		fill: `INSERT INTO briefings (tenant_id, id, audience, lang, figures, hash, by_person, by_name, expires_at)
			SELECT $1, gen_random_uuid(), 'owner', 'en', '{}', sha256(i::text::bytea), ` + someone + `, 'asha', now() + interval '14 days' FROM generate_series(1, $2) i`,
		more: func(p *pressing, _ int) answer {
			return p.asha.post("/prep/briefing", url.Values{"audience": {"support"}, "lang": {"hi"}})
		},
		done: http.StatusOK,
	},
	tenants.QuotaEscalations: {
		fill: `INSERT INTO escalations (tenant_id, id, kind, level, reason, opened_by, opener, due_at) SELECT $1, gen_random_uuid(), 'press', 'L2', 'r', ` + someone + `, 'asha', now() FROM generate_series(1, $2) i`,
		more: func(p *pressing, n int) answer {
			return p.asha.post("/prep/escalations", url.Values{"kind": {"angry"}, "level": {"L2"}, "reason": {fmt.Sprint("balloons ", n)}})
		},
	},
	tenants.QuotaNumbers: {
		fill: `INSERT INTO numbers (tenant_id, id, app_id, waba_id, phone_number_id, display_phone, name, scope, state)
			SELECT $1, gen_random_uuid(), gen_random_uuid(), '700', (70000 + i)::text, (15550100000 + i)::text, 'n', 'waba:700', 'connected' FROM generate_series(1, $2) i`,
		more: func(p *pressing, n int) answer {
			return p.asha.post("/numbers", connectForm(sandbox.Known().Numbers[min(n, 1)]))
		},
		has: 1,
	},
	tenants.QuotaAsks: {
		fill: `INSERT INTO asks (tenant_id, message_id, number_id, identifier_id, asked_at) SELECT $1, gen_random_uuid(), gen_random_uuid(), gen_random_uuid(), now() - interval '1 hour' FROM generate_series(1, $2) i`,
		more: func(p *pressing, n int) answer {
			path := "/contacts/" + p.customer[min(n, 1)] + "/ask"
			return p.asha.post(path, composed(p.asha.get(path), "your number?"))
		},
	},
	tenants.QuotaForwardTests: {
		fill: `INSERT INTO forwards (tenant_id, id, target_id, kind, state) SELECT $1, gen_random_uuid(), t.id, 'test', 'sent' FROM forward_targets t, generate_series(1, $2) i WHERE t.tenant_id = $1`,
		more: func(p *pressing, _ int) answer { return p.asha.post(p.target+"/test", nil) },
	},
	tenants.QuotaForwards: {
		fill: `INSERT INTO forward_targets (tenant_id, id, host, address, secret, made_by) SELECT $1, gen_random_uuid(), 'shop' || i || '.example', address, secret, 'asha'
			FROM generate_series(1, $2) i, (SELECT address, secret FROM forward_targets WHERE tenant_id = $1 LIMIT 1) t`,
		more: func(p *pressing, n int) answer {
			return p.asha.post("/dev/forwards", url.Values{"address": {fmt.Sprintf("https://more%d.example/hook", n)}})
		},
		done: http.StatusOK,
		has:  1,
	},
	tenants.QuotaTrust: {
		fill: `INSERT INTO trust_requests (tenant_id, id, kind, name, reach, body, lang) SELECT $1, gen_random_uuid(), 'erase', '', '@x', 'b', 'en' FROM generate_series(1, $2) i`,
		more: func(p *pressing, _ int) (r answer) {
			at := trustAt + "?lang=" + p.lang
			if p.page.body == "" {
				p.page = p.stranger.get(at)
			}
			form := url.Values{"kind": {"erase"}, "reach": {"@lata"}, "body": {"Please delete what you have."}, "stamp": {stamped(p.asha.t, p.page)}, "website": {""}}
			for deadline := time.Now().Add(20 * time.Second); time.Now().Before(deadline); time.Sleep(100 * time.Millisecond) {
				// Until the form has been open as long as a person takes to fill it in.
				if r = p.stranger.post(at, form); r.status != http.StatusUnprocessableEntity {
					return r
				}
			}

			return r
		},
	},
}

// TestQuotas: a business has as much as it may and no more, is told so in its language, and takes nothing from another.
func TestQuotas(t *testing.T) {
	t.Parallel()
	st := newGraphSite(t)
	p := &pressing{site: st, asha: st.signedIn(t, "asha"), stranger: st.browser(t)}
	_, rest, _ := strings.Cut(p.asha.post("/dev/forwards", url.Values{"address": {"https://shop.example/hook"}}).body, `action="/dev/forwards/`)
	p.target = "/dev/forwards/" + rest[:strings.IndexByte(rest, '/')]
	s := st.shop(t, st.clinic)
	for n := range p.customer {
		id := fmt.Sprint(savitrisID, n)
		s.writes(30, "", id, fmt.Sprint("Savitri ", n), "hello")
		p.customer[n] = s.whois(whatsapp.KindBSUID, id).ID.String()
	}
	s.as(func(tx *tenants.Tx) error {
		return trust.Set(t.Context(), tx, tenants.SystemActor, trust.Page{On: true, Asks: true, UseEN: "We answer.", UseHI: "हम जवाब देते हैं।"})
	})

	for _, q := range tenants.Quotas() {
		c, known := quotaCases[q]
		if !known {
			t.Errorf("%s: nothing shows that the quota holds", q)
			continue
		}
		within := func(tenant tenants.Tenant) string {
			return tenants.ConflictCode(st.DB.As(t.Context(), tenant.ID, func(tx *tenants.Tx) error { return tenants.Within(t.Context(), tx, q) }))
		}
		s.as(func(tx *tenants.Tx) error {
			_, err := tx.Exec(c.fill, s.tenant, q.Most()-1-c.has)
			return err
		})
		p.lang = "en"
		if r := c.more(p, 0); r.status != cmp.Or(c.done, http.StatusSeeOther) || within(st.clinic) != q.Code() {
			t.Errorf("%s: the last there is room for: %d %.300s, then %q", q, r.status, r.body, within(st.clinic))
		}
		for n, lang := range []string{"en", "hi"} {
			p.lang = lang
			p.asha.post("/language", url.Values{"lang": {lang}})
			ctx := i18n.With(t.Context(), lang, nil)
			words := i18n.T(ctx, "conflict."+q.Code())
			if r := c.more(p, n+1); r.status != http.StatusConflict || !strings.Contains(html.UnescapeString(r.body), words) {
				t.Errorf("%s: one too many: %d, want 409 and %q: %.2000s", q, r.status, words, r.body)
			}
			if q != tenants.QuotaTrust && !strings.Contains(strings.ReplaceAll(words, ",", ""), fmt.Sprint(q.Most())) {
				t.Errorf("%s: %q does not say how much is enough, %d", q, words, q.Most())
			}
		}
		p.asha.post("/language", url.Values{"lang": {"en"}})
		if got := within(st.motors); got != "" {
			t.Errorf("%s: another business is refused too: %s", q, got)
		}
		if c.then != "" {
			s.as(func(tx *tenants.Tx) error {
				_, err := tx.Exec(c.then, s.tenant)
				return err
			})
		}
	}
}

// TestQuotasAtOnce: of many at once as many come through as there is room for.
func TestQuotasAtOnce(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := access.Command("test")
	make1 := func(i int) error {
		return st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
			_, _, err := access.CreateKey(t.Context(), tx, asha, fmt.Sprint("key ", i), []string{"read"})
			return err
		})
	}
	for i := range tenants.QuotaKeys.Most() - 1 {
		if err := make1(i); err != nil {
			t.Fatal(err)
		}
	}
	var (
		all  sync.WaitGroup
		made atomic.Int64
	)
	for i := range 8 {
		all.Go(func() {
			switch err := make1(100 + i); {
			case err == nil:
				made.Add(1)
			case tenants.ConflictCode(err) != "too_many_keys":
				t.Errorf("one of many: %v", err)
			}
		})
	}
	all.Wait()
	if made.Load() != 1 {
		t.Errorf("%d of 8 at once made the last key, want one", made.Load())
	}
}

// TestQuotasCountWhatIsThere: what is there already is changed past a quota, and what went makes room again.
func TestQuotasCountWhatIsThere(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	asha := st.signedIn(t, "asha")
	st.as(t, st.clinic, quotaCases[tenants.QuotaWatched].fill, tenants.QuotaWatched.Most())
	asha.want(asha.post("/usernames/watch", url.Values{"of": {"asha.clinic"}, "name": {"asha_1"}, "state": {"gone"}}), http.StatusSeeOther, "/usernames/watch?of=asha.clinic")

	keys := quotaCases[tenants.QuotaKeys]
	st.as(t, st.clinic, keys.fill, tenants.QuotaKeys.Most())
	p := &pressing{site: st, asha: asha}
	if r := keys.more(p, 0); r.status != http.StatusConflict {
		t.Errorf("a key too many: %d, want 409", r.status)
	}
	st.as(t, st.clinic, `UPDATE api_keys SET revoked_at = now() WHERE tenant_id = $1 AND id = (SELECT id FROM api_keys WHERE tenant_id = $1 LIMIT $2)`, 1)
	if r := keys.more(p, 1); r.status != http.StatusOK {
		t.Errorf("a key where one was ended: %d, want 200", r.status)
	}
}

// as runs a statement with a tenant's id and a number.
func (st *site) as(t *testing.T, tenant tenants.Tenant, statement string, n int) {
	t.Helper()
	if err := st.DB.As(t.Context(), tenant.ID, func(tx *tenants.Tx) error {
		_, err := tx.Exec(statement, tenant.ID, n)
		return err
	}); err != nil {
		t.Fatal(err)
	}
}
