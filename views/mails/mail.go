// Package mails writes the mails that people who work with the product get, as text and as HTML.
package mails

import (
	"context"
	"strings"

	"github.com/pehchan/pehchan/views/i18n"
)

// Mail is one mail in words: what happened, what to do, and why it came.
type Mail struct {
	Subject string
	Lines   []string // paragraphs
	Items   []Item   // a list after them; may be empty
	Go      string   // words of the button
	Href    string   // where it leads, whole; "" for no button
	Why     string   // why it came
	Leave   string   // page on which to want no more of these; "" where that cannot be
}

// Item is a line of a list.
type Item struct {
	Title, Text, Href string
}

// Text is the mail for a program that shows no HTML.
func (m Mail) Text(ctx context.Context) string {
	b := strings.Builder{}
	para := func(lines ...string) {
		for _, line := range lines {
			if line != "" {
				b.WriteString(line + "\n")
			}
		}
		b.WriteString("\n")
	}
	for _, line := range m.Lines {
		para(line)
	}
	for _, it := range m.Items {
		para("• "+it.Title, it.Text, it.Href)
	}
	if m.Href != "" {
		para(m.Go + ":\n" + m.Href)
	}
	b.WriteString("--\n" + m.Why + "\n")
	if m.Leave != "" {
		b.WriteString(i18n.T(ctx, "mails.leave") + ": " + m.Leave + "\n")
	}
	return b.String()
}
