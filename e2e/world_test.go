package e2e_test

import (
	"strconv"
	"testing"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
)

// world is a site where asha-clinic has a past that fills every page, and ravi-motors has nothing yet.
type world struct {
	*site
	number string // with events
	silent string // connected, without any
	item   string // set aside
}

func newWorld(t *testing.T) *world {
	t.Helper()

	w := &world{site: newSite(t)}
	if _, err := access.AddMember(t.Context(), w.DB, w.clinic.ID, byTest, person(twice), access.Auditor); err != nil {
		t.Fatal(err)
	}
	if _, err := access.AddOperator(t.Context(), w.DB, byTest, person(operator), "admin"); err != nil {
		t.Fatal(err)
	}
	first := w.site.number(t, 0)
	w.site.number(t, 1)
	w.past(t, first)

	w.as(t, w.clinic, func(tx *tenants.Tx) error {
		if _, _, err := access.CreateKey(t.Context(), tx, byTest, "Billing", []string{"read"}); err != nil {
			return err
		}
		items, err := ingest.Items(t.Context(), tx, ingest.ItemFilter{State: ingest.SetAside, Limit: 1})
		if err != nil {
			return err
		}
		w.item, w.number = strconv.FormatInt(items[0].ID, 10), items[0].NumberID.UUID.String()
		list, err := numbers.List(t.Context(), tx, items[0].NumberID.UUID, 1)
		if err != nil {
			return err
		}
		w.silent = list[0].ID.String()

		return nil
	})

	return w
}
