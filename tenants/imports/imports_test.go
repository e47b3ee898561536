package imports_test

import (
	"context"
	"errors"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/imports"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

const (
	asha  = "919812345601"
	ravi  = "919812345602"
	suman = "919812345603"

	ashaID = "IN.7704418820035512"
	raviID = "IN.7704418820035513"
)

func TestTrialCountsWithoutChangingAnything(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.writes(0, whatsapp.Party{Phone: asha, ProfileName: "Asha V"})
	s.writes(1, whatsapp.Party{Phone: ravi, BSUID: raviID, ProfileName: "Ravi"})
	before := s.dump()
	s.work()

	i := s.try(s.upload(strings.NewReader(strings.Join([]string{
		"Name;Mobile;WhatsApp ID;Customer ID",
		"Asha Verma;98123 45601;;C-1",           // 2: gets a name and an id
		"Ravi;+91 98123-45602;" + raviID + ";",  // 3: gets a name
		"सुमन;०९८१२३४५६०३;;C-3",                 // 4: new
		"Suman again;9812345603;;",              // 5: twice
		"Excel;9.19E+11;;",                      // 6
		"Nowhere;+999 1234 5678;;",              // 7
		"Short;12345;;",                         // 8
		"Only a name;;;",                        // 9
		"Two people;9812345601;" + raviID + ";", // 10: twice, as row 3 has that id
		"\"Line\nbreak\";;IN.123456789;",        // 11: new by WhatsApp ID
		"Hidden;••••••5601;;",                   // 12
		"Bad id;;IN-123;",                       // 13
	}, "\r\n"))), nil)

	if i.New != 2 || i.Changed != 2 || i.Same != 0 || i.Conflict != 0 || i.Skipped != 8 {
		t.Errorf("want 2 new, 2 changed, 0 same, 0 conflict, 8 skipped; got %d, %d, %d, %d, %d", i.New, i.Changed, i.Same, i.Conflict, i.Skipped)
	}
	want := "5 twice 4, 6 spoiled_phone, 7 unknown_country, 8 bad_phone, 9 no_handle, 10 twice 3, 12 masked_phone, 13 bad_bsuid"
	if got := s.reasons(i); got != want {
		t.Errorf("want %s\ngot  %s", want, got)
	}
	if after := s.dump(); after != before {
		t.Errorf("the trial changed something:\n%s\nwas:\n%s", after, before)
	}
}

func TestProofFindsTheImportedContact(t *testing.T) {
	t.Parallel()
	for _, bare := range []bool{false, true} {
		s := newShop(t, bare)
		s.work()
		i := s.take("name,phone,Customer ID", "Asha Verma,"+asha+",C-1")
		if i.New != 1 {
			t.Fatalf("want 1 new, got %+v", i)
		}
		imported := s.resolve(whatsapp.KindPhone, asha)
		if imported.Name() != "Asha Verma" || imported.ExternalIDs["Customer ID"] != "C-1" || !imported.LastAt.IsZero() {
			t.Errorf("want Asha Verma C-1, never heard of; got %+v", imported)
		}
		if bare {
			s.connect()
		}

		s.writes(5, whatsapp.Party{Phone: asha, BSUID: ashaID, ProfileName: "asha🌸"})
		for kind, value := range map[whatsapp.Kind]string{whatsapp.KindPhone: asha, whatsapp.KindBSUID: ashaID} {
			c := s.resolve(kind, value)
			if c.ID != imported.ID || c.Name() != "Asha Verma" || len(c.Identities) != 1 || c.LastAt.IsZero() {
				t.Errorf("%s: want the imported contact, one account, heard of; got %+v", kind, c)
			}
			for _, d := range c.Identities[0].Identifiers {
				if !d.FirstSeen.Equal(d.LastSeen) || !d.FirstSeen.Equal(c.LastAt) {
					t.Errorf("%s: want seen when they wrote, %s; got %s to %s", d.Kind, c.LastAt, d.FirstSeen, d.LastSeen)
				}
			}
		}
		if n := len(s.cases()); n != 0 {
			t.Errorf("want no case, got %d", n)
		}
	}
}

// A phone beside a WhatsApp ID in a list is a claim (matching.md B5): it suggests, in whichever order things come, and never joins.
func TestPairOnlySuggests(t *testing.T) {
	t.Parallel()
	list := []string{"name,phone,bsuid", "Asha Verma," + asha + "," + ashaID}
	stories := map[string]func(*shop){
		"list first":    func(s *shop) { s.take(list...); s.writes(0, whatsapp.Party{BSUID: ashaID, ProfileName: "a."}) },
		"message first": func(s *shop) { s.writes(0, whatsapp.Party{BSUID: ashaID, ProfileName: "a."}); s.take(list...) },
		"phone known": func(s *shop) {
			s.writes(0, whatsapp.Party{Phone: asha})
			s.writes(1, whatsapp.Party{BSUID: ashaID, ProfileName: "a."})
			s.take(list...)
		},
	}
	for name, tell := range stories {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			s := newShop(t, false)
			s.work()
			tell(s)

			byPhone, byID := s.resolve(whatsapp.KindPhone, asha), s.resolve(whatsapp.KindBSUID, ashaID)
			if byPhone.ID == byID.ID {
				t.Fatalf("want two contacts, got one")
			}
			cases := s.cases()
			if len(cases) != 1 || cases[0].Kind != identity.CaseSuggested || len(cases[0].Candidates) != 1 {
				t.Fatalf("want one suggested case with one candidate, got %+v", cases)
			}
			k := cases[0].Candidates[0]
			if k.Contact.ID != byPhone.ID || k.Tier != "B" || k.Reasons[0].Code != "imported" {
				t.Errorf("want the phone's contact by tier B imported, got %+v", k)
			}

			var link uuid.UUID
			s.as(func(tx *tenants.Tx) (err error) {
				_, link, err = identity.Decide(t.Context(), tx, meera, identity.Decision{Case: cases[0].ID, Kind: identity.DecideSame, Contact: byPhone.ID})
				return err
			})
			if got := s.resolve(whatsapp.KindBSUID, ashaID); got.ID != byPhone.ID || got.Phone() != asha {
				t.Errorf("want them one after the decision, got %+v", got)
			}
			s.as(func(tx *tenants.Tx) error {
				_, err := identity.Undo(t.Context(), tx, meera, link, true)
				return err
			})
			if got := s.resolve(whatsapp.KindPhone, asha); got.ID != byPhone.ID || len(got.Identities) != 1 {
				t.Errorf("want the imported contact as it was after undoing the decision, got %+v", got)
			}
		})
	}
}

