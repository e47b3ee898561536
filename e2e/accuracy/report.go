package main

import (
	"cmp"
	"encoding/json"
	"errors"
	"fmt"
	"math"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"text/tabwriter"
	"time"
)

// share is how many of so many.
type share struct{ Hits, Of int }

func (s *share) count(hit bool) {
	s.Of++
	if hit {
		s.Hits++
	}
}

func (s *share) add(o share) { s.Hits, s.Of = s.Hits+o.Hits, s.Of+o.Of }

// wilson is the 95 % interval of a share. Source: Wilson (1927), as in Brown, Cai, DasGupta, "Interval Estimation for a Binomial
// Proportion", 2001.
func (s share) wilson() (low, high float64) {
	if s.Of == 0 {
		return 0, 1
	}
	const z = 1.959964
	n, p := float64(s.Of), float64(s.Hits)/float64(s.Of)
	middle, spread := p+z*z/(2*n), z*math.Sqrt(p*(1-p)/n+z*z/(4*n*n))

	return (middle - spread) / (1 + z*z/n), (middle + spread) / (1 + z*z/n)
}

func (s share) String() string {
	if s.Of == 0 {
		return "none"
	}
	low, high := s.wilson()

	return fmt.Sprintf("%.4f\t%d/%d\t%.4f–%.4f", float64(s.Hits)/float64(s.Of), s.Hits, s.Of, low, high)
}

// sameness is how far two states that should be equal are.
type sameness struct {
	Pairs   int // of contacts merged
	Refused int // undos
	Lines   int // contacts and cases compared
	Apart   int // lines that only one of the two has
	only    []string
}

func (s *sameness) compare(a, b *state) {
	s.Lines = len(a.lines)
	n, only := apart(a, b)
	s.Apart, s.only = n, append(s.only, only...)
}

// result is one world.
type result struct {
	People     int
	Seed       int64
	Deliveries int
	Seconds    float64

	Links       share           // pairs put into one contact: right
	Proofs      share           // pairs WhatsApp has proved: linked
	PlainProofs share           // those proved on field messages alone
	Mixed       map[string]bool // contacts of several people
	Listed      share           // entries of the business's own list: with whom they are of
	PassedOn    int             // of them, because a phone came to somebody else
	Merges      share           // merges by hand: the two and nobody else became one
	Messages    int
	Lost        int // messages that stand in no contact
	Precise     float64
	Complete    float64

	Queries          []query
	Guesses          []guess
	Newcomers        int
	NewcomersOffered int

	Order, Undo, Later sameness
	wrong              []map[string]any
}

func (r *result) misjudged(what map[string]any) { r.wrong = append(r.wrong, what) }

// keep leaves what was misjudged and every likelihood in a folder, for whoever looks into it.
func (r *result) keep(folder string) error {
	if folder == "" {
		return nil
	}
	for _, part := range []struct {
		what string
		only []string
	}{{"order", r.Order.only}, {"undo", r.Undo.only}, {"undo with later events", r.Later.only}} {
		for _, l := range part.only {
			r.misjudged(map[string]any{"what": part.what, "only": l})
		}
	}

	if err := os.MkdirAll(folder, 0o755); err != nil {
		return fmt.Errorf("make folder for what was judged: %w", err)
	}

	return errors.Join(
		leave(filepath.Join(folder, fmt.Sprintf("wrong-%d-%d.jsonl", r.People, r.Seed)), r.wrong),
		leave(filepath.Join(folder, fmt.Sprintf("likelihoods-%d-%d.jsonl", r.People, r.Seed)), r.Guesses),
	)
}

func leave[T any](file string, list []T) error {
	f, err := os.Create(file)
	if err != nil {
		return fmt.Errorf("keep what was judged: %w", err)
	}
	lines := json.NewEncoder(f)
	for _, w := range list {
		if err := lines.Encode(w); err != nil {
			return errors.Join(fmt.Errorf("keep what was judged: %w", err), f.Close())
		}
	}

	return f.Close()
}

// report writes the table: each size, then all together.
func report(results []result, took time.Duration) string {
	var out strings.Builder
	tab := tabwriter.NewWriter(&out, 0, 0, 3, ' ', 0)
	write := func(format string, args ...any) { _, _ = fmt.Fprintf(tab, format+"\n", args...) } // a builder takes everything
	sizes := map[int][]result{}
	var order []int
	for _, r := range results {
		if sizes[r.People] == nil {
			order = append(order, r.People)
		}
		sizes[r.People] = append(sizes[r.People], r)
	}
	for _, size := range order {
		section(write, fmt.Sprintf("%d people, %d worlds", size, len(sizes[size])), sizes[size])
	}
	if len(order) > 1 {
		section(write, fmt.Sprintf("all %d worlds", len(results)), results)
	}
	write("\nNot measured here: wrong recipients, how long people take, how well they judge.\t\t\t\t\n%.0f s in all", took.Seconds())
	_ = tab.Flush()

	return out.String()
}

type writer func(format string, args ...any)

