package e2e_test

import (
	"regexp"
	"testing"

	printing "github.com/chromedp/cdproto/page"
	"github.com/chromedp/chromedp"
)

var sheet = regexp.MustCompile(`/Type\s*/Page[^s]`)

// The month prints on one sheet of A4, in either language, and without what stands round the page on a screen.
func TestTheMonthPrintsOnOneSheet(t *testing.T) {
	t.Parallel()
	w := newWorld(t)
	b := w.tab(t, wide)
	b.signIn("Asha")
	for _, lang := range []string{"en", "hi"} {
		b.speak(lang)
		b.open("/reports/monthly")
		b.see("reached", "saved")
		printed, err := chromedp.Call(b.ctx, printing.PrintToPDF, printing.PrintToPDFParams{PaperWidth: 8.27, PaperHeight: 11.69})
		if err != nil {
			t.Fatal(err)
		}
		if n := len(sheet.FindAll(printed.Data, -1)); n != 1 {
			t.Errorf("in %s: got %d sheets, want 1", lang, n)
		}
	}
}
