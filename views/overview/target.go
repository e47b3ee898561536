package overview

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/i18n"
)

// Target is how far the business is from knowing every contact by a WhatsApp ID on the day that it chose.
type Target struct {
	By             time.Time
	Days           int // until it, negative where it is over
	All, Known     int64
	Phone, Neither int64 // of whom a phone alone is known, and not even that
	PerWeek        int64 // how many must become known in each week that is left
}

func (t Target) left() int64 { return t.Phone + t.Neither }

func (t Target) when(ctx context.Context) string {
	switch day := i18n.Day(ctx, t.By); {
	case t.Days < 0:
		return i18n.T(ctx, "target.past", "date", day)
	case t.Days == 0:
		return i18n.T(ctx, "target.today", "date", day)
	default:
		return i18n.N(ctx, "target.left", t.Days, "date", day)
	}
}

func (t Target) coverage(ctx context.Context) string {
	switch {
	case t.All == 0:
		return i18n.T(ctx, "target.nobody")
	case t.left() == 0:
		return i18n.T(ctx, "target.done")
	}
	return i18n.N(ctx, "target.coverage", int(t.left()), "known", t.Known, "all", t.All, "share", i18n.Percent(ctx, t.Known, t.All))
}

// Sentence is the target in one line, for the home page.
func (t Target) Sentence(ctx context.Context) string { return t.when(ctx) + " " + t.coverage(ctx) }
