package facts

import (
	"context"
	"crypto/sha256"
	"embed"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"time"

	"github.com/pehchan/pehchan/tenants"
)

//go:embed seed/*.json
var shipped embed.FS

// words are a sentence in both languages.
type words struct {
	EN string `json:"en"`
	HI string `json:"hi"`
}

// seed is a fact as the files have it. Sheet names the part of the fact sheet that it restates.
type seed struct {
	Key        string   `json:"key"`
	Sheet      string   `json:"sheet"`
	Country    string   `json:"country"`
	Aspect     string   `json:"aspect"`
	Kind       string   `json:"kind"`
	Value      string   `json:"value"`
	Title      words    `json:"title"`
	Text       words    `json:"text"`
	Doubt      words    `json:"doubt"`
	Sources    []string `json:"sources"` // names in sources.json
	Dated      string   `json:"dated"`
	Expires    string   `json:"expires"`
	Confidence string   `json:"confidence"`
}

// source is where facts were read, and the day of the copy that was read.
type source struct {
	Source
	AsOf string `json:"as_of"`
}

// Shipped reads the facts that the product ships with. The newest of its sources' days is the day a fact was last checked.
func Shipped() ([]Fact, error) {
	sources := map[string]source{}
	if err := readSeed("sources", &sources); err != nil {
		return nil, err
	}

	var list []Fact
	for _, topic := range Topics {
		var seeds []seed
		if err := readSeed(topic, &seeds); err != nil {
			return nil, err
		}
		for _, s := range seeds {
			f, err := s.fact(topic, sources)
			if err != nil {
				return nil, fmt.Errorf("read shipped fact %s: %w", s.Key, err)
			}
			list = append(list, f)
		}
	}

	return list, nil
}

func readSeed(name string, into any) error {
	raw, err := shipped.ReadFile("seed/" + name + ".json")
	if err == nil {
		err = json.Unmarshal(raw, into)
	}
	if err != nil {
		return fmt.Errorf("read shipped %s: %w", name, err)
	}

	return nil
}

func (s seed) fact(topic string, sources map[string]source) (Fact, error) {
	f := Fact{Key: s.Key, Version: 1, News: true, Content: Content{
		Topic: topic, Country: s.Country, Aspect: s.Aspect, Kind: s.Kind, Value: s.Value, TitleEN: s.Title.EN, TitleHI: s.Title.HI,
		TextEN: s.Text.EN, TextHI: s.Text.HI, DoubtEN: s.Doubt.EN, DoubtHI: s.Doubt.HI, Confidence: s.Confidence,
	}}
	var err error
	if f.Dated, err = time.Parse(time.DateOnly, s.Dated); err != nil {
		return Fact{}, fmt.Errorf("read its day: %w", err)
	}
	if s.Expires != "" {
		expires, err := time.Parse(time.DateOnly, s.Expires)
		if err != nil {
			return Fact{}, fmt.Errorf("read its end: %w", err)
		}
		f.ExpiresOn = &expires
	}
	for _, name := range s.Sources {
		known, ok := sources[name]
		if !ok {
			return Fact{}, fmt.Errorf("no source %q", name)
		}
		asOf, err := time.Parse(time.DateOnly, known.AsOf)
		if err != nil {
			return Fact{}, fmt.Errorf("read the day of source %s: %w", name, err)
		}
		if asOf.After(f.VerifiedOn) {
			f.VerifiedOn = asOf
		}
		f.Sources = append(f.Sources, known.Source)
	}
	raw, err := json.Marshal(f.Content)
	if err != nil {
		return Fact{}, fmt.Errorf("encode: %w", err)
	}
	sum := sha256.Sum256(append(raw, s.Dated...))
	f.Shipped = hex.EncodeToString(sum[:8])

	return f, nil
}

// ground is when the first facts of a ledger came: before anybody who reads it.
var ground = time.Unix(0, 0)

// Seed brings the ledger to what the product ships with: a fact that is missing is added, one whose shipped text is newer gets a
// version. What an operator has edited stays as it is. It may run at any time, on any number of machines at once.
func Seed(ctx context.Context, db *tenants.DB) error {
	list, err := Shipped()
	if err != nil {
		return err
	}

	return db.System(ctx, func(tx *tenants.Tx) error {
		if up, err := seeded(ctx, tx, list); err != nil || up {
			return err
		}
		if err := lock(ctx, tx); err != nil {
			return err
		}
		known, err := byKey(ctx, tx)
		if err != nil {
			return err
		}
		for _, f := range list {
			if len(known) == 0 {
				f.At = ground
			}
			before, ok := known[f.Key]
			if ok && (before.Shipped == "" || before.Shipped == f.Shipped) {
				continue
			}
			f.Version, f.News = before.Version+1, before.says() != f.says()
			if err := insert(ctx, tx, &f); err != nil {
				return err
			}
		}

		return nil
	})
}

// seeded tells, without waiting for writers, whether there is nothing to do.
func seeded(ctx context.Context, tx *tenants.Tx, list []Fact) (bool, error) {
	known, err := byKey(ctx, tx)
	if err != nil {
		return false, err
	}
	for _, f := range list {
		if before, ok := known[f.Key]; !ok || before.Shipped != "" && before.Shipped != f.Shipped {
			return false, nil
		}
	}

	return true, nil
}

func byKey(ctx context.Context, tx *tenants.Tx) (map[string]Fact, error) {
	list, err := Current(ctx, tx)
	if err != nil {
		return nil, err
	}
	known := map[string]Fact{}
	for _, f := range list {
		known[f.Key] = f
	}

	return known, nil
}