func TestConflictsChangeNothing(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.work()
	s.writes(0, whatsapp.Party{Phone: asha, BSUID: ashaID})
	s.writes(1, whatsapp.Party{Phone: ravi, BSUID: raviID})
	s.take("phone,customer id", asha+",C-1", ravi+",C-2")
	before := s.dump()

	i := s.take("name,phone,bsuid,customer id",
		"A,"+asha+","+raviID+",",
		"B,"+suman+","+ashaID+",",
		"C,"+suman+",,C-1", // the phone stands in row 3 already
		"D,,IN.999,C-1",
		"E,"+ravi+",,C-9",
		"F,919812345609,,C-2",
	)
	if i.Conflict != 5 || i.Skipped != 1 || i.New+i.Changed+i.Same != 0 {
		t.Errorf("want 5 conflicts and 1 skipped, got %+v", i)
	}
	want := "2 two_people, 3 other_phone, 4 twice 3, 5 not_theirs, 6 other_system_id, 7 not_theirs"
	if got := s.reasons(i); got != want {
		t.Errorf("want %s\ngot  %s", want, got)
	}
	after := strings.TrimSuffix(s.dump(), "\nhint imported "+asha)
	if after != before {
		t.Errorf("conflicts changed something:\n%s\nwas:\n%s", after, before)
	}
}

