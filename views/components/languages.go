package components

import (
	"context"

	"github.com/pehchan/pehchan/views/i18n"
)

// LanguageOptions are the two languages, before them the business's own where somebody may leave it to that.
func LanguageOptions(ctx context.Context, withDefault bool) []Option {
	options := []Option{{Value: "en", Label: "English", Lang: "en"}, {Value: "hi", Label: "हिन्दी", Lang: "hi"}}
	if withDefault {
		options = append([]Option{{Value: "", Label: i18n.T(ctx, "settings.as_business")}}, options...)
	}
	return options
}
