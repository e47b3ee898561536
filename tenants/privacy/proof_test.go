package privacy_test

import (
	"context"
	"encoding/json"
	"fmt"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/identity"
	"github.com/pehchan/pehchan/tenants/privacy"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// two has the person and a neighbour write, and returns both contacts.
func two(h *house) (her, neighbour uuid.UUID) {
	h.t.Helper()
	h.writes(before, "hello "+canary)
	h.deliver("messages", map[string]any{
		"contacts": []any{profile(otherPhone, otherID, "Ravi")}, "messages": []any{h.item(otherPhone, otherID, before, text("a neighbour"))},
	})
	h.settle()

	return h.contact(whatsapp.KindPhone, phone).ID, h.contact(whatsapp.KindPhone, otherPhone).ID
}

func (h *house) merge(keep, lose uuid.UUID) {
	h.t.Helper()
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		p, err := identity.PreviewMerge(ctx, tx, keep, lose)
		if err != nil {
			return err
		}
		_, err = identity.Merge(ctx, tx, meera, identity.MergeInput{Keep: keep, Lose: lose, Versions: &p.Versions, Reason: "looked alike", MayRisk: true})
		return err
	})
}

func (h *house) proved(kind string, contact uuid.UUID) (id uuid.UUID, of string) {
	h.t.Helper()
	h.as(func(ctx context.Context, tx *tenants.Tx) (err error) {
		if id, err = privacy.Add(ctx, tx, h.keys, meera, privacy.New{Kind: kind, Contact: &contact}); err != nil {
			return err
		}
		if of, err = privacy.AccountsOf(ctx, tx, contact); err != nil {
			return err
		}
		return privacy.Prove(ctx, tx, meera, id, "in_person", false)
	})

	return id, of
}

// Who has the phone of one of the business's own numbers is not erased: all that went out by it names that phone.
func TestOwnNumberIsNotErased(t *testing.T) {
	t.Parallel()
	h := open(t)
	her, neighbour := two(h)
	h.as(func(_ context.Context, tx *tenants.Tx) error {
		_, err := tx.Exec(`UPDATE numbers SET display_phone = '919812349876' WHERE tenant_id = $1`, h.tenant)
		return err
	})
	for contact, want := range map[uuid.UUID]string{her: "request_own_number", neighbour: ""} {
		id, of := h.proved(privacy.Erase, contact)
		err := h.DB.As(t.Context(), h.tenant, func(tx *tenants.Tx) error { return privacy.Start(t.Context(), tx, meera, id, of) })
		if got := tenants.ConflictCode(err); got != want || want == "" && err != nil {
			t.Errorf("got %v, want conflict %q", err, want)
		}
	}
}

func TestProofIsOfTheAccountsOfThen(t *testing.T) {
	t.Parallel()
	h := open(t)
	her, neighbour := two(h)
	erase, of := h.proved(privacy.Erase, her)
	access, _ := h.proved(privacy.Access, her)
	h.merge(her, neighbour)

	ctx := t.Context()
	for what, do := range map[string]func(tx *tenants.Tx) error{
		"erase": func(tx *tenants.Tx) error { return privacy.Start(ctx, tx, meera, erase, of) },
		"hand out": func(tx *tenants.Tx) error {
			_, err := privacy.Data(ctx, tx, meera, access, "json")
			return err
		},
	} {
		if got := tenants.ConflictCode(h.DB.As(ctx, h.tenant, do)); got != privacy.Changed {
			t.Errorf("%s after a merge: got conflict %q, want %q", what, got, privacy.Changed)
		}
	}
	h.as(func(ctx context.Context, tx *tenants.Tx) error { return privacy.Unprove(ctx, tx, meera, erase) })
	if r := h.state(erase); r.Proof != "" || r.State != privacy.Open {
		t.Errorf("after the refusal: proof %q, state %s; want none, open", r.Proof, r.State)
	}
	// A proof of the accounts as they are stays.
	again, _ := h.proved(privacy.Erase, her)
	h.as(func(ctx context.Context, tx *tenants.Tx) error { return privacy.Unprove(ctx, tx, meera, again) })
	if r := h.state(again); r.Proof == "" {
		t.Error("a proof of the accounts as they are was taken back")
	}
}

