package changes

import (
	"context"

	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/mails"
)

// Digest is the weekly mail: what changed, of which news are the newest and
// all how much. href is where everything stands; "" for no link.
func Digest(ctx context.Context, news []Fact, all int, business, href string) mails.Mail {
	m := mails.Mail{
		Subject: i18n.N(ctx, "digest.subject", all), Lines: []string{i18n.N(ctx, "digest.intro", all)},
		Go: i18n.T(ctx, "digest.go"), Href: href, Why: i18n.T(ctx, "mails.why_alerts", "business", business),
	}
	for _, f := range news {
		item := mails.Item{Title: f.Place(ctx) + ": " + f.Name(), Text: f.Text}
		if f.Title == "" {
			item = mails.Item{Title: f.Text}
		}
		if f.Doubt != "" {
			item.Text += " " + i18n.T(ctx, "facts.doubt") + " " + f.Doubt
		}
		if f.Stale {
			item.Text += " (" + i18n.T(ctx, "facts.stale_since", "date", i18n.Day(ctx, f.Verified)) + ")"
		}
		m.Items = append(m.Items, item)
	}
	if rest := all - len(news); rest > 0 {
		m.Lines = append(m.Lines, i18n.N(ctx, "digest.more", rest))
	}
	return m
}
