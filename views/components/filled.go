package components

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

// Value is what was typed into a field.
func (f Filled) Value(name string) string { return f.Values[name] }

// Or is what was typed into a field, and otherwise where the form is fresh.
func (f Filled) Or(name, otherwise string) string {
	if value, typed := f.Values[name]; typed {
		return value
	}
	return otherwise
}

// WhyWrong says what is wrong with a field; empty where nothing is.
func (f Filled) WhyWrong(ctx context.Context, name string) string {
	return Reason(ctx, f.Wrong[name])
}

// WhyFailed says what is wrong with the form as a whole; empty where nothing is.
func (f Filled) WhyFailed(ctx context.Context) string { return Reason(ctx, f.Failed) }

// Reason is a reason, named by invalid.<key> or conflict.<key>, in words; empty for none.
func Reason(ctx context.Context, key string) string {
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
