package main

import (
	"context"
	"errors"
	"fmt"
	"net/url"
	"slices"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
)

const (
	pagePeople   = 200_000_000 // seeded people from here on
	pageMessages = 10          // of each
	caseOf       = 20          // one of so many has an open case
	smaller      = 10          // times as many people at the second measurement as at the first
	pageRequests = 40          // of each client
	planRequests = 3           // of each page, to see its plans
	strangers    = 100
)

// sizes are how a page did in a business of one size.
type sizes struct {
	one, eight []time.Duration // with so many clients, sorted
	reading
}

// pageKind is a page that is measured, at one address or several.
type pageKind struct {
	name string
	path func(i int) string
}

// benchPages measures how long the pages of a business take, asked for by one person and by eight at once: while it has a tenth of its
// customers, and once it has them all.
func benchPages(ctx context.Context, p *place, t *table) error {
	people := max(int(1_000_000*p.scale), smaller*caseOf)
	b := p.businesses[2]
	if err := p.exec(ctx, `UPDATE tenants SET created_at = now() - interval '150 days' WHERE id = $1`, b.tenant); err != nil { // months are counted from there
		return err
	}
	var measured [2]map[string]sizes
	for i, now := range []int{people / smaller, people} {
		before := 0
		if i > 0 {
			before = people / smaller
		}
		if err := p.seedPages(ctx, t, b, pagePeople+before, pagePeople+now-1); err != nil {
			return err
		}
		t.line("stored", fmt.Sprintf("%d contacts, %d messages, %d open cases", now, now*pageMessages, now/caseOf))
		var err error
		if measured[i], err = p.visit(ctx, b, now); err != nil {
			return err
		}
	}
	if err := p.suggestions(ctx, t, b, people); err != nil {
		return err
	}

	for _, page := range p.pages(people, "") {
		small, large := measured[0][page.name], measured[1][page.name]
		t.line(page.name, fmt.Sprintf("p95 %s with 1 client (p50 %s), %s with 8; with a tenth of the customers %s, %s; p50 %.2f×",
			milliseconds(quantile(large.one, 0.95)), milliseconds(quantile(large.one, 0.5)), milliseconds(quantile(large.eight, 0.95)),
			milliseconds(quantile(small.one, 0.95)), milliseconds(quantile(small.eight, 0.95)),
			float64(quantile(large.one, 0.5))/float64(max(quantile(small.one, 0.5), 1))))
		if large.statements > 0 {
			t.line("  its plans", fmt.Sprintf("%s; with a tenth %s", large.reading, small.reading))
		}
	}

	return nil
}

// seedPages stores people of a business, both included, with all that its pages show of them.
func (p *place) seedPages(ctx context.Context, t *table, b business, first, last int) error {
	begun := time.Now()
	if err := p.seedPeople(ctx, b, first, last); err != nil {
		return err
	}
	if err := p.seedMessages(ctx, b, first, last, pageMessages); err != nil {
		return err
	}
	if err := p.seedCases(ctx, b, first, last); err != nil {
		return err
	}
	t.line("seeding", fmt.Sprintf("%s for %d people", time.Since(begun).Round(time.Millisecond), last-first+1))
	if err := p.seedHeard(ctx, t, b, first, last); err != nil {
		return err
	}

	return p.analyze(ctx)
}

// pages are those measured, in a business with so many seeded people. deep is where its list of contacts has gone on for a while.
func (p *place) pages(people int, deep string) []pageKind {
	person := func(i int) string { return seededContact(pagePeople + i*7919%people).String() }
	month := time.Now().AddDate(0, -1, 0).Format("2006-01")

	return []pageKind{
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
		{"impact", func(int) string { return "/adoption/impact" }},
		{"what stands behind work done", func(i int) string {
			return "/overview/rows?days=90&show=" + []string{"decided", "linked_auto", "linked_manual"}[i%3]
		}},
		{"health of a number", func(int) string { return "/numbers/" + p.businesses[2].number.String() + "/health" }},
		{"the month", func(int) string { return "/reports/monthly?month=" + month }},
		{"contacts", func(int) string { return "/contacts" }},
		{"contacts, 30 pages on", func(int) string { return deep }},
		{"a contact", func(i int) string { return "/contacts/" + person(i) }},
		{"search by a first name", func(i int) string { return "/contacts?q=" + p.names.given[i%len(p.names.given)].latin }},
		{"search by a full name", func(i int) string { return "/contacts?q=" + url.QueryEscape(p.names.latin(i*31)) }},
		{"inbox", func(int) string { return "/inbox" }},
		{"a conversation", func(i int) string { return "/inbox/" + person(i) }},
		{"queue", func(int) string { return "/resolve" }},
		{"a case", func(i int) string {
			return "/resolve/" + seededCase(pagePeople+i*31%(people/caseOf)*caseOf).String()
		}},
	}
}

// visit measures all pages of a business with so many seeded people, by a web server of its own.
func (p *place) visit(ctx context.Context, b business, people int) (map[string]sizes, error) {
	all := map[string]sizes{}
	read := func(of func(func() error) (reading, error)) error {
		return p.serving(ctx, b, people, func(v visitor, pages []pageKind) error {
			for _, page := range pages {
				var err error
				s := all[page.name]
				for i := range planRequests { // the last: by then what is kept has been counted
					if s.reading, err = of(func() error { _, err := v.get(ctx, page.path(i)); return err }); err != nil {
						return fmt.Errorf("%s: %w", page.name, err)
					}
				}
				all[page.name] = s
			}

			return nil
		})
	}
	if err := p.explained(ctx, read); err != nil {
		return nil, err
	}

	return all, p.serving(ctx, b, people, func(v visitor, pages []pageKind) error {
		for _, page := range pages {
			var err error
			s := all[page.name]
			if s.one, err = v.time(ctx, 1, page.path); err != nil {
				return fmt.Errorf("%s: %w", page.name, err)
			}
			if s.eight, err = v.time(ctx, 8, page.path); err != nil {
				return fmt.Errorf("%s: %w", page.name, err)
			}
			all[page.name] = s
		}

		return nil
	})
}

// serving runs the product's web server while fn visits it as a business's owner.
func (p *place) serving(ctx context.Context, b business, people int, fn func(visitor, []pageKind) error) (err error) {
	s, err := p.start(ctx, roleGroup)
	if err != nil {
		return err
	}
	defer func() { err = errors.Join(err, s.stop()) }()
	v, err := signIn(ctx, s.url, b.owner, p.password)
	if err != nil {
		return err
	}
	deep, err := v.deepPage(ctx)
	if err != nil {
		return err
	}

	return fn(v, p.pages(people, deep))
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
