package server_test

import (
	"net/http"
	"regexp"
	"strconv"
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// A full page of contacts has no more elements than a cheap phone lays out at once, and the next page has those who follow.
func TestAFullPageOfContactsIsLight(t *testing.T) {
	t.Parallel()
	st := newSite(t)
	err := st.DB.As(t.Context(), st.clinic.ID, func(tx *tenants.Tx) error {
		if err := identity.Lock(t.Context(), tx); err != nil {
			return err
		}
		for i := range 60 {
			if _, err := identity.AddClaimed(t.Context(), tx, tenants.SystemActor, "portfolio:900", "list.csv", []identity.Claim{
				{Handle: identity.Handle{Kind: whatsapp.KindPhone, Value: "9198000005" + strconv.Itoa(10+i)}},
			}); err != nil {
				return err
			}
		}
		return nil
	})
	if err != nil {
		t.Fatal(err)
	}
	asha := st.signedIn(t, "asha")
	row, element := regexp.MustCompile(`data-testid="contact-[0-9a-f]{8}-`), regexp.MustCompile(`<[a-z]`)
	page, seen := "/contacts", 0
	for n := 0; page != "" && n < 5; n++ {
		r := asha.get(page)
		asha.has(r, http.StatusOK)
		if many := len(element.FindAllString(r.body, -1)); many > 800 {
			t.Errorf("%s has %d elements, want at most 800", page, many)
		}
		seen += len(row.FindAllString(r.body, -1))
		page = ""
		if next := regexp.MustCompile(`href="(/contacts\?[^"]*cursor=[^"]+)"`).FindStringSubmatch(r.body); next != nil {
			page = regexp.MustCompile(`&amp;`).ReplaceAllString(next[1], "&")
		}
	}
	if seen != 60 {
		t.Errorf("got %d contacts over all pages, want 60", seen)
	}
}
