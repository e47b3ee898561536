package numbers

import (
	"context"
	"net/url"
	"strconv"
	"time"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
)

// keepHours are how long the old secrets of an app may stay valid.
var keepHours = []int{1, 24, 72, 168}

func keepOptions(ctx context.Context) []components.Option {
	var options []components.Option
	for _, hours := range keepHours {
		options = append(options, components.Option{Value: strconv.Itoa(hours), Label: i18n.Span(ctx, time.Duration(hours)*time.Hour)})
	}
	return options
}

// confirmFirst leads through the question whether it is still them, and back to the page.
func confirmFirst(next string) string { return "/confirm?" + url.Values{"next": {next}}.Encode() }

// addWrong and rotateWrong tell apart the two kinds of form on the page, which
// share names of fields.
func (p Apps) addWrong(ctx context.Context, field string) string {
	if p.Rotating != "" {
		return ""
	}
	return p.Form.WhyWrong(ctx, field)
}

func (p Apps) rotateWrong(ctx context.Context, app, field string) string {
	if p.Rotating != app {
		return ""
	}
	return p.Form.WhyWrong(ctx, field)
}
