package changes

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
)

// Fact is one entry of the fact ledger, in the reader's language.
type Fact struct {
	Key        string
	Topic      string // rollout, documents or answers
	Country    string // ISO code; empty for the whole world
	Title      string // may be empty
	Text       string
	Was        string // what it said before; empty for a new fact
	Doubt      string // what speaks against it; may be empty
	Value      string // of a status, one of live, planned, paused, seen, unknown; of a day, 2006-01-02
	Kind       string // text, date or status
	Sources    []Source
	Confidence string // meta, provider, seen, press or none
	Verified   time.Time
	Expires    time.Time // zero for no such day
	Dated      time.Time
	Stale      bool // needs checking
	New        bool // since the reader last marked the page as read
	Replaced   bool // says no longer what holds
	Version    int
	By         string // the operator; empty for what ships with the product
	At         time.Time
	News       bool
}

// Source is where a fact was read.
type Source struct {
	Name string
	URL  string // may be empty
}

// Place is where a fact holds: a country, or everywhere.
func (f Fact) Place(ctx context.Context) string {
	if f.Country == "" {
		return i18n.T(ctx, "changes.world")
	}
	return i18n.Country(ctx, f.Country)
}

// Name is the fact in a line.
func (f Fact) Name() string {
	if f.Title != "" {
		return f.Title
	}
	return f.Text
}

func (f Fact) tone() components.Tone {
	switch {
	case f.Stale || f.Kind != "status":
		return components.Neutral
	case f.Value == "live":
		return components.Good
	case f.Value == "paused":
		return components.Needs
	}
	return components.Info
}

// ValueWords is the value for a list.
func (f Fact) ValueWords(ctx context.Context) string {
	switch f.Kind {
	case "status":
		return i18n.T(ctx, "facts.status_"+f.Value)
	case "date":
		if day, err := time.Parse(time.DateOnly, f.Value); err == nil {
			return i18n.Day(ctx, day)
		}
	}
	return f.Value
}