func TestNamesPeopleGaveStay(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.work()
	s.take("name,phone", "Asha,"+asha)
	if i := s.take("name,phone", "Mrs Verma,"+asha); i.Same != 1 {
		t.Errorf("want the row to change nothing, got %+v", i)
	}
	if got := s.resolve(whatsapp.KindPhone, asha).DisplayName; got != "Asha" {
		t.Errorf("want the name given before, got %q", got)
	}

	i := s.try(s.upload(strings.NewReader("name,phone\nMrs Verma,"+asha)), func(m *imports.Mapping) { m.Replace = true })
	s.step(i.ID, imports.Run)
	s.until(i.ID, imports.Done)
	if got := s.resolve(whatsapp.KindPhone, asha).DisplayName; got != "Mrs Verma" {
		t.Errorf("want the list's name where it was asked for, got %q", got)
	}
	s.undo(i)
	if got := s.resolve(whatsapp.KindPhone, asha).DisplayName; got != "Asha" {
		t.Errorf("want the name back, got %q", got)
	}
}

func TestAgentsFindByExternalID(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.work()
	s.take("name,phone,consumer no,username", "Asha,"+asha+",BPL-0042,asha.gas", "Ravi,"+ravi+",70415,")
	for query, want := range map[string]string{"bpl-0042": "Asha", "BPL-0042": "Asha", "70415": "Ravi", "asha.gas": "Asha", "5601": "Asha"} {
		if got := s.find(query); len(got) != 1 || got[0].Name() != want {
			t.Errorf("%s: want %s, got %+v", query, want, got)
		}
	}
	if got := s.resolve(whatsapp.KindPhone, asha); got.Username() != "" {
		t.Errorf("a list's username must not pass for WhatsApp's, got %q", got.Username())
	}
}

func TestUndoIsExact(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.work()
	s.writes(0, whatsapp.Party{Phone: asha})
	s.writes(1, whatsapp.Party{BSUID: raviID})
	s.take("phone,customer id", asha+",C-1")
	before := s.dump()

	i := s.take("name,phone,bsuid,customer id",
		"Asha,"+asha+",,C-1", "Ravi,"+ravi+","+raviID+",C-2", "Suman,"+suman+",,C-3", "Somebody,,IN.555,C-4", "Both,919812345604,IN.556,")
	if i.New != 4 || i.Changed != 1 {
		t.Fatalf("want 4 new and 1 changed, got %+v", i)
	}
	if len(s.cases()) != 1 || s.cases()[0].Kind != identity.CaseSuggested {
		t.Fatalf("want Ravi suggested, got %+v", s.cases())
	}
	i = s.undo(i)
	if i.Reverted != 5 || i.Kept != 0 {
		t.Errorf("want 5 rows taken back, none kept; got %d, %d", i.Reverted, i.Kept)
	}
	if after := s.dump(); after != before {
		t.Errorf("want all as before:\n%s\nbut it is:\n%s", before, after)
	}
	s.as(func(tx *tenants.Tx) error {
		if _, fault, err := tenants.VerifyAudit(t.Context(), tx); err != nil || fault != nil {
			t.Errorf("audit: %v %v", fault, err)
		}
		return nil
	})
}

// Who gave a number that only the list knew is no longer suggested as its customer.
func TestUndoEndsSuggestions(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.work()
	s.says(0, whatsapp.Party{BSUID: ashaID}, "my bill is GAS-22914")
	i := s.take("name,phone,customer id", "Asha,"+asha+",GAS-22914")
	if got := s.cases(); len(got) != 1 || got[0].Kind != identity.CaseSuggested {
		t.Fatalf("want the list's customer suggested, got %+v", got)
	}
	s.undo(i)
	if got := s.cases(); len(got) != 1 || got[0].Kind != identity.CaseUnresolved || len(got[0].Candidates) != 0 {
		t.Errorf("want nobody suggested, got %+v", got)
	}
}

