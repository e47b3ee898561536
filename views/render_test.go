package views_test

import (
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"github.com/pehchan/pehchan/views/i18n"
)

// render writes component in lang, with times in India, and reads it back.
func render(t *testing.T, lang string, component templ.Component) *goquery.Document {
	t.Helper()
	ctx := i18n.With(t.Context(), lang, time.FixedZone("IST", 5*3600+1800))
	var out strings.Builder
	if err := component.Render(ctx, &out); err != nil {
		t.Fatalf("render: %v", err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(out.String()))
	if err != nil {
		t.Fatalf("read what was rendered: %v", err)
	}
	return doc
}

// find is the one element of doc that carries id as its data-testid.
func find(t *testing.T, doc *goquery.Document, id string) *goquery.Selection {
	t.Helper()
	found := doc.Find(`[data-testid="` + id + `"]`)
	if found.Length() != 1 {
		t.Fatalf("%d elements with data-testid %q, want 1", found.Length(), id)
	}
	return found
}

// text is what a person reads in s, with single spaces.
func text(s *goquery.Selection) string {
	return strings.Join(strings.Fields(s.Text()), " ")
}
