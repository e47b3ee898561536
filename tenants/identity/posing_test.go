package identity_test

import (
	"testing"

	"github.com/pehchan/pehchan/tenants/identity"
)

func TestPosing(t *testing.T) {
	t.Parallel()
	for name, want := range map[string]bool{
		"Asha Verma": false, "आशा वर्मा": false, "Ашот": false, "Αλέξης": false, "O'Brien": false, "राहुल 🚀": false, "R2D2": false, "🙂": false, "": false,
		"Priya\u200d": false, "Zoë": false, "Gas wala": false, "Meta Sharma": false,
		"Padmini": false, "Padmini Rao": false, "Badminton Club": false, "Supportive": false, "Radmin": false, "A B Verma": false, "Nisha Port": false,
		"admin": true, "Asha-Support": true, "ashasupport": true, "support24": true, "Help Desk": true, "customer_care": true, "W h a t s A p p": true,
		"Support": true, "SUPPORT team": true, "Ѕuррort": true, "Ｓｕｐｐｏｒｔ": true, "S u p p o r t": true, "5upp0rt": true, "Su\u200bpport": true, "S\u0336u\u0336pport": true,
		"Bhopal Gas": true, "bhopal_gas 2": true, "Bh0pal Gаs": true, "WhatsApp": true, "कस्टमर केयर": true, "Аsha": true, "\u202etroppus": true, "Asha\u2066x": true,
	} {
		if got := identity.Posing(name, "Bhopal Gas"); got != want {
			t.Errorf("%q: got %v, want %v", name, got, want)
		}
	}
	if identity.Posing("Ravindra", "Ravi") || identity.Posing("Ravi", "") {
		t.Error("a business with a short name makes every name look like it")
	}
}
