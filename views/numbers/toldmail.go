package numbers

import (
	"context"

	"github.com/pehchan/pehchan/views/i18n"
	"github.com/pehchan/pehchan/views/mails"
)

// ToldMail is what an owner is told of a notice by mail. number is how the number it is about is called, "" for the whole account.
func ToldMail(ctx context.Context, n Told, business, number, href string) mails.Mail {
	m := mails.Mail{Subject: business + ": " + n.text(ctx), Go: i18n.T(ctx, "mails.go"), Href: href, Why: i18n.T(ctx, "mails.why_alerts", "business", business)}
	if number != "" {
		m.Lines = append(m.Lines, i18n.T(ctx, "mails.about", "number", number))
	}
	for _, line := range []string{n.more(ctx), n.todo(ctx)} {
		if line != "" {
			m.Lines = append(m.Lines, line)
		}
	}
	return m
}

// todo is what an owner does about it.
func (n Told) todo(ctx context.Context) string {
	if n.Field == "account_update" {
		return i18n.T(ctx, "told.trouble_do")
	}
	return i18n.T(ctx, "mails.do_"+n.Field)
}
