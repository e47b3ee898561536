package phonefree_test

import (
	"encoding/json"
	"os"
	"path/filepath"
	"regexp"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

func open(t *testing.T) *secrets.Keyring {
	t.Helper()
	keys, err := secrets.Open(filepath.Join(t.TempDir(), "k"))
	if err != nil {
		t.Fatal(err)
	}

	return keys
}

func TestTokens(t *testing.T) {
	t.Parallel()
	keys, asha, ravi := open(t), uuid.New(), uuid.New()
	h := phonefree.For(keys, asha)

	token := h.Phone("919800000101")
	if !regexp.MustCompile(`^p:[a-z2-7]{26}$`).MatchString(token) || !whatsapp.IsHiddenPhone(token) {
		t.Errorf("want a token, got %q", token)
	}
	if again := phonefree.For(keys, asha).Phone("919800000101"); again != token {
		t.Errorf("want the same token for the same phone, got %q and %q", token, again)
	}
	for name, other := range map[string]string{
		"another phone":      h.Phone("919800000102"),
		"another tenant":     phonefree.For(keys, ravi).Phone("919800000101"),
		"another master key": phonefree.For(open(t), asha).Phone("919800000101"),
	} {
		if other == token {
			t.Errorf("%s: want another token", name)
		}
	}
	for name, twice := range map[string][2]string{
		"phone": {h.Phone(token), token}, "wamid": {h.WAMID(h.WAMID("wamid.X")), h.WAMID("wamid.X")}, "group": {h.Group(h.Group("g")), h.Group("g")},
		"no phone": {h.Phone(""), ""}, "no wamid": {h.WAMID(""), ""}, "no group": {h.Group(""), ""}, "no digest": {h.Digest(""), ""},
	} {
		if twice[0] != twice[1] {
			t.Errorf("%s: want %q, got %q", name, twice[1], twice[0])
		}
	}
}

func TestEventKeepsNoPhone(t *testing.T) {
	t.Parallel()
	files, err := filepath.Glob("../whatsapp/testdata/*.json")
	if err != nil || len(files) < 100 {
		t.Fatalf("found %d payloads, %v", len(files), err)
	}
	h := phonefree.For(open(t), uuid.New())
	phone := regexp.MustCompile(`(?:919800000|213550000|573000000|5511|52155|5491)\d{3,}`)
	digest := regexp.MustCompile(`"p:[0-9a-f]{64}"`) // of the key of this run: any digits may stand in it
	for _, file := range files {
		body, err := os.ReadFile(file)
		if err != nil {
			t.Fatal(err)
		}
		items, err := whatsapp.Split(body)
		if err != nil {
			continue // whole deliveries are stored encrypted and shown to nobody
		}
		for _, item := range items {
			e, err := whatsapp.ParseEvent(item.Kind, item.Body)
			if err != nil {
				continue
			}
			hidden := h.Event(e, nil)
			got, err := json.Marshal(hidden)
			if err != nil {
				t.Fatal(err)
			}
			told := digest.ReplaceAllString(strings.ReplaceAll(string(got), item.DisplayPhone, ""), "")
			if leak := phone.FindString(told); leak != "" {
				t.Errorf("%s %s: holds %s in %s", filepath.Base(file), item.Position, leak, got)
			}
			if hidden.Party.BSUID != e.Party.BSUID || hidden.Party.Parent != e.Party.Parent || (hidden.Party.Phone == "") != (e.Party.Phone == "") {
				t.Errorf("%s %s: want the same ids, got %+v of %+v", filepath.Base(file), item.Position, hidden.Party, e.Party)
			}
		}
	}
}

func TestKeptPhonesStay(t *testing.T) {
	t.Parallel()
	h := phonefree.For(open(t), uuid.New())
	e := whatsapp.Event{Party: whatsapp.Party{Phone: "919800000101", PhoneRaw: "+919800000101"}, Text: "919800000101"}
	got := h.Event(e, func(phone string) bool { return phone == "919800000101" })
	if got.Party != e.Party || got.Text != whatsapp.HiddenMark {
		t.Errorf("want the address in clear and the words masked, got %+v", got)
	}
}

func TestSealedItems(t *testing.T) {
	t.Parallel()
	keys, asha, ravi := open(t), uuid.New(), uuid.New()
	for _, owner := range []uuid.UUID{asha, uuid.Nil} {
		sealed, err := phonefree.Seal(keys, owner, []byte("919800000101"))
		if err != nil || strings.Contains(string(sealed), "9198") {
			t.Fatalf("want nothing to be read, got %q, %v", sealed, err)
		}
		if body, err := phonefree.Open(keys, asha, sealed); err != nil || string(body) != "919800000101" {
			t.Errorf("want the bytes back, got %q, %v", body, err)
		}
		if _, err := phonefree.OpenDelivery(keys, sealed); err == nil {
			t.Error("want an item not to open as a delivery")
		}
	}
	sealed, err := phonefree.Seal(keys, asha, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := phonefree.Open(keys, ravi, sealed); err == nil {
		t.Errorf("another tenant: want nothing, got %q", body)
	}
	whole, err := phonefree.SealDelivery(keys, []byte("x"))
	if err != nil {
		t.Fatal(err)
	}
	if body, err := phonefree.OpenDelivery(keys, whole); err != nil || string(body) != "x" {
		t.Errorf("want the delivery back, got %q, %v", body, err)
	}
}
