package answers

import (
	"context"
	"fmt"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/facts"
)

// version is a row of answer_versions.
type version struct {
	Card       string    `db:"card"`
	Version    int       `db:"version"`
	Removed    bool      `db:"removed"`
	Audience   string    `db:"audience"`
	Country    string    `db:"country"`
	QuestionEN string    `db:"question_en"`
	QuestionHI string    `db:"question_hi"`
	ShortEN    string    `db:"short_en"`
	ShortHI    string    `db:"short_hi"`
	LongEN     string    `db:"long_en"`
	LongHI     string    `db:"long_hi"`
	NeverEN    string    `db:"never_en"`
	NeverHI    string    `db:"never_hi"`
	Source     string    `db:"source"`
	Asks       string    `db:"asks"`
	Base       string    `db:"base"`
	ByName     string    `db:"by_name"`
	At         time.Time `db:"at"`
}

const versionColumns = `card, version, removed, audience, country, question_en, question_hi, short_en, short_hi, long_en, long_hi, never_en, never_hi,
	source, asks, base, by_name, at`

func (v version) content() Content {
	return Content{
		Audience: v.Audience, Country: v.Country, Question: Words{v.QuestionEN, v.QuestionHI}, Short: Words{v.ShortEN, v.ShortHI},
		Long: Words{v.LongEN, v.LongHI}, Never: Words{v.NeverEN, v.NeverHI}, Source: Words{v.Source, v.Source}, Asks: lines(v.Asks),
	}
}

// usedWithin is the time whose uses are counted.
const usedWithin = 30 * 24 * time.Hour

// Read is the ledger for a tenant's transaction.
func Read(ctx context.Context, tx *tenants.Tx) (Ledger, error) {
	current, err := facts.Current(ctx, tx)
	if err != nil {
		return Ledger{}, err
	}
	first, err := facts.Shipped()
	if err != nil {
		return Ledger{}, err
	}
	l := Ledger{now: map[string]facts.Fact{}, shipped: map[string]facts.Fact{}}
	for _, f := range current {
		l.now[f.Key] = f
	}
	for _, f := range first {
		l.shipped[f.Key] = f
	}
	l.told, err = facts.NewsAt(ctx, tx)

	return l, err
}

// Library is every card as tx's tenant has it, the built-in ones in their order and then the business's own, and the ledger they stand on.
func Library(ctx context.Context, tx *tenants.Tx, now time.Time) ([]Card, Ledger, error) {
	l, err := Read(ctx, tx)
	if err != nil {
		return nil, Ledger{}, err
	}
	lib, err := edited(ctx, tx)
	if err != nil {
		return nil, Ledger{}, err
	}
	cards := lib.cards
	for i, c := range cards {
		cards[i].under = c.wording().digest()
	}
	var written []version
	if err := tx.SelectContext(ctx, &written, `
		SELECT DISTINCT ON (card) `+versionColumns+` FROM answer_versions WHERE tenant_id = $1 ORDER BY card, version DESC`, tx.Tenant); err != nil {
		return nil, Ledger{}, fmt.Errorf("list answers: %w", err)
	}
	for _, v := range written {
		if v.Removed {
			continue
		}
		at := slices.IndexFunc(cards, func(c Card) bool { return c.Key == v.Card })
		if at < 0 {
			cards, at = append(cards, Card{Key: v.Card, Own: true}), len(cards)
		}
		cards[at].apply(v)
	}
	if err := addUse(ctx, tx, cards, now); err != nil {
		return nil, Ledger{}, err
	}
	for i := range cards {
		cards[i].Doubts = l.doubts(cards[i], now)
		cards[i].Moved = cards[i].moved()
	}

	return cards, l, nil
}

// apply puts the business's own words in place of a card's.
func (c *Card) apply(v version) {
	if !c.Own {
		under := c.Content
		c.Under = &under
	}
	c.Content, c.Version, c.By, c.At, c.base = v.content(), v.Version, v.ByName, v.At, v.Base
	c.Facts = union(c.Facts, c.named())
}

