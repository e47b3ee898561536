package facts

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"net/url"
	"regexp"
	"slices"
	"strings"
	"time"

	"github.com/google/uuid"
	"github.com/nyaruka/phonenumbers"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	maxTitle   = 160
	maxText    = 2000
	maxSources = 10
)

var (
	keyShape     = regexp.MustCompile(`^[a-z0-9_]+(\.[a-z0-9_]+)+$`)
	countryShape = regexp.MustCompile(`^[A-Z]{2}$`)
)

// check refuses content that the ledger cannot stand by.
func (c Content) check(now time.Time) error {
	choice := func(field, value string, of []string, mayBeEmpty bool) error {
		if value == "" && mayBeEmpty || slices.Contains(of, value) {
			return nil
		}

		return &tenants.Invalid{Field: field, Key: "choice"}
	}
	if err := errors.Join(
		choice("topic", c.Topic, Topics, false), choice("aspect", c.Aspect, Aspects, true), choice("kind", c.Kind, Kinds, false),
		choice("confidence", c.Confidence, Confidences, false),
	); err != nil {
		return err
	}
	for field, text := range map[string]string{"text_en": c.TextEN, "text_hi": c.TextHI} {
		if strings.TrimSpace(text) == "" {
			return &tenants.Invalid{Field: field, Key: "both_languages"}
		}
	}
	switch {
	case (c.TitleEN == "") != (c.TitleHI == ""):
		return &tenants.Invalid{Field: "title_hi", Key: "both_languages"}
	case (c.DoubtEN == "") != (c.DoubtHI == ""):
		return &tenants.Invalid{Field: "doubt_hi", Key: "both_languages"}
	case c.Aspect != "" && (c.Kind != KindStatus || c.TitleEN == ""):
		return &tenants.Invalid{Field: "title_en", Key: "status_title"}
	case c.Country != "" && (!countryShape.MatchString(c.Country) || phonenumbers.GetCountryCodeForRegion(c.Country) == 0):
		return &tenants.Invalid{Field: "country", Key: "country"}
	case c.Kind == KindStatus && !slices.Contains(Statuses, c.Value):
		return &tenants.Invalid{Field: "value", Key: "choice"}
	case c.VerifiedOn.IsZero() || c.VerifiedOn.After(now):
		return &tenants.Invalid{Field: "verified_on", Key: "past_day"}
	case c.ExpiresOn != nil && c.ExpiresOn.Before(c.VerifiedOn):
		return &tenants.Invalid{Field: "expires_on", Key: "after_verified"}
	}
	if _, err := time.Parse(time.DateOnly, c.Value); c.Kind == KindDate && err != nil {
		return &tenants.Invalid{Field: "value", Key: "day"}
	}
	if err := c.checkLengths(); err != nil {
		return err
	}

	return c.Sources.check()
}

func (c Content) checkLengths() error {
	long := []struct {
		field, text string
		most        int
	}{
		{"title_en", c.TitleEN, maxTitle},
		{"title_hi", c.TitleHI, maxTitle},
		{"value", c.Value, maxTitle},
		{"text_en", c.TextEN, maxText},
		{"text_hi", c.TextHI, maxText},
		{"doubt_en", c.DoubtEN, maxText},
		{"doubt_hi", c.DoubtHI, maxText},
	}
	for _, l := range long {
		if len([]rune(l.text)) > l.most {
			return &tenants.Invalid{Field: l.field, Key: "too_long"}
		}
	}

	return nil
}

func (s Sources) check() error {
	if len(s) == 0 || len(s) > maxSources {
		return &tenants.Invalid{Field: "sources", Key: "sources"}
	}
	for _, source := range s {
		at, err := url.Parse(source.URL)
		if strings.TrimSpace(source.Name) == "" || len(source.Name) > maxTitle || source.URL != "" && (err != nil || at.Scheme != "https" || at.Host == "") {
			return &tenants.Invalid{Field: "sources", Key: "sources"}
		}
	}

	return nil
}

// says is what makes a version news: everything but when it was checked.
func (c Content) says() string {
	return strings.Join([]string{c.Topic, c.Country, c.Aspect, c.Kind, c.Value, c.TitleEN, c.TitleHI, c.TextEN, c.TextHI, c.DoubtEN, c.DoubtHI}, "\x00")
}

// Edited tells whether a fact says something else than what ships with the product, whose facts are shipped.
func Edited(f Fact, shipped map[string]Fact) bool {
	as, ships := shipped[f.Key]

	return ships && as.says() != f.says()
}

// Change is an edit. Version is the one that was edited, 0 for a new fact.
type Change struct {
	Key     string
	Version int
	Content
}

// next is the version that a change makes of the newest one, which is before where there is one.
func next(ctx context.Context, tx *tenants.Tx, in Change, now time.Time) (before, f Fact, err error) {
	if !keyShape.MatchString(in.Key) || len(in.Key) > 80 {
		return Fact{}, Fact{}, &tenants.Invalid{Field: "key", Key: "fact_key"}
	}
	if err := in.check(now); err != nil {
		return Fact{}, Fact{}, err
	}
	before, err = Get(ctx, tx, in.Key)
	missing := errors.Is(err, tenants.ErrNotFound)
	switch {
	case missing && in.Version == 0: // a new one
	case err != nil:
		return Fact{}, Fact{}, err
	case in.Version == 0:
		return Fact{}, Fact{}, &tenants.Conflict{Code: "fact_exists"}
	case before.Version != in.Version:
		return Fact{}, Fact{}, &tenants.Conflict{Code: "fact_changed"}
	}

	f = Fact{Key: in.Key, Version: before.Version + 1, Content: in.Content, Dated: dayOf(now), News: before.says() != in.says()}
	if !f.News {
		f.Dated = before.Dated
	}

	return before, f, nil
}

