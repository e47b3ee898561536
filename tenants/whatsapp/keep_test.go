package whatsapp_test

import (
	"testing"

	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// The changes that are kept are the bytes that were sent, also where a part of one is no JSON; what is left of a delivery can be split.
func TestKeepChangesAsTheyWereSent(t *testing.T) {
	t.Parallel()
	const mine, broken, other = `{ "field":"messages",  "value":{"text":"a<b & c>d"}}`, `{"field":"x","value":[01]}`, `{"field":"messages","value":{"text":"another's"}}`
	body := "\xEF\xBB\xBF" + `{"object":"whatsapp_business_account", "entry":[{"id":"1","time":7,"changes":[` + other + `,` + mine + `]},"odd",{"id":"2","changes":[` +
		other + `]},{"changes":` + broken + `}]}`

	got, kept, err := whatsapp.KeepChanges([]byte(body), func(place string) bool { return place == "0.1" || place == "3.0" })
	want := `{"object":"whatsapp_business_account","entry":[{"id":"1","time":7,"changes":[` + mine + `]},{"changes":[` + broken + `]}]}`
	if err != nil || kept != 2 || string(got) != want {
		t.Errorf("got %s, %d, %v; want %s", got, kept, err, want)
	}
	if items := split(t, got); len(items) != 2 {
		t.Errorf("what is kept gives %d items, want 2", len(items))
	}
	if _, kept, err := whatsapp.KeepChanges([]byte(body), func(string) bool { return false }); kept != 0 || err != nil {
		t.Errorf("nothing kept: %d, %v", kept, err)
	}
	if _, _, err := whatsapp.KeepChanges([]byte(`[]`), func(string) bool { return true }); err == nil {
		t.Error("no envelope: got no error")
	}
}
