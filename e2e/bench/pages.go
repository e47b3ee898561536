package main

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"sync"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

const (
	pagePeople   = 200_000_000 // seeded people from here on
	pageMessages = 10          // of each
	pageCases    = 2_000
	pageRequests = 40 // of each client
	strangers    = 100
)

// benchPages measures how long the pages of a large business take, asked for by one person and by eight at once.
func benchPages(ctx context.Context, p *place, t *table) (err error) {
	people := int(1_000_000 * p.scale)
	b := p.businesses[2]
	if err := p.seedPeople(ctx, b, pagePeople, pagePeople+people-1); err != nil {
		return err
	}
	if err := p.seedMessages(ctx, b, pagePeople, pagePeople+people-1, pageMessages); err != nil {
		return err
	}
	if err := p.exec(ctx, `
		INSERT INTO cases (tenant_id, id, kind, key, identity_id, contact_id, waiting_since)
		SELECT $1::uuid, seed_id(9, k), 'unresolved', 'contact:' || seed_id(4, k), seed_id(5, k), seed_id(4, k), now() - (k % 4000) * interval '1 minute'
		FROM generate_series($2::bigint, $3::bigint) k`, b.tenant, pagePeople, pagePeople+min(pageCases, people)-1); err != nil {
		return err
	}
	if err := p.countPast(ctx, t, b); err != nil {
		return err
	}
	if err := p.analyze(ctx); err != nil {
		return err
	}

	s, err := p.start(ctx, roleGroup)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	visitor, err := signIn(ctx, s.url, b.owner, p.password)
	if err != nil {
		return err
	}
	deep, err := visitor.deepPage(ctx)
	if err != nil {
		return err
	}
	t.line("stored", fmt.Sprintf("%d contacts, %d messages, %d open cases", people, people*pageMessages, min(pageCases, people)))
	if err := p.suggestions(ctx, t, b, people); err != nil {
		return err
	}
	person := func(i int) string { return seededContact(pagePeople + i*7919%people).String() }
	for _, page := range []struct {
		name string
		path func(i int) string
	}{
		{"home", func(int) string { return "/home" }},
		{"overview", func(i int) string { return "/overview?days=" + []string{"7", "28", "90"}[i%3] }},
		{"customers behind a figure", func(i int) string {
			return "/adoption/people?days=90&show=" + []string{"", "id", "no_id", "named", "hidden", "visible"}[i%6]
		}},
		{"customers behind a week", func(i int) string {
			return "/adoption/people?week=" + mondayBefore(7*(i%10)) + "&show=" + []string{"", "id", "hidden"}[i%3]
		}},
		{"forecast", func(i int) string { return "/adoption/forecast?within=" + []string{"7", "14", "30"}[i%3] }},
		{"reach", func(int) string { return "/adoption/reach" }},
		{"contacts", func(int) string { return "/contacts" }},
		{"contacts, 30 pages on", func(int) string { return deep }},
		{"a contact", func(i int) string { return "/contacts/" + person(i) }},
		{"search by a first name", func(i int) string { return "/contacts?q=" + p.names.given[i%len(p.names.given)].latin }},
		{"search by a full name", func(i int) string { return "/contacts?q=" + url.QueryEscape(p.names.latin(i*31)) }},
		{"inbox", func(int) string { return "/inbox" }},
		{"a conversation", func(i int) string { return "/inbox/" + person(i) }},
		{"queue", func(int) string { return "/resolve" }},
		{"a case", func(i int) string {
			return "/resolve/" + seededCase(pagePeople+i*31%min(pageCases, people)).String()
		}},
	} {
		one, err := visitor.time(ctx, 1, page.path)
		if err != nil {
			return fmt.Errorf("%s: %w", page.name, err)
		}
		eight, err := visitor.time(ctx, 8, page.path)
		if err != nil {
			return fmt.Errorf("%s: %w", page.name, err)
		}
		t.line(page.name, fmt.Sprintf("p95 %s with 1 client (p50 %s), %s with 8", milliseconds(quantile(one, 0.95)), milliseconds(quantile(one, 0.5)), milliseconds(quantile(eight, 0.95))))
	}

	return nil
}