func dayOf(now time.Time) time.Time {
	year, month, day := now.UTC().Date()

	return time.Date(year, month, day, 0, 0, 0, 0, time.UTC)
}

// Edit adds a version of a fact in a System transaction and returns it. Every tenant sees it from the commit on. Conflict "fact_changed"
// where somebody else has edited it since, "fact_exists" where a new fact has the key of another.
func Edit(ctx context.Context, tx *tenants.Tx, by tenants.Actor, in Change, now time.Time) (Fact, error) {
	if err := lock(ctx, tx); err != nil {
		return Fact{}, err
	}
	before, f, err := next(ctx, tx, in, now)
	if err != nil {
		return Fact{}, err
	}
	f.By = by.Name
	if err := insert(ctx, tx, &f); err != nil {
		return Fact{}, err
	}

	action, detail := "fact.verify", map[string]any{"version": f.Version, "verified_on": f.VerifiedOn.Format(time.DateOnly)}
	if f.News {
		action = "fact.edit"
		detail["before"], detail["after"] = summary(before), summary(f)
	}

	return f, tenants.Audit(ctx, tx, tenants.Act{Actor: by, Action: action, ObjectKind: "fact", ObjectID: f.Key, Detail: detail})
}

func summary(f Fact) map[string]string {
	return map[string]string{"value": f.Value, "en": f.TextEN, "hi": f.TextHI}
}

// lock has writers of the ledger wait for each other, so that a Seq never becomes visible after a higher one.
func lock(ctx context.Context, tx *tenants.Tx) error {
	if _, err := tx.ExecContext(ctx, `SELECT pg_advisory_xact_lock(hashtextextended('facts', 0))`); err != nil {
		return fmt.Errorf("lock the ledger: %w", err)
	}

	return nil
}

func insert(ctx context.Context, tx *tenants.Tx, f *Fact) error {
	sources, err := json.Marshal(f.Sources)
	if err != nil {
		return fmt.Errorf("encode sources: %w", err)
	}
	at := &f.At
	if f.At.IsZero() {
		at = nil
	}
	err = tx.QueryRowxContext(ctx, `
		INSERT INTO facts (key, version, topic, country, aspect, kind, value, title_en, title_hi, text_en, text_hi, doubt_en, doubt_hi,
		                   sources, verified_on, expires_on, confidence, dated, news, shipped, by_name, at)
		VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14, $15, $16, $17, $18, $19, $20, $21, coalesce($22, now()))
		RETURNING seq, at`,
		f.Key, f.Version, f.Topic, f.Country, f.Aspect, f.Kind, f.Value, f.TitleEN, f.TitleHI, f.TextEN, f.TextHI, f.DoubtEN, f.DoubtHI,
		string(sources), f.VerifiedOn, f.ExpiresOn, f.Confidence, f.Dated, f.News, f.Shipped, f.By, at).Scan(&f.Seq, &f.At)
	if err != nil {
		return fmt.Errorf("add a version of fact %s: %w", f.Key, err)
	}

	return nil
}

// Reach is whom a change of a fact concerns.
type Reach struct {
	Businesses int `db:"businesses"` // all that see it in what changed
	There      int `db:"there"`      // of them, those with a number of the fact's country; 0 for a fact of the whole world
	People     int `db:"people"`     // members of all businesses, who find it unread
}

// Affected counts, in a System transaction, whom a change of what is said about a country concerns.
func Affected(ctx context.Context, tx *tenants.Tx, country string) (Reach, error) {
	prefix := ""
	if code := phonenumbers.GetCountryCodeForRegion(country); code != 0 {
		prefix = fmt.Sprintf("%d", code)
	}
	var r Reach
	err := tx.GetContext(ctx, &r, `
		SELECT (SELECT count(*) FROM tenants WHERE state NOT IN ('closing', 'erased')) AS businesses,
		       (SELECT count(DISTINCT person_id) FROM memberships) AS people`)
	if err != nil {
		return Reach{}, fmt.Errorf("count whom a fact concerns: %w", err)
	}
	if prefix == "" {
		return r, nil
	}

	var numbers []struct {
		Tenant uuid.UUID `db:"tenant_id"`
		Phone  string    `db:"phone"`
	}
	if err := tx.SelectContext(ctx, &numbers, `
		SELECT tenant_id, regexp_replace(display_phone, '[^0-9]', '', 'g') AS phone FROM number_directory
		WHERE until IS NULL AND ltrim(display_phone, '+') LIKE $1 || '%'`, prefix); err != nil {
		return Reach{}, fmt.Errorf("read numbers with the calling code of %s: %w", country, err)
	}
	// Countries share calling codes: the United States and Canada do.
	there := map[uuid.UUID]bool{}
	for _, n := range numbers {
		if whatsapp.CountryOf(n.Phone) == country {
			there[n.Tenant] = true
		}
	}
	r.There = len(there)

	return r, nil
}