// moved tells whether the platform says something else than when the business wrote its own words or looked at them again.
func (c Card) moved() bool {
	switch {
	case c.Under == nil:
		return false
	case c.base == "":
		return c.Edition.Own && c.Edition.WrittenAt.After(c.At)
	}

	return c.base != c.under
}

// addUse adds who stood by each card last, how often it was used of late, and what people said of it.
func addUse(ctx context.Context, tx *tenants.Tx, cards []Card, now time.Time) error {
	at := map[string]int{}
	for i, c := range cards {
		at[c.Key] = i
	}
	var use []struct {
		Card      string `db:"card"`
		Uses      int    `db:"uses"`
		Helpful   int    `db:"helpful"`
		Unhelpful int    `db:"unhelpful"`
	}
	if err := tx.SelectContext(ctx, &use, `
		SELECT card, sum(uses)::int AS uses, sum(helpful)::int AS helpful, sum(unhelpful)::int AS unhelpful FROM (
			SELECT key AS card, n AS uses, 0 AS helpful, 0 AS unhelpful FROM answer_uses WHERE tenant_id = $1 AND kind = 'card' AND day > $2::date
			UNION ALL
			SELECT card, 0, helpful::int, (NOT helpful)::int FROM answer_votes WHERE tenant_id = $1
		) u GROUP BY card`, tx.Tenant, now.Add(-usedWithin)); err != nil {
		return fmt.Errorf("count uses of answers: %w", err)
	}
	for _, u := range use {
		if i, ok := at[u.Card]; ok {
			cards[i].Uses, cards[i].Helpful, cards[i].Unhelpful = u.Uses, u.Helpful, u.Unhelpful
		}
	}

	checked, err := checks(ctx, tx)
	if err != nil {
		return err
	}
	for i, c := range cards {
		if check, ok := checked[words{c.Key, c.Version}]; ok {
			cards[i].CheckedBy, cards[i].CheckedAt = check.By, check.At
			if check.Base != "" {
				cards[i].base = check.Base
			}
		}
	}

	return nil
}

// One is the card of Library with a key; ErrNotFound where the tenant has none.
func One(ctx context.Context, tx *tenants.Tx, key string, now time.Time) (Card, Ledger, error) {
	cards, l, err := Library(ctx, tx, now)
	if err != nil {
		return Card{}, Ledger{}, err
	}
	for _, c := range cards {
		if c.Key == key {
			return c, l, nil
		}
	}

	return Card{}, Ledger{}, tenants.ErrNotFound
}

// Version is a past or present text of a card.
type Version struct {
	Content
	Version int
	Removed bool // from here on the built-in text counted again
	By      string
	At      time.Time
}

// mostVersions of one card that are read.
const mostVersions = 100

// Versions lists what the tenant wrote on a card, newest first.
func Versions(ctx context.Context, tx *tenants.Tx, key string) ([]Version, error) {
	var rows []version
	if err := tx.SelectContext(ctx, &rows, `
		SELECT `+versionColumns+` FROM answer_versions WHERE tenant_id = $1 AND card = $2 ORDER BY version DESC LIMIT $3`, tx.Tenant, key, mostVersions); err != nil {
		return nil, fmt.Errorf("list versions of an answer: %w", err)
	}
	list := make([]Version, len(rows))
	for i, v := range rows {
		list[i] = Version{Content: v.content(), Version: v.Version, Removed: v.Removed, By: v.ByName, At: v.At}
	}

	return list, nil
}

// Edit is a business's own text for a card. An empty Key makes a new card. Version is the newest one that the writer saw, 0 for none.
type Edit struct {
	Key     string
	Version int
	Content
}

var country = regexp.MustCompile(`^([A-Z]{2})?$`)

// ownKey begins the key of a card that is a business's own.
const ownKey = "own-"

