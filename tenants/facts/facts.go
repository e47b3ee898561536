// Package facts is the fact ledger: every date and claim about WhatsApp's change to usernames and IDs, with its source, the day it
// was last checked, and what is doubtful about it. Nothing the product prints about the rollout comes from anywhere else.
//
// A fact belongs to no tenant. A change adds a version and overwrites none. What ships with the product is in seed/.
package facts

import (
	"context"
	"database/sql"
	"encoding/json"
	"errors"
	"fmt"
	"time"

	"github.com/lib/pq"

	"github.com/pehchan/pehchan/tenants"
)

// The subjects of a fact: the rollout itself, changes of Meta's documents, answers to what people ask.
const (
	Rollout   = "rollout"
	Documents = "documents"
	Answers   = "answers"
)

// What a fact says about a country, or, with no country, about all others: messages carry WhatsApp IDs, usernames are active, they can
// be reserved, phones have been seen hidden.
const (
	IDs         = "ids"
	Usernames   = "usernames"
	Reservation = "reservation"
	Hidden      = "hidden"
)

// The kinds of value: a short text, a day (2006-01-02), one of Statuses.
const (
	KindText   = "text"
	KindDate   = "date"
	KindStatus = "status"
)

// The choices of a fact's fields. Confidence says who vouches: Meta itself, a provider or developer in their own documents, somebody
// who saw it, the press; none means that nothing was found.
var (
	Topics      = []string{Rollout, Documents, Answers}
	Aspects     = []string{IDs, Usernames, Reservation, Hidden}
	Kinds       = []string{KindText, KindDate, KindStatus}
	Statuses    = []string{"live", "planned", "paused", "seen", "unknown"}
	Confidences = []string{"meta", "provider", "seen", "press", "none"}
)

// FreshFor is how long a checked fact may be relied on.
const FreshFor = 30 * 24 * time.Hour

// Source is where a fact was read. URL is empty for what has no address.
type Source struct {
	Name string `json:"name"`
	URL  string `json:"url,omitempty"`
}

// Sources is the jsonb column.
type Sources []Source

// Scan reads the column.
func (s *Sources) Scan(src any) error {
	raw, ok := src.([]byte)
	if !ok {
		return fmt.Errorf("scan sources: got %T", src)
	}

	return json.Unmarshal(raw, s)
}

// Content is what a version of a fact says.
type Content struct {
	Topic      string     `db:"topic"`
	Country    string     `db:"country"` // ISO 3166 alpha-2; empty for the whole world
	Aspect     string     `db:"aspect"`  // one of Aspects, or empty
	Kind       string     `db:"kind"`
	Value      string     `db:"value"`
	TitleEN    string     `db:"title_en"`
	TitleHI    string     `db:"title_hi"`
	TextEN     string     `db:"text_en"`
	TextHI     string     `db:"text_hi"`
	DoubtEN    string     `db:"doubt_en"`
	DoubtHI    string     `db:"doubt_hi"`
	Sources    Sources    `db:"sources"`
	VerifiedOn time.Time  `db:"verified_on"` // when a source was last seen to say so
	ExpiresOn  *time.Time `db:"expires_on"`  // from this day on it must be checked; nil for no such day of its own
	Confidence string     `db:"confidence"`
}

// Fact is one version of a fact.
type Fact struct {
	Seq     int64  `db:"seq"` // grows over all versions of all facts, in the order in which they became visible
	Key     string `db:"key"`
	Version int    `db:"version"` // from 1
	Content
	Dated   time.Time `db:"dated"` // the day it was said or happened
	News    bool      `db:"news"`  // it says something new, and not only that it still holds
	Shipped string    `db:"shipped"`
	By      string    `db:"by_name"` // the operator; empty for what ships with the product
	At      time.Time `db:"at"`
}

// Title names the fact in a language, "hi" or English; it may be empty.
func (c Content) Title(lang string) string { return pick(lang, c.TitleEN, c.TitleHI) }

