package identity_test

import (
	"fmt"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/secrets"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// coded is a world in which codes are known.
type coded struct {
	*world
	keys *secrets.Keyring
	key  identity.CodeKey
}

// codedWorld has Asha, who wrote from her phone yesterday, before WhatsApp sent ids.
func codedWorld(t *testing.T) *coded {
	t.Helper()
	w := freshWorld(t)
	keys, err := secrets.Open(filepath.Join(t.TempDir(), "master.key"))
	if err != nil {
		t.Fatal(err)
	}
	at, _ := today(-24 * time.Hour)
	w.feed(event{at: at, wamid: "a", phone: ashaPhone, name: "Asha Verma"})

	return &coded{w, keys, identity.NewCodeKey(keys, w.tenant)}
}

// today is a time from now on the clock of the story.
func today(later time.Duration) (at, minute int64) {
	s := time.Now().Add(later).Unix() - storyStart
	return s / 86400, s%86400/60 + 1
}

func (w *coded) makes(kind string) identity.Code {
	w.t.Helper()
	var made identity.Code
	w.as(func(tx *tenants.Tx) (err error) {
		made, err = identity.MakeCode(w.t.Context(), tx, w.key, meera, w.whois(whatsapp.KindPhone, ashaPhone).ID, ashaPhone, kind)
		return err
	})

	return made
}

// sends is a text of somebody, a while from now.
func (w *coded) sends(later time.Duration, e event) {
	w.t.Helper()
	e.at, e.minute = today(later)
	e.wamid = fmt.Sprint("c-", w.items)
	w.feedCoded(w.parse(e))
}

func (w *coded) feedCoded(seen ...identity.Seen) {
	w.t.Helper()
	for i := range seen {
		seen[i].ReceivedAt = time.Now()
		seen[i].Codes = w.key.In(seen[i].Event)
	}
	w.feedSeen(seen)
}

// sign is the tier and kind of what the case of somebody says for Asha, "" where it names nobody.
func (w *coded) sign(bsuid string) string {
	w.t.Helper()
	var found string
	w.as(func(tx *tenants.Tx) error {
		id, err := identity.OpenCase(w.t.Context(), tx, w.whois(whatsapp.KindBSUID, bsuid).ID)
		if err != nil || id == uuid.Nil {
			return err
		}
		k, err := identity.GetCase(w.t.Context(), tx, id)
		for _, c := range k.Candidates {
			for _, r := range c.Reasons {
				found += r.Tier + " " + r.Code
			}
		}
		return err
	})

	return found
}

func (w *coded) wrong(bsuid string) (n int) {
	w.t.Helper()
	c := w.whois(whatsapp.KindBSUID, bsuid)
	w.as(func(tx *tenants.Tx) (err error) { n, err = identity.WrongCodes(w.t.Context(), tx, c); return err })

	return n
}

// TestCodeLinksWhereTheOwnerAllowsIt is matching.md A8: single-use, at most 24 hours, at least 40 bits; shadow first.
func TestCodeLinksWhereTheOwnerAllowsIt(t *testing.T) {
	t.Parallel()
	w := codedWorld(t)
	code := w.makes(identity.CodeOnce)
	if len(code.Text) != 14 || code.ExpiresAt == nil || code.ExpiresAt.Sub(code.MadeAt) != 24*time.Hour {
		t.Fatalf("made %+v", code)
	}
	w.sends(time.Minute, event{bsuid: ashaID, name: "Asha", text: "namaste, " + strings.ToLower(code.Text) + " here"})
	if got := w.sign(ashaID); got != "A link_code" {
		t.Errorf("the case says %q, want A link_code", got)
	}
	if w.together(ashaPhone, ashaID) {
		t.Fatal("a rule that only watches has linked")
	}
	w.turnOn("link_code")
	if !w.together(ashaPhone, ashaID) {
		t.Fatal("switched on, the rule links nothing")
	}
	asha := w.whois(whatsapp.KindPhone, ashaPhone)
	if links := w.links(asha.ID); len(links) != 1 || links[0].Rule != "link_code" {
		t.Errorf("journal %+v, want one link by rule link_code", links)
	}
	w.as(func(tx *tenants.Tx) error {
		list, err := identity.CodesOf(t.Context(), tx, asha)
		if len(list) != 1 || list[0].Live || list[0].UsedAt == nil || list[0].UsedBy == nil || *list[0].UsedBy != asha.ID || list[0].MadeBy != "Meera" || list[0].Text != "" {
			t.Errorf("codes are %+v, want one, used", list)
		}
		var plain int
		if err := tx.Get(&plain, `SELECT count(*) FROM link_codes c WHERE c::text LIKE '%' || $1 || '%'`, strings.ReplaceAll(code.Text, "-", "")); err != nil || plain != 0 {
			t.Errorf("%d rows hold the code itself, %v", plain, err)
		}
		return err
	})
}

func TestWhatIsNoCodeThatCounts(t *testing.T) {
	t.Parallel()
	const other = "IN.77"
	for _, c := range []struct {
		name  string
		then  func(w *coded, code identity.Code)
		want  string // of ashaID
		wrong int
	}{
		{"read with spaces", func(w *coded, code identity.Code) {
			w.sends(time.Minute, event{bsuid: ashaID, text: strings.ReplaceAll(code.Text, "-", " ")})
		}, "A link_code", 0},
		{"read without lines", func(w *coded, code identity.Code) {
			w.sends(time.Minute, event{bsuid: ashaID, text: strings.ReplaceAll(code.Text, "-", "")})
		}, "A link_code", 0},
		{"used before by somebody else", func(w *coded, code identity.Code) {
			w.sends(time.Minute, event{bsuid: other, text: code.Text})
			w.sends(2*time.Minute, event{bsuid: ashaID, text: code.Text})
		}, "", 1},
		{"two at once: the first", func(w *coded, code identity.Code) {
			at, minute := today(time.Minute)
			mine := w.parse(event{at: at, minute: minute, wamid: "x", bsuid: ashaID, text: code.Text})
			theirs := w.parse(event{at: at, minute: minute + 1, wamid: "y", bsuid: other, text: code.Text})
			w.feedCoded(theirs, mine)
			if got := w.sign(other); got != "" {
				w.t.Errorf("the second has %q", got)
			}
		}, "A link_code", 0},
		{"sent once more by the same", func(w *coded, code identity.Code) {
			w.sends(time.Minute, event{bsuid: ashaID, text: code.Text})
			w.sends(2*time.Minute, event{bsuid: ashaID, text: code.Text})
		}, "A link_code", 1},
		{"delivered twice", func(w *coded, code identity.Code) {
			at, minute := today(time.Minute)
			one := w.parse(event{at: at, minute: minute, wamid: "x", bsuid: ashaID, text: code.Text})
			again := one
			again.ItemID += 1000
			w.feedCoded(one)
			w.feedCoded(again)
			w.feedCoded(one, again)
		}, "A link_code", 0},
		{"expired", func(w *coded, code identity.Code) {
			w.sends(25*time.Hour, event{bsuid: ashaID, text: code.Text})
		}, "", 1},
		{"written before it was made", func(w *coded, code identity.Code) {
			w.sends(-time.Hour, event{bsuid: ashaID, text: code.Text})
		}, "", 1},
		{"taken back", func(w *coded, code identity.Code) {
			w.as(func(tx *tenants.Tx) error {
				return identity.RevokeCode(w.t.Context(), tx, meera, w.whois(whatsapp.KindPhone, ashaPhone).ID, code.ID)
			})
			w.sends(time.Minute, event{bsuid: ashaID, text: code.Text})
		}, "", 1},
		{"replaced by a new one", func(w *coded, code identity.Code) {
			w.makes(identity.CodeOnce)
			w.sends(time.Minute, event{bsuid: ashaID, text: code.Text})
		}, "", 1},
		{"from somebody who shows another phone", func(w *coded, code identity.Code) {
			w.sends(time.Minute, event{bsuid: other, phone: "919800000999", text: code.Text})
			w.sends(2*time.Minute, event{bsuid: ashaID, text: code.Text})
		}, "", 1},
		{"one letter off", func(w *coded, code identity.Code) {
			last := "A"
			if strings.HasSuffix(code.Text, last) {
				last = "B"
			}
			w.sends(time.Minute, event{bsuid: ashaID, text: code.Text[:13] + last})
		}, "", 0}, // not even of the form
		{"guessed too often", func(w *coded, code identity.Code) {
			for i := range 5 {
				wrong := w.makes(identity.CodeOnce) // replaces the one before
				w.sends(time.Duration(i+1)*time.Minute, event{bsuid: ashaID, text: code.Text})
				code = wrong
			}
			w.sends(10*time.Minute, event{bsuid: ashaID, text: code.Text}) // this one is good
		}, "", 6},
		{"guessed too often, a day ago", func(w *coded, code identity.Code) {
			for i := range 5 {
				next := w.makes(identity.CodeOnce)
				w.sends(time.Duration(i+1)*time.Minute-30*time.Hour, event{bsuid: ashaID, text: code.Text})
				code = next
			}
			w.sends(time.Minute, event{bsuid: ashaID, text: code.Text})
		}, "A link_code", 5},
		{"somebody else guessed", func(w *coded, code identity.Code) {
			old := code
			for i := range 6 {
				code = w.makes(identity.CodeOnce)
				w.sends(time.Duration(i+1)*time.Minute, event{bsuid: other, text: old.Text})
			}
			w.sends(10*time.Minute, event{bsuid: ashaID, text: code.Text})
		}, "A link_code", 0},
	} {
		t.Run(c.name, func(t *testing.T) {
			t.Parallel()
			w := codedWorld(t)
			c.then(w, w.makes(identity.CodeOnce))
			if got := w.sign(ashaID); got != c.want {
				t.Errorf("the case says %q, want %q", got, c.want)
			}
			if got := w.wrong(ashaID); got != c.wrong {
				t.Errorf("%d wrong codes counted, want %d", got, c.wrong)
			}
		})
	}
}

// TestPrintedCodeIsAStrongSignAtMost: a code on a bill lies about (matching.md A8: printed bill → B).
func TestPrintedCodeIsAStrongSignAtMost(t *testing.T) {
	t.Parallel()
	w := codedWorld(t)
	w.turnOn("link_code")
	code := w.makes(identity.CodePrinted)
	if code.ExpiresAt != nil {
		t.Errorf("a printed code ends %v", code.ExpiresAt)
	}
	w.sends(time.Minute, event{bsuid: ashaID, text: code.Text})
	w.sends(40*24*time.Hour, event{bsuid: "IN.77", text: code.Text})
	for _, id := range []string{ashaID, "IN.77"} {
		if got := w.sign(id); got != "B printed_code" || w.together(ashaPhone, id) {
			t.Errorf("%s: the case says %q, linked %v; want B printed_code, not linked", id, got, w.together(ashaPhone, id))
		}
	}
}

func TestCodesAreTheTenantsOwn(t *testing.T) {
	t.Parallel()
	w := codedWorld(t)
	code := w.makes(identity.CodeOnce)
	asha := w.whois(whatsapp.KindPhone, ashaPhone)
	other := freshWorld(t)
	other.feed(event{wamid: "a", phone: ashaPhone, name: "Asha"})
	other.as(func(tx *tenants.Tx) error {
		if _, err := identity.MakeCode(t.Context(), tx, w.key, meera, asha.ID, ashaPhone, identity.CodeOnce); err == nil {
			t.Error("another business made a code for a contact of this one")
		}
		if err := identity.RevokeCode(t.Context(), tx, meera, asha.ID, code.ID); err == nil {
			t.Error("another business took it back")
		}
		if list, err := identity.CodesOf(t.Context(), tx, asha); err != nil || len(list) != 0 {
			t.Errorf("another business reads %+v, %v", list, err)
		}
		return nil
	})
	if err := w.db.As(t.Context(), w.tenant, func(tx *tenants.Tx) error {
		_, err := identity.MakeCode(t.Context(), tx, w.key, meera, asha.ID, "919800000999", identity.CodeOnce)
		return err
	}); err == nil {
		t.Error("a code was made for a phone that is not hers")
	}
}

// TestCodesGoWithPhonesThatAreNotKept: a number that keeps no phones from now on leaves none with its codes either.
func TestCodesGoWithPhonesThatAreNotKept(t *testing.T) {
	t.Parallel()
	w := codedWorld(t)
	w.makes(identity.CodeOnce)
	w.as(func(tx *tenants.Tx) error {
		if _, err := tx.Exec(`UPDATE numbers SET phone_free = true WHERE id = $1`, w.numbers[mainNumber]); err != nil {
			return err
		}
		if _, err := identity.HidePhones(t.Context(), tx, phonefree.For(w.keys, w.tenant), w.numbers[mainNumber], "", 100); err != nil {
			return err
		}
		var left int
		err := tx.Get(&left, `SELECT count(*) FROM link_codes WHERE phone = $1`, ashaPhone)
		if left != 0 {
			t.Errorf("%d codes hold the phone, want none", left)
		}
		return err
	})
}

// TestWordsAreNotCodes: what customers write all day.
func TestWordsAreNotCodes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"what they want", "HAVE THAT MADE", "9876 5432 2345", "987654322345", "2345-6789-2345", "order GAS-2291-2024", "AFTERMARKETS", "नमस्ते", "4111 2222 3333 4444",
		"meet me at 5, then call 98765 43210", "ABCD-EFGH-JKMN",
	} {
		if got := identity.CodesIn(whatsapp.Event{Kind: whatsapp.KindMessage, Direction: whatsapp.DirectionIn, Type: "text", Text: text}); len(got) > 0 {
			t.Errorf("%q: %q, want none", text, got)
		}
	}
}