// Save adds a version of a card and returns its key. Conflict "answer_changed" where a colleague was quicker; Invalid where a language lacks
// or a fact does not exist.
func Save(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, in Edit, now time.Time) (string, error) {
	if err := in.check(); err != nil {
		return "", err
	}
	if !country.MatchString(in.Country) {
		return "", &tenants.Invalid{Field: "country", Key: "country"}
	}
	cards, l, err := Library(ctx, tx, now)
	if err != nil {
		return "", err
	}
	known := slices.IndexFunc(cards, func(c Card) bool { return c.Key == in.Key })
	switch {
	case in.Key == "":
		if err := tenants.Within(ctx, tx, tenants.QuotaAnswers); err != nil {
			return "", err
		}
		in.Key = ownKey + strings.ReplaceAll(uuid.NewString(), "-", "")[:12]
		in.Version = 0
	case known < 0:
		return "", tenants.ErrNotFound
	}
	for _, key := range in.named() {
		if _, ok := l.now[key]; !ok {
			return "", &tenants.Invalid{Field: "long_en", Key: "answer_fact"}
		}
	}
	if (known < 0 || len(cards[known].Facts) == 0) && len(in.named()) == 0 && strings.TrimSpace(in.Source.EN) == "" {
		return "", &tenants.Invalid{Field: "source", Key: "answer_source"}
	}

	base := ""
	if known >= 0 {
		base = cards[known].under
	}

	return in.Key, add(ctx, tx, actor, in, base, false)
}

// add writes the next version of a card. base is the digest of the platform's words beneath it.
func add(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, in Edit, base string, removed bool) error {
	var last int
	if err := tx.GetContext(ctx, &last, `SELECT coalesce(max(version), 0) FROM answer_versions WHERE tenant_id = $1 AND card = $2`, tx.Tenant, in.Key); err != nil {
		return fmt.Errorf("read the version of an answer: %w", err)
	}
	if last != in.Version {
		return &tenants.Conflict{Code: "answer_changed"}
	}
	_, err := tx.ExecContext(ctx, `
		INSERT INTO answer_versions (tenant_id, card, version, removed, audience, country, question_en, question_hi, short_en, short_hi, long_en, long_hi,
		                             never_en, never_hi, source, asks, by_person, by_name, base)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19)`,
		tx.Tenant, in.Key, last+1, removed, in.Audience, in.Country, in.Question.EN, in.Question.HI, in.Short.EN, in.Short.HI, in.Long.EN, in.Long.HI,
		in.Never.EN, in.Never.HI, in.Source.EN, strings.Join(in.Asks, "\n"), actor.ID, actor.Name, base)
	if tenants.Violates(err, "answer_versions_pkey") {
		return &tenants.Conflict{Code: "answer_changed"}
	}
	if err != nil {
		return fmt.Errorf("write an answer: %w", err)
	}
	if !strings.HasPrefix(in.Key, ownKey) {
		if err := override(ctx, tx, in.Key, !removed); err != nil {
			return err
		}
	}
	action := "answer.edit"
	if removed {
		action = "answer.restore"
	}

	return tenants.Audit(ctx, tx, tenants.Act{
		Actor: actor, Action: action, ObjectKind: "answer", ObjectID: in.Key, Detail: map[string]any{"version": last + 1},
	})
}

// override keeps whether tx's tenant has words of its own in place of the platform's, which operators count.
func override(ctx context.Context, tx *tenants.Tx, key string, has bool) error {
	statement := `INSERT INTO answer_overrides (tenant_id, card) VALUES ($1, $2) ON CONFLICT DO NOTHING`
	if !has {
		statement = `DELETE FROM answer_overrides WHERE tenant_id = $1 AND card = $2`
	}
	if _, err := tx.ExecContext(ctx, statement, tx.Tenant, key); err != nil {
		return fmt.Errorf("keep that a business has its own answer: %w", err)
	}

	return nil
}

// Restore lets the platform's text of a card count again, or takes the business's own card away. What was written stays in its history.
// seen is the newest version that the person saw.
func Restore(ctx context.Context, tx *tenants.Tx, actor tenants.Actor, key string, seen int, now time.Time) error {
	c, _, err := One(ctx, tx, key, now)
	if err != nil {
		return err
	}
	if c.Version == 0 {
		return tenants.ErrNotFound
	}

	return add(ctx, tx, actor, Edit{Key: key, Version: seen, Content: c.Content}, c.under, true)
}