func TestMergeBetweenStartAndErasingReopens(t *testing.T) {
	t.Parallel()
	h := open(t)
	her, neighbour := two(h)
	id := h.request(her)
	h.merge(her, neighbour)
	if err := h.worker().Once(t.Context()); err != nil {
		t.Fatal(err)
	}
	if r := h.state(id); r.State != privacy.Open || r.Proof != "" || r.Subject == "" {
		t.Errorf("state %s, proof %q, subject %q; want open, none, still known", r.State, r.Proof, r.Subject)
	}
	if h.contact(whatsapp.KindPhone, otherPhone) == nil || h.contact(whatsapp.KindPhone, phone) == nil {
		t.Error("somebody was erased on a proof of other accounts")
	}
}

func TestOtherRequestsOfTheErased(t *testing.T) {
	t.Parallel()
	h := open(t)
	her, _ := two(h)
	waiting, _ := h.proved(privacy.Access, her)
	refused, _ := h.proved(privacy.Object, her)
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		return privacy.Close(ctx, tx, meera, refused, privacy.Refused, "no offers are sent")
	})
	sum := receiptSum(t, h.state(refused))
	h.exec(`INSERT INTO idempotency_keys (tenant_id, key, caller, request, status, body) VALUES ($1, 'k', 'c', '\x00', 200, convert_to($2, 'UTF8'))`, h.tenant, canary)
	second := h.request(her)
	if r := h.erase(h.worker(), her); r.State != privacy.Done {
		t.Fatalf("state %s, want done; log:\n%s", r.State, h.log)
	}

	if r := h.state(waiting); r.State != privacy.Open || r.Contact != nil {
		t.Errorf("another open request: state %s, contact %v; want open, of nobody", r.State, r.Contact)
	}
	if got := receiptSum(t, h.state(refused)); got != sum {
		t.Error("the receipt of a closed request is another now")
	}
	// Of the two erasures one removed her, the other nothing; both end.
	var removed []int64
	for _, r := range h.erasures() {
		receipt, err := privacy.ReceiptOf("Asha Clinic", r)
		if err != nil {
			t.Fatal(err)
		}
		n := int64(0)
		for _, c := range receipt.Counts {
			n += c.N
		}
		removed = append(removed, n)
		if r.State != privacy.Done {
			t.Errorf("erasure %s is %s, want done; log:\n%s", r.ID, r.State, h.log)
		}
	}
	if len(removed) != 2 || (removed[0] == 0) == (removed[1] == 0) {
		t.Errorf("the two erasures of %s and another removed %v, want one nothing", second, removed)
	}
	var status int
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		return tx.GetContext(ctx, &status, `SELECT status FROM idempotency_keys WHERE tenant_id = $1 AND key = 'k'`, h.tenant)
	})
	if status != tenants.Forgotten {
		t.Errorf("a write that was done has status %d, want %d: known, its answer forgotten", status, tenants.Forgotten)
	}
}

func receiptSum(t *testing.T, r privacy.Request) string {
	t.Helper()
	receipt, err := privacy.ReceiptOf("Asha Clinic", r)
	if err != nil {
		t.Fatal(err)
	}

	return receipt.SHA256
}

func (h *house) erasures() (list []privacy.Request) {
	h.t.Helper()
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		all, err := privacy.List(ctx, tx, h.keys)
		for _, r := range all {
			if r.Kind == privacy.Erase {
				list = append(list, r)
			}
		}
		return err
	})

	return list
}

