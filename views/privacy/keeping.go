package privacy

import (
	"context"
	"slices"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/layout"
)

// Hold is that nothing is let go for its age.
type Hold struct {
	Reason, By string
	At         time.Time
}

// KeepingPreview is what would go if things were kept as chosen.
type KeepingPreview struct {
	Frame   layout.Frame
	Keeping []Keeping // as chosen
	Going   []Going
	Held    bool
	Word    string // typed to confirm
	Form    components.Filled
}

// Going is how many things of a class are older than they are to be kept; Most: that many or more.
type Going struct {
	Class  string
	Days   int
	N      int
	Most   bool
	Oldest time.Time
}

func (p KeepingPreview) any() bool {
	return slices.ContainsFunc(p.Going, func(g Going) bool { return g.N > 0 })
}

func (p KeepingPreview) answer(ctx context.Context) string {
	if p.any() {
		return i18n.T(ctx, "keeping.sure_some")
	}

	return i18n.T(ctx, "keeping.sure_none")
}

func (g Going) text(ctx context.Context) string {
	older := i18n.N(ctx, "keeping.older", g.Days)
	switch {
	case g.N == 0:
		return older + ": " + i18n.T(ctx, "keeping.go_none")
	case g.Most:
		return older + ": " + i18n.N(ctx, "keeping.go_most", g.N, "day", i18n.Date(ctx, g.Oldest))
	}

	return older + ": " + i18n.N(ctx, "keeping.go_some", g.N, "day", i18n.Date(ctx, g.Oldest))
}
