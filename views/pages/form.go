// Package pages draws whole pages. Each file holds one page: the struct with
// everything it shows, decided and masked beforehand, and its template.
package pages

import (
	"context"

	"github.com/pehchan/pehchan/views/i18n"
)

// Filled is a form that came back: what was typed, and what was wrong with
// it. The zero value is a fresh form. Secrets are never filled in again.
type Filled struct {
	Values map[string]string // by field name
	Wrong  map[string]string // by field name: the reason, named by invalid.<reason>
	Failed string            // the form as a whole: the reason, named by conflict.<reason> or invalid.<reason>
}

func (f Filled) value(name string) string { return f.Values[name] }

func (f Filled) or(name, otherwise string) string {
	if value, typed := f.Values[name]; typed {
		return value
	}
	return otherwise
}

func (f Filled) wrong(ctx context.Context, name string) string {
	return reason(ctx, f.Wrong[name])
}

func (f Filled) failed(ctx context.Context) string { return reason(ctx, f.Failed) }

func reason(ctx context.Context, key string) string {
	if key == "" {
		return ""
	}
	for _, family := range []string{"invalid.", "conflict."} {
		if i18n.Known(family + key) {
			return i18n.T(ctx, family+key)
		}
	}
	return i18n.T(ctx, "invalid.other")
}
