package whatsapp_test

import (
	"testing"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func TestMaskPhones(t *testing.T) {
	t.Parallel()
	const gone = whatsapp.HiddenMark
	for text, want := range map[string]string{
		"":                                  "",
		"Is my order 4471 on the way?":      "Is my order 4471 on the way?",
		"call 98000 00101 please":           "call " + gone + " please",
		"+91 98000-00101":                   gone,
		"(+91) 98000.00101!":                "(" + gone + "!",
		"0091 98000 00101":                  gone,
		"९८००००० १०१":                       gone,
		"9 8 0 0 0 0 0 1 0 1":               gone,
		"9800000101, 9800000102":            gone,
		"no9800000101x":                     "no" + gone + "x",
		"9\u200b8000\u00a000101":            gone,
		"+2901234":                          gone, // seven digits after a plus
		"2901234":                           "2901234",
		"on 22-11-2026 at 5":                "on 22-11-2026 at 5",
		"2026-11-22 14:30":                  "2026-11-22 14:30",
		"22/11/2026 9800000101":             "22/11/2026 " + gone,
		"Rs 12,34,567.50":                   "Rs 12,34,567.50",
		"$1,234,567":                        "$1,234,567",
		"9,80,00,00,101":                    gone, // too long for a sum
		"I am IN.7704418820035512":          "I am IN.7704418820035512",
		"I am IN.9800000101":                "I am IN." + gone, // too short for an ID of WhatsApp's
		"re wamid.HBgMOTE5ODAwMDAwMTAxFQIA": "re " + gone,
		"https://wa.me/919800000101?text=x": "https://wa.me/" + gone + "?text=x",
	} {
		if got := whatsapp.MaskPhones(text); got != want {
			t.Errorf("%q: want %q, got %q", text, want, got)
		}
	}
}

func TestMaskContent(t *testing.T) {
	t.Parallel()
	token := func(string) string { return "wamid.token" }
	for raw, want := range map[string]string{
		`{"id":"1234567890123456","mime_type":"image/jpeg","sha256":"a12345678901=","url":"https://x/?mid=1234567890","caption":"9800000101"}`: `{"caption":"••••••","id":"1234567890123456","mime_type":"image/jpeg","sha256":"a12345678901=","url":"https://x/?mid=••••••"}`,
		`[{"name":{"formatted_name":"R 9800000101"},"phones":[{"phone":"+91 98","wa_id":"9198","type":"CELL"}],"vcard":"BEGIN"}]`:              `[{"name":{"formatted_name":"R ••••••"},"phones":[{"phone":"••••••","type":"CELL","wa_id":"••••••"}],"vcard":"••••••"}]`,
		`{"latitude":12.97160001,"longitude":77.59460001,"n":919800000101}`:                                                                    `{"latitude":12.97160001,"longitude":77.59460001,"n":"••••••"}`,
		`{"message_id":"wamid.HBgM","919800000101":true,"id":"919800000101"}`:                                                                  `{"id":"••••••","message_id":"wamid.token","••••••":true}`,
		`nonsense`: ``,
		``:         ``,
	} {
		if got := string(whatsapp.MaskContent([]byte(raw), token)); got != want {
			t.Errorf("%s: want %s, got %s", raw, want, got)
		}
	}
}
