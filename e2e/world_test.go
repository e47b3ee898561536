package e2e_test

import (
	"errors"
	"fmt"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/access"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/ingest"
	"github.com/pehchan/pehchan/tenants/numbers"
)

// world is a site where asha-clinic has a past that fills every page, and ravi-motors has nothing yet. Its fields are addresses.
type world struct {
	*site
	numbers  []string // one with events, one without
	named    []string // their usernames: one has one, one was refused
	item     string   // an event of a number set aside
	odd      string   // one that names no number
	cases    []string // one of every kind, and one that is done
	many     string   // of cases chosen to be decided at once
	event    string   // behind a case that names nobody
	contacts []string // with every type of message; recognised by a status; merged
	talks    []string // the conversations with them
	asking   []string // whom to ask for the number: by words and by template
	asked    []string // the same from their cases
	coding   string   // for whom to make a code
	proof    string   // the event behind a piece of evidence
	preview  string   // of a merge that nothing speaks against, and of one that something does
	risky    string
	receipts []string // of a merge, and of one undone
	lists    []string // of customers, at every step
	leave    string   // where the owner wants no more mails
	reset    string   // where the owner sets a new password
	invite   string   // where somebody new joins
	shared   string   // where they have the mail about it sent again
	signup   string   // where somebody sets a business up
	// where an operator takes another e-mail, and where they take that back
	email, emailBack string
	lesson           string
	quizzes          []string // one that is done, and one under way
	drill            string
	chats            []string // for practice: one that is done, and one under way
	wishes           []string // what customers ask about their data, open and closed
	incidents        []string // open and closed
	briefing         string   // given out
	forward          string   // an address that webhooks are passed on to, which does not take them
}

func newWorld(t *testing.T) *world {
	t.Helper()

	w := &world{site: newSite(t)}
	if _, err := access.AddMember(t.Context(), w.DB, w.clinic.ID, byTest, w.person(t, twice), access.Auditor); err != nil {
		t.Fatal(err)
	}
	if _, err := access.AddOperator(t.Context(), w.DB, byTest, w.person(t, operator), "admin"); err != nil {
		t.Fatal(err)
	}
	first := w.number(t, 0)
	w.number(t, 1)
	w.names(t)
	w.past(t, first)
	w.sharesNumber(t, first)
	w.deliver(t, []byte(`{"object": "whatsapp_business_account", "entry": "`+first.WABAID+`"}`))
	w.as(t, w.clinic, func(tx *tenants.Tx) error {
		_, _, err := access.CreateKey(t.Context(), tx, byTest, "Billing", []string{"read"})

		return errors.Join(err, w.lookUp(t, tx), w.toAsk(t, tx), w.decide(t, tx), w.meet(t, tx), w.letLink(t, tx), w.train(t, tx))
	})
	w.upload(t)
	w.throughWindow(t)
	w.leave, w.reset = w.toldByMail(t), w.forgotten(t)
	w.invite, w.shared = w.invited(t)
	w.linked(t)
	w.wished(t)
	w.passedOn(t)

	return w
}

// lookUp finds the numbers and what was set aside.
func (w *world) lookUp(t *testing.T, tx *tenants.Tx) error {
	t.Helper()

	list, err := numbers.List(t.Context(), tx, uuid.Nil, 0)
	if err != nil {
		return err
	}
	for _, n := range list {
		w.numbers = append(w.numbers, "/numbers/"+n.ID.String())
	}
	items, err := ingest.Items(t.Context(), tx, ingest.ItemFilter{State: ingest.SetAside, Limit: 100})
	if err != nil {
		return err
	}
	for _, item := range items {
		if item.NumberID.Valid {
			w.item = fmt.Sprintf("/numbers/%s/items/%s", item.NumberID.UUID, w.itemID(item.ID))
		} else {
			w.odd = "/numbers/items/" + w.itemID(item.ID)
		}
	}
	if w.item == "" || w.odd == "" {
		return errors.New("the past holds no event set aside, or only one kind")
	}

	return nil
}

