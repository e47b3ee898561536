package pages

import (
	"context"
	"time"

	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Talk is the conversation with one person, over all accounts that are theirs. That no answer is needed is posted to
// /inbox/{id}/done (done=yes|no).
type Talk struct {
	Frame      layout.Frame
	Now        time.Time
	Who        Someone
	MergedFrom bool   // asked for by the id of somebody who is part of this contact now
	Lines      []Line // oldest first
	Older      string // address of what was said before, empty where these are all
	Paged      bool   // what was said before, which is added to the newest
	Waiting    bool   // somebody waits for an answer
	CanAnswer  bool
}

// Line is one entry of a conversation.
type Line struct {
	At   time.Time
	Said *Said
}

func (p Talk) href() string { return "/inbox/" + p.Who.ID }

func (p Talk) title(ctx context.Context) string { return p.Who.label(ctx) }

// day is the day of a line, where it is another than that of the line before.
func (p Talk) day(ctx context.Context, n int) string {
	day := i18n.Date(ctx, p.Lines[n].At)
	if n > 0 && i18n.Date(ctx, p.Lines[n-1].At) == day {
		return ""
	}
	return day
}
