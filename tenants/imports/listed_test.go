package imports_test

import (
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// The number of a customer beside nothing but a WhatsApp ID says who that is: the case closes by the list, and opens with its undo.
func TestListClosesCase(t *testing.T) {
	t.Parallel()
	list := []string{"name,bsuid,customer id", "Asha Verma," + ashaID + ",C-1"}

	t.Run("message first", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, false)
		s.work()
		s.writes(0, whatsapp.Party{BSUID: ashaID, ProfileName: "a."})
		open := s.cases()
		if len(open) != 1 {
			t.Fatalf("want one case before the list, got %d", len(open))
		}

		i := s.take(list...)
		k, link := s.caseAndLine(open[0].ID)
		if k.State != "done" || k.Outcome != identity.OutcomeListed || k.ClosedBy != meera.Name {
			t.Errorf("want the case closed by Meera's list, got %s %s %s", k.State, k.Outcome, k.ClosedBy)
		}
		if link.Kind != "imported" || link.ActorName != meera.Name || link.Reason != "customers.csv" || link.CaseID == nil || *link.CaseID != k.ID || link.UndoneAt != nil {
			t.Errorf("want a line that the list closed it, got %+v", link)
		}

		again := s.take(list...)
		if again.Same != 1 {
			t.Errorf("want the list the same the second time, got %+v", again)
		}
		s.undo(again)
		if n := len(s.cases()); n != 0 {
			t.Errorf("want no case while another list names her number, got %d", n)
		}
		s.undo(i)
		k, link = s.caseAndLine(open[0].ID)
		if k.State != "open" || len(s.cases()) != 1 || link.UndoneAt == nil || link.UndoneBy != meera.Name {
			t.Errorf("want the case open and its line undone once no list stands, got %s %+v", k.State, link)
		}
	})
	t.Run("list first", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, false)
		s.work()
		s.take(list...)
		s.writes(0, whatsapp.Party{BSUID: ashaID, ProfileName: "a."})
		if n := len(s.cases()); n != 0 {
			t.Errorf("want nobody asked, got %d cases", n)
		}
	})
	t.Run("another tenant's list", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, false)
		s.work()
		s.writes(0, whatsapp.Party{BSUID: ashaID})
		open := s.cases()
		other := s.neighbour()
		if err := s.db.As(t.Context(), other, func(tx *tenants.Tx) error {
			return identity.SettleListed(t.Context(), tx, meera, "theirs.csv", []uuid.UUID{*open[0].ContactID})
		}); err != nil {
			t.Fatal(err)
		}
		if n := len(s.cases()); n != 1 {
			t.Errorf("want the case open, got %d", n)
		}
	})
}

// What is no answer leaves the case open: a trial, a name alone, and a phone beside the ID, which only suggests (matching.md B5).
func TestListLeavesCaseOpen(t *testing.T) {
	t.Parallel()
	for name, c := range map[string]struct {
		row  string
		kind string
	}{
		"a name alone":          {"Asha Verma,," + ashaID + ",", identity.CaseUnresolved},
		"a phone":               {"Asha Verma," + asha + "," + ashaID + ",C-1", identity.CaseSuggested},
		"a number of no handle": {"Asha Verma,,,C-1", identity.CaseUnresolved},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, false)
			s.work()
			s.writes(0, whatsapp.Party{BSUID: ashaID})
			s.take("name,phone,bsuid,customer id", c.row)
			if got := s.cases(); len(got) != 1 || got[0].Kind != c.kind {
				t.Errorf("want one case, %s; got %+v", c.kind, got)
			}
		})
	}
	t.Run("a candidate", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, false)
		s.work()
		s.writes(0, whatsapp.Party{BSUID: ashaID})
		s.take("phone,bsuid", asha+","+ashaID)
		s.take("bsuid,customer id", ashaID+",C-1")
		if got := s.cases(); len(got) != 1 || got[0].Kind != identity.CaseSuggested {
			t.Errorf("want the question whether they are one to stay, got %+v", got)
		}
	})
	t.Run("a trial", func(t *testing.T) {
		t.Parallel()
		s := newShop(t, false)
		s.work()
		s.writes(0, whatsapp.Party{BSUID: ashaID})
		s.try(s.uploadLines("bsuid,customer id", ashaID+",C-1"), nil)
		s.writes(1, whatsapp.Party{BSUID: ashaID, ProfileName: "a."})
		if n := len(s.cases()); n != 1 {
			t.Errorf("want the case open after a trial, got %d", n)
		}
	})
}

// caseAndLine reads a case and the newest line about it in the journal of its contact.
func (s *shop) caseAndLine(id uuid.UUID) (k identity.Case, line identity.Link) {
	s.t.Helper()
	s.as(func(tx *tenants.Tx) (err error) {
		if k, err = identity.GetCase(s.t.Context(), tx, id); err != nil {
			return err
		}
		links, err := identity.Links(s.t.Context(), tx, *k.ContactID)
		for _, l := range links {
			if l.CaseID != nil && *l.CaseID == id {
				line = l
				break
			}
		}
		return err
	})

	return k, line
}