// Text is what the fact states, in a language.
func (c Content) Text(lang string) string { return pick(lang, c.TextEN, c.TextHI) }

// Doubt is what speaks against it, in a language; it may be empty.
func (c Content) Doubt(lang string) string { return pick(lang, c.DoubtEN, c.DoubtHI) }

func pick(lang, en, hi string) string {
	if lang == "hi" {
		return hi
	}

	return en
}

// Stale tells whether the fact needs checking: it was last checked over thirty days ago, or has expired.
func (c Content) Stale(now time.Time) bool {
	return now.Sub(c.VerifiedOn) > FreshFor+24*time.Hour || c.ExpiresOn != nil && !now.Before(*c.ExpiresOn)
}

const columns = `f.seq, f.key, f.version, f.topic, f.country, f.aspect, f.kind, f.value, f.title_en, f.title_hi, f.text_en, f.text_hi,
	f.doubt_en, f.doubt_hi, f.sources, f.verified_on, f.expires_on, f.confidence, f.dated, f.news, f.shipped, f.by_name, f.at`

// mostFacts bounds what is read of the ledger at once. It holds about a hundred facts.
const mostFacts = 1000

// Current lists the newest version of every fact, by key.
func Current(ctx context.Context, tx *tenants.Tx) ([]Fact, error) {
	list := []Fact{}
	err := tx.SelectContext(ctx, &list, `
		SELECT DISTINCT ON (f.key) `+columns+` FROM facts f ORDER BY f.key, f.version DESC LIMIT $1`, mostFacts)
	if err != nil {
		return nil, fmt.Errorf("list facts: %w", err)
	}

	return list, nil
}

// Get is the newest version of a fact; ErrNotFound where there is none.
func Get(ctx context.Context, tx *tenants.Tx, key string) (Fact, error) {
	var f Fact
	err := tx.GetContext(ctx, &f, `SELECT `+columns+` FROM facts f WHERE f.key = $1 ORDER BY f.version DESC LIMIT 1`, key)
	if errors.Is(err, sql.ErrNoRows) {
		return Fact{}, tenants.ErrNotFound
	}
	if err != nil {
		return Fact{}, fmt.Errorf("read fact: %w", err)
	}

	return f, nil
}

// History lists the versions of a fact, newest first, at most 100.
func History(ctx context.Context, tx *tenants.Tx, key string) ([]Fact, error) {
	list := []Fact{}
	err := tx.SelectContext(ctx, &list, `SELECT `+columns+` FROM facts f WHERE f.key = $1 ORDER BY f.version DESC LIMIT 100`, key)
	if err != nil {
		return nil, fmt.Errorf("list versions of a fact: %w", err)
	}

	return list, nil
}

// Status is what the ledger says of countries, each by aspect: a country's own facts, and for what it has none of, the whole world's.
func Status(ctx context.Context, tx *tenants.Tx, countries ...string) (map[string]map[string]Fact, error) {
	var list []Fact
	err := tx.SelectContext(ctx, &list, `
		SELECT `+columns+` FROM (SELECT DISTINCT ON (key) * FROM facts WHERE aspect <> '' ORDER BY key, version DESC) f
		WHERE f.country = '' OR f.country = ANY($1) ORDER BY f.country, f.key`, pq.Array(countries))
	if err != nil {
		return nil, fmt.Errorf("read what is known of countries: %w", err)
	}

	status := map[string]map[string]Fact{}
	for _, country := range countries {
		status[country] = map[string]Fact{}
		for _, f := range list {
			if f.Country == "" || f.Country == country {
				status[country][f.Aspect] = f // a country's own comes after the world's
			}
		}
	}

	return status, nil
}

// Countries lists the countries that have facts of their own, by code.
func Countries(ctx context.Context, tx *tenants.Tx) ([]string, error) {
	list := []string{}
	if err := tx.SelectContext(ctx, &list, `SELECT DISTINCT country FROM facts WHERE country <> '' ORDER BY country`); err != nil {
		return nil, fmt.Errorf("list countries: %w", err)
	}

	return list, nil
}