// itemID is an event as addresses of the clinic name it.
func (w *world) itemID(n int64) string {
	return w.keys.Veil(w.clinic.ID, ingest.VeilItem).Write(n).String()
}

// decide finds a case of every kind, puts one off, leaves one to a second person and closes one.
func (w *world) decide(t *testing.T, tx *tenants.Tx) error {
	t.Helper()

	cases, _, err := identity.Cases(t.Context(), tx, identity.CaseFilter{Page: identity.Page{Limit: 100}})
	if err != nil {
		return err
	}
	tomorrow := time.Now().Add(24 * time.Hour)
	rest := []identity.Decision{{Kind: identity.DecideNew}, {Kind: identity.DecideHold, Until: &tomorrow}, {Kind: identity.DecideUnsure}}
	seen := map[string]bool{}
	for _, c := range cases {
		kind := c.Kind
		switch {
		case !seen[kind]:
			if c.ItemID != nil {
				w.event = "/resolve/" + c.ID.String() + "/event"
			}
		case kind == identity.CaseUnresolved && len(rest) > 0:
			rest[0].Case = c.ID
			if _, _, err := identity.Decide(t.Context(), tx, w.meera, rest[0]); err != nil {
				return fmt.Errorf("%s: %w", rest[0].Kind, err)
			}
			rest = rest[1:]
		default:
			continue
		}
		seen[kind] = true
		w.cases = append(w.cases, "/resolve/"+c.ID.String())
	}
	many, err := identity.StartBulk(t.Context(), tx, w.meera, identity.BulkInput{Decision: identity.DecideNew, All: &identity.CaseFilter{}})
	if err != nil {
		return err
	}
	w.many = "/resolve/many/" + many.String()
	if len(seen) != 4 || len(rest) > 0 || w.event == "" {
		return fmt.Errorf("the past holds cases of kinds %v only, or too few", seen)
	}

	return nil
}

// meet finds people worth a look and merges some of them.
func (w *world) meet(t *testing.T, tx *tenants.Tx) error {
	t.Helper()

	id := func(name string) uuid.UUID {
		found, _, err := identity.List(t.Context(), tx, name, identity.Page{})
		if err != nil || len(found) == 0 {
			t.Fatalf("find %s: %d found, %v", name, len(found), err)
		}

		return found[0].ID
	}
	merge := func(keep, lose string) (link, kept uuid.UUID) {
		kept = id(keep)
		link, err := identity.Merge(t.Context(), tx, w.meera, identity.MergeInput{Keep: kept, Lose: id(lose), Reason: "They told us at the desk", MayRisk: true})
		if err != nil {
			t.Fatalf("merge %s and %s: %v", keep, lose, err)
		}
		w.receipts = append(w.receipts, "/merges/"+link.String())

		return link, kept
	}
	_, merged := merge("Rohan Mehta", "Harish")
	apart, _ := merge("Deepa Gupta", "Suresh")
	if _, err := identity.Undo(t.Context(), tx, w.meera, apart, true); err != nil {
		return err
	}

	known := id("Kavita Rao")
	for _, contact := range []uuid.UUID{id("Anita Verma"), known, merged} {
		w.contacts, w.talks = append(w.contacts, "/contacts/"+contact.String()), append(w.talks, "/inbox/"+contact.String())
	}
	proofs, err := identity.Evidence(t.Context(), tx, known)
	if err != nil {
		return err
	}
	for _, p := range proofs {
		if len(p.Items) > 0 {
			w.proof = fmt.Sprintf("/contacts/%s/evidence/%s", known, w.itemID(p.Items[0]))
		}
	}
	preview := "/merges/preview?keep=%s&lose=%s"
	w.preview, w.risky = fmt.Sprintf(preview, known, id("Savitri")), fmt.Sprintf(preview, id(sunita), id(fatima))

	return nil
}
