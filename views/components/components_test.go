package components_test

import (
	"strings"
	"testing"
	"time"

	"github.com/PuerkitoBio/goquery"
	"github.com/a-h/templ"

	"github.com/pehchan/pehchan/views/components"
	"github.com/pehchan/pehchan/views/i18n"
)

func render(t *testing.T, lang string, component templ.Component) *goquery.Selection {
	t.Helper()
	var out strings.Builder
	if err := component.Render(i18n.With(t.Context(), lang, nil), &out); err != nil {
		t.Fatalf("render: %v", err)
	}
	doc, err := goquery.NewDocumentFromReader(strings.NewReader(out.String()))
	if err != nil {
		t.Fatalf("read what was rendered: %v", err)
	}
	return doc.Find("body")
}

func TestHandles(t *testing.T) {
	t.Parallel()
	for _, c := range []struct{ what, got, want string }{
		{"masked, India", components.MaskPhone("919800000480"), "+91 •••••• 0480"},
		{"masked, with plus", components.MaskPhone("+12025550123"), "+1 •••••• 0123"},
		{"masked, three-digit country", components.MaskPhone("9715012345678"), "+971 •••••• 5678"},
		{"masked, too short to show any of", components.MaskPhone("91980"), "••••••"},
		{"clear", components.ClearPhone("919800000480"), "+91 98000 00480"},
		{"WhatsApp ID", components.ShortID("IN.16487704418820035512"), "IN.1648…5512"},
		{"parent WhatsApp ID", components.ShortID("IN.ENT.16487704418820035512"), "IN.ENT.1648…5512"},
		{"short WhatsApp ID", components.ShortID("IN.1648"), "IN.1648"},
	} {
		if c.got != c.want {
			t.Errorf("%s: got %q, want %q", c.what, c.got, c.want)
		}
	}
}

func TestInitials(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]string{
		"Asha Verma": "AV", "meera": "M", "राजेश कुमार": "रा", "जोसेफ़": "जो", "": "", "🌸": "", "José (shop)": "JS", "Ravi मोटर्स": "R",
		"प्रभाकरन": "प्र", "श्रीमती स्मिता जी": "स्मि", "क्ष्मा": "क्ष्मा", "Ramesh ji": "R", "Dr. Asha Verma ji": "AV", "Ji": "J", "ज्\u200dयोति": "ज्\u200dयो",
	} {
		if got := components.Initials(name); got != want {
			t.Errorf("Initials(%q) = %q, want %q", name, got, want)
		}
	}
}

func TestFormCarriesTokenAndOnceKey(t *testing.T) {
	t.Parallel()
	form := components.Form("/team", "token-1", nil)
	first, second := render(t, "en", form), render(t, "en", form)
	if got := first.Find("input[name=_csrf]").AttrOr("value", ""); got != "token-1" {
		t.Errorf("_csrf = %q, want token-1", got)
	}
	a, b := first.Find("input[name=_once]").AttrOr("value", ""), second.Find("input[name=_once]").AttrOr("value", "")
	if len(a) < 26 || a == b {
		t.Errorf("_once = %q and %q, want two different keys", a, b)
	}
	if got := first.Find("form").AttrOr("method", ""); got != "post" {
		t.Errorf("method = %q, want post", got)
	}
}

func TestFieldSaysWhatIsWrongInWords(t *testing.T) {
	t.Parallel()
	page := render(t, "hi", components.Field(components.FieldOptions{Name: "email", Label: "ईमेल", Help: "मदद", Error: "यह ईमेल पूरा नहीं है।", Value: "x@"}))
	input := page.Find("input")
	if input.AttrOr("aria-invalid", "") != "true" {
		t.Error("field is not marked invalid")
	}
	for id := range strings.FieldsSeq(input.AttrOr("aria-describedby", "")) {
		if page.Find("#"+id).Length() != 1 {
			t.Errorf("described by #%s, which is not there", id)
		}
	}
	if got := page.Find("label").AttrOr("for", ""); got != input.AttrOr("id", "-") {
		t.Errorf("label is for %q, want the field", got)
	}
}

func TestSayMarksUpAPartWithoutCuttingTheSentence(t *testing.T) {
	t.Parallel()
	for lang, want := range map[string]string{
		"en": "Send “hi” on WhatsApp to <script> from any other phone.",
		"hi": "किसी दूसरे फ़ोन से WhatsApp पर <script> को “hi” भेजें।",
	} {
		page := render(t, lang, components.Say("numbers.first_text", components.Slots{"number": components.Name("<script>")}))
		if got := page.Text(); !strings.Contains(got, want) {
			t.Errorf("%s: got %q, want it to hold %q", lang, got, want)
		}
		if page.Find("bdi").Length() != 1 {
			t.Errorf("%s: the name is not isolated", lang)
		}
	}
}

func TestAgoCarriesTheExactTime(t *testing.T) {
	t.Parallel()
	now := time.Date(2026, 7, 5, 12, 0, 0, 0, time.UTC)
	at := render(t, "en", components.Ago(now.Add(-2*time.Hour), now)).Find("time")
	if got := at.AttrOr("title", ""); got != "5 Jul 2026, 10:00:00 am UTC" {
		t.Errorf("title = %q", got)
	}
	if got := at.Find(".screen-only").Text(); got != "2 hours ago" {
		t.Errorf("text = %q, want 2 hours ago", got)
	}
}

func TestTierMarksNeverRelyOnColour(t *testing.T) {
	t.Parallel()
	for tier, want := range map[string]string{
		components.TierA: "✔ WhatsApp itself shows it", components.TierB: "+ Strong sign", components.TierC: "~ Only a hint", components.TierX: "− Against",
	} {
		mark := render(t, "en", components.TierMark(tier))
		got := mark.Find(".sign").Text() + " " + strings.TrimPrefix(mark.Text(), mark.Find(".sign").Text())
		if got != want {
			t.Errorf("tier %s reads %q, want %q", tier, got, want)
		}
	}
}

func TestMaskedIdentifierCannotBeCopied(t *testing.T) {
	t.Parallel()
	masked := render(t, "en", components.Identifier(components.IdentifierOptions{Kind: "phone", Shown: "+91 •••••• 0480"}))
	if masked.Find("[data-copy]").Length() != 0 {
		t.Error("a masked phone has a copy button")
	}
	open := render(t, "en", components.Identifier(components.IdentifierOptions{Kind: "bsuid", Shown: "IN.1648…5512", Full: "IN.16487704418820035512"}))
	if got := open.Find("[data-copy]").AttrOr("data-copy", ""); got != "IN.16487704418820035512" {
		t.Errorf("copies %q, want the exact value", got)
	}
}
