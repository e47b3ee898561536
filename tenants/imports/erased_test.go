package imports_test

import (
	"strings"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/erased"
	"github.com/pehchan/pehchan/tenants/phonefree"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// forgotten lays the tombstones of somebody who was erased.
func (s *shop) forgotten(tenant uuid.UUID, values ...string) {
	s.t.Helper()
	h := erased.For(s.keys, tenant)
	var stones []erased.Stone
	for _, v := range values {
		stones = append(stones, erased.Stone{Hash: h.Hash(erased.Identifier, v), Kind: erased.Identifier, ErasedAt: time.Now().Add(-24 * time.Hour)})
	}
	if err := s.db.As(s.t.Context(), tenant, func(tx *tenants.Tx) error { return erased.Lay(s.t.Context(), tx, stones) }); err != nil {
		s.t.Fatal(err)
	}
}

// Who asked to be erased is not brought back by a list, by whatever it names them and however often, until they write themselves.
func TestAListDoesNotBringBackTheErased(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.work()
	const hidden = "919812345609" // erased from a number that keeps no phones: the tombstone is of its token
	s.forgotten(s.tenant, asha, ashaID, phonefree.For(s.keys, s.tenant).Phone(hidden))
	list := []string{
		"name,phone,bsuid,Customer ID",
		"Asha Verma,98123 45601,,C-1",
		"Asha by id,," + ashaID + ",C-2",
		"Ravi," + ravi + "," + ashaID + ",C-3", // names her beside a stranger
		"Hidden," + hidden + ",,C-4",
		"Suman," + suman + ",,C-5",
	}

	i := s.try(s.uploadLines(list...), nil)
	const want = "2 erased, 3 erased, 4 erased, 5 erased"
	if got := s.reasons(i); got != want || i.New != 1 || i.Skipped != 4 {
		t.Errorf("want %s, 1 new and 4 skipped; got %s, %d and %d", want, got, i.New, i.Skipped)
	}
	i = s.take(list...)
	if got := s.reasons(i); got != want || i.New != 1 || i.Skipped != 4 {
		t.Errorf("taken in: want %s, 1 new and 4 skipped; got %s, %d and %d", want, got, i.New, i.Skipped)
	}
	if dump := s.dump(); strings.Contains(dump, asha) || strings.Contains(dump, ashaID) || strings.Contains(dump, hidden) || strings.Contains(dump, "Asha") {
		t.Errorf("the list brought her back:\n%s", dump)
	}
	var kept []string
	s.as(func(tx *tenants.Tx) error {
		return tx.Select(&kept, `SELECT cells FROM import_rows WHERE tenant_id = $1 AND import_id = $2 AND reason = 'erased'`, s.tenant, i.ID)
	})
	for _, cells := range kept {
		if cells != "[]" {
			t.Errorf("the list that was taken in keeps %s of her", cells)
		}
	}

	// She writes: a customer as anybody, and a list may say what she is called.
	s.writes(590, whatsapp.Party{Phone: asha, ProfileName: "a."})
	again := s.take("name,phone", "Asha Verma,"+asha)
	if again.Changed != 1 || s.resolve(whatsapp.KindPhone, asha).Name() != "Asha Verma" {
		t.Errorf("want her name from the list once she wrote, got %+v", again)
	}
}

// The tombstones of one business say nothing to another.
func TestAListKnowsOnlyItsOwnErased(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.work()
	s.forgotten(s.neighbour(), asha)
	if i := s.take("name,phone", "Asha Verma,"+asha); i.New != 1 {
		t.Errorf("want 1 new, got %+v, %s", i, s.reasons(i))
	}
	if got := s.resolve(whatsapp.KindPhone, asha); got.Name() != "Asha Verma" {
		t.Errorf("got %+v", got)
	}
}