func TestUndoKeepsWhatHappenedSince(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	s.work()
	i := s.take("name,phone", "Asha,"+asha, "Ravi,"+ravi, "Suman,"+suman, "Gone,919812345604")
	s.writes(5, whatsapp.Party{Phone: asha, BSUID: ashaID, ProfileName: "asha"})
	edited, name := s.resolve(whatsapp.KindPhone, ravi), "Ravi Kumar"
	s.as(func(tx *tenants.Tx) error {
		_, err := identity.Edit{Contact: edited.ID, Version: edited.Version, DisplayName: &name}.Apply(t.Context(), tx, meera)
		return err
	})
	s.take("phone,customer id", suman+",C-3")

	i = s.undo(i)
	if i.Reverted != 1 || i.Kept != 3 {
		t.Errorf("want 1 taken back and 3 kept, got %d and %d", i.Reverted, i.Kept)
	}
	if got := s.reasons(i); got != "2 stayed_wrote, 3 stayed_changed, 4 stayed_listed" {
		t.Errorf("got %s", got)
	}
	if c := s.resolve(whatsapp.KindBSUID, ashaID); c.DisplayName != "" || c.ProfileName != "asha" {
		t.Errorf("want Asha's own name only, got %+v", c)
	}
	if c := s.resolve(whatsapp.KindPhone, ravi); c.DisplayName != name {
		t.Errorf("want the edited name kept, got %q", c.DisplayName)
	}
	if c := s.resolve(whatsapp.KindPhone, suman); c.DisplayName != "" || c.ExternalIDs["customer id"] != "C-3" {
		t.Errorf("want what the other list said, got %+v", c)
	}
	if len(s.find("0004")) != 0 && len(s.find("919812345604")) != 0 {
		t.Errorf("want the fourth gone")
	}
}

// When both lists that named somebody are taken back, nothing of them is left, in either order.
func TestTwoUndoesLeaveNothing(t *testing.T) {
	t.Parallel()
	for _, firstFirst := range []bool{true, false} {
		s := newShop(t, false)
		s.work()
		before := s.dump()
		a := s.take("name,phone", "Asha,"+asha)
		b := s.take("phone,customer id", asha+",C-1")
		if firstFirst {
			a, b = b, a
		}
		s.undo(b)
		s.undo(a)
		if after := s.dump(); after != before {
			t.Errorf("want nothing left, got:\n%s", after)
		}
	}
}

func TestNotIfAnotherTenant(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	i := s.upload(strings.NewReader("name,phone\nAsha," + asha))
	other := s.neighbour()
	type step = func(context.Context, *tenants.Tx, tenants.Actor, uuid.UUID) error
	for name, do := range map[string]step{
		"run": imports.Run, "stop": imports.Stop, "undo": imports.Undo, "discard": imports.Discard,
		"map": func(ctx context.Context, tx *tenants.Tx, a tenants.Actor, id uuid.UUID) error {
			return imports.Map(ctx, tx, a, id, i.Mapping, "")
		},
		"get": func(ctx context.Context, tx *tenants.Tx, _ tenants.Actor, id uuid.UUID) error {
			_, err := imports.Get(ctx, tx, id)
			return err
		},
	} {
		err := s.db.As(t.Context(), other, func(tx *tenants.Tx) error { return do(t.Context(), tx, meera, i.ID) })
		if !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("%s: want not found for another tenant, got %v", name, err)
		}
	}
	if err := s.db.As(t.Context(), other, func(tx *tenants.Tx) error {
		rows, err := imports.Sample(t.Context(), tx, i.ID)
		problems, err2 := imports.Problems(t.Context(), tx, i.ID, 0, 10)
		if len(rows)+len(problems) > 0 {
			t.Errorf("want no rows for another tenant, got %v %v", rows, problems)
		}
		return errors.Join(err, err2)
	}); err != nil {
		t.Error(err)
	}
}

func TestStepsInOrder(t *testing.T) {
	t.Parallel()
	s := newShop(t, false)
	i := s.upload(strings.NewReader("name,phone\nAsha," + asha))
	for name, do := range map[string]func(context.Context, *tenants.Tx, tenants.Actor, uuid.UUID) error{"run": imports.Run, "stop": imports.Stop, "undo": imports.Undo} {
		err := s.db.As(t.Context(), s.tenant, func(tx *tenants.Tx) error { return do(t.Context(), tx, meera, i.ID) })
		if tenants.ConflictCode(err) != "import_moved" {
			t.Errorf("%s: want a conflict before the trial, got %v", name, err)
		}
	}
	s.step(i.ID, imports.Discard)
	err := s.db.As(t.Context(), s.tenant, func(tx *tenants.Tx) error {
		_, err := imports.Get(t.Context(), tx, i.ID)
		return err
	})
	if !errors.Is(err, tenants.ErrNotFound) {
		t.Errorf("want the list gone, got %v", err)
	}
}