func section(write writer, title string, results []result) {
	var links, proofs, plain, merges, listed share
	var passedOn, mixed, messages, lost, newcomers, offered, deliveries int
	var precise, complete float64
	var order, undo, later sameness
	var queries []query
	var guesses []guess
	for _, r := range results {
		links.add(r.Links)
		proofs.add(r.Proofs)
		plain.add(r.PlainProofs)
		merges.add(r.Merges)
		listed.add(r.Listed)
		mixed, passedOn = mixed+len(r.Mixed), passedOn+r.PassedOn
		messages, lost, deliveries = messages+r.Messages, lost+r.Lost, deliveries+r.Deliveries
		precise, complete = precise+r.Precise, complete+r.Complete
		newcomers, offered = newcomers+r.Newcomers, offered+r.NewcomersOffered
		queries = append(queries, r.Queries...)
		guesses = append(guesses, r.Guesses...)
		for _, s := range []struct{ sum, of *sameness }{{&order, &r.Order}, {&undo, &r.Undo}, {&later, &r.Later}} {
			s.sum.Pairs += s.of.Pairs
			s.sum.Refused += s.of.Refused
			s.sum.Lines += s.of.Lines
			s.sum.Apart += s.of.Apart
		}
	}

	write("\n%s, %d deliveries\tvalue\tof\t95 %%\ttarget", title, deliveries)
	low, _ := links.wilson()
	row(write, "automatic links: precision", links.String(), "lower bound ≥ 0.9995", low >= 0.9995)
	row(write, "contacts of several people", fmt.Sprintf("%d\t\t", mixed), "0", mixed == 0)
	row(write, "  by a phone that passed to somebody else", fmt.Sprintf("%d\t\t", passedOn), "", true)
	row(write, "automatic links: recall where WhatsApp proved it", proofs.String(), "≥ 0.99", ratio(proofs) >= 0.99)
	row(write, "  proved by messages, statuses and number changes", plain.String(), "", true)
	p, c := precise/float64(max(messages, 1)), complete/float64(max(messages, 1))
	row(write, "B-cubed of messages: precision, recall, F1", fmt.Sprintf("%.4f  %.4f  %.4f\t%d\t", p, c, 2*p*c/(p+c), messages), "", true)
	row(write, "  messages in no contact", fmt.Sprintf("%d\t\t", lost), "", true)
	for _, s := range cuts(queries) {
		target, met := "", true
		if s.goal > 0 {
			target, met = fmt.Sprintf("@3 ≥ %.2f", s.goal), ratio(s.third) >= s.goal
		}
		row(write, "suggestions: "+s.name+" @1", s.first.String(), "", true)
		row(write, "  @3", s.third.String(), target, met)
	}
	row(write, "strangers offered somebody", share{offered, newcomers}.String(), "", true)
	calibration(write, guesses)
	row(write, "entries of the imported list with whom they are of", listed.String(), "", true)
	row(write, "another order and repeats: contacts and cases that differ", fmt.Sprintf("%d\t%d\t", order.Apart, order.Lines), "0", order.Apart == 0)
	row(write, "merges by hand: the two and nobody else", merges.String(), "1", merges.Hits == merges.Of)
	row(write, "merged and undone: contacts and cases that differ", fmt.Sprintf("%d\t%d, %d pairs, %d refused\t", undo.Apart, undo.Lines, undo.Pairs, undo.Refused),
		"0", undo.Apart == 0 && undo.Refused == 0)
	row(write, "  with events in between", fmt.Sprintf("%d\t%d, %d pairs, %d refused\t", later.Apart, later.Lines, later.Pairs, later.Refused), "0", later.Apart == 0)
}

func row(write writer, what, figures, target string, met bool) {
	if !met {
		target += "  MISSED"
	}
	write("%s\t%s\t%s", what, figures, target)
}

func ratio(s share) float64 {
	if s.Of == 0 {
		return 1
	}

	return float64(s.Hits) / float64(s.Of)
}

// cut is one kind of query.
type cut struct {
	name         string
	first, third share
	goal         float64
}

// cuts counts the queries whole and by what makes them hard.
func cuts(queries []query) []cut {
	var out []cut
	count := func(name string, goal float64, in func(query) bool) {
		s := cut{name: name, goal: goal}
		for _, q := range queries {
			if in(q) {
				s.first.count(q.Rank == 1)
				s.third.count(q.Rank >= 1 && q.Rank <= 3)
			}
		}
		if s.first.Of > 0 {
			out = append(out, s)
		}
	}
	byName := func(q query) bool { return q.Case == "unresolved" }
	count("all open cases", 0, func(query) bool { return true })
	for _, kind := range []string{"suggested", "conflict", "unresolved"} {
		count("case "+kind, 0, func(q query) bool { return q.Case == kind })
	}
	count("by name, both full", 0.95, func(q query) bool { return byName(q) && q.Clean })
	var scripts, forms []string
	for _, q := range queries {
		if byName(q) && q.Clean {
			scripts = append(scripts, q.Script)
		}
		if byName(q) {
			forms = append(forms, q.Form)
		}
	}
	slices.Sort(scripts)
	for _, script := range slices.Compact(scripts) {
		count("by name, both full, "+script, 0, func(q query) bool { return byName(q) && q.Clean && q.Script == script })
	}
	slices.SortFunc(forms, func(a, b string) int { return cmp.Compare(a, b) })
	for _, form := range slices.Compact(forms) {
		count("by name, asked with "+form, 0, func(q query) bool { return byName(q) && q.Form == form })
	}

	return out
}
