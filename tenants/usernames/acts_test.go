package usernames_test

import (
	"context"
	"errors"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/google/uuid"

	"github.com/pehchan/pehchan/tenants"
	"github.com/pehchan/pehchan/tenants/notices"
	"github.com/pehchan/pehchan/tenants/sandbox"
	"github.com/pehchan/pehchan/tenants/usernames"
	"github.com/pehchan/pehchan/tenants/whatsapp"
)

// Each refusal of domain facts 8 is kept as it was said, changes nothing, and leaves the way open to ask again.
func TestRefusalsOfMeta(t *testing.T) {
	t.Parallel()
	h := newHouse(t)

	for _, c := range []struct{ name, code string }{
		{"asha" + sandbox.NameTaken, "147001"},
		{"asha" + sandbox.NameLimit, "147002"},
		{"asha" + sandbox.NamePage, "147003"},
		{"asha" + sandbox.NameInsta, "147004"},
		{"asha" + sandbox.NameUnregistered, "133010"},
		{"asha" + sandbox.NamePermission, "10"},
		{"asha" + sandbox.NameGone, "33"},
		{"asha" + sandbox.NameBusy, "4"},
	} {
		act, err := h.ask(h.desk, usernames.Claim, c.name)
		if err != nil || act.State != usernames.Refused || act.Code != c.code {
			t.Errorf("%s: got %+v, %v; want refused with %s", c.name, act, err, c.code)
		}
		n := h.get(t, h.desk)
		if n.Last == nil || n.Last.Code != c.code || n.Last.Name != c.name || n.Has.Known() || n.Unsure(time.Now()) {
			t.Errorf("%s: afterwards %+v, last %+v", c.name, n.Has, n.Last)
		}
	}
	if got, want := h.audited(t, "username.claim"), 8; got != want || h.audited(t, "username.answer") != want {
		t.Errorf("audited %d claims, %d answers; want %d each", got, h.audited(t, "username.answer"), want)
	}

	// What is wrong by the rules is not asked at all; what Meta alone finds wrong would be 100.
	before := h.calls.Load()
	var invalid *tenants.Invalid
	if _, err := h.ask(h.desk, usernames.Claim, "asha..clinic"); !errors.As(err, &invalid) || invalid.Key != "username_two_dots" || h.calls.Load() != before {
		t.Errorf("two periods: got %v and %d calls, want it refused here", err, h.calls.Load()-before)
	}
}

