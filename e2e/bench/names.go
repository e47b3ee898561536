package main

import (
	"bufio"
	"context"
	"fmt"
	"os"
	"strings"

	"github.com/lib/pq"
)

// namesFile is read where make bench runs: in the folder of the project.
const namesFile = "tenants/sandbox/names.tsv"

// nameWord is a word of a name as most write it in Latin letters, and in Devanagari.
type nameWord struct{ latin, hindi string }

// names are the words that seeded people are called by. Every given name goes with every family name equally often, so that full names
// are commoner than among real people: what is looked up by name has more to look through, not less.
type names struct{ given, family []nameWord }

func readNames() (n names, err error) {
	f, err := os.Open(namesFile)
	if err != nil {
		return names{}, fmt.Errorf("read names: %w", err)
	}
	defer func() { _ = f.Close() }()
	known := map[string]bool{}
	lines := bufio.NewScanner(f)
	for lines.Scan() {
		columns := strings.Split(lines.Text(), "\t") // Hindi, Latin, position, how often; the most usual spelling first
		if len(columns) != 4 || known[columns[2]+columns[0]] {
			continue
		}
		known[columns[2]+columns[0]] = true
		w := nameWord{latin: columns[1], hindi: columns[0]}
		if columns[2] == "given" {
			n.given = append(n.given, w)
		} else {
			n.family = append(n.family, w)
		}
	}
	if err := lines.Err(); err != nil {
		return names{}, fmt.Errorf("read names: %w", err)
	}

	return n, nil
}

func (n names) of(person int) (given, family nameWord) {
	return n.given[person%len(n.given)], n.family[person/len(n.given)%len(n.family)]
}

func (n names) latin(person int) string {
	given, family := n.of(person)

	return given.latin + " " + family.latin
}

func (n names) hindi(person int) string {
	given, family := n.of(person)

	return given.hindi + " " + family.hindi
}

// learnWords asks the product itself by what words it finds each word of a name: it lets somebody write who is called so, and keeps
// the words of their contact for those who are seeded. Words that it takes for no name, such as honorifics, are left out.
func (p *place) learnWords(ctx context.Context) (err error) {
	if p.names.given, err = p.learn(ctx, "given", p.names.given); err != nil {
		return err
	}
	p.names.family, err = p.learn(ctx, "family", p.names.family)

	return err
}

func (p *place) learn(ctx context.Context, place string, words []nameWord) (learnt []nameWord, err error) {
	r := &resolving{place: p}
	teacher := p.businesses[3]
	bodies := make([]string, len(words))
	for i, w := range words {
		bodies[i] = teacher.message(800_000_000+len(place)*10_000+i, w.latin, fmt.Sprint("learn.", place, i))
	}
	if err := p.emptyInbox(ctx); err != nil {
		return nil, err
	}
	if err := r.feedLane(ctx, teacher, bodies); err != nil {
		return nil, err
	}
	if _, err := r.drain(ctx, 0, ""); err != nil {
		return nil, err
	}

	var numbers []int64
	var latin []string
	for i, w := range words {
		var alone bool
		if err := p.super.QueryRowContext(ctx, `
			SELECT EXISTS (SELECT 1 FROM called c JOIN identifiers d ON d.tenant_id = $1 AND d.id = c.identifier_id
			               WHERE c.tenant_id = $1 AND d.value = $2 AND c.words = $3)`,
			teacher.tenant, bsuidOf(800_000_000+len(place)*10_000+i), w.latin).Scan(&alone); err != nil {
			return nil, fmt.Errorf("learn words: %w", err)
		}
		if alone {
			numbers, latin = append(numbers, int64(len(learnt))), append(latin, w.latin)
			learnt = append(learnt, w)
		}
	}
	if err := p.exec(ctx, `CREATE TABLE seed_`+place+` (n int PRIMARY KEY, latin text, found text[])`); err != nil {
		return nil, err
	}
	err = p.exec(ctx, `
		INSERT INTO seed_`+place+` (n, latin, found)
		SELECT g.n, g.latin, array_agg(DISTINCT w.word) FROM unnest($2::int[], $3::text[]) AS g (n, latin)
		JOIN profile_facts f ON f.tenant_id = $1 AND f.value = g.latin
		JOIN tenures t ON t.tenant_id = $1 AND t.id = f.tenure_id
		JOIN identities i ON i.tenant_id = $1 AND i.id = t.identity_id
		JOIN contact_words w ON w.tenant_id = $1 AND w.contact_id = i.contact_id AND left(w.word, 2) IN ('n:', 's:')
		GROUP BY g.n, g.latin`, teacher.tenant, pq.Array(numbers), pq.Array(latin))
	if err != nil {
		return nil, fmt.Errorf("learn words: %w", err)
	}

	return learnt, nil
}

// bsuidOf is the WhatsApp ID of a seeded person.
func bsuidOf(person int) string { return fmt.Sprintf("IN.88%014d", person) }