// suggestions measures how long it takes to say whom a stranger without a phone might be, who writes a customer's name in Devanagari.
func (p *place) suggestions(ctx context.Context, t *table, b business, people int) error {
	r := &resolving{place: p}
	bodies := make([]string, strangers)
	for i := range bodies {
		bodies[i] = b.hidden(600_000_000+i, p.names.hindi(pagePeople+i*7919%people), fmt.Sprint("hidden.", i))
	}
	if err := p.emptyInbox(ctx); err != nil {
		return err
	}
	if err := r.feedLane(ctx, b, bodies); err != nil {
		return err
	}
	if _, err := r.drain(ctx, 0, ""); err != nil {
		return err
	}

	var took []time.Duration
	named := 0
	for i := range strangers {
		err := p.db.As(ctx, b.tenant, func(tx *tenants.Tx) error {
			var id uuid.UUID
			if err := tx.GetContext(ctx, &id, `
				SELECT k.id FROM cases k JOIN tenures o ON o.tenant_id = $1 AND o.identity_id = k.identity_id
				JOIN identifiers d ON d.tenant_id = $1 AND d.id = o.identifier_id AND d.value = $2
				WHERE k.tenant_id = $1 AND k.state = 'open'`, b.tenant, bsuidOf(600_000_000+i)); err != nil {
				return fmt.Errorf("find the case of a stranger: %w", err)
			}
			begun := time.Now()
			c, err := identity.GetCase(ctx, tx, id)
			if err != nil {
				return err
			}
			if c, err = identity.Suggest(ctx, tx, c); err != nil {
				return err
			}
			if took = append(took, time.Since(begun)); len(c.Candidates) > 0 {
				named++
			}

			return nil
		})
		if err != nil {
			return err
		}
	}
	slices.Sort(took)
	t.line("who a stranger might be, by name", fmt.Sprintf("p50 %s, p95 %s; somebody named for %d of %d", milliseconds(quantile(took, 0.5)), milliseconds(quantile(took, 0.95)), named, strangers))

	return nil
}

// visitor is somebody signed in.
type visitor struct {
	client *http.Client
	url    string
}

var formToken = regexp.MustCompile(`name="_csrf" value="([^"]+)"`)

func signIn(ctx context.Context, address, email, password string) (visitor, error) {
	jar, err := cookiejar.New(nil)
	if err != nil {
		return visitor{}, fmt.Errorf("sign in: %w", err)
	}
	v := visitor{url: address, client: &http.Client{Jar: jar, Timeout: 30 * time.Second, Transport: &http.Transport{MaxIdleConnsPerHost: 8}}}
	page, err := v.get(ctx, "/login")
	if err != nil {
		return visitor{}, err
	}
	token := formToken.FindStringSubmatch(page)
	if token == nil {
		return visitor{}, errors.New("sign in: the page has no form token")
	}
	form := url.Values{"_csrf": {token[1]}, "email": {email}, "password": {password}}
	req, err := http.NewRequestWithContext(ctx, http.MethodPost, address+"/login", strings.NewReader(form.Encode()))
	if err != nil {
		return visitor{}, fmt.Errorf("sign in: %w", err)
	}
	req.Header.Set("Content-Type", "application/x-www-form-urlencoded")
	req.Header.Set("Origin", address)
	if _, err := v.do(req); err != nil {
		return visitor{}, fmt.Errorf("sign in: %w", err)
	}

	return v, nil
}

func (v visitor) get(ctx context.Context, path string) (string, error) {
	req, err := http.NewRequestWithContext(ctx, http.MethodGet, v.url+path, nil)
	if err != nil {
		return "", fmt.Errorf("ask for %s: %w", path, err)
	}

	return v.do(req)
}

func (v visitor) do(req *http.Request) (string, error) {
	resp, err := v.client.Do(req)
	if err != nil {
		return "", err
	}
	defer func() { _ = resp.Body.Close() }()
	body, err := io.ReadAll(resp.Body)
	if err == nil && resp.StatusCode != http.StatusOK {
		err = fmt.Errorf("%s answered %d", req.URL.Path, resp.StatusCode)
	}

	return string(body), err
}

var nextPage = regexp.MustCompile(`href="(/contacts\?[^"]*cursor=[^"]+)"`)

// deepPage follows the list of contacts thirty pages on.
func (v visitor) deepPage(ctx context.Context) (string, error) {
	path := "/contacts"
	for range 30 {
		page, err := v.get(ctx, path)
		if err != nil {
			return "", err
		}
		links := nextPage.FindAllStringSubmatch(page, -1)
		if len(links) == 0 {
			return path, nil
		}
		path = strings.ReplaceAll(links[len(links)-1][1], "&amp;", "&")
	}

	return path, nil
}

// time asks for pages, one after the other by each of the clients, and returns how long each took, sorted.
func (v visitor) time(ctx context.Context, clients int, path func(i int) string) ([]time.Duration, error) {
	var (
		asking sync.WaitGroup
		mu     sync.Mutex
		took   []time.Duration
		failed error
	)
	for c := range clients {
		asking.Go(func() {
			for i := range pageRequests {
				begun := time.Now()
				_, err := v.get(ctx, path(c*pageRequests+i))
				mu.Lock()
				took, failed = append(took, time.Since(begun)), cmp.Or(failed, err)
				mu.Unlock()
			}
		})
	}
	asking.Wait()
	slices.Sort(took)

	return took, failed
}

// mondayBefore is the Monday of the week some days ago, as addresses write it.
func mondayBefore(days int) string {
	day := time.Now().UTC().AddDate(0, 0, -days)

	return day.AddDate(0, 0, -(int(day.Weekday())+6)%7).Format(time.DateOnly)
}