func TestBadParameterAndUnknownID(t *testing.T) {
	t.Parallel()
	h := newHouse(t)

	set := func(id string) {
		h.as(t, h.asha, func(tx *tenants.Tx) error {
			_, err := tx.Exec(`UPDATE numbers SET phone_number_id = $3 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, h.desk, id)
			return err
		})
	}
	set("1")
	if act, err := h.ask(h.desk, usernames.Claim, "ashaclinic"); err != nil || act.Code != "33" {
		t.Errorf("an id Graph does not know: got %+v, %v; want 33", act, err)
	}
	if act, err := h.ask(h.desk, usernames.Look, ""); err != nil || act.State != usernames.Refused || act.Code != "33" {
		t.Errorf("a look at it: got %+v, %v", act, err)
	}
	set(sandbox.Known().Numbers[0].PhoneNumberID)
	if act, err := h.ask(h.desk, usernames.Claim, "whatsapp.in2"); err != nil || act.State != usernames.Done {
		t.Errorf("back again: got %+v, %v", act, err)
	}
}

func TestClaimOnce(t *testing.T) {
	t.Parallel()
	h := newHouse(t)

	// Of many presses at once Meta hears one.
	var all sync.WaitGroup
	for range 6 {
		all.Go(func() {
			_, err := h.ask(h.desk, usernames.Claim, "@AshaClinic")
			if code := tenants.ConflictCode(err); err != nil && code != "username_have" && code != "username_asking" {
				t.Errorf("got %v", err)
			}
		})
	}
	all.Wait()
	if got := h.calls.Load(); got != 1 {
		t.Errorf("Meta was asked %d times, want once", got)
	}
	n := h.get(t, h.desk)
	if n.Has.Name != "ashaclinic" || n.Has.Status != whatsapp.UsernameApproved || n.Has.Source != usernames.FromGraph || n.Has.By != "Meera" || !n.Has.Holds() {
		t.Errorf("has %+v", n.Has)
	}
	if _, err := h.ask(h.desk, usernames.Claim, "ashaclinic"); tenants.ConflictCode(err) != "username_have" {
		t.Errorf("again: got %v", err)
	}

	if act, err := h.ask(h.lab, usernames.Claim, "ashaclinic"); err != nil || act.Code != "147005" {
		t.Errorf("by the other number: got %+v, %v; want 147005", act, err)
	}
	if act, err := h.ask(h.lab, usernames.Transfer, "ashaclinic"); err != nil || act.State != usernames.Done {
		t.Errorf("transfer: got %+v, %v", act, err)
	}
	if desk, lab := h.get(t, h.desk), h.get(t, h.lab); desk.Has.Holds() || !desk.Has.Known() || lab.Has.Name != "ashaclinic" {
		t.Errorf("after the transfer: desk %+v, lab %+v", desk.Has, lab.Has)
	}

	if _, err := h.ask(h.lab, usernames.Delete, "somethingelse"); tenants.ConflictCode(err) != "username_changed" {
		t.Errorf("delete another name than it has: got %v", err)
	}
	if act, err := h.ask(h.lab, usernames.Delete, "ashaclinic"); err != nil || act.State != usernames.Done || h.get(t, h.lab).Has.Name != "" {
		t.Errorf("delete: got %+v, %v", act, err)
	}
	if _, err := h.ask(h.lab, usernames.Delete, "ashaclinic"); tenants.ConflictCode(err) != "username_none" {
		t.Errorf("delete again: got %v", err)
	}
	if act, err := h.ask(h.lab, usernames.Claim, "asha"+sandbox.NameKept); err != nil || act.State != usernames.Done {
		t.Fatalf("claim: %+v, %v", act, err)
	}
	if act, err := h.ask(h.lab, usernames.Delete, "asha"+sandbox.NameKept); err != nil || act.State != usernames.Refused || act.Code != usernames.CodeKept {
		t.Errorf("a name that Meta does not delete: got %+v, %v", act, err)
	}
}

// Where nobody knows what Meta did, nothing more is asked of it until somebody has looked.
func TestUnknownOutcome(t *testing.T) {
	t.Parallel()
	h := newHouse(t)

	for _, name := range []string{"asha" + sandbox.NameLost, "asha" + sandbox.NameOdd, "asha" + sandbox.NameBroken} {
		act, err := h.ask(h.desk, usernames.Claim, name)
		if err != nil || act.State != usernames.Unknown || !h.get(t, h.desk).Unsure(time.Now()) {
			t.Fatalf("%s: got %+v, %v; want an unknown outcome", name, act, err)
		}
		before := h.calls.Load()
		if _, err := h.ask(h.desk, usernames.Claim, "other.name"); tenants.ConflictCode(err) != "username_unsure" || h.calls.Load() != before {
			t.Errorf("%s: asked on: %v", name, err)
		}
		if act, err := h.ask(h.desk, usernames.Look, ""); err != nil || act.State != usernames.Done {
			t.Fatalf("look: %+v, %v", act, err)
		}
		n := h.get(t, h.desk)
		if n.Unsure(time.Now()) || n.Has.Source != usernames.FromGraph {
			t.Errorf("%s: after a look %+v", name, n.Has)
		}
		if name != "asha"+sandbox.NameBroken && n.Has.Name != name {
			t.Errorf("%s: was taken, and the look found %+v", name, n.Has)
		}
	}
	if n := h.get(t, h.desk); !slices.Contains(n.Suggestions, "ashaclinic") || n.SuggestedAt == nil {
		t.Errorf("suggestions: got %v", n.Suggestions)
	}

	// A process that died while it asked.
	h.as(t, h.asha, func(tx *tenants.Tx) error {
		_, err := tx.Exec(`
			INSERT INTO username_acts (tenant_id, id, number_id, kind, name, by_name, asked_at) VALUES ($1, $2, $3, 'claim', 'x.y', 'Meera', now() - interval '2 minutes')`,
			tx.Tenant, uuid.New(), h.lab)
		return err
	})
	if n := h.get(t, h.lab); !n.Unsure(time.Now()) || n.Last.Outcome(time.Now()) != usernames.Unknown {
		t.Errorf("left asking: %+v", n.Last)
	}
	if _, err := h.ask(h.lab, usernames.Look, ""); err != nil || h.get(t, h.lab).Unsure(time.Now()) {
		t.Errorf("look: %v", err)
	}
}

func TestNumberThatCannotAsk(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	record := func(name, status string) error {
		return h.DB.As(context.Background(), h.asha, func(tx *tenants.Tx) error {
			return usernames.Record(context.Background(), tx, meera, h.desk, name, status)
		})
	}

	if err := record("ashaclinic", "approved"); tenants.ConflictCode(err) != "username_ask_meta" {
		t.Errorf("by hand where Meta can be asked: got %v", err)
	}
	h.as(t, h.asha, func(tx *tenants.Tx) error {
		_, err := tx.Exec(`UPDATE numbers SET access_token = NULL WHERE tenant_id = $1`, tx.Tenant)
		return err
	})
	if _, err := h.ask(h.desk, usernames.Look, ""); tenants.ConflictCode(err) != "token_missing" {
		t.Errorf("without a token: got %v", err)
	}
	var invalid *tenants.Invalid
	if err := record("asha..clinic", "approved"); !errors.As(err, &invalid) || invalid.Field != "name" {
		t.Errorf("a name that cannot be: got %v", err)
	}
	if err := record("ashaclinic", "owned"); !errors.As(err, &invalid) {
		t.Errorf("a status that is none: got %v", err)
	}
	if err := record("@AshaClinic", "reserved"); err != nil {
		t.Fatal(err)
	}
	if n := h.get(t, h.desk); n.Has.Name != "ashaclinic" || n.Has.Source != usernames.FromPerson || n.Has.By != "Meera" || n.MayAsk() == nil {
		t.Errorf("has %+v", n.Has)
	}
	if err := record("", ""); err != nil || h.get(t, h.desk).Has.Holds() {
		t.Errorf("no name: %v", err)
	}
}

func TestTokenThatIsRefused(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	h.as(t, h.asha, func(tx *tenants.Tx) error {
		sealed, err := h.keys.Seal(h.asha, "number token "+h.desk.String(), []byte("sandbox-token-expired"))
		if err != nil {
			return err
		}
		_, err = tx.Exec(`UPDATE numbers SET access_token = $3 WHERE tenant_id = $1 AND id = $2`, tx.Tenant, h.desk, sealed)
		return err
	})
	act, err := h.ask(h.desk, usernames.Look, "")
	if err != nil || act.Code != "190" {
		t.Fatalf("got %+v, %v; want 190", act, err)
	}
	if n := h.get(t, h.desk); n.Number.TokenProblem == "" {
		t.Error("nobody noted that the token is refused")
	}
}

// hears is a webhook about a number's username.
func (h house) hears(t *testing.T, number uuid.UUID, at time.Time, status, name, why string) {
	t.Helper()
	event := whatsapp.Event{Kind: whatsapp.KindUsername, Type: status, At: at.UTC().Truncate(time.Second), Digest: status + name + why, Facts: map[string]string{"status": status}}
	if name != "" {
		event.Facts["username"] = name
	}
	if why != "" {
		event.Facts["context"] = why
	}
	h.as(t, h.asha, func(tx *tenants.Tx) error {
		return notices.Record(context.Background(), tx, []notices.Heard{{
			ItemID: 1, NumberID: uuid.NullUUID{UUID: number, Valid: true}, WABA: "318840557712904", Field: notices.FieldUsername, ReceivedAt: time.Now(), Event: event,
		}})
	})
}

func TestWhatWhatsAppSays(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	now := time.Now()
	want := func(name, status, source string, revoked bool) {
		t.Helper()
		if n := h.get(t, h.desk); n.Has.Name != name || n.Has.Status != status || n.Has.Source != source || n.Has.Revoked != revoked {
			t.Errorf("got %+v; want %q %s by %s", n.Has, name, status, source)
		}
	}

	h.hears(t, h.desk, now.Add(-time.Hour), "reserved", "@Asha.Clinic", "")
	want("Asha.Clinic", "reserved", usernames.FromWebhook, false)
	h.hears(t, h.desk, now.Add(-30*time.Minute), "approved", "asha.clinic", "")
	want("asha.clinic", "approved", usernames.FromWebhook, false)
	if _, err := h.ask(h.desk, usernames.Look, ""); err != nil {
		t.Fatal(err)
	}
	want("", "", usernames.FromGraph, false) // newer
	h.hears(t, h.desk, now.Add(-20*time.Minute), "reserved", "late.one", "")
	want("", "", usernames.FromGraph, false)
	h.hears(t, h.desk, now.Add(time.Hour), "deleted", "", "revoked")
	want("", "deleted", usernames.FromWebhook, true)
	h.hears(t, h.desk, now.Add(time.Hour), "approved", "asha.clinic_4821", "revoked")
	want("asha.clinic_4821", "approved", usernames.FromWebhook, true)

	h.as(t, h.asha, func(tx *tenants.Tx) error {
		got, err := usernames.Handles(context.Background(), tx)
		if len(got) != 1 || got[0].Name != "asha.clinic_4821" || got[0].Phone != "15550199042" || got[0].Number != h.desk {
			t.Errorf("handles: got %+v", got)
		}
		return err
	})
}

func TestUsernamesNotIfAnotherTenant(t *testing.T) {
	t.Parallel()
	h := newHouse(t)
	ctx := context.Background()
	if _, err := h.ask(h.desk, usernames.Claim, "ashaclinic"); err != nil {
		t.Fatal(err)
	}
	h.as(t, h.asha, func(tx *tenants.Tx) error { return usernames.Note(ctx, tx, meera, "ashac1inic", "fake", "") })

	before := h.calls.Load()
	for _, kind := range []string{usernames.Claim, usernames.Transfer, usernames.Delete, usernames.Look} {
		if _, err := usernames.Ask(ctx, h.DB, h.keys, h.graph, meera, h.ravi, h.desk, kind, "ashaclinic"); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("%s of another's: got %v", kind, err)
		}
	}
	if h.calls.Load() != before {
		t.Error("Meta was asked for another's number")
	}
	for what, do := range map[string]func(*tenants.Tx) error{
		"plan": func(tx *tenants.Tx) error {
			return usernames.SetPlan(ctx, tx, meera, h.desk, usernames.Plan{Wanted: "mine"})
		},
		"idea":   func(tx *tenants.Tx) error { return usernames.AddIdea(ctx, tx, meera, h.desk, "mine") },
		"record": func(tx *tenants.Tx) error { return usernames.Record(ctx, tx, meera, h.desk, "mine", "approved") },
		"get":    func(tx *tenants.Tx) error { _, err := usernames.Get(ctx, tx, h.desk); return err },
	} {
		if err := h.DB.As(ctx, h.ravi, do); !errors.Is(err, tenants.ErrNotFound) {
			t.Errorf("%s: got %v, want ErrNotFound", what, err)
		}
	}
	h.as(t, h.ravi, func(tx *tenants.Tx) error {
		list, err := usernames.List(ctx, tx)
		if err != nil {
			return err
		}
		handles, err := usernames.Handles(ctx, tx)
		if err != nil {
			return err
		}
		acts, err := usernames.Acts(ctx, tx, h.desk)
		if err != nil {
			return err
		}
		watched, err := usernames.Watch(ctx, tx)
		if len(list)+len(handles)+len(acts)+len(watched) != 0 {
			t.Errorf("another tenant sees %v %v %v %v", list, handles, acts, watched)
		}
		return err
	})
}