// TestContactBookThatFails: one account's entry is deleted at the first try, the other's never.
func TestContactBookThatFails(t *testing.T) {
	t.Parallel()
	h := open(t)
	her, neighbour := two(h)
	h.merge(her, neighbour)
	asked := map[string]int{}
	meta := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		id := r.URL.Query().Get("bsuid")
		asked[id]++
		if id == otherID {
			w.WriteHeader(http.StatusInternalServerError)
			fmt.Fprint(w, `{"error":{"message":"down","code":1}}`)
			return
		}
		fmt.Fprintf(w, `{"deleted":%t}`, asked[id] == 1)
	}))
	t.Cleanup(meta.Close)
	h.graph = whatsapp.NewGraph(meta.URL)

	id, w, later := h.request(her), h.worker(), 0
	for range 60 {
		done, err := w.Step(t.Context(), h.tenant, id)
		if err != nil && !privacy.Again(err) {
			t.Fatal(err)
		}
		if err != nil {
			later++
		}
		if done {
			break
		}
	}
	r := h.state(id)
	var outcome struct {
		Book map[string]int `json:"book"`
	}
	if err := json.Unmarshal(r.Outcome, &outcome); err != nil {
		t.Fatal(err)
	}
	if r.State != privacy.Done || later != privacy.BookTries-1 {
		t.Errorf("state %s after %d tries that failed, want done after %d", r.State, later, privacy.BookTries-1)
	}
	if outcome.Book[privacy.BookDeleted] != 1 || outcome.Book[privacy.BookFailed] != 1 || outcome.Book[privacy.BookNone] != 0 {
		t.Errorf("contact book %v, want one deleted and one failed", outcome.Book)
	}
	if asked[bsuid] != 1 {
		t.Errorf("the entry that was deleted was asked for %d times, want once", asked[bsuid])
	}
}

// TestDataLeavesOutAnotherHolder: a phone that passed on hands out nothing of who has it now.
func TestDataLeavesOutAnotherHolder(t *testing.T) {
	t.Parallel()
	h := open(t)
	her, neighbour := two(h)
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		// Ravi has her phone now.
		var shared, ravi uuid.UUID
		if err := tx.GetContext(ctx, &shared, `SELECT id FROM identifiers WHERE tenant_id = $1 AND value = $2`, h.tenant, phone); err != nil {
			return err
		}
		if err := tx.GetContext(ctx, &ravi, `SELECT id FROM identities WHERE tenant_id = $1 AND contact_id = $2`, h.tenant, neighbour); err != nil {
			return err
		}
		for _, statement := range []string{
			`INSERT INTO tenures (tenant_id, id, identity_id, identifier_id, first_seen, last_seen, current) VALUES ($1, gen_random_uuid(), $3, $2, now(), now(), true)`,
			`INSERT INTO account_signals (tenant_id, identifier_id, number_id, kind, category, at, value, item_id)
				SELECT $1, $2, n.id, 'preference', 'of-ravi', now(), 'stop', 1 FROM numbers n WHERE n.tenant_id = $1 AND $3::uuid IS NOT NULL`,
			`INSERT INTO hints (tenant_id, id, subject_id, kind, claim_kind, claim_value, at, item_id)
				SELECT $1, gen_random_uuid(), $2, 'of_ravi', 'phone', '919811112222', now(), 1 WHERE $3::uuid IS NOT NULL`,
		} {
			if _, err := tx.ExecContext(ctx, statement, h.tenant, shared, ravi); err != nil {
				return err
			}
		}
		_, err := tx.ExecContext(ctx, `UPDATE contacts SET notes = 'her sister has +91 98111 13333' WHERE tenant_id = $1 AND id = $2`, h.tenant, her)
		return err
	})
	id, _ := h.proved(privacy.Access, her)
	var file string
	h.as(func(ctx context.Context, tx *tenants.Tx) error {
		sections, err := privacy.Data(ctx, tx, meera, id, "json")
		if err != nil {
			return err
		}
		raw, err := json.Marshal(sections)
		file = string(raw)
		return err
	})
	for _, theirs := range []string{"hello " + canary, bsuid, phone, "her sister has"} {
		if !strings.Contains(file, theirs) {
			t.Errorf("the file lacks %q", theirs)
		}
	}
	for _, others := range []string{"of-ravi", "of_ravi", "11112222", "98111 13333", otherID, "a neighbour"} {
		if strings.Contains(file, others) {
			t.Errorf("the file holds %q of somebody else:\n%s", others, file)
		}
	}
}
